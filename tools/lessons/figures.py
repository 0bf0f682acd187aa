"""Pieces of HTML that blocks become. None of them has an empty line: Markdown ends HTML there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from emu.lesson.entries import ByteField, Lookup
from emu.lesson.evaluation import FrameState
from emu.lesson.explanation import Explanation, FrameStep, Relation, Unwinder
from emu.lesson.locations import disassemble
from emu.lesson.picture import stack_picture
from emu.lesson.picture_style import FRAME_COLOURS
from emu.unwind import LookupFailure
from lessons.moments import Moment

_CODE = re.compile(r"`([^`]*)`")
_UNWINDERS = {
    Unwinder.SFRAME: "SFrame",
    Unwinder.FRAME_POINTERS: "Frame pointers",
    Unwinder.DWARF: ".eh_frame",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table: its text, and how it looks."""

    text: str
    style: str = ""
    code: bool = False
    heading: bool = False


def figure(inside: str, caption: str, kind: str) -> str:
    """A figure with what it shows said under it. It scrolls by itself where it is too wide."""
    plain = escape(caption.replace("`", ""))
    shown = _CODE.sub(r"<code>\1</code>", escape(caption))
    return (
        f'<figure class="lesson-{kind} stack-colours"><div class="lesson-scroll" role="group"'
        f' aria-label="{plain}">{inside}</div><figcaption>{shown}</figcaption></figure>'
    )


