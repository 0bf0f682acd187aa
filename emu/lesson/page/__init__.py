"""The walkthrough as one self-contained HTML page."""

from emu.lesson.page.listing import case_lines
from emu.lesson.page.render import page

__all__ = ["case_lines", "page"]
