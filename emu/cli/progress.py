"""A progress line for long work, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from time import monotonic

INTERVAL = 0.5
_CLEAR = "\r\x1b[K"


class ProgressLine:
    """A line on standard error that overwrites itself."""

    def __init__(self) -> None:
        self._started = monotonic()
        self._shown = self._started + INTERVAL
        self._visible = False

    def show(self, text: str) -> None:
        """Show this instead of what was there."""
        self._visible = True
        print(f"{_CLEAR}{text}\r", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Leave an empty line to what is written next."""
        if self._visible:
            self._visible = False
            print(_CLEAR, end="", file=sys.stderr, flush=True)


class RunLine(ProgressLine):
    """Instructions, rate and findings of a run so far, from its first second on."""

    def __call__(self, instructions: int, findings: int) -> None:
        """Show the numbers unless the line is new still."""
        now = monotonic()
        if now - self._shown < INTERVAL:
            return
        self._shown = now
        rate = instructions / (now - self._started)
        self.show(f"{instructions:,} instructions, {rate:,.0f}/s, {findings} findings")


class CountLine(ProgressLine):
    """How many programs of several have been checked, and how."""

    def count(self, statuses: Mapping[int, int], programs: int) -> None:
        """`statuses` are numbers of programs by exit status."""
        done = sum(statuses.values())
        self.show(f"{done} of {programs} programs, {statuses.get(1, 0)} with findings")


def progress_line() -> RunLine:
    """A line that shows how far a run is, to be called now and then."""
    return RunLine()
