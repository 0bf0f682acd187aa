"""The hook as machine code, from the disk if it was compiled before."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

from numba import cfunc, types
from numba.core.caching import FunctionCache

from emu.check import walk
from emu.check.fast import (
    checks,
    guest,
    hook,
    layout,
    native,
    ordinary,
    register_file,
    steps,
    stores,
    unsigned,
    walker,
    walks,
)
from emu.check.fast.native import compiled

_SOURCES = (
    hook, ordinary, checks, walks, steps, stores, guest, walker,
    unsigned, layout, native, register_file, walk,
)  # fmt: skip
HOOK = types.void(types.voidptr, types.uint64, types.uint32, types.voidptr)
"""The callback of a code hook: engine, address and size of the instruction, user data."""

_STORE = types.void(
    types.voidptr, types.int32, types.uint64, types.int32, types.int64, types.voidptr
)


_WALK = types.uint64(types.voidptr, types.uint64, types.voidptr, types.uint64, types.uint64)


@cache
def hook_address() -> int:
    """Address of the compiled callback of a code hook; compiling takes seconds, loading does not.

    numba keeps it beside this module, or in the user's cache directory if that is read-only.
    """
    return _compile(_callback(_fingerprint()), HOOK)


@cache
def store_hook_address() -> int:
    """Address of the compiled callback of a hook on stores."""
    return _compile(_store_callback(_fingerprint()), _STORE)


@cache
def walk_address() -> int:
    """Address of the compiled `walker.walk_frames`."""
    return _compile(_walk_function(_fingerprint()), _WALK)


_UNREADABLE = (UnpicklingError, EOFError, ValueError, TypeError, LookupError, AttributeError)
"""What a kept file that was cut off, or is no such file, makes of reading it."""


def _compile(function: Any, signature: Any) -> int:
    address = _kept(function, signature)
    if address is None:
        address = cfunc(signature)(function).address
    assert address is not None, "it is compiled"
    return address


def _kept(function: Any, signature: Any) -> int | None:
    """The address of a function that is kept on disk from now on; None if that cannot be."""
    try:
        try:
            return cfunc(signature, cache=True)(function).address
        except _UNREADABLE:
            FunctionCache(function).flush()  # type: ignore[no-untyped-call]  # numba has no types
            return cfunc(signature, cache=True)(function).address
    except (RuntimeError, OSError):  # no directory to keep it in, or no room
        return None


def _fingerprint() -> int:
    """A number that changes with every source the hook is made of, and with Unicorn's numbers.

    numba compares only the file of the outermost function with what it has kept.
    """
    digest = hashlib.sha256()
    digest.update(version("unicorn").encode())
    for module in _SOURCES:
        assert module.__file__ is not None, "modules are files"
        digest.update(Path(module.__file__).read_bytes())
    return int.from_bytes(digest.digest()[:7], "little") | 1


_before_instruction = compiled(hook.before_instruction)
_walk_frames = compiled(walker.walk_frames)
_on_store = compiled(stores.on_store)


def _callback(fingerprint: int) -> Any:
    def callback(engine: Any, pc: Any, size: Any, data: Any) -> None:
        # A captured number is part of the key under which numba keeps the code; so would be a
        # captured function, which is another one in every process.
        if fingerprint:
            _before_instruction(engine, pc, size, data)

    return callback


def _store_callback(fingerprint: int) -> Any:
    def callback(engine: Any, kind: Any, address: Any, size: Any, value: Any, data: Any) -> None:
        if fingerprint:
            _on_store(engine, kind, address, size, value, data)

    return callback


def _walk_function(fingerprint: int) -> Any:
    def callback(data: Any, ip: Any, frames: Any, limit: Any, times: Any) -> Any:
        if not fingerprint:
            return types.uint64(0)
        return _walk_frames(data, ip, frames, limit, times)

    return callback
