"""Functions that have moved to another stack themselves and run on there.

By the rules of truth a stack begins where a function has moved to, so a row that leads on from
there is an overrun. But the function will return to its caller on the stack it came from, and a
table that says how describes it well. Such a row is neither right nor wrong: unsettled.
"""

from __future__ import annotations

from collections.abc import Mapping

from emu.check.blame import UNRESTRICTED, KnownRegisters
from emu.check.step import Outcome
from emu.check.tables import Place
from emu.check.verdict import Verdict
from emu.truth import Entry
from emu.unwind import LookupFailure, Memory, State, evaluate

UNSETTLED = Outcome(
    Verdict.UNSETTLED, reason="the row leads back to the stack that the function came from"
)


def leads_back(
    place: Place, state: State, known: Mapping[int, int], caller: Entry, memory: Memory
) -> bool:
    """Whether the row of a frame leads to `caller`, the call on the stack that was left.

    It may use every register of the frame that is `known`, whatever a consumer knows.
    """
    if isinstance(place.found, LookupFailure) or place.found.frame.outermost:
        return False
    got = evaluate(
        place.found.frame,
        State(state.ip, state.sp, state.fp, True),
        memory,
        KnownRegisters(known),
        UNRESTRICTED,
    )
    return isinstance(got, State) and caller.is_caller(got.ip, got.sp, got.fp)
