"""What a module of many rows costs: when it is loaded, and when each row is met first.

The module is made here: functions of 13 rows each, as pushes and pops make them, all of them
called in turn by its entry point, so that a run to the end checks every row.
"""

from __future__ import annotations

import time
from struct import pack

from emu.asm.elf_writer import ElfSymbol, LoadedSection, Protection, SectionType, write_executable
from emu.check import run
from emu.machine import Image
from emu.sframe import Function, Rule, Rules, write_section

TEXT, BASE, PAGE = 0x401000, 0x400000, 0x1000
DEEPER, BACK = b"\x48\x83\xec\x08" * 6, b"\x48\x83\xc4\x08" * 6
BODY = DEEPER + BACK + b"\xc3"
STRIDE = 64
ROWS = 13
"""Of each function."""
MOV_R12D, DEC_R12D, JNZ = b"\x41\xbc", b"\x41\xff\xcc", b"\x0f\x85"
EXIT = b"\xb8\x3c\x00\x00\x00\x31\xff\x0f\x05"
RA = Rule(None, -8, deref=True)


def module(rows: int, rounds: int = 1) -> Image:
    """A program with at least so many rows in its .sframe, and a symbol for each function.

    It calls all functions in turn, `rounds` times.
    """
    count = -(-rows // ROWS)
    begin = TEXT + STRIDE * count
    entry = MOV_R12D + pack("<I", rounds)
    first = begin + len(entry)
    entry += b"".join(
        pack("<Bi", 0xE8, TEXT + STRIDE * i - (first + 5 * (i + 1))) for i in range(count)
    )
    entry += DEC_R12D
    entry += JNZ + pack("<i", first - (begin + len(entry) + 6)) + EXIT
    text = BODY.ljust(STRIDE, b"\xcc") * count + entry
    offsets = [8 * (1 + min(k, 12 - k)) for k in range(ROWS)]
    table = [(4 * k, Rules(Rule(7, offset), RA)) for k, offset in enumerate(offsets)]
    functions = [
        Function(start=TEXT + STRIDE * i, size=len(BODY), rows=table) for i in range(count)
    ]
    functions.append(Function(start=begin, size=len(text) + TEXT - begin, rows=[(0, Rules(None))]))
    at = TEXT + len(text) + PAGE & -PAGE
    sections = [
        LoadedSection(name=".text", address=TEXT, data=text, protection=Protection.READ_EXECUTE),
        LoadedSection(
            name=".sframe", address=at, data=write_section(functions, address=at),
            protection=Protection.READ, type=SectionType.SFRAME, alignment=8,
        ),
    ]  # fmt: skip
    symbols = [
        ElfSymbol(f"function_{i}", function.start, function.size, 2, True, ".text")
        for i, function in enumerate(functions)
    ]
    return Image.from_bytes(write_executable(sections, symbols, entry=begin, base=BASE), "rows")


def loading(data: bytes, small: bytes) -> float:
    """Milliseconds that a module takes until its first instruction, above those of a small one."""
    return 1000 * (_seconds(data, 1) - _seconds(small, 1))


def every_row(data: bytes, rows: int) -> float:
    """Milliseconds to meet each of the rows for the first time."""
    return 1000 * (_seconds(data, None, rows) - _seconds(data, 1))


def _seconds(data: bytes, limit: int | None, rows: int = 0) -> float:
    """Processor time of a run from the bytes of the program on."""
    started = time.process_time()
    result = run(Image.from_bytes(data, "rows"), max_instructions=limit)
    seconds = time.process_time() - started
    assert not result.findings, "all rows are right"
    assert result.coverage.rows_hit >= rows, "all rows are met"
    return seconds
