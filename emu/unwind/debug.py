"""The kernel's debug lines: kept for reading and handed to `logging` (kernel behaviour: 4)."""

import logging
from collections import deque

logger = logging.getLogger("emu.unwind")

KEPT_LINES = 10_000
"""A guest can provoke any number of lines; older ones are forgotten."""


class DebugLog:
    """Debug output of one kernel. `comm` and `pid` are the running task's; set them with it."""

    def __init__(self, comm: str = "prog", pid: int = 1) -> None:
        self.comm = comm
        self.pid = pid
        self.lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._said: set[str] = set()

    def _emit(self, line: str) -> None:
        self.lines.append(line)
        logger.debug("%s", line)

    def sframe(self, text: str, filename: str | None = None) -> None:
        """One line of the section code, with the section's file name if there is a record."""
        place = "" if filename is None else f"{filename}: "
        self._emit(f"sframe: {self.comm} ({self.pid}): {place}{text}")

    def once(self, text: str) -> None:
        """A line of the unwinder's core, printed once per boot."""
        if text not in self._said:
            self._said.add(text)
            self._emit(f"unwind_user: {text}")

    def drain(self) -> list[str]:
        """The lines since the last call."""
        lines = list(self.lines)
        self.lines.clear()
        return lines
