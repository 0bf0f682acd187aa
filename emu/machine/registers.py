"""The registers of the running guest, read often and cheaply.

`uc_reg_read_batch` is called through ctypes with arrays made once: 17 registers as a list take
about 0.35 us, a tenth of what the binding's own `reg_read_batch` needs.
"""

import ctypes

from unicorn import x86_const as x86
from unicorn.unicorn_py3.unicorn import uclib

from emu.machine.engine import Engine, handle_of

RSP = 7
RBP = 6
RIP = 16

DWARF_ORDER = (
    x86.UC_X86_REG_RAX, x86.UC_X86_REG_RDX, x86.UC_X86_REG_RCX, x86.UC_X86_REG_RBX,
    x86.UC_X86_REG_RSI, x86.UC_X86_REG_RDI, x86.UC_X86_REG_RBP, x86.UC_X86_REG_RSP,
    x86.UC_X86_REG_R8, x86.UC_X86_REG_R9, x86.UC_X86_REG_R10, x86.UC_X86_REG_R11,
    x86.UC_X86_REG_R12, x86.UC_X86_REG_R13, x86.UC_X86_REG_R14, x86.UC_X86_REG_R15,
    x86.UC_X86_REG_RIP,
)  # fmt: skip
"""Unicorn's number of DWARF register 0..15 and, as 16, of rip."""

_READ_BATCH = ctypes.cast(uclib.uc_reg_read_batch, ctypes.c_void_p).value
_WRITE_BATCH = ctypes.cast(uclib.uc_reg_write_batch, ctypes.c_void_p).value


class RegisterBatch:
    """A fixed set of 64-bit registers, read or written with one call each."""

    __slots__ = ("_arguments", "_engine", "_keep", "_read", "_values", "_write")

    def __init__(self, uc: Engine, numbers: tuple[int, ...]) -> None:
        assert _READ_BATCH is not None
        assert _WRITE_BATCH is not None
        count = len(numbers)
        ids = (ctypes.c_int * count)(*numbers)
        values = (ctypes.c_uint64 * count)()
        first = ctypes.addressof(values)
        pointers = (ctypes.c_void_p * count)(*(first + 8 * index for index in range(count)))
        # Arguments that are ctypes objects already spare the conversion at every call, and a
        # PYFUNCTYPE spares the release of the interpreter lock around it.
        self._arguments = (
            ctypes.c_void_p(handle_of(uc)),
            ctypes.c_void_p(ctypes.addressof(ids)),
            ctypes.c_void_p(ctypes.addressof(pointers)),
            ctypes.c_int(count),
        )
        self._engine = uc
        self._keep = (ids, values, pointers)
        self._values = memoryview(values).cast("B").cast("Q")
        self._read = ctypes.PYFUNCTYPE(ctypes.c_int)(_READ_BATCH)
        self._write = ctypes.PYFUNCTYPE(ctypes.c_int)(_WRITE_BATCH)

    def read(self) -> list[int]:
        """The values, unsigned 64-bit, in the order of the set."""
        self._read(*self._arguments)
        return self._values.tolist()

    def write(self, values: list[int]) -> None:
        """Set all registers of the set."""
        for index, value in enumerate(values):
            self._values[index] = value & 0xFFFF_FFFF_FFFF_FFFF
        self._write(*self._arguments)


class RegisterFile(RegisterBatch):
    """The general registers and rip; implements the `Registers` protocol of emu.unwind."""

    __slots__ = ("_frame",)

    def __init__(self, uc: Engine) -> None:
        super().__init__(uc, DWARF_ORDER)
        self._frame = RegisterBatch(uc, (x86.UC_X86_REG_RSP, x86.UC_X86_REG_RBP))

    def stack_and_frame(self) -> list[int]:
        """[rsp, rbp] alone."""
        return self._frame.read()

    @property
    def ip(self) -> int:
        """The instruction about to execute."""
        return self.read()[RIP]

    def __getitem__(self, number: int, /) -> int:
        """DWARF register `number`, 0..15, or 16 for rip."""
        return int(self._engine.reg_read(DWARF_ORDER[number]))

    def __setitem__(self, number: int, value: int, /) -> None:
        self._engine.reg_write(DWARF_ORDER[number], value & 0xFFFF_FFFF_FFFF_FFFF)
