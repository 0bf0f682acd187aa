"""An interrupt at an exact instruction, without Python at the others.

Stopping the emulation and starting it anew costs about a millisecond, as Unicorn translates the
code again. A hook of five machine instructions counts down instead and calls Python at zero.
"""

import ctypes
import mmap
import platform
from collections.abc import Callable
from struct import Struct
from typing import Any, cast

from emu.machine import InstructionHook
from emu.machine.processor import CODE

_NEVER = (1 << 63) - 1
_COUNTDOWN = Struct("<q")
_ADDRESS = Struct("<Q")
_TARGET = 8
"""Offset of the callback's address, behind the countdown."""


class InstructionTimer:
    """Calls `expired` before an instruction, once the number it is armed for was executed.

    `hook` is what `Process.run` takes. With `before` every instruction is shown to it first,
    as (address, size); that is Python at each of them, and slower by the factor that costs.
    Instructions are counted as everywhere: `rep` once per round.
    """

    def __init__(
        self, expired: Callable[[], None], before: Callable[[int, int], None] | None = None
    ) -> None:
        self._expired = expired
        self._before = before
        self._data = mmap.mmap(-1, mmap.PAGESIZE)
        self._set = 0
        """What the countdown was when it was set, and how many had been seen by then."""
        self._seen = 0
        self.disarm()
        self.hook: InstructionHook
        if before is not None or platform.machine() != "x86_64":
            self.hook = self._observe
        else:
            # Unicorn takes the address of native code as readily as a callback.
            self.hook = cast(InstructionHook, self._native())

    @property
    def begun(self) -> int:
        """Instructions that have begun: with the one about to execute, or executing."""
        return self._seen + self._set - self._left

    def arm(self, executed: int) -> None:
        """Expire when `executed` instructions have been executed since the start.

        If that is over already, the next instruction is the one.
        """
        self._restart(max(1, executed + 1 - self.begun))

    def disarm(self) -> None:
        """Do not expire."""
        self._restart(_NEVER)

    @property
    def _left(self) -> int:
        return int(_COUNTDOWN.unpack_from(self._data)[0])

    def _restart(self, countdown: int) -> None:
        self._seen = self.begun
        self._set = countdown
        _COUNTDOWN.pack_into(self._data, 0, countdown)

    def _native(self) -> int:
        self._callback = CODE(self._reached)
        target = ctypes.cast(self._callback, ctypes.c_void_p).value
        assert target is not None, "a callback has an address"
        _ADDRESS.pack_into(self._data, _TARGET, target)
        data = ctypes.addressof(ctypes.c_char.from_buffer(self._data))
        code = (
            b"\x48\xb8" + _ADDRESS.pack(data)  # mov rax, data
            + b"\x48\xff\x08"  # dec qword ptr [rax]
            + b"\x74\x01"  # jz over the return
            + b"\xc3"  # ret
            + b"\xff\x60\x08"  # jmp [rax+8], with the hook's own arguments
        )  # fmt: skip
        self._code = mmap.mmap(
            -1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
        )
        self._code[: len(code)] = code
        return ctypes.addressof(ctypes.c_char.from_buffer(self._code))

    def _reached(self, _uc: Any, _pc: int, _size: int, _data: Any) -> None:
        self.disarm()
        self._expired()

    def _observe(self, uc: Any, pc: int, size: int, data: Any) -> None:
        left = self._left - 1
        _COUNTDOWN.pack_into(self._data, 0, left)
        if self._before is not None:
            self._before(pc, size)
        if left == 0:
            self._reached(uc, pc, size, data)
