"""How a run ended."""

from dataclasses import dataclass
from enum import StrEnum


class OutcomeKind(StrEnum):
    """The closed set of ends, as the JSON report names them."""

    EXIT = "exit"
    SIGNAL = "signal"
    LIMIT = "limit"
    INTERRUPTED = "interrupted"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a run: `exit_code` only for EXIT, `signal` (a name, SIGSEGV) only for SIGNAL."""

    kind: OutcomeKind
    exit_code: int | None = None
    signal: str | None = None
    message: str = ""
    """One line: what happened where; empty for an ordinary exit."""
