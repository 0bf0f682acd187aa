"""DWARF expressions as operations that print.

DWARF 5, sections 2.5.1 and 7.7.1; of the operations, those that a call frame instruction may use
(section 6.4.2).
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from emu.cfi.cursor import Cursor
from emu.cfi.errors import CfiError
from emu.sframe import register_name

MOST_BYTES: Final = 1 << 16
"""A longer expression is no expression."""

ADDR: Final = 0x03
BREG0: Final = 0x70
BREGX: Final = 0x92
LIT0: Final = 0x30
REG0: Final = 0x50
BRA: Final = 0x28
SKIP: Final = 0x2F

_NAMES: Final = {
    ADDR: "addr",
    0x06: "deref",
    0x08: "const1u",
    0x09: "const1s",
    0x0A: "const2u",
    0x0B: "const2s",
    0x0C: "const4u",
    0x0D: "const4s",
    0x0E: "const8u",
    0x0F: "const8s",
    0x10: "constu",
    0x11: "consts",
    0x12: "dup",
    0x13: "drop",
    0x14: "over",
    0x15: "pick",
    0x16: "swap",
    0x17: "rot",
    0x19: "abs",
    0x1A: "and",
    0x1B: "div",
    0x1C: "minus",
    0x1D: "mod",
    0x1E: "mul",
    0x1F: "neg",
    0x20: "not",
    0x21: "or",
    0x22: "plus",
    0x23: "plus_uconst",
    0x24: "shl",
    0x25: "shr",
    0x26: "shra",
    0x27: "xor",
    BRA: "bra",
    0x29: "eq",
    0x2A: "ge",
    0x2B: "gt",
    0x2C: "le",
    0x2D: "lt",
    0x2E: "ne",
    SKIP: "skip",
    BREGX: "bregx",
    0x94: "deref_size",
    0x96: "nop",
}
_FIXED: Final = {
    ADDR: (8, False),
    0x08: (1, False),
    0x09: (1, True),
    0x0A: (2, False),
    0x0B: (2, True),
    0x0C: (4, False),
    0x0D: (4, True),
    0x0E: (8, False),
    0x0F: (8, True),
    0x15: (1, False),
    BRA: (2, True),
    SKIP: (2, True),
    0x94: (1, False),
}
"""Operations with one operand of fixed width: bytes, whether signed."""
_UNSIGNED: Final = frozenset({0x10, 0x23})
_SIGNED: Final = frozenset({0x11})


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `offset` and `end` are in bytes from the start of the expression.

    `register` is that of a breg; `value` the operand, for `bra` and `skip` the offset of the
    operation to go on with.
    """

    offset: int
    end: int
    code: int
    value: int = 0
    register: int = 0

    def __str__(self) -> str:
        code = self.code
        if BREG0 <= code < BREG0 + 32 or code == BREGX:
            return f"{register_name(self.register)}{self.value:+d}"
        if LIT0 <= code < LIT0 + 32:
            return f"lit{self.value}"
        name = _NAMES[code]
        if code in _FIXED or code in _UNSIGNED or code in _SIGNED:
            return f"{name} {self.value:#x}" if code == ADDR else f"{name} {self.value}"
        return name


@lru_cache(maxsize=4096)
def parse_expression(data: bytes) -> tuple[Operation, ...]:
    """The operations of an expression. Raises `CfiError` for one that may not stand in CFI."""
    if len(data) > MOST_BYTES:
        raise CfiError(f"expression of {len(data)} bytes", place="expression")
    cursor = Cursor(data, name="expression")
    out: list[Operation] = []
    while cursor.position < len(data):
        out.append(_operation(cursor))
    return tuple(out)


def _operation(cursor: Cursor) -> Operation:
    offset = cursor.position
    code = cursor.byte()
    value = register = 0
    if LIT0 <= code < LIT0 + 32:
        value = code - LIT0
    elif BREG0 <= code < BREG0 + 32:
        register, value = code - BREG0, cursor.signed()
    elif code == BREGX:
        register, value = cursor.unsigned(), cursor.signed()
    elif code in _FIXED:
        size, signed = _FIXED[code]
        value = int.from_bytes(cursor.take(size), "little", signed=signed)
        if code in {BRA, SKIP}:
            value += cursor.position
    elif code in _UNSIGNED:
        value = cursor.unsigned()
    elif code in _SIGNED:
        value = cursor.signed()
    elif code not in _NAMES:
        cursor.position = offset
        raise cursor.error(f"operation {code:#x} may not stand in call frame information")
    return Operation(offset, cursor.position, code, value, register)


def expression_text(data: bytes) -> str:
    """The operations separated by commas; bytes if they are none."""
    try:
        return ", ".join(map(str, parse_expression(data)))
    except CfiError:
        return f"bytes {data.hex(' ')}"
