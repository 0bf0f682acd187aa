"""The report of `emu check` for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.text import Text

from emu.check.finding import Finding
from emu.check.listing import Line
from emu.check.modules import UNKNOWN
from emu.check.result import Result
from emu.check.verdict import Blame, Verdict
from emu.report.names import file_name, printable
from emu.report.words import ending, heading, listed, times

GAPS_SHOWN = 8
MODULES_SHOWN = 4
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
    text = Text.assemble((heading(key), "bold red"))
    if key.function:
        text.append(f"  {printable(key.function)}", style="bold")
    if witness.source:
        text.append(f" at {printable(witness.source)}")
    if key.row_pc is not None:
        text.append(f"  row {key.row_pc:#x}")
    text.append(f"  ({times(finding)})")
    console.print(text)
    lines = list(listing)
    width = max((len(line.text) for line in lines), default=0)
    for line in lines:
        console.print(Text(f"  {listed(line, width)}", style="bold" if line.here else ""))
    blame = "" if witness.blame is Blame.UNKNOWN else f" (blame: {witness.blame})"
    console.print(Text(f"    {printable(witness.reason)}{blame}"))
    if witness.got is not None and witness.expected is not None:
        field = key.field.value if key.field else "pc"
        console.print(Text(f"    {field} expected {witness.expected:#x}, got {witness.got:#x}"))
    console.print()


def _summary(result: Result, console: Console) -> None:
    for label, text in _figures(result):
        console.print(Text.assemble((f"{label:<10}", "bold"), printable(text)))
    console.print(_verdict(result))


def _figures(result: Result) -> Iterator[tuple[str, str]]:
    """What the run came to: a label, empty to go on with the one before, and its line."""
    tally, figures, coverage = result.tally, result.figures, result.coverage
    yield "program", f"{result.program}: {ending(result)}"
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
    for number, line in enumerate(_gaps(result) if tally.gaps else ()):
        yield ("" if number else "gaps"), line
    unsupported = [name for name, call in result.system_calls.items() if call.unsupported]
    if unsupported:
        yield "refused", "unknown system calls: " + ", ".join(sorted(unsupported))
    for remark in result.remarks:
        yield "note", remark


def _counts(counts: dict[Verdict, int]) -> str:
    parts = [f"{count:,} {verdict.value}" for verdict, count in counts.items() if count]
    return ", ".join(parts) or "none"


def _gaps(result: Result) -> Iterator[str]:
    """The functions in which most frames had no row, a line for each module if there are several.

    Where most frames had none, what can be done about it.
    """
    by_module: dict[str | None, list[tuple[str, int]]] = {}
    for (module, name), count in sorted(result.tally.gaps.items(), key=lambda gap: -gap[1]):
        by_module.setdefault(module, []).append((name, count))
    count = len(result.tally.gaps)
    lines = [_most_frequent(gaps) for gaps in by_module.values()]
    head = f"{count} function{'s' * (count != 1)} without a row"
    if len(lines) == 1:
        yield f"{head}: {lines[0]}"
    else:
        yield head
        for module, line in list(zip(by_module, lines, strict=True))[:MODULES_SHOWN]:
            yield f"{file_name(module) if module else UNKNOWN}: {line}"
        more = len(lines) - MODULES_SHOWN
        if more > 0:
            yield f"and {more} more module{'s' * (more > 1)}"
    steps = result.tally.steps
    converted = any(module.sframe == "converted" for module in result.modules)
    if steps[Verdict.GAP] > result.tally.frames / 2 and not converted:
        yield "most frames could not be checked; --convert all makes rows from .eh_frame"


def _most_frequent(gaps: list[tuple[str, int]]) -> str:
    shown = ", ".join(f"{name} {count:,}" for name, count in gaps[:GAPS_SHOWN])
    more = len(gaps) - GAPS_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def _verdict(result: Result) -> Text:
    count = len(result.findings)
    if not count:
        return Text("nothing wrong", style="bold green")
    return Text(f"{count} finding{'' if count == 1 else 's'}", style="bold red")
