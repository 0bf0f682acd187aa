"""The walk of a consumer of SFrame, and the one by frame pointers alone, frame by frame.

The steps are `emu.unwind.Walk`'s, on a copy of the store: looking at a walk drops nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from emu.check.snapshot import Snapshot
from emu.lesson.attempt import Attempt
from emu.lesson.equations import Evaluation, FrameTrace
from emu.lesson.evaluation import FrameState
from emu.lesson.explanation import EndKind, Method
from emu.lesson.locations import Names
from emu.lesson.search import Consultation, SearchTrace, WatchedStore
from emu.unwind import (
    KERNEL_V15,
    End,
    Ending,
    Frame,
    LookupFailure,
    Refusal,
    SectionStore,
    State,
    Walk,
)
from emu.unwind import Lookup as LookupKind
from emu.unwind import Method as WalkMethod
from emu.unwind.walk import POINTER_FRAMES

POINTER_FRAME = POINTER_FRAMES[8]

_METHODS = {
    WalkMethod.NONE: Method.NONE,
    WalkMethod.SFRAME: Method.SFRAME,
    WalkMethod.FRAME_POINTER: Method.FRAME_POINTER,
    WalkMethod.SIGNAL: Method.SIGNAL,
}
_KINDS = {
    Ending.OUTERMOST: EndKind.OUTERMOST,
    Ending.ZERO_FP: EndKind.ZERO_FP,
    Ending.REFUSED: EndKind.REFUSED,
    Ending.LOST: EndKind.LOST,
}


def sframe_attempts(snapshot: Snapshot, names: Names) -> Iterator[Attempt]:
    """The walk of the snapshot's policy with the tables the process has registered."""
    store = WatchedStore(snapshot.store)
    search = SearchTrace(snapshot.memory, snapshot.policy, names)
    walk = Walk(store, snapshot.memory, snapshot.registers)
    intact = snapshot.tables.intact

    def row_at(pc: int) -> str:
        found = intact.lookup(pc)
        return "no row" if isinstance(found, LookupFailure) else str(found.frame)

    remarks: tuple[str, ...] = ()
    if not len(store):
        remarks = ("no section is registered: the walk goes by frame pointers from its start",)
        if len(intact):
            remarks = (
                "the section was dropped before: a lookup in it failed, as emu check reports",
            )
    while not walk.done:
        state = walk.state
        walk.step()
        consulted = store.take()
        frame = None
        if consulted is not None and not isinstance(consulted.result, LookupFailure):
            frame = consulted.result.frame
        yield Attempt(
            state=_state(state),
            return_address=not (state.topmost or state.interrupted),
            method=_METHODS[walk.current_type],
            row_at=row_at,
            evaluation=_evaluation(snapshot, names, walk, state, frame),
            following=_state(walk.state) if walk.end is None else None,
            rules=_rules(walk, frame),
            refusal=str(walk.end.refusal) if walk.end and walk.end.refusal else "",
            lookup=None if consulted is None else search.lookup(consulted),
            function=None if consulted is None else search.rows(consulted),
            frame=frame if frame is not None else _pointer_frame(walk),
            ending=None if walk.end is None else _KINDS[walk.end.ending],
            end_text="" if walk.end is None else _end_text(walk.end),
            remarks=remarks + _remarks(snapshot, walk, state, consulted),
        )
        remarks = ()


def pointer_attempts(snapshot: Snapshot, names: Names) -> Iterator[Attempt]:
    """The chain of saved rbp, with the checks that the kernel makes on it, whatever the policy."""
    policy = KERNEL_V15
    store = SectionStore(snapshot.memory, snapshot.store.mappings, policy=policy)
    walk = Walk(store, snapshot.memory, snapshot.registers)
    while not walk.done:
        state = walk.state
        walk.step()
        refusal = None if walk.end is None else walk.end.refusal
        trace = FrameTrace(state, snapshot.memory, snapshot.registers, policy, names)
        signal = walk.current_type is WalkMethod.SIGNAL
        yield Attempt(
            state=_state(state),
            return_address=not (state.topmost or state.interrupted),
            method=_METHODS[walk.current_type],
            row_at=_no_row,
            evaluation=Evaluation() if signal else trace.trace(POINTER_FRAME, refusal),
            following=_state(walk.state) if walk.end is None else None,
            rules="" if signal else str(POINTER_FRAME),
            refusal=str(refusal) if refusal else "",
            frame=POINTER_FRAME,
            ending=None if walk.end is None else _KINDS[walk.end.ending],
            end_text="" if walk.end is None else _end_text(walk.end),
        )


def _no_row(_pc: int) -> str:
    return ""


def _state(state: State) -> FrameState:
    return FrameState(state.ip, state.sp, state.fp)


def _pointer_frame(walk: Walk) -> Frame | None:
    """The rules of the fallback, if it was tried."""
    tried = walk.current_type is WalkMethod.FRAME_POINTER or (
        walk.end is not None and walk.end.ending is Ending.LOST and walk.end.refusal is not None
    )
    return POINTER_FRAME if tried else None


def _rules(walk: Walk, frame: Frame | None) -> str:
    rules = frame if frame is not None else _pointer_frame(walk)
    return "" if rules is None else str(rules)


def _evaluation(
    snapshot: Snapshot, names: Names, walk: Walk, state: State, frame: Frame | None
) -> Evaluation:
    rules = frame if frame is not None else _pointer_frame(walk)
    if rules is None or rules.outermost:
        return Evaluation()
    refusal: Refusal | None = None if walk.end is None else walk.end.refusal
    trace = FrameTrace(state, snapshot.memory, snapshot.registers, snapshot.policy, names)
    return trace.trace(rules, refusal)


def _end_text(end: End) -> str:
    match end.ending:
        case Ending.OUTERMOST:
            return "the row says RA undefined: nothing called this function"
        case Ending.ZERO_FP:
            return f"no row ({end.lookup}), and rbp is 0: this consumer ends there"
        case Ending.REFUSED:
            return f"there is a row, but it is refused: {end.refusal}"
        case _:
            looked = f"no row ({end.lookup})" if end.lookup is not None else ""
            chain = f"rbp leads nowhere: {end.refusal}" if end.refusal is not None else ""
            return "; ".join(filter(None, (looked, chain))) or "no way on"


def _remarks(
    snapshot: Snapshot, walk: Walk, state: State, consulted: Consultation | None
) -> tuple[str, ...]:
    remarks = []
    policy = snapshot.policy
    if consulted is not None:
        if consulted.address != state.ip:
            remarks.append("this consumer looks a return address up one byte earlier")
        failure = consulted.result
        if isinstance(failure, LookupFailure):
            if walk.current_type is WalkMethod.FRAME_POINTER:
                remarks.append("no row: the walk goes on by frame pointers")
        elif failure.function.signal and policy.lookup is not LookupKind.FORMAT:
            remarks.append("the function is marked as a signal frame; the kernel ignores the mark")
        if consulted.dropped:
            remarks.append(
                "the lookup failed with another error than ENOENT: the kernel drops the section"
            )
    if walk.current_type is WalkMethod.SIGNAL:
        remarks.append(
            "the code here is the restorer of a signal: the interrupted registers are read from"
            " the signal frame"
        )
    return tuple(remarks)
