"""Results for people and for other programs."""

from emu.report.junit import junit, junit_document, junit_error, junit_suite
from emu.report.terminal import write_report

__all__ = ["junit", "junit_document", "junit_error", "junit_suite", "write_report"]
