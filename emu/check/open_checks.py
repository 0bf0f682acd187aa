"""Checks that were made while it was open what the true stack is, until the tracker settles it."""

from __future__ import annotations

from collections.abc import Iterator

from emu.check.finding import Tally
from emu.truth import Doubt, PushedCall, Settlement


class OpenChecks:
    """One thread's checks that do not count yet."""

    __slots__ = ("first", "held", "second")

    def __init__(self) -> None:
        self.held = Tally()
        """Made while an entry was pending."""
        self.first = Tally()
        """Made of the first reading while the tracker was in doubt."""
        self.second = Tally()
        """Made of its second reading."""

    def settle(self, settlement: Settlement, tally: Tally, *, pending: bool) -> None:
        """Count in `tally`, or as unsettled, what `settlement` decides.

        `pending`: the tracker still has a pending entry, so that what was in doubt is held.
        """
        match settlement:
            case Settlement.RETURNED:
                tally.add(self.held)
                self.held = Tally()
            case Settlement.DROPPED:
                tally.add_unsettled(self.held)
                self.held = Tally()
            case Settlement.FIRST | Settlement.SECOND:
                right = self.first if settlement is Settlement.FIRST else self.second
                (self.held if pending else tally).add(right)
                self.first, self.second = Tally(), Tally()
            case Settlement.NEVER:
                tally.add_unsettled(self.first)
                self.first, self.second = Tally(), Tally()


def at_end(doubt: Doubt | None, *, pending: bool) -> Iterator[Settlement]:
    """What is open at the end: a doubt stands as it was read, a pending entry does not.

    Nor does a push and a jump to which control never came back.
    """
    if isinstance(doubt, PushedCall):
        yield Settlement.NEVER
    elif doubt is not None:
        yield Settlement.FIRST
    if pending:
        yield Settlement.DROPPED
