"""The report as one self-contained HTML page."""

from emu.report.page.render import html, html_document
from emu.report.page.view import Program, html_error, html_part

__all__ = ["Program", "html", "html_document", "html_error", "html_part"]
