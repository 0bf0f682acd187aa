"""SARIF: objects of the shapes that the standard allows, and everything a finding has in them."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from emu.asm import assemble
from emu.check import Check, Field, Result, Verdict, run
from emu.machine import Image
from emu.report import sarif, sarif_document, sarif_error, sarif_run
from emu.report.rules import RULES, rule_id
from emu.report.sarif import fingerprints

SHAPES: dict[str, dict[str, str]] = {
    "log": {"$schema": "uri", "version!": "2.1.0", "runs!": "[run]"},
    "run": {
        "tool!": "tool",
        "invocations": "[invocation]",
        "automationDetails": "details",
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": "{artifactLocation}",
        "artifacts": "[artifact]",
        "addresses": "[address]",
        "logicalLocations": "[logicalLocation]",
        "results": "[result]",
        "properties": "bag",
    },
    "tool": {"driver!": "component"},
    "component": {
        "name!": "string",
        "fullName": "string",
        "version": "string",
        "semanticVersion": "string",
        "shortDescription": "text",
        "rules": "[descriptor]",
    },
    "descriptor": {
        "id!": "string",
        "name": "string",
        "shortDescription": "text",
        "fullDescription": "text",
        "help": "text",
        "defaultConfiguration": "configuration",
    },
    "configuration": {"level": "level"},
    "details": {"id": "string"},
    "invocation": {
        "executionSuccessful!": "boolean",
        "exitCode": "integer",
        "exitCodeDescription": "string",
        "toolExecutionNotifications": "[notification]",
    },
    "notification": {"level": "level", "message!": "text"},
    "artifact": {"location": "artifactLocation", "roles": "[role]", "properties": "bag"},
    "artifactLocation": {
        "uri": "uri",
        "uriBaseId": "string",
        "index": "number",
        "description": "text",
    },
    "address": {
        "absoluteAddress": "number",
        "relativeAddress": "integer",
        "offsetFromParent": "integer",
        "parentIndex": "number",
        "kind": "string",
        "name": "string",
        "fullyQualifiedName": "string",
    },
    "logicalLocation": {
        "name": "string",
        "kind": "string",
        "index": "number",
        "parentIndex": "number",
        "fullyQualifiedName": "string",
    },
    "result": {
        "ruleId": "string",
        "ruleIndex": "number",
        "kind": "fail",
        "level": "level",
        "message!": "text",
        "locations": "[location]",
        "relatedLocations": "[location]",
        "occurrenceCount": "positive",
        "partialFingerprints": "{string}",
        "properties": "bag",
    },
    "location": {
        "id": "number",
        "message": "text",
        "physicalLocation": "physicalLocation",
        "logicalLocations": "[logicalLocation]",
    },
    "physicalLocation": {
        "artifactLocation": "artifactLocation",
        "address": "address",
        "region": "region",
    },
    "region": {"startLine!": "positive"},
    "text": {"text!": "string"},
}
"""The properties of SARIF 2.1.0 that are used here (the standard allows no others); ! is needed."""

URI = re.compile(r"(?:(?:https|file):)?[A-Za-z0-9._~!$&'()*+,;=@/%-]*")
SIMPLE: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str) and value != "",
    "integer": lambda value: type(value) is int,
    "number": lambda value: type(value) is int and value >= 0,
    "positive": lambda value: type(value) is int and value >= 1,
    "boolean": lambda value: type(value) is bool,
    "bag": lambda value: isinstance(value, dict),
    "level": lambda value: value in {"error", "warning", "note"},
    "role": lambda value: value == "analysisTarget",
    "uri": lambda value: isinstance(value, str) and URI.fullmatch(value) is not None,
}


def faults(shape: str, value: Any, place: str = "") -> Iterator[str]:
    """Where `value` is not what the standard asks for."""
    if shape.startswith("["):
        for index, element in enumerate(value):
            yield from faults(shape[1:-1], element, f"{place}[{index}]")
    elif shape.startswith("{"):
        for name, element in value.items():
            yield from faults(shape[1:-1], element, f"{place}.{name}")
    elif shape in SHAPES:
        properties = {name.rstrip("!"): kind for name, kind in SHAPES[shape].items()}
        needed = {name[:-1] for name in SHAPES[shape] if name.endswith("!")}
        if not isinstance(value, dict):
            yield f"{place}: no object"
            return
        yield from (f"{place}: no {name}" for name in needed - set(value))
        if shape == "physicalLocation" and not {"address", "artifactLocation"} & set(value):
            yield f"{place}: neither file nor address"
        for name, element in value.items():
            if name in properties:
                yield from faults(properties[name], element, f"{place}.{name}")
            else:
                yield f"{place}: {name} is unknown"
    elif not (SIMPLE[shape](value) if shape in SIMPLE else value == shape):
        yield f"{place}: {value!r} is no {shape}"


def read(document: bytes) -> dict[str, Any]:
    """The document, as a strict reader of UTF-8 and JSON has it, of the right shape."""
    text = document.decode()
    log: dict[str, Any] = json.loads(text)
    json.dumps(log, ensure_ascii=False).encode()  # no halves of surrogates
    assert list(faults("log", log)) == []
    return log


def test_the_checks_of_the_shape_find_faults() -> None:
    assert list(faults("log", {"version": "2.0", "runs": [{"results": [{"message": {}}]}]})) == [
        ".version: '2.0' is no 2.1.0",
        ".runs[0]: no tool",
        ".runs[0].results[0].message: no text",
    ]
    assert list(faults("region", {"startLine": 0, "line": 1})) == [
        ".startLine: 0 is no positive",
        ": line is unknown",
    ]
    assert list(faults("physicalLocation", {})) == [": neither file nor address"]
    assert list(faults("uri", "a b")) == [": 'a b' is no uri"]


@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_every_finding_is_a_result(engine: str, realigned: Callable[[str], Result]) -> None:
    checked = realigned(engine)
    (run_,) = read(sarif(checked))["runs"]
    rules = run_["tool"]["driver"]["rules"]
    assert len(run_["results"]) == len(checked.findings) > 0
    for result, finding in zip(run_["results"], checked.findings, strict=True):
        key, witness = finding.key, finding.witness
        rule = rules[result["ruleIndex"]]
        assert result["ruleId"] == rule["id"] == rule_id(key.check, key.verdict, key.field)
        assert result["level"] == rule["defaultConfiguration"]["level"]
        assert result["occurrenceCount"] == finding.count
        assert witness.reason[1:] in result["message"]["text"]
        assert result["properties"]["row"] == witness.row
        assert result["properties"]["rowAddress"] == f"{key.row_pc:#x}"
        assert sum("→" in line for line in result["properties"]["listing"]) == 1
        (location,) = result["locations"]
        physical = location["physicalLocation"]
        file, line = (witness.source or "").split(":")
        assert physical["artifactLocation"]["uri"] == file == "realignment.c"
        assert physical["artifactLocation"]["uriBaseId"] in run_["originalUriBaseIds"]
        artifact = run_["artifacts"][physical["artifactLocation"]["index"]]
        assert artifact["location"]["uri"] == file
        assert physical["region"] == {"startLine": int(line)}
        assert physical["address"]["absoluteAddress"] == witness.pc
        module = run_["addresses"][physical["address"]["parentIndex"]]
        assert module["fullyQualifiedName"] == key.module
        offset = physical["address"]["offsetFromParent"]
        assert module["absoluteAddress"] + offset == witness.pc
        (logical,) = location["logicalLocations"]
        function = run_["logicalLocations"][logical["index"]]
        assert function["name"] == key.function == "realigned"
        assert logical["fullyQualifiedName"] == function["fullyQualifiedName"]
        assert run_["logicalLocations"][function["parentIndex"]]["kind"] == "module"
        related = [one["physicalLocation"] for one in result.get("relatedLocations", [])]
        shown = [one["address"]["absoluteAddress"] for one in related]
        assert shown == ([witness.snapshot_pc] if witness.frame else [])
    assert {finding.witness.frame for finding in checked.findings} == {0, 1}
    (invocation,) = run_["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (True, 1)
    assert run_["properties"]["instructions"] == checked.instructions
    assert run_["properties"]["coverage"]["rows_hit"] == checked.coverage.rows_hit


def test_both_engines_write_the_same(realigned: Callable[[str], Result]) -> None:
    one, other = (sarif_run(realigned(engine)) for engine in ("fast", "reference"))
    for document in (one, other):
        for differing in ("engine", "seconds", "instructions_per_second"):
            del document["properties"][differing]
    assert one == other


def test_every_rule_explains_itself(right: Result) -> None:
    (run_,) = read(sarif(right))["runs"]
    rules = run_["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(RULES)
    assert len({rule["name"] for rule in rules}) == len(rules)
    for rule in rules:
        assert len(rule["help"]["text"]) > 30
        assert rule["fullDescription"]["text"].startswith(rule["shortDescription"]["text"])
    kinds: list[tuple[Verdict, Field | None]] = [(Verdict.WRONG, field) for field in Field]
    kinds += [(verdict, None) for verdict in Verdict if verdict.defect or verdict is Verdict.GAP]
    kinds.remove((Verdict.WRONG, None))
    for verdict, field in kinds:
        assert rule_id(Check.STEP, verdict, field) in RULES
    assert run_["results"] == []
    assert run_["invocations"][0]["exitCode"] == 0
    assert run_["invocations"][0]["exitCodeDescription"] == "nothing wrong"


WRONG = """\
#@ title: A wrong row, behind a function of some size
        .intel_syntax noprefix
        .text
