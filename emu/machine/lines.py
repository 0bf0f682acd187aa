"""Source lines of code addresses, from the DWARF line table."""

from __future__ import annotations

from bisect import bisect_right

from elftools.common.exceptions import DWARFError, ELFError
from elftools.dwarf.lineprogram import LineProgram
from elftools.elf.elffile import ELFFile


class LineTable:
    """Rows of all line programs of a file, by link-time address."""

    def __init__(self, rows: list[tuple[int, str]]) -> None:
        rows.sort(key=lambda row: row[0])
        self._starts = [start for start, _ in rows]
        self._places = [place for _, place in rows]

    def at(self, address: int) -> str | None:
        """`file:line` of the instruction at `address`, file names as the compiler recorded them."""
        index = bisect_right(self._starts, address) - 1
        return (self._places[index] or None) if index >= 0 else None


def read_lines(elf: ELFFile) -> LineTable:
    """The line table of a file; empty if it has none or one that cannot be read."""
    rows: list[tuple[int, str]] = []
    try:
        if elf.has_dwarf_info():
            dwarf = elf.get_dwarf_info(relocate_dwarf_sections=False)
            for unit in dwarf.iter_CUs():
                program = dwarf.line_program_for_CU(unit)
                if program is not None:
                    rows += _rows(program)
    except (ELFError, DWARFError, ValueError, KeyError, IndexError, AttributeError):
        # A line table only decorates a report; a damaged one must not end the run.
        return LineTable(rows)
    return LineTable(rows)


def _rows(program: LineProgram) -> list[tuple[int, str]]:
    version = program.header.version
    files = [_text(entry.name) for entry in program.header.file_entry]
    rows: list[tuple[int, str]] = []
    sequence: list[tuple[int, str]] = []
    for entry in program.get_entries():
        state = entry.state
        if state is None:
            continue
        if state.end_sequence:
            # Discarded functions keep a sequence at address 0.
            if sequence and sequence[0][0]:
                rows += sequence
                rows.append((state.address, ""))
            sequence = []
            continue
        index = state.file if version >= 5 else state.file - 1
        name = files[index] if 0 <= index < len(files) else "?"
        sequence.append((state.address, f"{name}:{state.line}"))
    return rows


def _text(name: bytes | str) -> str:
    return name.decode(errors="replace") if isinstance(name, bytes) else name
