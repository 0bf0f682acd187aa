"""The step check, compiled: `emu.unwind.evaluate` and `emu.check.step`."""

from __future__ import annotations

from typing import Any

import numpy as np

from emu.check.fast.guest import word
from emu.check.fast.native import apart, carray, compiled, pointer, separate
from emu.check.fast.unsigned import (
    BASE_FP,
    BASE_REGISTER,
    BASE_RETAIN,
    EIGHT,
    FAULT,
    GAP,
    IS_GAP,
    IS_OUTERMOST,
    IS_ROW,
    MINUS_EIGHT,
    MINUS_SIXTEEN,
    OK,
    ONE,
    OUTERMOST,
    OVERRUN,
    READ,
    REFUSED,
    SEVEN,
    SIXTEEN,
    SLOW,
    TRUNCATED,
    WRONG_FP,
    WRONG_PC,
    WRONG_SP,
    ZERO,
)
from emu.unwind.frame import FP_REGISTER, SP_REGISTER

RBP, RSP = np.uint64(FP_REGISTER), np.uint64(SP_REGISTER)


@compiled
def evaluate(
    s: Any,
    cfa_is_fp: Any,
    cfa_offset: Any,
    ra_offset: Any,
    fp_is_slot: Any,
    fp_offset: Any,
    sp: Any,
    fp: Any,
    topmost: Any,
) -> Any:
    """`emu.unwind.evaluate` for plain stack slots; the result is in `got_ip`, `_sp`, `_fp`."""
    if cfa_is_fp != ZERO:
        if fp < sp and s.fp_above_sp != ZERO:
            return FAULT
        cfa = fp + cfa_offset
    else:
        cfa = sp + cfa_offset
    if s.growth != ZERO and cfa <= sp - topmost:
        return FAULT
    if s.alignment != ZERO and cfa & SEVEN != ZERO:
        return FAULT
    status, ra = word(s, cfa + ra_offset)
    if status != READ:
        return status
    if fp_is_slot != ZERO:
        status, fp = word(s, cfa + fp_offset)
        if status != READ:
            return status
    s.got_ip = ra
    s.got_sp = cfa
    s.got_fp = fp
    return READ


@compiled
def register(s: Any, number: Any, sp: Any, fp: Any, topmost: Any) -> Any:
    """A register, as far as the consumer knows it in this frame."""
    if topmost == ZERO:
        if s.topmost_registers != ZERO or number not in (RBP, RSP):
            return FAULT, ZERO
        return READ, fp if number == RBP else sp
    if number >= SIXTEEN:
        return FAULT, ZERO
    return READ, carray(pointer(s.registers), 16, np.uint64)[s.order[number]]


@compiled
def any_cfa(s: Any, site: Any, sp: Any, fp: Any, topmost: Any) -> Any:
    """The CFA by any rule."""
    base, status = sp, READ
    if site.cfa_base == BASE_FP:
        if fp < sp and s.fp_above_sp != ZERO:
            return FAULT, ZERO
        base = fp
    elif site.cfa_base == BASE_REGISTER:
        status, base = register(s, site.cfa_register, sp, fp, topmost)
        if status != READ:
            return status, ZERO
    address = base + site.cfa_offset
    if site.cfa_deref == ZERO:
        return READ, address
    if site.cfa_base != BASE_REGISTER and s.base_deref == ZERO:
        return FAULT, ZERO
    return word(s, address)


@compiled
def any_value(
    s: Any,
    base: Any,
    number: Any,
    offset: Any,
    deref: Any,
    cfa: Any,
    sp: Any,
    fp: Any,
    topmost: Any,
) -> Any:
    """RA or FP by any rule that is not "unchanged"."""
    start = cfa
    if base == BASE_REGISTER:
        status, start = register(s, number, sp, fp, topmost)
        if status != READ:
            return status, ZERO
    elif deref == ZERO and s.value_rules == ZERO:
        return FAULT, ZERO
    if deref != ZERO:
        return word(s, start + offset)
    return READ, start + offset


@separate
def evaluate_any(s: Any, site: Any, sp: Any, fp: Any, topmost: Any) -> Any:
    """Like `evaluate`, for rules of every form."""
    apart()
    status, cfa = any_cfa(s, site, sp, fp, topmost)
    if status != READ:
        return status
    if s.growth != ZERO and cfa <= sp - topmost:
        return FAULT
    if s.alignment != ZERO and cfa & SEVEN != ZERO:
        return FAULT
    if site.ra_base == BASE_RETAIN:
        return FAULT
    status, ra = any_value(
        s, site.ra_base, site.ra_register, site.ra_offset, site.ra_deref, cfa, sp, fp, topmost
    )
    if status != READ:
        return status
    got_fp = fp
    if site.fp_base != BASE_RETAIN:
        status, got_fp = any_value(
            s, site.fp_base, site.fp_register, site.fp_offset, site.fp_deref, cfa, sp, fp, topmost
        )
        if status != READ:
            return status
    s.got_ip = ra
    s.got_sp = cfa
    s.got_fp = got_fp
    return READ


@compiled
def apply(s: Any, site: Any, sp: Any, fp: Any, topmost: Any) -> Any:
    """Evaluate the rules of a site."""
    if site.general != ZERO:
        return evaluate_any(s, site, sp, fp, topmost)
    return evaluate(
        s, site.cfa_is_fp, site.cfa_offset, site.ra_offset, site.fp_is_slot, site.fp_offset,
        sp, fp, topmost,
    )  # fmt: skip


@compiled
def follow_pointer(s: Any, sp: Any, fp: Any, topmost: Any) -> Any:
    """Evaluate CFA = rbp+16, RA = *(CFA-8), FP = *(CFA-16)."""
    return evaluate(s, ONE, SIXTEEN, MINUS_EIGHT, ONE, MINUS_SIXTEEN, sp, fp, topmost)


@compiled
def mismatch(s: Any, caller: Any) -> Any:
    """Which fields of the result are not the true caller's."""
    code = OK
    if s.got_ip != caller.return_address:
        code |= WRONG_PC
    if s.got_sp != caller.slot + EIGHT:
        code |= WRONG_SP
    if s.got_fp != caller.rbp and caller.rbp_known != ZERO:
        code |= WRONG_FP
    return code


@compiled
def judge(s: Any, entries: Any, site: Any, sp: Any, fp: Any, topmost: Any, height: Any) -> Any:
    """The step check of a frame with `height` entries below it: a `Code`.

    After OK and WRONG the result is still in `got_ip`, `_sp`, `_fp`.
    """
    kind = site.kind
    if kind == IS_ROW:
        if height == ZERO:
            return OVERRUN
        status = apply(s, site, sp, fp, topmost)
        if status == READ:
            return mismatch(s, entries[height - ONE])
        return REFUSED if status == FAULT else SLOW
    if kind == IS_GAP:
        return GAP
    if kind == IS_OUTERMOST:
        return OUTERMOST if height == ZERO else TRUNCATED
    return SLOW
