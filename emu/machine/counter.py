"""Counting instructions without Python: a hook of one machine instruction.

A limit must hold across a fault that the guest handles, after which the emulation starts anew;
Unicorn's own counter cannot be read then.
"""

from __future__ import annotations

import ctypes
import mmap
import platform
from struct import pack_into, unpack_from
from typing import Any

from unicorn import UC_HOOK_CODE

from emu.machine.engine import Hooks
from emu.machine.processor import CODE

_INCREMENT = {
    # inc qword ptr [rcx]; ret -- the fourth argument of a hook is its user data
    "x86_64": bytes.fromhex("48ff01c3"),
    # ldr x4, [x3]; add x4, x4, #1; str x4, [x3]; ret
    "aarch64": bytes.fromhex("640040f9 84040091 640000f9 c0035fd6"),
}


class InstructionCounter:
    """Counts code-hook firings while installed; `rep` instructions count once per round."""

    def __init__(self, hooks: Hooks) -> None:
        self._hooks = hooks
        self._data = mmap.mmap(-1, mmap.PAGESIZE)
        address = ctypes.addressof(ctypes.c_char.from_buffer(self._data))
        code = _INCREMENT.get(platform.machine())
        if code is None:
            self._handle = hooks.add(UC_HOOK_CODE, CODE, self._count)
            return
        executable = mmap.mmap(
            -1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
        )
        executable[: len(code)] = code
        self._code = executable
        entry = ctypes.addressof(ctypes.c_char.from_buffer(executable))
        self._handle = hooks.add(UC_HOOK_CODE, CODE, entry, data=address)

    @property
    def count(self) -> int:
        """Instructions since installation."""
        return int(unpack_from("<Q", self._data)[0])

    def remove(self) -> None:
        """Stop counting."""
        self._hooks.remove(self._handle)

    def _count(self, *_call: Any) -> None:
        pack_into("<Q", self._data, 0, self.count + 1)
