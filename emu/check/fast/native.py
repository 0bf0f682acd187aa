"""What numba cannot say by itself: addresses as memory, and calls of C functions by address.

The address of a C function is data here, never a constant of the compiled code: compiled code
that knows no address of this process can be kept on disk.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numba
from llvmlite import ir  # type: ignore[import-untyped]  # ships no type information
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

carray: Callable[..., Any] = numba.carray  # type: ignore[attr-defined]  # it is in its documentation
"""`carray(pointer, length, type)`: memory as an array."""

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """A function that the hook calls; it becomes part of the hook."""
    return cast("Callable[P, R]", njit(forceinline=True)(function))


def separate(function: Callable[P, R]) -> Callable[P, R]:
    """A function that the hook calls as such; it begins with `apart()`."""
    return cast("Callable[P, R]", njit(function))


def _intrinsic(function: Callable[..., Any]) -> Callable[..., Any]:
    return cast("Callable[..., Any]", intrinsic(function))


@_intrinsic
def pointer(_context: Any, _address: Any) -> Any:
    """An unsigned 64-bit address as a pointer that `carray` takes."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(types.uint64), generate


@_intrinsic
def address_of(_context: Any, _pointer: Any) -> Any:
    """The inverse of `pointer`."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ptrtoint(arguments[0], ir.IntType(64))

    return types.uint64(types.voidptr), generate


@_intrinsic
def apart(_context: Any) -> Any:
    """Keep the function that says so out of its callers."""

    def generate(context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
        # The option is handed on by the caller, whose own code is to be part of the hook.
        builder.function.attributes.discard("alwaysinline")
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.none(), generate


@_intrinsic
def load_word(_context: Any, _address: Any) -> Any:
    """The 8 bytes at a host address of any alignment."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        word = ir.IntType(64)
        load = builder.load(builder.inttoptr(arguments[0], word.as_pointer()))
        load.align = 1
        return load

    return types.uint64(types.uint64), generate


def _call(arguments: list[Any], builder: Any, parameters: list[ir.Type]) -> Any:
    """Call the C function at the first argument with the others; it returns an int."""
    function = ir.FunctionType(ir.IntType(32), parameters)
    target = builder.inttoptr(arguments[0], function.as_pointer())
    return builder.call(target, arguments[1:])


@_intrinsic
def read_registers(
    _context: Any, _function: Any, _engine: Any, _numbers: Any, _into: Any, _count: Any
) -> Any:
    """`uc_reg_read_batch(engine, numbers, into, count)`."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        integer, word = ir.IntType(32), ir.IntType(64)
        return _call(arguments, builder, [cgutils.voidptr_t, word, word, integer])

    signature = types.int32(types.uint64, types.voidptr, types.uint64, types.uint64, types.int32)
    return signature, generate


@_intrinsic
def tell(_context: Any, _function: Any, _kind: Any, _pc: Any, _size: Any) -> Any:
    """Call Python: `function(kind, pc, size)` of three 64-bit words."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        word = ir.IntType(64)
        return _call(arguments, builder, [word, word, word])

    return types.int32(types.uint64, types.uint64, types.uint64, types.uint64), generate
