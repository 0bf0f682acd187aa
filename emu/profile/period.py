"""How often the timer interrupts."""

import re
from dataclasses import dataclass
from enum import Enum

from emu.profile.errors import ProfileError

_TEXT = re.compile(r"([0-9]{1,15})(us)?")


class Unit(Enum):
    """What the timer counts."""

    INSTRUCTIONS = "instructions:u"
    NANOSECONDS = "cpu-clock"

    @property
    def event(self) -> str:
        """Name of perf's event."""
        return self.value


@dataclass(frozen=True, slots=True)
class Period:
    """`count` instructions, or nanoseconds of guest time, from one interrupt to the next."""

    count: int
    unit: Unit = Unit.INSTRUCTIONS

    def __post_init__(self) -> None:
        """Raise ProfileError for a period that never passes."""
        if self.count <= 0:
            raise ProfileError(f"a timer needs a period of at least 1, not {self.count}")


def period(text: str) -> Period | None:
    """`1000` (instructions) or `50us` (guest time); None for `0`, no timer. ProfileError."""
    match = _TEXT.fullmatch(text)
    if match is None:
        raise ProfileError(
            f"{text!r} is no period (a number of instructions, or of microseconds as 50us)"
        )
    count = int(match[1])
    if count == 0:
        return None
    return Period(count * 1000, Unit.NANOSECONDS) if match[2] else Period(count)
