"""Results for people and for other programs."""

from emu.report.documents import DOCUMENTS, Document
from emu.report.junit import junit, junit_document, junit_error, junit_suite
from emu.report.names import printable
from emu.report.page import html, html_document, html_error, html_part
from emu.report.sarif import sarif, sarif_document, sarif_error, sarif_run
from emu.report.terminal import write_report
from emu.report.words import SAID

__all__ = [
    "DOCUMENTS",
    "SAID",
    "Document",
    "html",
    "html_document",
    "html_error",
    "html_part",
    "junit",
    "junit_document",
    "junit_error",
    "junit_suite",
    "printable",
    "sarif",
    "sarif_document",
    "sarif_error",
    "sarif_run",
    "write_report",
]
