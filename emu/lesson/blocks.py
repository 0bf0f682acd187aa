"""An explanation as titled blocks of short lines, for whatever shows text.

Every piece of text says what role it plays; plain text leaves the role out, so nothing may be
said by it alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from emu.lesson.entries import ByteField, FdeBytes, Lookup, Probe, RowBytes
from emu.lesson.evaluation import StackWord
from emu.lesson.explanation import (
    Compared,
    Explanation,
    FrameStep,
    Method,
    Relation,
    Unwinder,
)
from emu.lesson.locations import Location, file_name
from emu.unwind import DWARF_NAMES

PROBES_SHOWN = 20
ROW_PROBES_SHOWN = 6
ROWS_SHOWN = 5
"""Rows of a function's table on either side of the one in force."""

CFI_INSTRUCTIONS_SHOWN = 12
ELSEWHERE = 1 << 20
"""Words so far from rsp are not of this frame."""


class Role(Enum):
    """What a piece of text is, for whoever has colours."""

    PLAIN = "plain"
    DIM = "dim"
    STRONG = "strong"
    GOOD = "good"
    BAD = "bad"
    HERE = "here"


class Span(NamedTuple):
    """A piece of one line."""

    text: str
    role: Role = Role.PLAIN


Line = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """Some lines under a title."""

    title: str
    lines: tuple[Line, ...]


def line_text(line: Iterable[Span]) -> str:
    """A line without its roles."""
    return "".join(span.text for span in line).rstrip()


def heading(explanation: Explanation) -> list[Line]:
    """What is walked, by whom, and whether it comes out right."""
    who = {
        Unwinder.SFRAME: f"by .sframe, policy {explanation.policy}",
        Unwinder.FRAME_POINTERS: "by frame pointers",
        Unwinder.DWARF: "by .eh_frame",
    }[explanation.unwinder]
    lines: list[Line] = [
        (Span(f"{file_name(explanation.program)}: walk {who}", Role.STRONG),),
        (
            Span(f"from {place(explanation.location)}, before instruction"),
            Span(f" {explanation.instruction:,}"),
        ),
    ]
    names = [str(frame.location) for frame in explanation.true_frames]
    lines.append((Span("true stack: "), Span(", ".join(_shortened(names, 8)))))
    if explanation.remark:
        lines.append((Span(f"note: {explanation.remark}", Role.DIM),))
    return [*lines, (Span("registers"),), *_registers(explanation)]


def frame_title(step: FrameStep) -> Line:
    """The line that begins a frame, with a word about where it stands to the truth."""
    title: Line = (Span(f"frame {step.number}  {place(step.location)}", Role.STRONG),)
    mark = frame_mark(step)
    return (*title, Span("  "), mark) if mark.text else title


def frame_mark(step: FrameStep) -> Span:
    """Where a frame stands to the truth, in words; empty where walk and truth are one."""
    match step.relation:
        case Relation.TRUE:
            return Span("")
        case Relation.DEPARTS:
            return Span("HERE THE WALK AND THE TRUTH PART", Role.BAD)
        case Relation.ASTRAY:
            return Span(_astray(step), Role.BAD)


def _astray(step: FrameStep) -> str:
    """How a frame behind the departure stands to the true frames."""
    true, state, number = step.true_state, step.state, step.true_number
    if number is not None and number != step.number:
        skipped = number - step.number
        if skipped > 0:
            frames = "1 frame is" if skipped == 1 else f"{skipped} frames are"
            return f"astray: pc is that of the true frame {number}, {frames} missing"
        return f"astray: pc is that of the true frame {number} again"
    if true is None:
        return f"astray: the true stack has no frame {step.number}"
    differing = [
        name
        for name, got, expected in (
            ("pc", state.ip, true.ip),
            ("rsp", state.sp, true.sp),
            ("rbp", state.fp, true.fp),
        )
        if got != expected
    ]
    if not differing:
        return "on the true frame again, by luck"
    return f"astray: {', '.join(differing)} of the true frame {step.number} differ"


