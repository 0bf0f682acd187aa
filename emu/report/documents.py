"""The forms of a report that are one document, whether of one program or of several."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emu.check.result import Result
from emu.report.junit import junit_document, junit_error, junit_suite
from emu.report.page import html_document, html_error, html_part
from emu.report.sarif import sarif_document, sarif_error, sarif_run


@dataclass(frozen=True, slots=True)
class Document:
    """How a document is made of a part for each program; parts can be sent between processes."""

    part: Callable[[Result], Any]
    error: Callable[[str, str], Any]
    """The part of a program that could not be checked: its name, and why."""
    document: Callable[[Sequence[Any]], bytes]


DOCUMENTS: Mapping[str, Document] = {
    "junit": Document(junit_suite, junit_error, junit_document),
    "sarif": Document(sarif_run, sarif_error, sarif_document),
    "html": Document(html_part, html_error, html_document),
}
"""By the name of the option of `emu check`."""
