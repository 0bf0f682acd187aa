"""Names that programs and files bring along, made fit for reports."""

from __future__ import annotations

from pathlib import PurePath
from urllib.parse import quote

from emu.sframe.printable import printable

__all__ = ["file_name", "printable", "uri"]


def file_name(path: str) -> str:
    """The last part of a module's path, for places that have no room for all of it."""
    return PurePath(path).name or path


def uri(path: str) -> str:
    """The URI of a file: absolute for an absolute path, else a relative reference."""
    encoded = quote(path.encode(errors="surrogateescape"), safe="/")
    return f"file://{encoded}" if path.startswith("/") else encoded
