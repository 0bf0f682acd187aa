"""Results for people and for other programs."""

from emu.report.junit import junit
from emu.report.terminal import write_report

__all__ = ["junit", "write_report"]
