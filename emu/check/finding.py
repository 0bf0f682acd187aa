"""What a check found, merged: one finding per distinct row, field and verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from emu.check.verdict import Blame, Check, Field, Verdict


class Key(NamedTuple):
    """What makes two observations the same finding."""

    check: Check
    verdict: Verdict
    field: Field | None
    module: str | None
    row_pc: int | None
    function: str | None


@dataclass(frozen=True, slots=True)
class Witness:
    """The first observation of a finding. Addresses are run-time addresses but `row_pc`'s."""

    pc: int
    """pc of the checked frame; below the top the raw return address."""
    snapshot_pc: int
    """The instruction about to execute."""
    frame: int
    """0 is the topmost."""
    row: str | None
    """The row in force, as equations."""
    expected: int | None
    got: int | None
    blame: Blame
    reason: str
    """One sentence."""
    source: str | None
    """`file:line` of the checked frame."""
    row_address: int | None
    """Run-time address of the row's first byte."""


@dataclass(slots=True)
class Finding:
    """A defect, how often it was seen and its first witness."""

    key: Key
    witness: Witness
    count: int = 1


@dataclass(slots=True)
class Tally:
    """Counts of checks; several exist while it is unsettled which of them are right."""

    checked: int = 0
    """Instructions."""
    unsettled: int = 0
    """Instructions whose checks nothing ever settled."""
    steps: dict[Verdict, int] = field(default_factory=lambda: dict.fromkeys(Verdict, 0))
    walks: dict[Verdict, int] = field(default_factory=lambda: dict.fromkeys(Verdict, 0))
    gaps: dict[tuple[str | None, str], int] = field(default_factory=dict)
    """Step gaps by module path and function."""
    findings: dict[Key, Finding] = field(default_factory=dict)

    def add(self, other: Tally) -> None:
        """Count everything in `other` here too."""
        self.checked += other.checked
        self.unsettled += other.unsettled
        for verdict in Verdict:
            self.steps[verdict] += other.steps[verdict]
            self.walks[verdict] += other.walks[verdict]
        for place, count in other.gaps.items():
            self.gaps[place] = self.gaps.get(place, 0) + count
        for key, finding in other.findings.items():
            known = self.findings.get(key)
            if known is None:
                self.findings[key] = finding
            else:
                known.count += finding.count

    def add_unsettled(self, other: Tally) -> None:
        """Count the checks in `other` as made, and none of their verdicts."""
        self.checked += other.checked
        self.unsettled += other.checked
        self.steps[Verdict.UNSETTLED] += sum(other.steps.values())
        self.walks[Verdict.UNSETTLED] += sum(other.walks.values())

    @property
    def frames(self) -> int:
        """Step checks."""
        return sum(self.steps.values())
