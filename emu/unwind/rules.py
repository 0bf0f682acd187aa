"""From the data words of a row to its rules (kernel behaviour: 7.3-7.5, rule construction)."""

from dataclasses import dataclass
from functools import lru_cache

from emu.unwind.errors import Errno, RejectedError
from emu.unwind.frame import (
    FP_REGISTER,
    RETAIN,
    SP_REGISTER,
    CfaBase,
    CfaRule,
    Frame,
    ValueBase,
    ValueRule,
    outermost_frame,
)
from emu.unwind.policy import Lookup, Policy

REG_P = 1
DEREF_P = 2
_RESERVED = 4


@dataclass(frozen=True, slots=True)
class DataWords:
    """The numbers of a row in the form of a flexible FDE, which a default row is turned into."""

    cfa_control: int
    cfa_offset: int
    ra_control: int
    ra_offset: int
    fp_control: int
    fp_offset: int


def build_frame(words: DataWords | None, policy: Policy, *, start: int, signal: bool) -> Frame:
    """The rules `words` stand for; None is a row without words, hence outermost.

    CFA first, then RA, then FP: the first that cannot be built decides the RejectedError.
    `start` is the row's, for messages; `signal` the mark of its function.
    """
    if words is None:
        if not policy.outermost_rows:
            raise RejectedError(
                Errno.EINVAL, f"FRE start {start} has no data words, so no CFA rule"
            )
        return outermost_frame(signal=signal)
    return _frame(words, policy.lookup is Lookup.V15, signal)


@lru_cache(maxsize=1 << 12)
def _frame(words: DataWords, strict: bool, signal: bool) -> Frame:
    """A program's thousands of rows say a few hundred different things."""
    return Frame(
        _cfa_rule(words.cfa_control, words.cfa_offset, strict=strict),
        _value_rule("RA", words.ra_control, words.ra_offset, strict=strict),
        _value_rule("FP", words.fp_control, words.fp_offset, strict=strict),
        signal=signal,
    )


def _check_reserved(what: str, control: int) -> None:
    if control & _RESERVED:
        raise RejectedError(Errno.EINVAL, f"reserved bit in {what} control word {control:#x}")


def _register(control: int) -> int:
    """Five bits, whatever the word size (kernel behaviour: 7.5)."""
    return control >> 3 & 0x1F


def _cfa_rule(control: int, offset: int, *, strict: bool) -> CfaRule:
    if strict:
        _check_reserved("CFA", control)
    if not control & REG_P:
        raise RejectedError(Errno.EINVAL, f"CFA control word {control:#x} is not register based")
    number = _register(control)
    deref = bool(control & DEREF_P)
    if number == SP_REGISTER:
        return CfaRule(CfaBase.SP, offset, deref)
    if number == FP_REGISTER:
        return CfaRule(CfaBase.FP, offset, deref)
    return CfaRule(CfaBase.REG, offset, deref, number)


def _value_rule(what: str, control: int, offset: int, *, strict: bool) -> ValueRule:
    if control == 0 and offset == 0:
        return RETAIN
    if strict:
        _check_reserved(what, control)
    deref = bool(control & DEREF_P)
    if control & REG_P:
        return ValueRule(ValueBase.REG, offset, deref, _register(control))
    return ValueRule(ValueBase.CFA, offset, deref)
