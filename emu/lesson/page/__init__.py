"""The walkthrough as one self-contained HTML page."""

from emu.lesson.page.render import page

__all__ = ["page"]
