"""A static picture of a stack, drawn as memory: one SVG element, self-contained text.

High addresses are at the top, so that a stack grows downwards and the topmost frame, in the
language of unwinders, stands at the bottom.
"""

from __future__ import annotations

from emu.check import Snapshot
from emu.lesson.picture_model import Picture
from emu.lesson.picture_of_snapshot import picture_of
from emu.lesson.picture_svg import draw
from emu.lesson.picture_words import describe

__all__ = ["Picture", "describe", "draw", "picture_of", "stack_picture"]


def stack_picture(
    snapshot: Snapshot,
    *,
    identifier: str,
    title: str = "",
    frames: int | None = None,
    below: int = 0,
    style: bool = False,
) -> str:
    """The stack of a snapshot as an SVG element.

    `identifier` is unique in the page: the title and the description are found by it. At most
    `frames` frames are drawn, and `below` words under rsp. With `style` the style sheet is inside
    (a page with several pictures has `picture_style.STYLE` once instead).
    """
    picture = picture_of(snapshot, frames=frames, below=below)
    return draw(picture, identifier=identifier, title=title, style=style)
