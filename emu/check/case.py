"""An assembled case held against its own expectations."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from emu.asm import AssembledCase, ExpectedRow, ExpectedStack, ExpectedVerdict
from emu.check.result import Result
from emu.check.run import run, snapshots
from emu.check.snapshot import Snapshot
from emu.machine import Image
from emu.sframe import Rules
from emu.unwind import LookupFailure

DEFAULT_LIMIT = 1_000_000
"""Instructions after which a case that does not end is stopped."""


@dataclass(slots=True)
class CaseReport:
    """What a run of a case showed. `mismatches` are `file:line: ...`, none if all holds."""

    result: Result
    mismatches: list[str] = field(default_factory=list)
    stacks: dict[int, list[str]] = field(default_factory=dict)
    """True stacks seen at each address with a `stack:` line, in order of execution."""


def check_case(case: AssembledCase) -> CaseReport:
    """Run the case, check every instruction, compare with its `#@` lines."""
    image = Image.from_bytes(case.elf, case.file)
    header = case.expectations.header
    policy = header.policy or "kernel-v15"
    limit = header.instructions or DEFAULT_LIMIT
    stdout = io.BytesIO()
    result = run(image, stdout=stdout, policy=policy, max_instructions=limit)
    report = CaseReport(result)
    _compare_run(case, report, stdout.getvalue())
    expectations = case.expectations
    addresses = {
        line.address for line in (*expectations.stacks, *expectations.rows, *expectations.verdicts)
    }
    if addresses:
        places = [hex(address) for address in sorted(addresses)]
        executions: Counter[int] = Counter()
        for snapshot in snapshots(image, at=places, policy=policy, max_instructions=limit):
            _compare_snapshot(case, report, snapshot, executions[snapshot.pc])
            executions[snapshot.pc] += 1
        _compare_reached(case, report, executions)
    return report


def updated_lines(case: AssembledCase, report: CaseReport) -> Mapping[int, Sequence[str]]:
    """New values for the case's `stack:` lines, by line number, as the run showed them."""
    replacements: dict[int, Sequence[str]] = {}
    position: Counter[int] = Counter()
    for line in case.expectations.stacks:
        seen = report.stacks.get(line.address, [])
        number = position[line.address]
        position[line.address] += 1
        if isinstance(line, ExpectedStack) and number < len(seen):
            replacements[line.line] = [f"stack: {seen[number]}"]
    return replacements


def _compare_run(case: AssembledCase, report: CaseReport, stdout: bytes) -> None:
    header, result = case.expectations.header, report.result
    if header.signal is not None:
        _expect(case, report, 1, "signal", header.signal, result.signal)
    elif header.instructions is None:
        _expect(case, report, 1, "exit status", header.exit_status, result.exit_code)
        if result.exit_code is None:
            report.mismatches.append(f"{case.file}:1: ended: {result.ended}: {result.message}")
    if header.stdout is not None:
        _expect(case, report, 1, "stdout", header.stdout, stdout)
    _expect(case, report, 1, "violations", header.violations, result.figures.violations)
    findings = header.findings
    if findings is None and not case.expectations.verdicts:
        findings = 0
    if findings is not None and findings != len(result.findings):
        found = "; ".join(
            f"{finding.key.verdict} {finding.key.field or ''} {finding.key.function}"
            f" row {finding.key.row_pc or 0:#x}: {finding.witness.reason}"
            for finding in result.findings
        )
        report.mismatches.append(
            f"{case.file}:1: {len(result.findings)} findings, expected {findings}: {found}"
        )


def _compare_snapshot(
    case: AssembledCase, report: CaseReport, snapshot: Snapshot, execution: int
) -> None:
    expectations, pc = case.expectations, snapshot.pc
    expected = expectations.stack_at(pc, execution)
    shown = _shown(snapshot)
    report.stacks.setdefault(pc, []).append(shown)
    if expected is not None:
        said = str(expected)
        if not expected.whole:
            shown = " ".join(shown.removesuffix("*").split()[: len(expected.frames)])
        _expect(case, report, expected.line, f"stack (execution {execution + 1})", said, shown)
    for row in expectations.rows:
        if row.address == pc:
            _expect(case, report, row.line, "row", row.rules, _rules(snapshot))
    for verdict in expectations.verdicts:
        if verdict.address == pc and verdict.frame <= len(snapshot.entries):
            outcome = snapshot.outcome(verdict.frame)
            got = [f"{verdict.frame} {outcome.verdict}"]
            if outcome.fields:
                got = [f"{got[0]} {field}" for field in outcome.fields]
            if str(verdict) not in got:
                _expect(case, report, verdict.line, "verdict", str(verdict), ", ".join(got))


def _compare_reached(case: AssembledCase, report: CaseReport, executions: Counter[int]) -> None:
    expectations = case.expectations
    lines: Counter[int] = Counter()
    for stack in expectations.stacks:
        lines[stack.address] += 1
        if executions[stack.address] < lines[stack.address]:
            report.mismatches.append(f"{case.file}:{stack.line}: never reached")
    said: list[ExpectedRow | ExpectedVerdict] = [*expectations.rows, *expectations.verdicts]
    report.mismatches += [
        f"{case.file}:{line.line}: never reached" for line in said if not executions[line.address]
    ]


def _shown(snapshot: Snapshot) -> str:
    """The true stack as a `stack:` line says it."""
    names = [
        f"?{name}" if isinstance(snapshot.place(frame).found, LookupFailure) else name
        for frame, name in enumerate(snapshot.functions)
    ]
    return " ".join(names) + "*"


def _rules(snapshot: Snapshot) -> Rules | None:
    """The row in force at the top, as the format library reads it."""
    module = snapshot.place(0).module
    if module is None or module.section is None:
        return None
    match = module.section.lookup(snapshot.pc - module.bias)
    return None if match is None else match.rules


def _expect(
    case: AssembledCase, report: CaseReport, line: int, what: str, expected: object, got: object
) -> None:
    if expected != got:
        report.mismatches.append(f"{case.file}:{line}: {what}: expected {expected}, got {got}")
