"""Names that programs and files bring along, made fit for reports."""

from __future__ import annotations

from pathlib import PurePath
from urllib.parse import quote


def printable(text: str) -> str:
    """`text` on one line: what cannot be printed is written as Python would escape it.

    Names come from files that anybody may have made: a symbol may hold a terminal's control
    sequences, a path bytes that are not UTF-8.
    """
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def file_name(path: str) -> str:
    """The last part of a module's path, for places that have no room for all of it."""
    return PurePath(path).name or path


def uri(path: str) -> str:
    """The URI of a file: absolute for an absolute path, else a relative reference."""
    encoded = quote(path.encode(errors="surrogateescape"), safe="/")
    return f"file://{encoded}" if path.startswith("/") else encoded
