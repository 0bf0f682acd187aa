"""What `.cfi_escape` bytes mean for SFrame rows.

SFrame specification, 'CFI to FDE type': two expression forms are representable, instructions
about registers that no row describes are ignored, all others make the function inexpressible.
"""

from dataclasses import dataclass
from enum import Enum

from emu.cfi.errors import CfiError
from emu.cfi.instructions import RBP, RIP, RSP
from emu.cfi.leb128 import read_sleb128, read_uleb128

_NOP = 0x00
_DEF_CFA_EXPRESSION = 0x0F
_EXPRESSION = 0x10
_VAL_OFFSET = 0x14
_VAL_EXPRESSION = 0x16
_GNU_ARGS_SIZE = 0x2E
_OP_BREG0 = 0x70
_OP_DEREF = 0x06
_NAMES = {RSP: "SP", RBP: "FP", RIP: "RA"}


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
    return Escape(EscapeKind.NOT_REPRESENTABLE, reason=f".cfi_escape with op ({data[0]:#x})")


def _breg_slot(block: bytes, *, deref: bool) -> tuple[int, int] | None:
    """(register, offset) of the block `DW_OP_bregR n`, followed by a deref or not."""
    end = len(block) - deref
    if end < 2 or not _OP_BREG0 <= block[0] < _OP_BREG0 + 32:
        return None
    if deref and block[-1] != _OP_DEREF:
        return None
    offset, after = read_sleb128(block[:end], 1)
    return (block[0] - _OP_BREG0, offset) if after == end else None


def _expression(data: bytes) -> Escape:
    register, at = read_uleb128(data, 1)
    length, at = read_uleb128(data, at)
    if at + length != len(data):
        return _unknown(data)
    if register not in _NAMES:
        return Escape(EscapeKind.IGNORED)
    slot = _breg_slot(data[at:], deref=False) if data[0] == _EXPRESSION else None
    if register == RBP and slot is not None and slot[0] == RBP:
        return Escape(EscapeKind.FP_SLOT, *slot)
    name = "DW_CFA_expression" if data[0] == _EXPRESSION else "DW_CFA_val_expression"
    return Escape(
        EscapeKind.NOT_REPRESENTABLE,
        reason=f".cfi_escape {name} with {_NAMES[register]} reg {register}",
    )


def _cfa_expression(data: bytes) -> Escape:
    length, at = read_uleb128(data, 1)
    slot = _breg_slot(data[at:], deref=True) if length == 3 and at + 3 == len(data) else None
    if slot is None or slot[0] != RBP:
        return _unknown(data)
    return Escape(EscapeKind.CFA_SLOT, *slot)


def _val_offset(data: bytes) -> Escape:
    register, at = read_uleb128(data, 1)
    offset, at = read_uleb128(data, at)
    if at != len(data):
        return _unknown(data)
    if register == RBP or (register == RSP and offset):
        return Escape(
            EscapeKind.NOT_REPRESENTABLE,
            reason=f".cfi_escape DW_CFA_val_offset with {_NAMES[register]} reg {register}",
        )
    return Escape(EscapeKind.IGNORED)


def decode_escape(data: bytes) -> Escape:
    """What the bytes of one `.cfi_escape` mean; broken numbers count as unknown."""
    if not any(data):
        return Escape(EscapeKind.IGNORED)
    try:
        match data[0]:
            case op if op in {_EXPRESSION, _VAL_EXPRESSION}:
                return _expression(data)
            case op if op == _DEF_CFA_EXPRESSION:
                return _cfa_expression(data)
            case op if op == _VAL_OFFSET:
                return _val_offset(data)
            case op if op == _GNU_ARGS_SIZE:
                _, end = read_uleb128(data, 1)
                if end == len(data):
                    reason = f".cfi_escape with op ({data[0]:#x})"
                    return Escape(EscapeKind.ARGS_SIZE, reason=reason)
    except CfiError:
        pass
    return _unknown(data)
