"""What lint reports."""

from dataclasses import dataclass
from enum import Enum


class Effect(Enum):
    """What becomes of a fault; the first two make a consumer lose the section."""

    REFUSED = "refused"
    """The kernel does not register the section."""
    DROPPED = "dropped"
    """A lookup fails, and the kernel removes the section from the process."""
    WRONG = "wrong"
    """A consumer finds rules, but not the ones meant."""
    UNUSABLE = "unusable"
    """A consumer finds the row and cannot follow it: a walk through it ends there."""
    HARMLESS = "harmless"
    """Every consumer ignores it."""

    @property
    def loses_section(self) -> bool:
        return self in {Effect.REFUSED, Effect.DROPPED}


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault.

    `offset` counts bytes from the start of the section. `function` names the function it is in,
    by symbol or address; None for the section as a whole. `consequence` says what happens.
    """

    effect: Effect
    offset: int
    function: str | None
    what: str
    consequence: str

    def __str__(self) -> str:
        place = f"offset {self.offset:#x}" + (f", {self.function}" if self.function else "")
        return f"{place}: {self.what}\n    {self.effect.value}: {self.consequence}"