before: .cfi_startproc
        {nops}
        ret
        .cfi_endproc
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call leaf
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc
leaf:   .cfi_startproc
        nop
        .cfi_def_cfa_offset 16
        nop
        ret
        .cfi_endproc
"""


def test_fingerprints_are_those_of_another_run_and_outlast_another_function() -> None:
    def checked(nops: int) -> list[dict[str, str]]:
        elf = assemble(WRONG.format(nops="nop\n" * nops)).elf
        result = run(Image.from_bytes(elf, "/bin/wrong"))
        return [dict(fingerprints(finding)) for finding in result.findings]

    first, again, moved = checked(1), checked(1), checked(40)
    assert first == again
    assert len(first) >= 2
    assert len({one["row/v1"] for one in first}) == len(first)
    assert [one["function/v1"] for one in moved] == [one["function/v1"] for one in first]
    assert not {one["row/v1"] for one in moved} & {one["row/v1"] for one in first}


def test_hostile_names_stay_text(hostile: Result) -> None:
    (run_,) = read(sarif(hostile))["runs"]
    (result,) = run_["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri.startswith("%3C/td%3E%3C/style%3E%3Cimg%20src%3Dx")
    assert "%FF" in uri
    assert "\x1b" not in json.dumps(run_, ensure_ascii=False)
    assert run_["automationDetails"]["id"].startswith("emu check/%3C")


def test_without_source_the_module_is_the_file() -> None:
    elf = assemble(WRONG.format(nops="nop")).elf
    (run_,) = read(sarif(run(Image.from_bytes(elf, "/bin/a program"))))["runs"]
    for result in run_["results"]:
        physical = result["locations"][0]["physicalLocation"]
        assert physical["artifactLocation"] == {"uri": "file:///bin/a%20program", "index": 0}
        assert "region" not in physical
    assert run_["artifacts"][0]["roles"] == ["analysisTarget"]


def test_a_finding_without_a_place_is_a_result(right: Result, hostile: Result) -> None:
    """The limit of a walk belongs to no module and no row."""
    (finding,) = hostile.findings
    key = finding.key._replace(
        check=Check.WALK,
        verdict=Verdict.LIMIT,
        field=None,
        module=None,
        row_pc=None,
        function=None,
    )
    witness = replace(finding.witness, row=None, source=None, expected=None, got=None)
    limited = replace(right, findings=(replace(finding, key=key, witness=witness),))
    (run_,) = read(sarif(limited))["runs"]
    (result,) = run_["results"]
    assert result["ruleId"] == "walk-limit"
    address = {"absoluteAddress": 0x1004, "kind": "instruction"}
    assert result["locations"] == [{"physicalLocation": {"address": address}}]


def test_a_program_that_cannot_be_checked_and_one_that_is_interrupted(right: Result) -> None:
    interrupted = replace(right, ended="interrupted", message="by the user")
    unsupported = replace(right, ended="unsupported", message="no such instruction")
    runs = [sarif_error("./none", "./none: No such file or directory")]
    runs += [sarif_run(interrupted), sarif_run(unsupported)]
    log = read(sarif_document(runs))
    invocations = [one["invocations"][0] for one in log["runs"]]
    assert [one["executionSuccessful"] for one in invocations] == [False, True, False]
    assert [one["exitCode"] for one in invocations] == [2, 130, 0]
    said = [one["toolExecutionNotifications"][0] for one in invocations]
    assert [one["level"] for one in said] == ["error", "note", "error"]
    assert said[0]["message"]["text"] == "./none: No such file or directory"
    assert len({one["automationDetails"]["id"] for one in log["runs"]}) == 2
