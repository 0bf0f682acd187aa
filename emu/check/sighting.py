"""One step check that did not come out right, with everything known about the frame."""

from __future__ import annotations

from typing import NamedTuple

from emu.check.step import Outcome
from emu.check.tables import Place
from emu.check.verdict import Field
from emu.truth import Entry
from emu.unwind import State


class Sighting(NamedTuple):
    """A frame, what the table made of it, and what is true."""

    place: Place
    outcome: Outcome
    state: State
    """The frame's true state."""
    entry: Entry | None
    """The entry of the call that this frame made; None in the topmost frame."""
    caller: Entry | None
    """The entry of the call that made this frame; None where the stack began."""
    frame: int
    """0 is the topmost."""

    @property
    def inside(self) -> int:
        """An address in the frame's function."""
        return self.state.ip if self.entry is None else self.entry.caller_pc

    def values(self, field: Field | None) -> tuple[int | None, int | None]:
        """The true value of `field` (the caller's pc if the whole step failed) and the found."""
        if self.caller is None:
            return None, None
        got = self.outcome.got
        match field:
            case Field.SP:
                return self.caller.slot + 8, got.sp if got else None
            case Field.FP:
                return self.caller.rbp, got.fp if got else None
            case _:
                return self.caller.return_address, got.ip if got else None