def frame_blocks(step: FrameStep) -> Iterator[Block]:
    """Everything about one frame, in the order in which it comes about."""
    yield Block("state", tuple(_state(step)))
    if step.code:
        yield Block("code", tuple(_code(step)))
    if step.lookup is not None:
        yield from _lookup_blocks(step, step.lookup)
    if step.cfi is not None:
        yield Block("row", tuple(_cfi(step)))
    if step.equations:
        yield Block(_equations_title(step), tuple(_equations(step)))
    elif step.rules and step.method is not Method.NONE and step.cfi is None:
        yield Block("rules", ((Span(step.rules),),))
    if step.stack and step.equations:
        yield Block("stack", tuple(_stack(step.stack)))
    yield Block("next", tuple(_next(step)))


def end_lines(explanation: Explanation) -> list[Line]:
    """Why the walk ended, whether that is right, and where it left the truth."""
    end = explanation.end
    errno = f" [{end.errno}]" if end.errno else ""
    lines: list[Line] = [
        (
            Span(f"end  {end.kind}", Role.STRONG),
            Span(f" at frame {end.frame}{errno}: {end.text}"),
        ),
        (Span("     "), Span(end.judgement, Role.GOOD if end.right else Role.BAD)),
    ]
    departure = explanation.departure
    if departure is None:
        count = len(explanation.frames)
        frames = "1 frame is" if count == 1 else f"all {count} frames are"
        lines.append((Span("     "), Span(f"{frames} right", Role.GOOD)))
    else:
        text = f"frame {departure.number} ({departure.location}): {departure.verdict}"
        wrong = [str(one.field) for one in departure.compared if not one.same]
        if wrong:
            text += f" {', '.join(wrong)}"
        lines.append((Span("     the walk and the truth part at "), Span(text, Role.BAD)))
        if departure.contradiction:
            lines.append((Span("     "), Span(departure.contradiction, Role.BAD)))
    return lines


def place(location: Location) -> str:
    """Function, module and source line of an address."""
    text = str(location)
    if location.source:
        text += f" at {location.source}"
    if location.module:
        return f"{text} ({file_name(location.module)})"
    return f"{text} (no module)"


def columns(rows: Sequence[Sequence[Span]]) -> list[Line]:
    """Rows of cells as lines, the cells of a column below each other."""
    width = max((len(row) for row in rows), default=0)
    widths = [
        max((len(row[column].text) for row in rows if column < len(row)), default=0)
        for column in range(width)
    ]
    lines = []
    for row in rows:
        spans = []
        for column, span in enumerate(row):
            last = column == len(row) - 1
            text = span.text if last else f"{span.text:<{widths[column]}}  "
            spans.append(Span(text, span.role))
        lines.append(tuple(spans))
    return lines


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


def _lookup_blocks(step: FrameStep, lookup: Lookup) -> Iterator[Block]:
    yield Block("search", tuple(_search(lookup)))
    if lookup.fde is not None:
        fields = lookup.fde.entry
        if lookup.row is not None:
            fields += lookup.fde.attributes
        yield Block(_fde_title(lookup.fde), tuple(columns([_field(one) for one in fields])))
    if lookup.row is not None and lookup.fde is not None:
        yield Block(_row_title(lookup.fde, lookup.row), tuple(_row(step, lookup.row)))


def _search(lookup: Lookup) -> Iterator[Line]:
    address = lookup.address
    section = lookup.section
    if section is None:
        yield (Span(f"no registered section covers {address:#x}: {lookup.errno}", Role.BAD),)
        return
    yield (
        Span(
            f"section {file_name(section.name)} {section.start:#x}-{section.end:#x}, for the text"
            f" {section.text_start:#x}-{section.text_end:#x}, {section.num_fdes} FDEs"
        ),
    )
    probes = lookup.probes
    yield from columns([_probe(address, probe) for probe in probes[:PROBES_SHOWN]])
    fde = lookup.fde
    if fde is not None:
        end = fde.start + fde.size
        inside = "inside" if fde.start <= address < end else "outside"
        yield (
            Span(
                f"last FDE at or below {address:#x}: {fde.index}, {fde.start:#x}-{end:#x};"
                f" {address:#x} is {inside}"
            ),
        )
    if lookup.errno:
        text = f"the lookup fails with {lookup.errno}: {lookup.reason}"
        if lookup.dropped:
            text += "; the section is dropped"
        yield (Span(text, Role.BAD),)
    if fde is not None and lookup.row_probes:
        yield (Span(_scan(lookup, fde)),)


