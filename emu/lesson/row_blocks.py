"""The search for a row and the row's bytes, as blocks of text."""

from __future__ import annotations

from collections.abc import Iterator

from emu.lesson.entries import ByteField, FdeBytes, Lookup, Probe, RowBytes
from emu.lesson.explanation import CfiRow, FrameStep
from emu.lesson.locations import file_name
from emu.lesson.spans import Block, Line, Role, Span, columns, shortened

ROW_PROBES_SHOWN = 6
ROWS_SHOWN = 5
"""Rows of a function's table on either side of the one in force."""
CFI_INSTRUCTIONS_SHOWN = 12


def lookup_blocks(step: FrameStep, lookup: Lookup) -> Iterator[Block]:
    """The search, and what it found of an FDE and a row."""
    yield Block("search", tuple(_search(lookup)))
    if lookup.fde is not None:
        fields = lookup.fde.entry
        if lookup.row is not None:
            fields += lookup.fde.attributes
        yield Block(_fde_title(lookup.fde), tuple(columns([_field(one) for one in fields])))
    if lookup.row is not None and lookup.fde is not None:
        yield Block(_row_title(lookup.fde, lookup.row), tuple(_row(step, lookup.row)))


def cfi_lines(cfi: CfiRow) -> Iterator[Line]:
    """A row of `.eh_frame` and the instructions it comes from."""
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
    yield from columns([_probe(address, probe) for probe in lookup.probes])
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
    return (
        f"distance {distance} = {lookup.distance}: {', '.join(shortened(looks, ROW_PROBES_SHOWN))}"
    )


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
