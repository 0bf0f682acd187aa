"""`--clock-start`: the moment at which the guest's clock begins."""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime

HELP = (
    "when the guest's clock begins: a date and time as ISO 8601 has them, in UTC unless it says"
    " otherwise, @SECONDS since 1970, or now (default: 2026-01-01, so that runs are equal)"
)
_LATEST = 1 << 33
"""In seconds: the year 2242, with room for a century of the guest's in 64-bit nanoseconds."""


def moment(text: str) -> int:
    """Nanoseconds since 1970 from an option's text; ValueError."""
    if text == "now":
        return time.time_ns()
    if text.startswith("@"):
        seconds = float(text[1:])
    else:
        parsed = datetime.fromisoformat(text)
        seconds = (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    if not 0 <= seconds <= _LATEST:
        raise argparse.ArgumentTypeError(f"{text}: not between 1970 and 2242")
    return round(seconds * 1_000_000) * 1000
