"""The words of a comparison: verdicts, fields, blame."""

from enum import StrEnum


class Verdict(StrEnum):
    """What became of one step check or one walk check."""

    OK = "ok"
    OUTERMOST = "outermost"
    """Step only: the row says that nothing called, and the stack began here."""
    WRONG = "wrong"
    REFUSED = "refused"
    """A row exists, but the policy may not use it or its evaluation fails."""
    CORRUPT = "corrupt"
    """A lookup error other than ENOENT: a real consumer would drop the section."""
    TRUNCATED = "truncated"
    """The row says that nothing called, but something did."""
    OVERRUN = "overrun"
    """A row that goes on where the stack began."""
    GAP = "gap"
    LIMIT = "limit"
    """Walk only: right as far as the consumer's greatest number of frames reaches."""
    UNSETTLED = "unsettled"

    @property
    def right(self) -> bool:
        """Whether nothing is to be said about it."""
        return self in {Verdict.OK, Verdict.OUTERMOST}

    @property
    def defect(self) -> bool:
        """Whether a step check with this verdict is a finding without `--strict`."""
        return self in {
            Verdict.WRONG,
            Verdict.REFUSED,
            Verdict.CORRUPT,
            Verdict.TRUNCATED,
            Verdict.OVERRUN,
        }


class Field(StrEnum):
    """What of the caller's state was recovered wrongly."""

    PC = "pc"
    SP = "sp"
    FP = "fp"


class Check(StrEnum):
    """One row applied to a true frame, or a whole walk."""

    STEP = "step"
    WALK = "walk"


class Blame(StrEnum):
    """Whose fault a finding is, as far as a second witness can tell."""

    LINKER = "linker"
    ASSEMBLER = "assembler"
    COMPILER = "compiler"
    NOT_REPRESENTABLE = "not-representable"
    NOT_GENERATED = "not-generated"
    NO_CFI = "no-cfi"
    CONSUMER = "consumer"
    UNKNOWN = "unknown"