def _probe(address: int, probe: Probe) -> list[Span]:
    relation = "<=" if probe.at_or_below else "> "
    onward = "go up" if probe.at_or_below else "go down"
    name = str(probe.location) if probe.location.known else ""
    return [
        Span(f"FDEs {probe.low}-{probe.high}"),
        Span(f"middle {probe.index}"),
        Span(f"{probe.start:#x} {relation} {address:#x}"),
        Span(onward),
        Span(name, Role.DIM),
    ]


def _scan(lookup: Lookup, fde: FdeBytes) -> str:
    distance = f"{lookup.address:#x} - {fde.start:#x}"
    if fde.masked:
        distance = f"({distance}) modulo {fde.repetition}"
    looks = [
        f"row {probe.index} at {probe.start} {'<=' if probe.at_or_below else '>'} {lookup.distance}"
        for probe in lookup.row_probes
    ]
    return f"distance {distance} = {lookup.distance}: {', '.join(_shortened(looks, 6))}"


def _fde_title(fde: FdeBytes) -> str:
    kinds = ["MASK" if fde.masked else "INC", "flexible" if fde.flexible else "default"]
    if fde.signal:
        kinds.append("signal frame")
    name = f" {fde.location}" if fde.location.known else ""
    rows = "1 row" if fde.rows == 1 else f"{fde.rows} rows"
    return f"FDE {fde.index}{name}: {fde.size} bytes, {', '.join(kinds)}, {rows}"


def _row_title(fde: FdeBytes, row: RowBytes) -> str:
    unit = "block bytes" if fde.masked else "bytes"
    return f"row {row.index} of FDE {fde.index}: {unit} {row.start} to {row.end - 1}"


def _row(step: FrameStep, row: RowBytes) -> Iterator[Line]:
    yield from columns([_field(one) for one in row.fields])
    function = step.function
    if function is None or function.count < 2:
        return
    near = [one for one in function.rows if abs(one.index - row.index) <= ROWS_SHOWN]
    cells = []
    for one in near:
        role = Role.HERE if one.in_force else Role.DIM
        mark = ">" if one.in_force else " "
        cells.append(
            [
                Span(mark, role),
                Span(f"row {one.index}", role),
                Span(f"+{one.start}", role),
                Span(one.rules, role),
            ]
        )
    yield from columns(cells)


def _field(one: ByteField) -> list[Span]:
    return [
        Span(f"{one.offset:#06x}", Role.DIM),
        Span(one.raw.hex(" ")),
        Span(one.name),
        Span(one.meaning),
    ]


def _cfi(step: FrameStep) -> Iterator[Line]:
    cfi = step.cfi
    assert cfi is not None, "the caller has looked"
    yield (Span(f"FDE at {cfi.table}+{cfi.fde_offset:#x} for {cfi.start:#x}-{cfi.end:#x}"),)
    initial = [one for one in cfi.instructions if one.address is None]
    own = [one for one in cfi.instructions if one.address is not None]
    hidden = len(own) - CFI_INSTRUCTIONS_SHOWN
    cells = []
    for one in [*initial, *own[max(hidden, 0) :]]:
        role = Role.PLAIN if one.in_effect else Role.DIM
        where = "CIE" if one.address is None else f"{one.address:#x}"
        note = "" if one.in_effect else f"beyond {cfi.looked_up:#x}: not executed"
        cells.append([Span(where, role), Span(one.text, role), Span(note, role)])
    lines = columns(cells)
    if hidden > 0:
        lines.insert(len(initial), (Span(f"... {hidden} more ...", Role.DIM),))
    yield from lines
    yield (Span(f"row from {cfi.row_start:#x} for {cfi.looked_up:#x}: {cfi.rules}"),)


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


def _shortened(parts: list[str], most: int) -> list[str]:
    """At most `most` parts: the first ones, how many are left out, the last two."""
    if len(parts) <= most:
        return parts
    return [*parts[: most - 3], f"... {len(parts) - most + 1} more ...", *parts[-2:]]


def _registers(explanation: Explanation) -> list[Line]:
    """The general registers, four to a line."""
    cells = [
        Span(f"{DWARF_NAMES[number]:<3} {value:#x}")
        for number, value in enumerate(explanation.registers)
    ]
    return columns([[Span(""), *cells[at : at + 4]] for at in range(0, len(cells), 4)])
