"""What a thread that cannot go on waits for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from emu.machine.linux.errno import Errno


def _never() -> bool:
    return False


def _nothing() -> None:
    return None


def _interrupted() -> int:
    return -Errno.EINTR


def _zero() -> int:
    return 0


@dataclass(slots=True, eq=False)
class Wait:
    """A system call that has not returned, and what may end it.

    Whoever chooses the next thread asks `ready`. Results are what the call returns then.
    """

    what: str
    """For people: `the futex at 0x...`."""
    ready: Callable[[], bool] = _never
    deadline: int | None = None
    """In nanoseconds of the clock's `elapsed`."""
    woken: Callable[[], int] | None = None
    """The result once ready; None: the call is made again."""
    expired: Callable[[], int] = _zero
    """The result at the deadline."""
    interrupted: Callable[[], int] = _interrupted
    """The result when a signal arrives."""
    leave: Callable[[], None] = _nothing
    """Called when the wait ends in any way but by being ready."""
    restarts: bool = False
    """Whether the call is made again after a handler with SA_RESTART."""
    interruptible: bool = True
    """Whether signals end it; a parent waits for its vfork child whatever comes."""


class WouldWait(Exception):  # noqa: N818 -- not an error: nothing is there yet
    """Raised by a system call that cannot return yet."""

    def __init__(self, wait: Wait) -> None:
        super().__init__(wait.what)
        self.wait = wait
