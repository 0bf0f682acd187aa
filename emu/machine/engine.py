"""Unicorn with types: the part of its binding that is used here, and direct access to the rest."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast

from unicorn.unicorn_py3.arch.intel import UcIntel
from unicorn.unicorn_py3.unicorn import UcError, uclib

UC_ARCH_X86, UC_MODE_64 = 4, 8


class Engine(Protocol):
    """An instance of Unicorn. Every method raises UcError."""

    _uch: ctypes.c_void_p

    def emu_start(self, begin: int, until: int, timeout: int = 0, count: int = 0) -> None: ...

    def reg_read(self, number: int) -> Any: ...

    def reg_write(self, number: int, value: Any) -> None: ...

    def context_save(self) -> Any: ...

    def context_update(self, context: Any) -> None: ...

    def context_restore(self, context: Any) -> None: ...

    def mem_map_ptr(self, address: int, size: int, permissions: int, host: int) -> None: ...

    def mem_unmap(self, address: int, size: int) -> None: ...

    def mem_protect(self, address: int, size: int, permissions: int) -> None: ...

    def ctl_set_cpu_model(self, model: int) -> None: ...

    def ctl_remove_cache(self, start: int, end: int) -> None: ...

    def ctl_flush_tb(self) -> None: ...


def make_engine() -> Engine:
    """A 64-bit x86 processor."""
    return cast(Engine, UcIntel(UC_ARCH_X86, UC_MODE_64))


def handle_of(engine: Engine) -> int:
    """The engine's address, as C functions and callbacks have it."""
    value = engine._uch.value
    assert value is not None, "the engine is open"
    return value


def stop(engine: Engine) -> None:
    """End the emulation as soon as possible; from callbacks and from other threads."""
    uclib.uc_emu_stop(engine._uch)


@dataclass(frozen=True, slots=True)
class NativeHook:
    """A callback in machine code: its address, and the pointer it is given as user data."""

    address: int
    data: int


@dataclass(slots=True, eq=False)
class _Hook:
    kind: int
    function: Any
    instruction: int
    data: int | None
    handle: int = 0


class Hooks:
    """Hooks whose callbacks Unicorn calls without the layers of its binding.

    The first argument of a callback is the engine's address. What it raises is lost unless
    somebody watches `sys.unraisablehook`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._hooks: dict[int, _Hook] = {}
        self._last = 0
        self._kept: list[Any] = []

    def add(
        self,
        kind: int,
        signature: Any,
        callback: Callable[..., Any] | int,
        instruction: int = 0,
        data: int | None = None,
        *,
        first: bool = False,
    ) -> int:
        """Install a hook for the whole address space and return its handle. Raises UcError.

        `callback` may be the address of native code, `data` the pointer it is given. Hooks of a
        kind are called in the order they were added; with `first`, before those there are.
        """
        self._last += 1
        hook = _Hook(kind, signature(callback), instruction, data)
        later = [other for other in self._hooks.values() if first and other.kind == kind]
        for other in later:
            self._delete(other)
        for installed in (hook, *later):
            self._install(installed)
        self._hooks[self._last] = hook
        return self._last

    def _install(self, hook: _Hook) -> None:
        handle = ctypes.c_size_t()
        status = uclib.uc_hook_add(
            self._engine._uch, ctypes.byref(handle), hook.kind, hook.function, hook.data,
            ctypes.c_uint64(1), ctypes.c_uint64(0), ctypes.c_int(hook.instruction),
        )  # fmt: skip
        if status:
            raise UcError(status)
        hook.handle = handle.value

    def _delete(self, hook: _Hook) -> None:
        status = uclib.uc_hook_del(self._engine._uch, ctypes.c_size_t(hook.handle))
        if status:
            raise UcError(status)

    def remove(self, handle: int) -> None:
        """Take a hook away; not from within a callback."""
        hook = self._hooks.pop(handle)
        self._delete(hook)
        # The callback stays referenced: Unicorn frees the hook only when it next starts.
        self._kept.append(hook)
