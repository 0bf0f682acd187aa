"""A frame of an explained walk as titled blocks of short lines, for whatever shows text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from emu.lesson.evaluation import StackWord
from emu.lesson.explanation import Compared, FrameStep, Method, Relation
from emu.lesson.row_blocks import cfi_lines, lookup_blocks
from emu.lesson.spans import Block, Line, Role, Span, columns

ELSEWHERE = 1 << 20
"""Words so far from rsp are not of this frame."""


def frame_blocks(step: FrameStep) -> Iterator[Block]:
    """Everything about one frame, in the order in which it comes about."""
    yield Block("state", tuple(_state(step)))
    if step.code:
        yield Block("code", tuple(_code(step)))
    if step.lookup is not None:
        yield from lookup_blocks(step, step.lookup)
    if step.cfi is not None:
        yield Block("row", tuple(cfi_lines(step.cfi)))
    if step.equations:
        yield Block(_equations_title(step), tuple(_equations(step)))
    elif step.rules and step.method is not Method.NONE and step.cfi is None:
        yield Block("rules", ((Span(step.rules),),))
    if step.stack and step.equations:
        yield Block("stack", tuple(_stack(step.stack)))
    yield Block("next", tuple(_next(step)))


def _state(step: FrameStep) -> Iterator[Line]:
    state = step.state
    fp = "unknown" if state.fp is None else f"{state.fp:#x}"
    kind = "return address" if step.return_address else "instruction"
    yield (Span(f"pc {state.ip:#x} ({kind})  rsp {state.sp:#x}  rbp {fp}"),)
    if step.relation is Relation.ASTRAY and step.true_state is not None:
        true = step.true_state
        number = "" if step.number == step.true_number else f" frame {step.number}"
        assert true.fp is not None, "truth knows rbp"
        yield (
            Span(f"true{number}: pc {true.ip:#x}  rsp {true.sp:#x}  rbp {true.fp:#x}", Role.GOOD),
        )
    for remark in step.remarks:
        yield (Span(f"note: {remark}", Role.DIM),)


def _code(step: FrameStep) -> list[Line]:
    rows = []
    for line in step.code:
        role = Role.HERE if line.here else Role.PLAIN
        row = "(next function)" if line.foreign and not line.here else line.row
        rows.append(
            [
                Span(">" if line.here else " ", role),
                Span(f"{line.address:#x}", role),
                Span(line.text, role),
                Span(row, role if line.here else Role.DIM),
            ]
        )
    return columns(rows)


def _equations_title(step: FrameStep) -> str:
    if step.method is Method.FRAME_POINTER:
        return "frame pointer"
    return "equations"


def _equations(step: FrameStep) -> Iterator[Line]:
    for equation in step.equations:
        yield (Span(str(equation), Role.BAD if equation.failure else Role.PLAIN),)
    for check in step.checks:
        if check.passed:
            yield (Span(f"check {check.text}: yes", Role.DIM),)
        else:
            yield (Span(f"check {check.text}: NO", Role.BAD),)
    if step.refusal:
        yield (Span(f"refused: {step.refusal}", Role.BAD),)


def _stack(words: Sequence[StackWord]) -> list[Line]:
    lines: list[Line] = []
    cells: list[list[Span]] = []
    previous: int | None = None
    gaps = set()
    for word in words:
        if previous is not None and word.address > previous + 8:
            gaps.add(len(cells))
        previous = word.address
        value = "unreadable" if word.value is None else f"{word.value:#018x}"
        if word.location is not None:
            value += f" {word.location}"
        read = f"read as {', '.join(word.read_as)}" if word.read_as else ""
        notes = ", ".join(filter(None, (read, *word.marks)))
        cells.append(
            [
                Span(_offset(word.offset), Role.DIM),
                Span(f"{word.address:#x}"),
                Span(value),
                Span(notes, Role.STRONG),
            ]
        )
    for index, line in enumerate(columns(cells)):
        if index in gaps:
            lines.append((Span("..."),))
        lines.append(line)
    return lines


def _offset(offset: int) -> str:
    return f"rsp{offset:+d}" if abs(offset) < ELSEWHERE else "elsewhere"


def _next(step: FrameStep) -> Iterator[Line]:
    if step.following is None:
        yield (Span("no further step"),)
    else:
        yield from columns([_compared(one) for one in step.compared])
    if step.contradiction:
        yield (Span(step.contradiction, Role.BAD),)


def _compared(one: Compared) -> list[Span]:
    got = "unknown, counts as 0x0" if one.got is None else f"{one.got:#x}"
    if one.same:
        return [Span(str(one.field)), Span(got), Span("same as the truth", Role.GOOD)]
    if one.expected is None:
        text = "differs: the stack began here"
    else:
        text = f"DIFFERS: the true one is {one.expected:#x}"
    return [Span(str(one.field)), Span(got), Span(text, Role.BAD)]
