"""What a recorded process has forked: when, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass

from emu.lesson.processes import Fork
from emu.machine import Outcome, OutcomeKind, Thread, ThreadEvent


@dataclass(frozen=True, slots=True)
class RecordedFork:
    """A child of the recorded process. Its own instructions are not among the recorded ones."""

    number: int
    """As `emu walk --process` names it."""
    pid: int
    step: int
    """The step whose system call made it; below 0 or behind the last if that is not recorded."""
    ended: str
    """How it ended; empty if it was still there when the recording ended."""


class ForkRecorder:
    """Waits for the end of a child without keeping it."""

    def __init__(self, fork: Fork, instruction: int) -> None:
        child = fork.child
        self._number = fork.number
        self._pid = child.pid
        self._instruction = instruction
        self._outcome: Outcome | None = None

        def changed(event: ThreadEvent, _thread: Thread) -> None:
            if event is ThreadEvent.ENDED and child.outcome is not None:
                self._outcome = child.outcome

        child.on_thread.append(changed)

    def recorded(self, first: int) -> RecordedFork:
        """As it is known when the recording ends, which begins with instruction `first`."""
        how = "" if self._outcome is None else ended(self._outcome, "it")
        return RecordedFork(self._number, self._pid, self._instruction - first, how)


def ended(outcome: Outcome, who: str = "the program") -> str:
    """How a process ended, or that more instructions follow."""
    match outcome.kind:
        case OutcomeKind.EXIT:
            return f"{who} exits with status {outcome.exit_code}"
        case OutcomeKind.SIGNAL:
            return f"{who} is killed by {outcome.signal}"
        case OutcomeKind.LIMIT:
            return f"the recording ends here, {who} goes on"
        case _:
            return outcome.message
