"""JUnit XML: one test case per module, one failure per finding."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from emu.check.finding import Finding
from emu.check.result import Result


def junit(result: Result) -> bytes:
    """The report as a UTF-8 XML document with one test suite named after the program."""
    suite = ET.Element(
        "testsuite", name=f"emu check {result.program}", time=f"{result.seconds:.3f}"
    )
    by_module: dict[str | None, list[Finding]] = {m.path: [] for m in result.modules}
    for finding in result.findings:
        by_module.setdefault(finding.key.module, []).append(finding)
    failures = 0
    for module, findings in by_module.items():
        name = module or "process"
        for finding in findings:
            case = ET.SubElement(suite, "testcase", classname=name, name=_name(finding), time="0")
            failure = ET.SubElement(
                case, "failure", type=finding.key.verdict.value, message=finding.witness.reason
            )
            failure.text = _text(finding)
            failures += 1
        if not findings:
            ET.SubElement(
                suite, "testcase", classname=name, name="every checked row is right", time="0"
            )
    error = result.ended == "unsupported"
    if error:
        case = ET.SubElement(
            suite, "testcase", classname=result.program, name="the program runs", time="0"
        )
        ET.SubElement(case, "error", type=result.ended, message=result.message)
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(failures))
    suite.set("errors", str(int(error)))
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _name(finding: Finding) -> str:
    key = finding.key
    parts = [key.check.value, key.verdict.value]
    if key.field:
        parts.append(key.field.value)
    if key.function:
        parts.append(f"in {key.function}")
    if key.row_pc is not None:
        parts.append(f"row {key.row_pc:#x}")
    return " ".join(parts)


def _text(finding: Finding) -> str:
    witness = finding.witness
    lines = [f"{finding.count} times, first before {witness.snapshot_pc:#x}"]
    if witness.source:
        lines.append(f"at {witness.source}")
    if witness.row:
        lines.append(f"row: {witness.row}")
    if witness.expected is not None:
        lines.append(f"expected {witness.expected:#x}")
    if witness.got is not None:
        lines.append(f"got {witness.got:#x}")
    lines.append(f"blame: {witness.blame}")
    return "\n".join(lines)
