"""What the page says of a program: plain text and numbers, in the order in which it says them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate

from emu.check.finding import Finding
from emu.check.listing import Line
from emu.check.result import STEP_VERDICTS, WALK_VERDICTS, CheckedModule, Result
from emu.check.verdict import Verdict
from emu.report.names import printable
from emu.report.rules import BLAMES, rule_of
from emu.report.words import SAID, ending, heading, times

FINDINGS_SHOWN = 500
FUNCTIONS_SHOWN = 40
"""Functions without rows that are named for a module."""
FOREIGN = "(next function)"


@dataclass(frozen=True, slots=True)
class Share:
    """One verdict's part of all checks; `start` and `width` in percent, for the bar."""

    verdict: str
    count: int
    start: float
    width: float
    kind: str
    """`right`, `open` or `wrong`."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A finding."""

    title: str
    level: str
    row_pc: str
    times: str
    source: str
    listing: tuple[Line, ...]
    sentence: str
    field: str
    expected: str
    got: str
    blame: str
    basis: str
    """What the blame rests on."""
    summary: str
    explanation: str


@dataclass(frozen=True, slots=True)
class FunctionFindings:
    """The findings in one function."""

    name: str
    module: str
    findings: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Module:
    """A module of the process."""

    path: str
    bias: str
    sframe: str
    gaps: tuple[str, ...]
    more_gaps: int


@dataclass(frozen=True, slots=True)
class Call:
    """A system call of the guest."""

    name: str
    count: int
    unsupported: bool


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its name, and what is to be known about it."""

    label: str
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Program:
    """Everything about one program. Without a result, only `name`, `status` and `message`."""

    name: str
    status: int
    verdict: str
    message: str = ""
    ended: str = ""
    findings: int = 0
    hidden: int = 0
    """Findings that are not shown."""
    instructions: int = 0
    frames: int = 0
    figures: tuple[Figure, ...] = ()
    steps: tuple[Share, ...] = ()
    walks: tuple[Share, ...] = ()
    functions: tuple[FunctionFindings, ...] = ()
    modules: tuple[Module, ...] = ()
    calls: tuple[Call, ...] = ()
    remarks: tuple[str, ...] = ()


def html_error(program: str, message: str) -> Program:
    """A program that could not be checked."""
    return Program(printable(program), 2, SAID[2], printable(message))


def html_part(result: Result) -> Program:
    """What the page says of a result."""
    tally = result.tally
    count = len(result.findings)
    return Program(
        name=printable(result.program),
        status=result.exit_status,
        verdict=f"{count:,} finding{'s' * (count != 1)}" if count else "nothing wrong",
        ended=printable(ending(result)),
        findings=count,
        hidden=max(count - FINDINGS_SHOWN, 0),
        instructions=result.instructions,
        frames=tally.frames,
        figures=tuple(_figures(result)),
        steps=_shares({verdict: tally.steps[verdict] for verdict in STEP_VERDICTS}),
        walks=_shares({verdict: tally.walks[verdict] for verdict in WALK_VERDICTS}),
        functions=_functions(result),
        modules=tuple(_module(module) for module in result.modules),
        calls=tuple(
            Call(name, call.count, call.unsupported)
            for name, call in sorted(
                result.system_calls.items(), key=lambda item: (-item[1].count, item[0])
            )
        ),
        remarks=tuple(printable(remark) for remark in result.remarks),
    )


def _figures(result: Result) -> Iterable[Figure]:
    tally, figures, coverage = result.tally, result.figures, result.coverage
    yield Figure("Policy", printable(result.policy), "the consumer that unwinds")
    yield Figure("Engine", result.engine, f"{result.seconds:.1f} s")
    yield Figure(
        "Instructions checked", f"{tally.checked:,}", f"of {result.instructions:,} executed"
    )
    yield Figure(
        "Rows exercised",
        f"{coverage.rows_hit:,}",
        f"of {coverage.rows:,}, in {coverage.fdes_hit:,} of {coverage.fdes:,} functions",
    )
    yield Figure(
        "Returns verified",
        f"{figures.returns_verified:,}",
        f"of {figures.returns:,}; {figures.violations:,} broke the calling convention",
    )
    yield Figure(
        "Stack events",
        f"{figures.switches:,} switches",
        f"{figures.dropped:,} frames dropped, {tally.unsettled:,} instructions unsettled",
    )


def _shares(counts: Mapping[Verdict, int]) -> tuple[Share, ...]:
    """Those that occurred, the right ones first."""
    there = sorted(
        ((verdict, count) for verdict, count in counts.items() if count),
        key=lambda item: _KINDS.index(_kind(item[0])),
    )
    total = sum(count for _, count in there)
    widths = [100 * count / total for _, count in there]
    starts = accumulate(widths, initial=0.0)
    return tuple(
        Share(verdict.value, count, round(start, 3), round(width, 3), _kind(verdict))
        for (verdict, count), start, width in zip(there, starts, widths, strict=False)
    )


_KINDS = ("right", "open", "wrong")


def _kind(verdict: Verdict) -> str:
    if verdict.right:
        return "right"
    return "wrong" if verdict.defect else "open"


def _functions(result: Result) -> tuple[FunctionFindings, ...]:
    """Findings by function, in the order of each one's most frequent."""
    groups: dict[tuple[str | None, str | None], list[Shown]] = {}
    for finding in result.findings[:FINDINGS_SHOWN]:
        key = finding.key
        shown = _shown(finding, result.listings.get(key, ()))
        groups.setdefault((key.module, key.function), []).append(shown)
    return tuple(
        FunctionFindings(printable(function or ""), printable(module or ""), tuple(findings))
        for (module, function), findings in groups.items()
    )


def _shown(finding: Finding, listing: Iterable[Line]) -> Shown:
    key, witness = finding.key, finding.witness
    rule = rule_of(key)
    both = witness.expected is not None and witness.got is not None
    return Shown(
        title=heading(key),
        level=rule.level.value,
        row_pc="" if key.row_pc is None else f"{key.row_pc:#x}",
        times=times(finding),
        source=printable(witness.source or ""),
        listing=tuple(
            replace(line, text=printable(line.text), row=printable(line.row)) for line in listing
        ),
        sentence=printable(witness.reason),
        field=key.field.value if key.field else "pc",
        expected=f"{witness.expected:#x}" if both else "",
        got=f"{witness.got:#x}" if both else "",
        blame=witness.blame.value,
        basis=BLAMES[witness.blame],
        summary=rule.summary,
        explanation=rule.explanation,
    )


def _module(module: CheckedModule) -> Module:
    gaps = module.functions_without_sframe
    return Module(
        printable(module.path),
        f"{module.bias:#x}",
        printable(module.sframe),
        tuple(printable(name) for name in gaps[:FUNCTIONS_SHOWN]),
        max(len(gaps) - FUNCTIONS_SHOWN, 0),
    )
