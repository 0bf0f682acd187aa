"""A walk held against the true stack: where they part, in which field, and why."""

from __future__ import annotations

from dataclasses import dataclass

from emu.check.contradiction import contradiction
from emu.check.snapshot import Snapshot
from emu.check.step import Outcome
from emu.check.verdict import Field, Verdict
from emu.lesson.attempt import Attempt
from emu.lesson.evaluation import FrameState
from emu.lesson.explanation import Compared, EndKind, Method, Relation, Unwinder
from emu.truth import Entry, EntryKind
from emu.unwind import State


@dataclass(frozen=True, slots=True)
class Judgement:
    """What truth says about one frame and the step from it."""

    true_state: FrameState | None
    true_caller: FrameState | None
    by_signal: bool
    """The frame was entered by a signal: no return address leads to the interrupted one."""
    compared: tuple[Compared, ...]
    relation: Relation
    verdict: Verdict
    contradiction: str = ""


class Judge:
    """Judges the frames of one walk, in order."""

    def __init__(self, snapshot: Snapshot, unwinder: Unwinder) -> None:
        self._snapshot = snapshot
        self._unwinder = unwinder
        self._departed: Verdict | None = None

    def judge(self, number: int, attempt: Attempt) -> Judgement:
        """The frame with this number, after all those above it."""
        entries = self._snapshot.entries
        true_state = None
        if number <= len(entries):
            true_state = _shown(self._snapshot.state(number))
        caller = entries[-number - 1] if number < len(entries) else None
        true_caller = None if caller is None else _shown(caller.caller_state())
        by_signal = caller is not None and caller.kind is EntryKind.SIGNAL
        compared = _compare(attempt.following, caller)
        relation, sentence = Relation.TRUE, ""
        verdict = self._departed or self._verdict(attempt, caller, compared)
        if self._departed is not None:
            relation = Relation.ASTRAY
        elif not verdict.right:
            self._departed = verdict
            relation = Relation.DEPARTS
            sentence = self._contradiction(number, attempt, caller, compared)
        return Judgement(true_state, true_caller, by_signal, compared, relation, verdict, sentence)

    def _verdict(
        self, attempt: Attempt, caller: Entry | None, compared: tuple[Compared, ...]
    ) -> Verdict:
        """As the walk check of `emu check` names it."""
        by_rule = (
            self._unwinder is not Unwinder.SFRAME or attempt.method is not Method.FRAME_POINTER
        )
        if attempt.following is None:
            if caller is None:
                outermost = attempt.ending is EndKind.OUTERMOST
                return Verdict.OUTERMOST if outermost else Verdict.OK
            if attempt.ending is EndKind.REFUSED:
                return Verdict.REFUSED
            if attempt.ending is EndKind.LOST:
                pointers = self._unwinder is Unwinder.FRAME_POINTERS
                return Verdict.TRUNCATED if pointers else Verdict.GAP
            return Verdict.TRUNCATED
        if caller is None:
            return Verdict.OVERRUN if by_rule else Verdict.GAP
        if all(one.same for one in compared):
            return Verdict.OK
        return Verdict.WRONG if by_rule else Verdict.GAP

    def _contradiction(
        self,
        number: int,
        attempt: Attempt,
        caller: Entry | None,
        compared: tuple[Compared, ...],
    ) -> str:
        state = self._snapshot.state(number)
        rules = attempt.rules or "nothing"
        who = "the frame pointer chain" if attempt.method is Method.FRAME_POINTER else "the row"
        if caller is None:
            return f"{who} says {rules}, but the stack began here"
        if caller.kind is EntryKind.SIGNAL and attempt.following is None:
            return "the walk ends here, but a signal interrupted a frame further down"
        slot = f"rsp{caller.slot - state.sp:+d}"
        if attempt.following is None:
            if attempt.ending is EndKind.OUTERMOST:
                return (
                    "the row says RA undefined, but there is a caller:"
                    f" the return address is at {slot}"
                )
            return f"the walk ends here, but there is a caller: the return address is at {slot}"
        wrong = next(one.field for one in compared if not one.same)
        if attempt.frame is None:
            return self._plainly(who, rules, wrong, caller, slot)
        following = attempt.following
        outcome = Outcome(
            Verdict.WRONG, (wrong,), State(following.ip, following.sp, following.fp or 0)
        )
        sentence = contradiction(
            attempt.frame,
            outcome,
            wrong,
            state,
            caller,
            self._snapshot.memory,
            self._snapshot.registers,
        )
        if attempt.method is Method.FRAME_POINTER:
            return sentence.replace("row says", "the frame pointer chain says", 1)
        return f"the {sentence}"

    def _plainly(self, who: str, rules: str, wrong: Field, caller: Entry, slot: str) -> str:
        match wrong:
            case Field.FP:
                return f"{who} says {rules}, but the caller's rbp is {caller.rbp:#x}"
            case _:
                return f"{who} says {rules}, but the return address is at {slot}"


def _shown(state: State) -> FrameState:
    return FrameState(state.ip, state.sp, state.fp)


def _compare(following: FrameState | None, caller: Entry | None) -> tuple[Compared, ...]:
    if following is None:
        return ()
    if caller is None:
        return tuple(
            Compared(field, got, None, same=False)
            for field, got in zip(Field, (following.ip, following.sp, following.fp), strict=True)
        )
    sp = caller.slot + 8
    return (
        Compared(
            Field.PC, following.ip, caller.return_address, following.ip == caller.return_address
        ),
        Compared(Field.SP, following.sp, sp, following.sp == sp),
        Compared(
            Field.FP,
            following.fp,
            caller.rbp,
            # As in emu check, an rbp that is not known counts as 0.
            (following.fp or 0) == caller.rbp or not caller.rbp_known,
        ),
    )
