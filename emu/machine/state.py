"""The whole user-visible state of a thread, as a signal frame holds it."""

from __future__ import annotations

from dataclasses import dataclass
from struct import pack, unpack

from unicorn import x86_const as x86

from emu.machine.engine import Engine
from emu.machine.registers import DWARF_ORDER, RegisterBatch

FXSAVE_SIZE = 512
_MXCSR_MASK = 0xFFFF
_RESTORABLE_FLAGS = 0x0024_0DD5
"""What a signal return may change: CF PF AF ZF SF TF DF OF AC, and RF is left out."""


@dataclass(slots=True)
class UserState:
    """`general` holds DWARF registers 0..15 and rip; `floating` is an FXSAVE image of 512 bytes."""

    general: list[int]
    flags: int
    floating: bytes


class StateAccess:
    """Reads and writes the state of the running processor."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._general = RegisterBatch(engine, DWARF_ORDER)

    def read(self) -> UserState:
        """The state as it is now."""
        return UserState(
            self._general.read(), self._engine.reg_read(x86.UC_X86_REG_EFLAGS), self._floating()
        )

    def write(self, state: UserState) -> None:
        """Make the processor go on with `state`; flags that users cannot set stay."""
        flags = self._engine.reg_read(x86.UC_X86_REG_EFLAGS) & ~_RESTORABLE_FLAGS
        self._engine.reg_write(x86.UC_X86_REG_EFLAGS, flags | state.flags & _RESTORABLE_FLAGS)
        self._write_floating(state.floating)
        self._general.write(state.general)

    def _floating(self) -> bytes:
        read = self._engine.reg_read
        control, status, tags = (
            read(x86.UC_X86_REG_FPCW), read(x86.UC_X86_REG_FPSW), read(x86.UC_X86_REG_FPTAG)
        )  # fmt: skip
        top = status >> 11 & 7
        in_use = sum(1 << n for n in range(8) if tags >> 2 * n & 3 != 3)
        image = bytearray(
            pack("<HHBxHQQII", control, status, in_use, 0, 0, 0, read(x86.UC_X86_REG_MXCSR),
                 _MXCSR_MASK)
        )  # fmt: skip
        for n in range(8):
            mantissa, exponent = read(x86.UC_X86_REG_FP0 + (top + n & 7))
            image += pack("<QH6x", mantissa, exponent)
        for n in range(16):
            image += int(read(x86.UC_X86_REG_XMM0 + n)).to_bytes(16, "little")
        return bytes(image).ljust(FXSAVE_SIZE, b"\0")

    def _write_floating(self, image: bytes) -> None:
        write = self._engine.reg_write
        control, status, in_use, mxcsr = unpack("<HHBx18xI", image[:28])
        top = status >> 11 & 7
        write(x86.UC_X86_REG_FPCW, control)
        write(x86.UC_X86_REG_FPSW, status)
        for n in range(8):
            write(x86.UC_X86_REG_FP0 + (top + n & 7), unpack("<QH", image[32 + 16 * n :][:10]))
        tags = sum((0 if in_use >> n & 1 else 3) << 2 * n for n in range(8))
        write(x86.UC_X86_REG_FPTAG, tags)
        write(x86.UC_X86_REG_MXCSR, mxcsr & _MXCSR_MASK)
        for n in range(16):
            at = 160 + 16 * n
            write(x86.UC_X86_REG_XMM0 + n, int.from_bytes(image[at : at + 16], "little"))
