"""A few instructions around a finding, with the row in force beside each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from emu.check.finding import Finding
from emu.check.modules import ModuleMap
from emu.check.tables import Tables
from emu.unwind import LookupFailure, Memory, MemoryFault

BEFORE, AFTER = 3, 2
LONGEST_FUNCTION = 1 << 20
"""Bytes decoded to find the instruction boundaries before an address."""


@dataclass(frozen=True, slots=True)
class Line:
    """One instruction: its link-time address, text, row and whether it is the one meant."""

    address: int
    text: str
    row: str
    here: bool


def listing(
    finding: Finding, modules: ModuleMap, tables: Tables, memory: Memory
) -> tuple[Line, ...]:
    """The instructions around the checked frame's pc, in the function they belong to.

    Empty if the code is not readable any more or no function is known there.
    """
    pc = finding.witness.pc
    loaded = modules.module_at(pc)
    # A return address behind a call that ends its function is shown in that function.
    inside = pc if finding.witness.frame == 0 else pc - 1
    function = modules.function_at(inside)
    if loaded is None or function is None:
        return ()
    size = min(max(function.end, pc + 1) + 32, loaded.module.end) - function.start
    if size > LONGEST_FUNCTION:
        return ()
    try:
        code = memory.read(function.start, size)
    except MemoryFault:
        return ()
    lines = [
        Line(
            at - loaded.bias,
            text,
            _row(tables, at) if at < function.end else "(next function)",
            at == pc,
        )
        for at, text in _decode(code, function.start, pc)
    ]
    here = next((index for index, line in enumerate(lines) if line.here), None)
    if here is None:
        return ()
    return tuple(lines[max(here - BEFORE, 0) : here + AFTER + 1])


def _row(tables: Tables, pc: int) -> str:
    found = tables.intact.lookup(pc)
    return "no row" if isinstance(found, LookupFailure) else str(found.frame)


def _decode(code: bytes, start: int, address: int) -> Iterator[tuple[int, str]]:
    import capstone

    engine = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    for following, (at, _size, mnemonic, operands) in enumerate(engine.disasm_lite(code, start)):
        yield at, f"{mnemonic} {operands}".strip()
        if at > address and following > BEFORE + AFTER:
            return
