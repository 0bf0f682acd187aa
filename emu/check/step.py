"""The step check: the row of one true frame applied to its true state."""

from __future__ import annotations

from dataclasses import dataclass

from emu.check.tables import Place
from emu.check.verdict import Field, Verdict
from emu.truth import Entry
from emu.unwind import LookupFailure, Memory, Policy, Refusal, Registers, State, evaluate


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step check came to. `got` is the recovered state, if there is one."""

    verdict: Verdict
    fields: tuple[Field, ...] = ()
    """What is wrong, each a finding of its own."""
    got: State | None = None
    reason: str = ""


OK = Outcome(Verdict.OK)
OUTERMOST = Outcome(Verdict.OUTERMOST)
GAP = Outcome(Verdict.GAP)


def check_step(
    place: Place,
    state: State,
    caller: Entry | None,
    memory: Memory,
    registers: Registers,
    policy: Policy,
) -> Outcome:
    """Compare what the row at `place` makes of `state` with the true `caller`.

    `caller` is the entry of the call that made this frame, None where the stack began.
    `registers` are the topmost frame's.
    """
    found = place.found
    if isinstance(found, LookupFailure):
        if place.gap:
            return GAP
        return Outcome(Verdict.CORRUPT, reason=f"the lookup fails with {found}")
    frame = found.frame
    if frame.outermost:
        if caller is None:
            return OUTERMOST
        return Outcome(
            Verdict.TRUNCATED,
            reason="row says RA undefined, but there is a caller: "
            f"the return address is at {_relative(caller.slot, state.sp)}",
        )
    if caller is None:
        return Outcome(Verdict.OVERRUN, reason=f"row says {frame}, but the stack began here")
    got = evaluate(frame, state, memory, registers, policy)
    if isinstance(got, Refusal):
        return Outcome(Verdict.REFUSED, reason=f"row says {frame}, refused: {got}")
    if caller.is_caller(got.ip, got.sp, got.fp):
        return OK
    return Outcome(Verdict.WRONG, wrong_fields(got, caller), got)


def wrong_fields(got: State, caller: Entry) -> tuple[Field, ...]:
    """The fields of a recovered state that are not the caller's."""
    fields = []
    if got.ip != caller.return_address:
        fields.append(Field.PC)
    if got.sp != caller.slot + 8:
        fields.append(Field.SP)
    if got.fp != caller.rbp and caller.rbp_known:
        fields.append(Field.FP)
    return tuple(fields)


def _relative(address: int, sp: int) -> str:
    return f"rsp{address - sp:+d}"
