"""The report of `emu check` for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.text import Text

from emu.check.finding import Finding
from emu.check.listing import Line
from emu.check.result import Result
from emu.check.verdict import Blame, Verdict

GAPS_SHOWN = 8
VIOLATIONS_SHOWN = 3
FINDINGS_SHOWN = 50


def write_report(result: Result, console: Console) -> None:
    """Findings first, each with the code that contradicts its row; then the figures."""
    for finding in result.findings[:FINDINGS_SHOWN]:
        _finding(finding, result.listings.get(finding.key, ()), console)
    hidden = len(result.findings) - FINDINGS_SHOWN
    if hidden > 0:
        console.print(f"... and {hidden} more findings (all of them in --json)\n")
    _summary(result, console)


def _finding(finding: Finding, listing: Iterable[Line], console: Console) -> None:
    key, witness = finding.key, finding.witness
    heading = Text()
    heading.append(f"{key.verdict.value}", style="bold red")
    if key.field:
        heading.append(f" {key.field.value}", style="bold red")
    if key.function:
        heading.append(f"  {key.function}", style="bold")
    if witness.source:
        heading.append(f" at {witness.source}")
    if key.row_pc is not None:
        heading.append(f"  row {key.row_pc:#x}")
    where = "the topmost frame" if witness.frame == 0 else f"frame {witness.frame}"
    times = "once" if finding.count == 1 else f"{finding.count:,} times"
    heading.append(f"  ({times}, first in {where})")
    console.print(heading)
    lines = list(listing)
    width = max((len(line.text) for line in lines), default=0)
    for line in lines:
        arrow = "→" if line.here else " "
        text = f"  {arrow} {line.address:#x}  {line.text:<{width}}  {line.row}".rstrip()
        console.print(Text(text, style="bold" if line.here else ""))
    blame = "" if witness.blame is Blame.UNKNOWN else f" (blame: {witness.blame})"
    console.print(Text(f"    {witness.reason}{blame}"))
    if witness.got is not None and witness.expected is not None:
        field = key.field.value if key.field else "pc"
        console.print(Text(f"    {field} expected {witness.expected:#x}, got {witness.got:#x}"))
    console.print()


def _summary(result: Result, console: Console) -> None:
    for label, text in _figures(result):
        line = Text(f"{label:<10}", style="bold")
        line.append(text, style="not bold")
        console.print(line)
    console.print(_verdict(result))


def _figures(result: Result) -> Iterator[tuple[str, str]]:
    """What the run came to: a label, empty to go on with the one before, and its line."""
    tally, figures, coverage = result.tally, result.figures, result.coverage
    yield "program", f"{result.program}: {_ending(result)}"
    yield (
        "checked",
        f"{tally.checked:,} of {result.instructions:,} instructions, {tally.frames:,} frames,"
        f" in {result.seconds:.1f} s; policy {result.policy}, {result.engine} engine",
    )
    yield "frames", _counts(tally.steps)
    yield "walks", _counts(tally.walks)
    yield (
        "truth",
        f"{figures.returns:,} returns, {figures.returns_verified:,} verified,"
        f" {figures.violations:,} violations; {figures.dropped:,} entries dropped,"
        f" {figures.switches:,} stack switches, {tally.unsettled:,} instructions unsettled",
    )
    for violation in figures.witnesses[:VIOLATIONS_SHOWN]:
        yield (
            "",
            f"the call at {violation.call_site:#x} returned with {violation.register} ="
            f" {violation.got:#x}, it was {violation.expected:#x}"
            " (the program breaks the calling convention there)",
        )
    yield (
        "tables",
        f"{coverage.fdes_hit:,} of {coverage.fdes:,} functions and"
        f" {coverage.rows_hit:,} of {coverage.rows:,} rows exercised",
    )
    if tally.gaps:
        yield "gaps", _gaps(result)
    unsupported = [name for name, call in result.system_calls.items() if call.unsupported]
    if unsupported:
        yield "refused", "unknown system calls: " + ", ".join(sorted(unsupported))
    for remark in result.remarks:
        yield "note", remark


def _ending(result: Result) -> str:
    match result.ended:
        case "exit":
            return f"exit status {result.exit_code}"
        case "signal":
            return f"ended by {result.signal}: {result.message}"
        case _:
            return f"{result.ended}: {result.message}" if result.message else result.ended


def _counts(counts: dict[Verdict, int]) -> str:
    parts = [f"{count:,} {verdict.value}" for verdict, count in counts.items() if count]
    return ", ".join(parts) or "none"


def _gaps(result: Result) -> str:
    gaps = sorted(result.tally.gaps.items(), key=lambda gap: -gap[1])
    shown = ", ".join(f"{name} {count:,}" for (_, name), count in gaps[:GAPS_SHOWN])
    more = len(gaps) - GAPS_SHOWN
    suffix = f" and {more} more" if more > 0 else ""
    return f"{len(gaps)} functions without a row: {shown}{suffix}"


def _verdict(result: Result) -> Text:
    count = len(result.findings)
    if not count:
        return Text("nothing wrong", style="bold green")
    return Text(f"{count} finding{'' if count == 1 else 's'}", style="bold red")
