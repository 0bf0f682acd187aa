"""An explanation for people at a terminal: colours and frames around frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from io import StringIO

from rich.cells import cell_len
from rich.console import Console, Group
from rich.panel import Panel
from rich.text import Text

from emu.lesson.blocks import frame_blocks
from emu.lesson.explanation import Explanation, FrameStep, Relation
from emu.lesson.headings import end_lines, frame_mark, heading, place
from emu.lesson.selection import shown_frames
from emu.lesson.spans import Block, Line, Role

STYLES = {
    Role.PLAIN: "",
    Role.DIM: "dim",
    Role.STRONG: "bold",
    Role.GOOD: "green",
    Role.BAD: "bold red",
    Role.HERE: "bold yellow",
}
UNCOLOURED = {**STYLES, Role.GOOD: "", Role.BAD: "bold reverse", Role.HERE: "bold"}
"""For programs that draw the whole screen: made grey, red can hardly be told from black."""
BORDERS = {Relation.TRUE: "green", Relation.DEPARTS: "bold red", Relation.ASTRAY: "yellow"}

_PAPER = Console(width=80, file=StringIO())
"""Text is wrapped for a console; which one makes no difference."""


def styled(line: Line, styles: Mapping[Role, str] = STYLES) -> Text:
    """One line with its colours."""
    text = Text()
    for span in line:
        text.append(span.text, style=styles[span.role])
    text.rstrip()
    return text


def frame_text(step: FrameStep, width: int, styles: Mapping[Role, str] = STYLES) -> Text:
    """All about one frame as one text of at most `width` cells a line."""
    lines = list(_lines(frame_blocks(step), width, styles))
    mark = frame_mark(step)
    if mark.text:
        lines = [*wrapped((mark,), width, styles), *lines]
    return Text("\n").join(lines)


def frame_heading(step: FrameStep) -> Text:
    """What stands above all about one frame."""
    return Text(f"frame {step.number}  {place(step.location)}", style="bold")


def write_walk(explanation: Explanation, console: Console, *, frames: int | None = None) -> None:
    """Print the walk; `frames` as for plain text."""
    for line in heading(explanation):
        console.print(Text("\n").join(wrapped(line, console.width)))
    for step in shown_frames(explanation, frames):
        console.print(Text("...", style="dim") if step is None else _panel(step, console.width))
    end = explanation.end
    style = "green" if explanation.right else "bold red"
    lines = [part for line in end_lines(explanation) for part in wrapped(line, console.width - 4)]
    console.print(
        Panel(Group(*lines), title=f"end: {end.kind}", title_align="left", border_style=style)
    )


def wrapped(
    line: Line, width: int, styles: Mapping[Role, str] = STYLES, *, indent: int = 0
) -> Iterator[Text]:
    """A line as lines of at most `width` cells, what goes on standing below its last column."""
    text = Text(" " * indent).append_text(styled(line, styles))
    if text.cell_len <= width:
        yield text
        return
    hanging = indent + sum(cell_len(span.text) for span in line[:-1])
    if not hanging > indent or hanging > width * 2 // 3:
        hanging = min(indent + 4, width // 2)
    head, tail = text.divide([hanging])
    for part in tail.wrap(_PAPER, max(width - hanging, 1)):
        part.rstrip()
        yield head + part
        head = Text(" " * hanging)


def _panel(step: FrameStep, width: int) -> Panel:
    return Panel(
        frame_text(step, width - 4),
        title=frame_heading(step),
        title_align="left",
        border_style=BORDERS[step.relation],
    )


def _lines(blocks: Iterable[Block], width: int, styles: Mapping[Role, str]) -> Iterator[Text]:
    for block in blocks:
        yield Text(block.title, style="bold cyan")
        for line in block.lines:
            yield from wrapped(line, width, styles, indent=2)
