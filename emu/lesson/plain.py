"""An explanation as plain text: no colour, no boxes, nothing that depends on the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from emu.lesson.blocks import frame_blocks
from emu.lesson.explanation import Explanation
from emu.lesson.headings import end_lines, frame_title, heading
from emu.lesson.selection import shown_frames
from emu.lesson.spans import Line, line_text

INDENT = "  "


def plain_lines(explanation: Explanation, *, frames: int | None = None) -> Iterator[str]:
    """The lines without newlines. `frames`: how many to show of a deep walk, None for all."""
    for line in heading(explanation):
        yield line_text(line)
    for step in shown_frames(explanation, frames):
        yield ""
        if step is None:
            yield "..."
            continue
        yield line_text(frame_title(step))
        for block in frame_blocks(step):
            yield f"{INDENT}{block.title}"
            yield from (_indented(line) for line in block.lines)
    yield ""
    for line in end_lines(explanation):
        yield line_text(line)


def _indented(line: Line) -> str:
    return f"{INDENT * 2}{line_text(line)}".rstrip()
