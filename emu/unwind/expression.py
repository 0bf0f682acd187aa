"""Evaluating DWARF expressions on a frame (DWARF 5, section 2.5.1)."""

from collections.abc import Callable
from enum import IntEnum
from typing import Final

from emu.cfi import CfiError, Operation, parse_expression

Read = Callable[[int, int], int]
"""The unsigned number of so many bytes at an address."""
Register = Callable[[int], int]
"""The value of a DWARF register, 16 being the pc of the frame."""

MOST_OPERATIONS: Final = 10_000
"""An expression that has not ended by then never will."""
MOST_VALUES: Final = 256
"""Depth of the stack."""

_MASK: Final = (1 << 64) - 1
_SIGN: Final = 1 << 63


class ExpressionError(Exception):
    """Inside this package only: an expression that has no value, with the reason."""


def _signed(value: int) -> int:
    return value - (1 << 64) if value & _SIGN else value


def _shift_right_signed(left: int, right: int) -> int:
    return _signed(left) >> min(right, 64)


def _divide(left: int, right: int) -> int:
    dividend, divisor = _signed(left), _signed(right)
    if not divisor:
        raise ExpressionError("divides by zero")
    quotient = abs(dividend) // abs(divisor)
    return quotient if (dividend < 0) == (divisor < 0) else -quotient


def _modulo(left: int, right: int) -> int:
    if not right:
        raise ExpressionError("divides by zero")
    return left % right


_BINARY: Final[dict[int, Callable[[int, int], int]]] = {
    0x1A: lambda left, right: left & right,
    0x1B: _divide,
    0x1C: lambda left, right: left - right,
    0x1D: _modulo,
    0x1E: lambda left, right: left * right,
    0x21: lambda left, right: left | right,
    0x22: lambda left, right: left + right,
    0x24: lambda left, right: left << right if right < 64 else 0,
    0x25: lambda left, right: left >> right if right < 64 else 0,
    0x26: _shift_right_signed,
    0x27: lambda left, right: left ^ right,
    0x29: lambda left, right: left == right,
    0x2A: lambda left, right: _signed(left) >= _signed(right),
    0x2B: lambda left, right: _signed(left) > _signed(right),
    0x2C: lambda left, right: _signed(left) <= _signed(right),
    0x2D: lambda left, right: _signed(left) < _signed(right),
    0x2E: lambda left, right: left != right,
}
_UNARY: Final[dict[int, Callable[[int], int]]] = {
    0x19: lambda value: abs(_signed(value)),
    0x1F: lambda value: -value,
    0x20: lambda value: ~value,
}
_BRA: Final = 0x28
_SKIP: Final = 0x2F
_BREG0: Final = 0x70
_BREGX: Final = 0x92


class _Code(IntEnum):
    """The operations that are neither arithmetic nor a register nor a constant."""

    ADDR = 0x03
    DEREF = 0x06
    DUP = 0x12
    DROP = 0x13
    OVER = 0x14
    PICK = 0x15
    SWAP = 0x16
    ROT = 0x17
    PLUS_UCONST = 0x23
    DEREF_SIZE = 0x94
    NOP = 0x96


class _Stack:
    def __init__(self, values: list[int]) -> None:
        self.values = values

    def push(self, value: int) -> None:
        if len(self.values) >= MOST_VALUES:
            raise ExpressionError(f"holds more than {MOST_VALUES} values")
        self.values.append(value & _MASK)

    def pop(self) -> int:
        if not self.values:
            raise ExpressionError("takes a value from an empty stack")
        return self.values.pop()

    def pick(self, depth: int) -> int:
        if depth >= len(self.values):
            raise ExpressionError(f"picks value {depth} of {len(self.values)}")
        return self.values[-1 - depth]

    def rotate(self, count: int) -> None:
        """The top value goes below the next `count - 1`."""
        if len(self.values) < count:
            raise ExpressionError(f"rotates {count} of {len(self.values)} values")
        self.values[-count:] = [self.values[-1], *self.values[-count:-1]]


def evaluate_expression(
    data: bytes, register: Register, read: Read, *, start: int | None = None, bias: int = 0
) -> int:
    """The value of an expression, unsigned 64-bit.

    `start` is on the stack at the beginning (the CFA, for register rules). Raises
    `ExpressionError`, and whatever `register` and `read` raise.
    """
    try:
        operations = parse_expression(data)
    except CfiError as problem:
        raise ExpressionError(str(problem)) from problem
    stack = _Stack([] if start is None else [start])
    places = {operation.offset: index for index, operation in enumerate(operations)}
    places[len(data)] = len(operations)
    index = 0
    for _ in range(MOST_OPERATIONS):
        if index == len(operations):
            return stack.pop()
        operation = operations[index]
        index += 1
        if operation.code == _SKIP or (operation.code == _BRA and stack.pop()):
            target = places.get(operation.value)
            if target is None:
                raise ExpressionError(f"goes on at {operation.value:#x}, within an operation")
            index = target
        elif operation.code != _BRA:
            _execute(operation, stack, register, read, bias)
    raise ExpressionError(f"has not ended after {MOST_OPERATIONS} operations")


_SHUFFLES: Final[dict[int, Callable[[_Stack, int], object]]] = {
    _Code.DUP: lambda stack, _: stack.push(stack.pick(0)),
    _Code.DROP: lambda stack, _: stack.pop(),
    _Code.OVER: lambda stack, _: stack.push(stack.pick(1)),
    _Code.PICK: lambda stack, depth: stack.push(stack.pick(depth)),
    _Code.SWAP: lambda stack, _: stack.rotate(2),
    _Code.ROT: lambda stack, _: stack.rotate(3),
    _Code.PLUS_UCONST: lambda stack, value: stack.push(stack.pop() + value),
    _Code.NOP: lambda _stack, _: None,
}


def _execute(
    operation: Operation, stack: _Stack, register: Register, read: Read, bias: int
) -> None:
    code, value = operation.code, operation.value
    if code in _BINARY:
        right = stack.pop()
        stack.push(_BINARY[code](stack.pop(), right))
    elif code in _UNARY:
        stack.push(_UNARY[code](stack.pop()))
    elif code in _SHUFFLES:
        _SHUFFLES[code](stack, value)
    elif _BREG0 <= code < _BREG0 + 32 or code == _BREGX:
        stack.push(register(operation.register) + value)
    elif code == _Code.ADDR:
        stack.push(value + bias)
    elif code == _Code.DEREF:
        stack.push(read(stack.pop(), 8))
    elif code == _Code.DEREF_SIZE:
        if not 1 <= value <= 8:
            raise ExpressionError(f"loads {value} bytes")
        stack.push(read(stack.pop(), value))
    else:
        # Literals and constants: the operand is the value.
        stack.push(value)
