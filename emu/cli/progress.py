"""A progress line for long work, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import monotonic

INTERVAL = 0.5


def progress_line() -> Callable[[int, int], None]:
    """A function that shows instructions, rate and findings so far on standard error.

    The line overwrites itself and appears only once the work has lasted a second.
    """
    started = monotonic()
    shown = started + INTERVAL

    def show(instructions: int, findings: int) -> None:
        nonlocal shown
        now = monotonic()
        if now - shown < INTERVAL:
            return
        shown = now
        rate = instructions / (now - started)
        text = f"{instructions:,} instructions, {rate:,.0f}/s, {findings} findings"
        print(f"\r\x1b[K{text}\r", end="", file=sys.stderr, flush=True)

    return show