def table(headings: Sequence[str], rows: Iterable[tuple[str, Sequence[Cell]]]) -> str:
    """A table; each row has a class of its own (or none) and its cells."""
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in headings)
    body = "".join(
        f"<tr{_class(style)}>{''.join(_cell(cell) for cell in cells)}</tr>" for style, cells in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def picture(moment: Moment, identifier: str, *, frames: int | None, below: int) -> str:
    """The stack as memory."""
    return stack_picture(moment.snapshot, identifier=identifier, frames=frames, below=below)


def listing(moment: Moment, frame: int, around: int | None = None) -> str:
    """The function of a frame, instruction by instruction, with the row in force at each.

    With `around` only so many instructions on either side of the frame's pc.
    """
    snapshot = moment.snapshot
    place = snapshot.place(frame)
    inside = snapshot.entries[-frame].caller_pc if frame else snapshot.pc
    function = place.module.function_at(inside) if place.module else None
    if function is None:
        raise ValueError(f"no function is known at {inside:#x}")
    here = snapshot.state(frame).ip
    code = snapshot.memory.read(function.start, function.end - function.start)
    rows = []
    before = ""
    for address, encoded, text in disassemble(code, function.start):
        found = snapshot.tables.intact.lookup(address)
        row = "no row" if isinstance(found, LookupFailure) else str(found.frame)
        mark = ("→ " if address == here else "") + f"{address:#x}"
        cells = [
            Cell(mark, code=True, heading=True),
            Cell(text, code=True),
            Cell(row, "" if row != before else "soft", code=True),
            Cell(encoded.hex(" "), "soft", code=True),
        ]
        before = row
        rows.append(("here" if address == here else "", cells))
    if around is not None:
        centre = next(index for index, (style, _) in enumerate(rows) if style)
        rows = rows[max(centre - around, 0) : centre + around + 1]
    return table(("Address", "Instruction", "Row in force", "Bytes"), rows)


def equations(walk: Explanation, first: int, last: int) -> str:
    """The rules of each frame with numbers filled in, and what is handed on."""
    parts = []
    for step in walk.frames[first : last + 1]:
        plain = [str(equation) for equation in step.equations] or [step.rules or "no row"]
        lines = [Cell(line) for line in plain]
        if step.refusal:
            lines.append(Cell(f"refused: {step.refusal}", "bad"))
        if step.relation is not Relation.TRUE and step.contradiction:
            lines.append(Cell(f"✗ {step.contradiction}", "bad"))
        if step.following is not None:
            lines.append(Cell(f"⇒ {_state(step.following)}"))
        elif step.number == walk.end.frame:
            lines.append(Cell(f"end: {walk.end.text}", "good" if walk.end.right else "bad"))
        items = "".join(
            f"<li{_class(line.style)}><code>{escape(line.text)}</code></li>" for line in lines
        )
        parts.append(
            f'<div class="step f{step.number % FRAME_COLOURS}">'
            f"<p><strong>frame {step.number}</strong>"
            f" <code>{escape(str(step.location))}</code>, {escape(_state(step.state))}</p>"
            f"<ul>{items}</ul></div>"
        )
    return "".join(parts)


def search(lookup: Lookup) -> str:
    """The looks of the binary search over FDEs and of the linear one over rows."""
    rows = []
    for number, probe in enumerate(lookup.probes, 1):
        verdict = "at or below: keep it, go up" if probe.at_or_below else "above: go down"
        cells = [
            Cell(f"FDE look {number}", heading=True),
            Cell(f"{probe.low} … {probe.high}"),
            Cell(f"FDE {probe.index}, {probe.location}"),
            Cell(f"{probe.start:#x}", code=True),
            Cell(verdict),
        ]
        rows.append(("", cells))
    for number, look in enumerate(lookup.row_probes, 1):
        verdict = "at or below: keep it" if look.at_or_below else "above: stop"
        cells = [
            Cell(f"row look {number}", heading=True),
            Cell(f"+{lookup.distance:#x}"),
            Cell(f"row {look.index}"),
            Cell(f"+{look.start:#x}", code=True),
            Cell(verdict),
        ]
        rows.append(("row", cells))
    return table(("Look", "Between / distance", "At", "Begins", "So"), rows)


def row_bytes(lookup: Lookup) -> str:
    """The bytes of the FDE and of the row that a lookup found, field by field."""
    parts: list[tuple[str, tuple[ByteField, ...]]] = []
    if lookup.fde is not None:
        parts += [
            (f"index entry {lookup.fde.index}", lookup.fde.entry),
            ("attributes", lookup.fde.attributes),
        ]
    if lookup.row is not None:
        parts.append((f"row {lookup.row.index}", lookup.row.fields))
    rows = []
    for name, fields in parts:
        for number, one in enumerate(fields):
            cells = [
                Cell(name if number == 0 else "", heading=True),
                Cell(f"+{one.offset:#x}", "soft", code=True),
                Cell(one.raw.hex(" "), code=True),
                Cell(one.name),
                Cell(one.meaning),
            ]
            rows.append(("first" if number == 0 else "", cells))
    return table(("Part", "Offset", "Bytes", "Field", "Says"), rows)


def comparison(moment: Moment) -> str:
    """Frame by frame: the truth and what each unwinder finds."""
    walks = {unwinder: moment.explanations[unwinder].frames for unwinder in _UNWINDERS}
    true = moment.walk.true_frames
    depth = max(len(true), *(len(frames) for frames in walks.values()))
    rows = []
    for number in range(depth):
        cells = [Cell(str(number), f"frame f{number % FRAME_COLOURS}", heading=True)]
        truth = true[number] if number < len(true) else None
        cells.append(Cell("-" if truth is None else str(truth.location), code=truth is not None))
        state = None if truth is None else truth.state
        cells += [_found(frames, number, state) for frames in walks.values()]
        rows.append(("", cells))
    ends: list[Cell] = [Cell("end", heading=True), Cell("the stack began here")]
    ends += [_ending(moment.explanations[unwinder]) for unwinder in _UNWINDERS]
    rows.append(("first", ends))
    return table(("Frame", "Truth", *_UNWINDERS.values()), rows)


def _found(frames: Sequence[FrameStep], number: int, truth: FrameState | None) -> Cell:
    if number >= len(frames):
        return Cell("✗ missing", "bad") if truth is not None else Cell("-")
    step = frames[number]
    if truth is None:
        return Cell(f"✗ {step.location}", "bad")
    wrong = [
        name
        for name, got, expected in (
            ("pc", step.state.ip, truth.ip),
            ("sp", step.state.sp, truth.sp),
            ("fp", step.state.fp, truth.fp),
        )
        if got is not None and got != expected
    ]
    if wrong:
        return Cell(f"✗ {step.location} (wrong {', '.join(wrong)})", "bad")
    return Cell(f"✓ {step.location}", "good")


def _ending(walk: Explanation) -> Cell:
    end = walk.end
    return Cell(f"{'✓' if end.right else '✗'} {end.text}", "good" if end.right else "bad")


def _state(state: FrameState) -> str:
    fp = "unknown" if state.fp is None else f"{state.fp:#x}"
    return f"pc {state.ip:#x}, sp {state.sp:#x}, fp {fp}"


def _cell(cell: Cell) -> str:
    text = escape(cell.text)
    if cell.code and text:
        text = f"<code>{text}</code>"
    if cell.heading:
        return f'<th scope="row"{_class(cell.style)}>{text}</th>' if text else "<td></td>"
    return f"<td{_class(cell.style)}>{text}</td>"


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""
