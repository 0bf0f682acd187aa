"""What `.cfi_escape` bytes mean for SFrame rows.

SFrame specification, 'CFI to FDE type': two expression forms are representable, instructions
about registers that no row describes are ignored, all others make the function inexpressible.
"""

from dataclasses import dataclass, replace
from enum import Enum

from emu.cfi.instructions import RBP, RSP

_DEF_CFA_EXPRESSION = 0x0F
_EXPRESSION = 0x10
_VAL_OFFSET = 0x14
_GNU_ARGS_SIZE = 0x2E
_OP_BREG0 = 0x70
_OP_DEREF = 0x06
_NAMES = {RSP: "SP", RBP: "FP"}


class EscapeKind(Enum):
    """What a sequence of escaped bytes does to a row."""

    IGNORED = "nothing"
    FP_SLOT = "FP = *(register + value)"
    CFA_SLOT = "CFA = *(register + value)"
    ARGS_SIZE = "nothing if the CFA is FP-based, else not representable"
    NOT_REPRESENTABLE = "no SFrame rows"


@dataclass(frozen=True, slots=True)
class Escape:
    """A decoded escape; `register` and `value` for the two slots, `reason` in as's words."""

    kind: EscapeKind
    register: int = 0
    value: int = 0
    reason: str = ""


def _unknown(data: bytes) -> Escape:
    op = f"{data[0]:#x}" if data[0] else "0"
    return Escape(EscapeKind.NOT_REPRESENTABLE, reason=f".cfi_escape with op ({op})")


def _signed(byte: int) -> int:
    """The value of a signed LEB128 number of one byte."""
    return (byte ^ 0x40) - 0x40


def _one_byte(*numbers: int) -> bool:
    return all(number < 0x80 for number in numbers)


def _about_register(register: int, name: str) -> Escape:
    return Escape(
        EscapeKind.NOT_REPRESENTABLE,
        reason=f".cfi_escape {name} with {_NAMES[register]} reg {register}",
    )


def decode_escape(data: bytes) -> Escape:
    """What the bytes of one `.cfi_escape` mean.

    As looks at whole instructions of fixed lengths only: numbers of more than one byte, two
    instructions in one directive and longer expressions are unknown. An expression for the
    return address is ignored, as as does.
    """
    match list(data):
        case [*zeros] if not any(zeros):
            return Escape(EscapeKind.IGNORED)
        case [op, register, 2, _, _] if op == _EXPRESSION and register == RSP:
            return _about_register(register, "DW_CFA_expression")
        case [op, register, 2, breg, n] if op == _EXPRESSION and register == RBP:
            if breg - _OP_BREG0 in range(32) and _one_byte(n):
                return Escape(EscapeKind.FP_SLOT, breg - _OP_BREG0, _signed(n))
        case [op, _, 2, _, _] if op == _EXPRESSION:
            return Escape(EscapeKind.IGNORED)
        case [op, 3, breg, n, last] if op == _DEF_CFA_EXPRESSION:
            if breg == _OP_BREG0 + RBP and last == _OP_DEREF and _one_byte(n):
                return Escape(EscapeKind.CFA_SLOT, RBP, _signed(n))
        case [op, register, n] if op == _VAL_OFFSET and _one_byte(register, n):
            if register == RBP or (register == RSP and n):
                return _about_register(register, "DW_CFA_val_offset")
            return Escape(EscapeKind.IGNORED)
        case [op, n] if op == _GNU_ARGS_SIZE and _one_byte(n):
            if n:
                return replace(_unknown(data), kind=EscapeKind.ARGS_SIZE)
            return Escape(EscapeKind.IGNORED)
    return _unknown(data)
