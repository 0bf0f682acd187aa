"""Time that depends on nothing but the guest."""

START = 1_767_225_600_000_000_000
"""When runs begin unless told otherwise: 2026-01-01 00:00:00 UTC, in nanoseconds since 1970."""

LONGEST = 1 << 62
"""Time stands still after 146 years, before the guest's 64-bit nanoseconds run over."""

TICK = 1_000
"""Nanoseconds that pass with every system call."""


NANOSECONDS_PER_INSTRUCTION = 10
"""What an instruction takes where time passes with them."""


class Clock:
    """Time passes with system calls and with sleeping; sleeping takes no real time.

    While there are several threads or a timer runs, it passes with instructions too.
    """

    def __init__(self, start: int | None = None) -> None:
        self._start = START if start is None else start
        self.elapsed = 0
        """Nanoseconds since the process started."""

    def tick(self) -> None:
        """A system call was made."""
        self.sleep(TICK)

    def sleep(self, nanoseconds: int) -> None:
        """Let time pass."""
        self.elapsed = min(self.elapsed + nanoseconds, LONGEST)

    def now(self) -> int:
        """Nanoseconds since 1970."""
        return self._start + self.elapsed

    def uptime(self) -> int:
        """Nanoseconds since the machine was booted, an hour before the process started."""
        return 3_600_000_000_000 + self.elapsed
