"""From a snapshot to the explanation of one walk."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from emu.check.snapshot import Snapshot
from emu.check.walk import KERNEL_LIMIT
from emu.lesson.attempt import Attempt
from emu.lesson.cfi_walk import cfi_attempts
from emu.lesson.evaluation import FrameState
from emu.lesson.explanation import (
    End,
    EndKind,
    Explanation,
    FrameStep,
    Relation,
    TrueFrame,
    Unwinder,
)
from emu.lesson.judgement import Judge, Judgement
from emu.lesson.locations import Names
from emu.lesson.sframe_walk import pointer_attempts, sframe_attempts
from emu.lesson.stack_words import stack_words
from emu.sframe.printable import printable

_ATTEMPTS = {
    Unwinder.SFRAME: sframe_attempts,
    Unwinder.FRAME_POINTERS: pointer_attempts,
    Unwinder.DWARF: cfi_attempts,
}

PENDING = "a return address is in a register only: whether control returns to it shows later"


def explain(
    snapshot: Snapshot,
    unwinder: Unwinder = Unwinder.SFRAME,
    *,
    limit: int = KERNEL_LIMIT,
    names: Names | None = None,
) -> Explanation:
    """Walk from `snapshot` and explain every step, at most `limit` frames.

    Reads the process's memory as it is now: call it before the next snapshot is asked for. The
    process's section store stays as it is, whatever the walk would have dropped from it. `names`
    remembers decoded functions, for many explanations of one process.
    """
    if names is None:
        names = Names(snapshot.modules, snapshot.memory)
    judge = Judge(snapshot, unwinder)
    frames: list[FrameStep] = []
    last: Attempt | None = None
    for attempt in islice(_ATTEMPTS[unwinder](snapshot, names), limit):
        number = len(frames)
        frames.append(_step(snapshot, names, number, attempt, judge.judge(number, attempt)))
        last = attempt
    assert last is not None, "the topmost frame is always there"
    return Explanation(
        program=_program(snapshot),
        unwinder=unwinder,
        policy=str(snapshot.policy),
        instruction=snapshot.instruction,
        location=names.location(snapshot.pc),
        registers=tuple(snapshot.registers[number] for number in range(16)),
        true_frames=tuple(true_frames(snapshot, names)),
        frames=tuple(frames),
        end=_end(frames[-1], last),
        remark=PENDING if any(entry.pending for entry in snapshot.entries) else "",
    )


def true_frames(snapshot: Snapshot, names: Names) -> Iterator[TrueFrame]:
    """The true stack, innermost frame first."""
    for number in range(len(snapshot.entries) + 1):
        state = snapshot.state(number)
        entry = snapshot.entries[-number] if number else None
        yield TrueFrame(
            FrameState(state.ip, state.sp, state.fp),
            names.location(state.ip, None if entry is None else entry.caller_pc),
            "" if entry is None else entry.kind.value,
        )


def _step(
    snapshot: Snapshot, names: Names, number: int, attempt: Attempt, judgement: Judgement
) -> FrameStep:
    state = attempt.state
    entries = snapshot.entries
    inside = state.ip - attempt.return_address
    if judgement.relation is not Relation.ASTRAY and number:
        inside = entries[-number].caller_pc
    true_location = None
    if number <= len(entries):
        true_state = snapshot.state(number)
        true_inside = entries[-number].caller_pc if number else true_state.ip
        true_location = names.location(true_state.ip, true_inside)
    remarks = attempt.remarks
    if _foreign(names, state.ip, inside) and attempt.lookup is not None:
        remarks += (
            "the call ends its function: the return address, as it is looked up, belongs to the"
            " next one",
        )
    evaluation = attempt.evaluation
    return FrameStep(
        number=number,
        state=state,
        location=names.location(state.ip, inside),
        return_address=attempt.return_address,
        code=names.code(state.ip, inside, attempt.row_at),
        method=attempt.method,
        lookup=attempt.lookup,
        function=attempt.function,
        cfi=attempt.cfi,
        rules=attempt.rules,
        equations=tuple(evaluation.equations),
        checks=tuple(evaluation.checks),
        stack=stack_words(snapshot.memory, names, attempt, judgement),
        following=attempt.following,
        refusal=attempt.refusal,
        true_state=judgement.true_state,
        true_caller=judgement.true_caller,
        true_location=true_location,
        true_number=(
            _true_number(snapshot, number, state)
            if judgement.relation is Relation.ASTRAY
            else number
        ),
        compared=judgement.compared,
        relation=judgement.relation,
        verdict=judgement.verdict,
        contradiction=judgement.contradiction,
        remarks=remarks,
    )


def _true_number(snapshot: Snapshot, number: int, state: FrameState) -> int | None:
    frames = snapshot.frames
    same = [at for at, true in enumerate(frames) if true.ip == state.ip]
    for at in same:
        if frames[at].sp == state.sp:
            return at
    # In a recursion many have it: the next one is the likeliest.
    return next((at for at in same if at >= number), same[-1] if same else None)


def _foreign(names: Names, address: int, inside: int) -> bool:
    """Whether a return address lies behind the function that its call is in."""
    return address != inside and names.location(address).function != names.location(inside).function


def _end(step: FrameStep, last: Attempt) -> End:
    right = step.relation is Relation.TRUE and step.true_caller is None
    errno = last.lookup.errno if last.lookup is not None else ""
    if last.ending is None:
        text = f"a walk records no more than {step.number + 1} frames"
        judgement = "older frames are not recorded"
        if step.relation is not Relation.TRUE:
            judgement = "the walk had left the truth before"
        return End(EndKind.LIMIT, step.number, text, "", False, judgement)
    if right:
        judgement = "right: the stack began here"
        if last.ending is not EndKind.OUTERMOST:
            judgement += ", though no row says so"
    elif step.relation is Relation.ASTRAY:
        judgement = "the walk had left the truth before"
        if step.true_caller is None and step.true_state == step.state:
            judgement = "the stack began here, but the walk had left the truth before"
    else:
        judgement = "wrong: this function was called"
    return End(last.ending, step.number, last.end_text, errno, right, judgement)


def _program(snapshot: Snapshot) -> str:
    modules = snapshot.modules.modules
    return printable(modules[0].path) if modules else ""
