"""Where the engine keeps the general registers, so that the hook reads them without a call.

Unicorn has no interface for that. Its handle points to a structure with a pointer to the
processor, in which the sixteen registers lie in a row: written with a random pattern they can be
found, and with a second one the place is verified. Before a hook is called the engine writes back
what it holds in the host's registers, because `uc_reg_read` reads this same memory.
"""

from __future__ import annotations

import os
import random
import sys

from unicorn import x86_const as x86

from emu.machine.engine import Engine, handle_of
from emu.machine.registers import DWARF_ORDER, RegisterBatch

ORDER = (
    x86.UC_X86_REG_RAX, x86.UC_X86_REG_RCX, x86.UC_X86_REG_RDX, x86.UC_X86_REG_RBX,
    x86.UC_X86_REG_RSP, x86.UC_X86_REG_RBP, x86.UC_X86_REG_RSI, x86.UC_X86_REG_RDI,
    x86.UC_X86_REG_R8, x86.UC_X86_REG_R9, x86.UC_X86_REG_R10, x86.UC_X86_REG_R11,
    x86.UC_X86_REG_R12, x86.UC_X86_REG_R13, x86.UC_X86_REG_R14, x86.UC_X86_REG_R15,
)  # fmt: skip
"""The processor's own order, by which instructions encode registers."""
RBX, RSP, RBP = 3, 4, 5
PLACES = tuple(ORDER.index(number) for number in DWARF_ORDER[:16])
"""Where in that order DWARF register 0 to 15 stands."""

_HANDLE = 4096
"""Bytes of the structure behind the handle that are looked at."""
_REACH = 1 << 17
"""Bytes of the processor's structure."""


def find_registers(engine: Engine) -> int | None:
    """Host address of the 16 registers, 64 bits each, in `ORDER`; None if it cannot be told.

    The registers are what they were afterwards.
    """
    registers = RegisterBatch(engine, ORDER)
    before = registers.read()
    draw = random.Random(handle_of(engine))  # noqa: S311 -- a pattern, not a secret
    try:
        memory = os.open("/proc/self/mem", os.O_RDONLY)
    except OSError:
        return None
    try:
        pattern = _write(registers, draw)
        places = _occurrences(memory, handle_of(engine), pattern)
        if len(places) != 1:
            return None
        (place,) = places
        pattern = _write(registers, draw)
        return place if os.pread(memory, len(pattern), place) == pattern else None
    finally:
        os.close(memory)
        registers.write(before)


def _write(registers: RegisterBatch, draw: random.Random) -> bytes:
    values = [draw.getrandbits(64) for _ in ORDER]
    registers.write(values)
    return b"".join(value.to_bytes(8, sys.byteorder) for value in values)


def _occurrences(memory: int, handle: int, pattern: bytes) -> set[int]:
    """Addresses of `pattern` within reach of the pointers behind `handle`."""
    places = set()
    for pointer in memoryview(os.pread(memory, _HANDLE, handle)).cast("Q"):
        if pointer == 0 or pointer % 8:
            continue
        try:
            at = os.pread(memory, _REACH, pointer).find(pattern)
        except (OSError, OverflowError):
            continue
        if at >= 0:
            places.add(pointer + at)
    return places
