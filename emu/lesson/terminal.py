"""An explanation for people at a terminal: colours and frames around frames."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, Group
from rich.panel import Panel
from rich.text import Text

from emu.lesson.blocks import (
    Block,
    Line,
    Role,
    end_lines,
    frame_blocks,
    frame_title,
    heading,
)
from emu.lesson.explanation import Explanation, FrameStep, Relation
from emu.lesson.selection import shown_frames

STYLES = {
    Role.PLAIN: "",
    Role.DIM: "dim",
    Role.STRONG: "bold",
    Role.GOOD: "green",
    Role.BAD: "bold red",
    Role.HERE: "bold yellow",
}
BORDERS = {Relation.TRUE: "green", Relation.DEPARTS: "bold red", Relation.ASTRAY: "yellow"}


def styled(line: Line) -> Text:
    """One line with its colours."""
    text = Text()
    for span in line:
        text.append(span.text, style=STYLES[span.role])
    text.rstrip()
    return text


def styled_blocks(blocks: Iterable[Block]) -> Text:
    """Titles and the lines under them as one text."""
    text = Text()
    for block in blocks:
        text.append(f"{block.title}\n", style="bold cyan")
        for line in block.lines:
            text.append("  ").append_text(styled(line)).append("\n")
    text.rstrip()
    return text


def write_walk(explanation: Explanation, console: Console, *, frames: int | None = None) -> None:
    """Print the walk; `frames` as for plain text."""
    for line in heading(explanation):
        console.print(styled(line))
    for step in shown_frames(explanation, frames):
        console.print(Text("...", style="dim") if step is None else _panel(step))
    end = explanation.end
    style = "green" if explanation.right else "bold red"
    lines = Group(*(styled(line) for line in end_lines(explanation)))
    console.print(Panel(lines, title=f"end: {end.kind}", title_align="left", border_style=style))


def _panel(step: FrameStep) -> Panel:
    return Panel(
        styled_blocks(frame_blocks(step)),
        title=styled(frame_title(step)),
        title_align="left",
        border_style=BORDERS[step.relation],
    )
