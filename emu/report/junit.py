"""JUnit XML: a suite per program, a test case per module, a failure per finding."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree as ET

from emu.check.finding import Finding
from emu.check.result import Result
from emu.report.names import printable

_BEGIN = b"<?xml version='1.0' encoding='utf-8'?>\n<testsuites>\n"
_END = b"</testsuites>\n"


def junit(result: Result) -> bytes:
    """The report as a UTF-8 XML document with one test suite named after the program."""
    return junit_document([junit_suite(result)])


def junit_document(suites: Iterable[bytes]) -> bytes:
    """A UTF-8 XML document of the suites of several programs."""
    return b"".join([_BEGIN, *suites, _END])


def junit_error(program: str, message: str) -> bytes:
    """The suite of a program that could not be checked."""
    suite = _suite(program, 0.0)
    _add_error(suite, program, "error", message)
    return _finished(suite, errors=1)


def junit_suite(result: Result) -> bytes:
    """One suite, an element of the document."""
    suite = _suite(result.program, result.seconds)
    by_module: dict[str | None, list[Finding]] = {m.path: [] for m in result.modules}
    for finding in result.findings:
        by_module.setdefault(finding.key.module, []).append(finding)
    failures = 0
    for module, findings in by_module.items():
        name = printable(module) if module else "process"
        for finding in findings:
            case = ET.SubElement(suite, "testcase", classname=name, name=_name(finding), time="0")
            failure = ET.SubElement(
                case,
                "failure",
                type=finding.key.verdict.value,
                message=printable(finding.witness.reason),
            )
            failure.text = _text(finding)
            failures += 1
        if not findings:
            ET.SubElement(
                suite, "testcase", classname=name, name="every checked row is right", time="0"
            )
    error = result.ended == "unsupported"
    if error:
        _add_error(suite, result.program, result.ended, result.message)
    return _finished(suite, failures=failures, errors=int(error))


def _suite(program: str, seconds: float) -> ET.Element:
    return ET.Element("testsuite", name=f"emu check {printable(program)}", time=f"{seconds:.3f}")


def _add_error(suite: ET.Element, program: str, kind: str, message: str) -> None:
    name = printable(program)
    case = ET.SubElement(suite, "testcase", classname=name, name="the program runs", time="0")
    ET.SubElement(case, "error", type=kind, message=printable(message))


def _finished(suite: ET.Element, *, failures: int = 0, errors: int = 0) -> bytes:
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(failures))
    suite.set("errors", str(errors))
    ET.indent(suite, level=1)
    element: bytes = ET.tostring(suite, encoding="utf-8")
    return b"  " + element + b"\n"


def _name(finding: Finding) -> str:
    key = finding.key
    parts = [key.check.value, key.verdict.value]
    if key.field:
        parts.append(key.field.value)
    if key.function:
        parts.append(f"in {printable(key.function)}")
    if key.row_pc is not None:
        parts.append(f"row {key.row_pc:#x}")
    return " ".join(parts)


def _text(finding: Finding) -> str:
    witness = finding.witness
    lines = [f"{finding.count} times, first before {witness.snapshot_pc:#x}"]
    if witness.source:
        lines.append(f"at {printable(witness.source)}")
    if witness.row:
        lines.append(f"row: {printable(witness.row)}")
    if witness.expected is not None:
        lines.append(f"expected {witness.expected:#x}")
    if witness.got is not None:
        lines.append(f"got {witness.got:#x}")
    lines.append(f"blame: {witness.blame}")
    return "\n".join(lines)
