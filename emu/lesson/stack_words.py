"""The stack words of a frame: those that were read, and those around them."""

from __future__ import annotations

from emu.lesson.attempt import Attempt
from emu.lesson.evaluation import MASK64, FrameState, StackWord
from emu.lesson.judgement import Judgement
from emu.lesson.locations import Names
from emu.unwind import Memory, MemoryFault

WORD = 8
LOWEST, HIGHEST = 3, 6
"""Words shown at the lower and at the upper end of a frame that has many."""
RED_ZONE = 128


def stack_words(
    memory: Memory,
    names: Names,
    attempt: Attempt,
    judgement: Judgement,
) -> tuple[StackWord, ...]:
    """The words from the frame's sp to its CFA, and every word that was read, by address.

    Of a large frame the ends; a gap between two words is seen by their addresses.
    """
    sp = attempt.state.sp
    true_state = judgement.true_state
    true_caller = None if judgement.by_signal else judgement.true_caller
    reads: dict[int, list[str]] = {}
    for address, name in attempt.evaluation.reads:
        reads.setdefault(address, []).append(name)
    marks = _marks(attempt, true_state, true_caller)
    addresses = {*reads, *marks}
    for end in (
        None if attempt.following is None else attempt.following.sp,
        None if true_caller is None or true_state is None else true_caller.sp,
    ):
        if end is not None and sp <= end and end - sp <= MASK64 >> 1:
            addresses |= _frame(sp, end)
    return tuple(
        _word(memory, names, address, sp, reads.get(address, []), marks.get(address, []))
        for address in sorted(addresses)
    )


def _frame(sp: int, end: int) -> set[int]:
    """Addresses of the words from sp up to and with the one at `end`, or of both ends."""
    start = end - (end - sp) // WORD * WORD
    if end - start <= WORD * (LOWEST + HIGHEST):
        return set(range(start, end + 1, WORD))
    lower = set(range(start, start + WORD * LOWEST, WORD))
    return lower | set(range(end - WORD * (HIGHEST - 1), end + 1, WORD))


def _marks(
    attempt: Attempt, true_state: FrameState | None, true_caller: FrameState | None
) -> dict[int, list[str]]:
    marks: dict[int, list[str]] = {}
    state = attempt.state
    marks.setdefault(state.sp, []).append("rsp")
    if state.fp is not None:
        end = max(
            0 if attempt.following is None else attempt.following.sp,
            0 if true_caller is None else true_caller.sp,
        )
        read = any(address == state.fp for address, _ in attempt.evaluation.reads)
        if read or state.sp - RED_ZONE <= state.fp <= end:
            marks.setdefault(state.fp, []).append("rbp")
    if attempt.following is not None:
        marks.setdefault(attempt.following.sp, []).append("CFA")
    # Those of another frame would say nothing about this one.
    here = true_state is not None and true_state.sp == state.sp
    if true_caller is not None and here and true_caller.sp > state.sp:
        if attempt.following is None or attempt.following.sp != true_caller.sp:
            marks.setdefault(true_caller.sp, []).append("true CFA")
        marks.setdefault(true_caller.sp - WORD, []).append("true return address")
    return marks


def _word(
    memory: Memory,
    names: Names,
    address: int,
    sp: int,
    read_as: list[str],
    marks: list[str],
) -> StackWord:
    try:
        value: int | None = memory.word(address)
    except MemoryFault:
        value = None
    location = None if value is None else names.location(value)
    if location is not None and not location.known:
        location = None
    return StackWord(address, value, address - sp, tuple(read_as), tuple(marks), location)
