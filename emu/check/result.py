"""The result of a run: the object behind `emu check --json`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from emu.check.finding import Finding, Key, Tally
from emu.check.listing import Line
from emu.check.verdict import Verdict
from emu.truth import Figures

SCHEMA = 1

STEP_VERDICTS = (
    Verdict.OK,
    Verdict.OUTERMOST,
    Verdict.WRONG,
    Verdict.REFUSED,
    Verdict.CORRUPT,
    Verdict.TRUNCATED,
    Verdict.OVERRUN,
    Verdict.GAP,
    Verdict.UNSETTLED,
)
WALK_VERDICTS = (
    Verdict.OK,
    Verdict.WRONG,
    Verdict.REFUSED,
    Verdict.TRUNCATED,
    Verdict.OVERRUN,
    Verdict.GAP,
    Verdict.LIMIT,
    Verdict.UNSETTLED,
)


@dataclass(frozen=True, slots=True)
class CheckedModule:
    """One module of the process and what became of its table."""

    path: str
    bias: int
    sframe: str
    """`present`, `absent`, `converted` or `rejected: <why>`."""
    functions_without_sframe: tuple[str, ...] = ()
    """Functions in which a frame was checked and no row found, most frequent first."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the tables of all modules the run exercised."""

    fdes: int
    fdes_hit: int
    rows: int
    rows_hit: int


@dataclass(frozen=True, slots=True)
class SystemCall:
    """How often the guest made a system call, and whether any of it was refused as unknown."""

    count: int
    unsupported: bool


@dataclass(frozen=True, slots=True)
class Result:
    """What `check` found. `json()` is the documented object, schema 1."""

    program: str
    engine: str
    policy: str
    seconds: float
    instructions: int
    """Firings of the instruction hook: `rep stosb` counts once per round."""
    ended: str
    """`exit`, `signal`, `limit`, `interrupted` or `unsupported`."""
    exit_code: int | None
    signal: str | None
    message: str
    tally: Tally
    figures: Figures
    coverage: Coverage
    system_calls: dict[str, SystemCall]
    modules: tuple[CheckedModule, ...]
    findings: tuple[Finding, ...]
    listings: dict[Key, tuple[Line, ...]] = field(default_factory=dict)
    """The code around each finding, for people."""
    remarks: tuple[str, ...] = field(default=())
    """Lines for the reader: a table that was dropped on the way, a program without tables."""

    @property
    def instructions_per_second(self) -> float:
        """Instructions executed per second, start-up not counted."""
        return self.instructions / self.seconds if self.seconds else 0.0

    @property
    def exit_status(self) -> int:
        """The exit status of `emu check`: 130 interrupted, 1 findings, else 0."""
        if self.ended == "interrupted":
            return 130
        return 1 if self.findings else 0

    def json(self) -> dict[str, Any]:
        """The object of `emu check --json`; addresses are hexadecimal strings."""
        tally = self.tally
        return {
            "schema": SCHEMA,
            "program": self.program,
            "engine": self.engine,
            "policy": self.policy,
            "seconds": round(self.seconds, 3),
            "instructions": self.instructions,
            "checked": tally.checked,
            "unsettled": tally.unsettled,
            "frames": tally.frames,
            "instructions_per_second": round(self.instructions_per_second),
            "ended": self.ended,
            "exit_code": self.exit_code,
            "signal": self.signal,
            "message": self.message,
            "steps": {verdict.value: tally.steps[verdict] for verdict in STEP_VERDICTS},
            "walks": {verdict.value: tally.walks[verdict] for verdict in WALK_VERDICTS},
            "truth": {
                "returns": self.figures.returns,
                "returns_verified": self.figures.returns_verified,
                "violations": self.figures.violations,
                "dropped": self.figures.dropped,
                "switches": self.figures.switches,
            },
            "coverage": {
                "fdes": self.coverage.fdes,
                "fdes_hit": self.coverage.fdes_hit,
                "rows": self.coverage.rows,
                "rows_hit": self.coverage.rows_hit,
            },
            "system_calls": {
                name: {"count": call.count, "unsupported": call.unsupported}
                for name, call in sorted(self.system_calls.items())
            },
            "modules": [
                {
                    "path": module.path,
                    "bias": hex(module.bias),
                    "sframe": module.sframe,
                    "functions_without_sframe": list(module.functions_without_sframe),
                }
                for module in self.modules
            ],
            "findings": [_finding(finding) for finding in self.findings],
        }


def _finding(finding: Finding) -> dict[str, Any]:
    key, witness = finding.key, finding.witness
    return {
        "check": key.check.value,
        "verdict": key.verdict.value,
        "field": key.field.value if key.field else None,
        "module": key.module,
        "function": key.function,
        "pc": hex(witness.pc),
        "snapshot_pc": hex(witness.snapshot_pc),
        "frame": witness.frame,
        "row_pc": _hex(key.row_pc),
        "row": witness.row,
        "expected": _hex(witness.expected),
        "got": _hex(witness.got),
        "count": finding.count,
        "blame": witness.blame.value,
        "reason": witness.reason,
        "source": witness.source,
    }


def _hex(number: int | None) -> str | None:
    return None if number is None else hex(number)
