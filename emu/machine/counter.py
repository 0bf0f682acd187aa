"""Counting instructions without Python, and stopping at a limit: a hook in machine code.

Unicorn's own limit cannot tell how many instructions were executed when something else ended the
emulation first.
"""

from __future__ import annotations

import ctypes
import mmap
import platform
from struct import pack_into, unpack_from
from typing import Any

from unicorn import UC_HOOK_CODE
from unicorn.unicorn_py3.unicorn import uclib

from emu.machine import engine
from emu.machine.engine import Engine, Hooks
from emu.machine.processor import CODE

_CODE = {
    # The engine is the first argument of a hook, its user data the fourth:
    # the instructions left, the address of uc_emu_stop, the address of the newest instruction.
    # mov [rcx+16], rsi; dec qword ptr [rcx]; js 1f; ret; 1: jmp [rcx+8]
    "x86_64": bytes.fromhex("48897110 48ff09 7801 c3 ff6108"),
    # str x1, [x3, #16]; ldr x4, [x3]; subs x4, x4, #1; str x4, [x3]; b.mi 1f; ret
    # 1: ldr x5, [x3, #8]; br x5
    "aarch64": bytes.fromhex(
        "610800f9 640040f9 840400f1 640000f9 44000054 c0035fd6 650440f9 a0001fd6"
    ),
}
_ENDLESS = (1 << 63) - 1


class InstructionCounter:
    """Counts code-hook firings while installed; `rep` instructions count once per round.

    It is the first of the code hooks, so that no other hears of an instruction it stopped.
    """

    def __init__(self, uc: Engine, hooks: Hooks) -> None:
        self._uc = uc
        self._hooks = hooks
        self._data = mmap.mmap(-1, mmap.PAGESIZE)
        self._limit = _ENDLESS
        stop = ctypes.cast(uclib.uc_emu_stop, ctypes.c_void_p).value
        pack_into("<qQ", self._data, 0, _ENDLESS, stop)
        address = ctypes.addressof(ctypes.c_char.from_buffer(self._data))
        code = _CODE.get(platform.machine())
        if code is None:
            self._handle = hooks.add(UC_HOOK_CODE, CODE, self._count, first=True)
            return
        executable = mmap.mmap(
            -1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
        )
        executable[: len(code)] = code
        self._code = executable
        entry = ctypes.addressof(ctypes.c_char.from_buffer(executable))
        self._handle = hooks.add(UC_HOOK_CODE, CODE, entry, data=address, first=True)

    def start(self, limit: int | None) -> None:
        """Count from 0; the emulation stops before instruction number `limit`, from 0 on."""
        self._limit = _ENDLESS if limit is None else limit
        pack_into("<q", self._data, 0, self._limit)

    @property
    def count(self) -> int:
        """Instructions since the start."""
        return self._limit - max(0, self._left)

    @property
    def reached(self) -> bool:
        """Whether the limit stopped the emulation."""
        return self._left < 0

    def withdraw(self, pc: int) -> None:
        """Do not count the newest instruction if it is the one at `pc`: a hook stopped it."""
        left, _, newest = unpack_from("<qQQ", self._data)
        if newest == pc and 0 <= left < self._limit:
            pack_into("<q", self._data, 0, left + 1)

    def remove(self) -> None:
        """Stop counting."""
        self._hooks.remove(self._handle)

    @property
    def _left(self) -> int:
        return int(unpack_from("<q", self._data)[0])

    def _count(self, _engine: Any, address: int, *_rest: Any) -> None:
        pack_into("<q", self._data, 0, self._left - 1)
        pack_into("<Q", self._data, 16, address)
        if self.reached:
            engine.stop(self._uc)
