"""SARIF 2.1.0: a run per program, a result per finding."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from emu.check.finding import Finding
from emu.check.result import Result
from emu.report.names import file_name, printable, uri
from emu.report.rules import BLAMES, RULES, Rule, rule_of
from emu.report.sarif_places import SOURCE_ROOT, Places, artifact
from emu.report.words import SAID, listed

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_RULE_NUMBERS = {rule: number for number, rule in enumerate(RULES)}

Run = dict[str, Any]
"""One object of `runs`."""


def sarif(result: Result) -> bytes:
    """The document for one program."""
    return sarif_document([sarif_run(result)])


def sarif_document(runs: Iterable[Run]) -> bytes:
    """The document for several programs, a run for each."""
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": list(runs)}
    return json.dumps(log, indent=2).encode() + b"\n"


def sarif_error(program: str, message: str) -> Run:
    """The run of a program that could not be checked."""
    return {
        **_run(program, ""),
        "invocations": [
            {
                "executionSuccessful": False,
                "exitCode": 2,
                "exitCodeDescription": SAID[2],
                "toolExecutionNotifications": [_notification("error", message)],
            }
        ],
        "artifacts": [artifact(program, target=True)],
        "results": [],
    }


def sarif_run(result: Result) -> Run:
    """One run: the modules as artifacts, addresses and logical locations, and the findings."""
    places = Places(result)
    results = [_result(finding, result, places) for finding in result.findings]
    return {
        **_run(result.program, result.policy),
        "invocations": [_invocation(result)],
        "originalUriBaseIds": {
            SOURCE_ROOT: {
                "description": {"text": "The directory that the program was compiled in."}
            }
        },
        "artifacts": places.artifacts,
        "addresses": places.addresses,
        "logicalLocations": places.logical,
        "results": results,
        "properties": _figures(result),
    }


def _run(program: str, policy: str) -> Run:
    return {
        "tool": {
            "driver": {
                "name": "emu check",
                "fullName": "emu check, of sframe-testbed",
                **_version(),
                "shortDescription": {
                    "text": "Compares every unwind by .sframe with the true call stack."
                },
                "rules": [_rule(rule) for rule in RULES.values()],
            }
        },
        # Runs of one id supersede each other; the last component would be that of a single run.
        "automationDetails": {
            "id": "/".join(["emu check", uri(program), *filter(None, [policy])]) + "/"
        },
        "columnKind": "unicodeCodePoints",
    }


def _version() -> dict[str, str]:
    try:
        number = version("sframe-testbed")
    except PackageNotFoundError:  # a copy of the sources that is not installed
        return {}
    return {"version": number, "semanticVersion": number}


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": f"{rule.summary} {rule.explanation}"},
        "help": {"text": rule.explanation},
        "defaultConfiguration": {"level": rule.level.value},
    }


def _invocation(result: Result) -> dict[str, Any]:
    """How the check of the program went."""
    unsupported = result.ended == "unsupported"
    notifications = [_notification("note", remark) for remark in result.remarks]
    if result.message:
        level = "error" if unsupported else "note"
        notifications.insert(0, _notification(level, result.message))
    return {
        "executionSuccessful": not unsupported,
        "exitCode": result.exit_status,
        "exitCodeDescription": SAID[result.exit_status],
        "toolExecutionNotifications": notifications,
    }


def _notification(level: str, text: str) -> dict[str, Any]:
    return {"level": level, "message": {"text": printable(text)}}


def _result(finding: Finding, result: Result, places: Places) -> dict[str, Any]:
    key, witness = finding.key, finding.witness
    rule = rule_of(key)
    document: dict[str, Any] = {
        "ruleId": rule.id,
        "ruleIndex": _RULE_NUMBERS[rule.id],
        "kind": "fail",
        "level": rule.level.value,
        "message": {"text": _message(finding)},
        "locations": [places.location(finding)],
        "occurrenceCount": finding.count,
        "partialFingerprints": fingerprints(finding),
        "properties": {
            "check": key.check.value,
            "verdict": key.verdict.value,
            "field": key.field.value if key.field else None,
            "blame": witness.blame.value,
            "frame": witness.frame,
            "row": None if witness.row is None else printable(witness.row),
            "rowAddress": _hex(key.row_pc),
            "expected": _hex(witness.expected),
            "got": _hex(witness.got),
            "listing": [listed(line) for line in result.listings.get(key, ())],
        },
    }
    if witness.frame:
        document["relatedLocations"] = [places.instruction(finding)]
    return document


def _message(finding: Finding) -> str:
    key, witness = finding.key, finding.witness
    sentence = printable(witness.reason)
    parts = [f"{sentence[:1].upper()}{sentence[1:]}."]
    if key.field and witness.expected is not None and witness.got is not None:
        field = key.field.value
        parts.append(f"{field} expected {witness.expected:#x}, got {witness.got:#x}.")
    parts.append(f"Blame: {witness.blame.value}, {BLAMES[witness.blame]}.")
    return " ".join(parts)


def fingerprints(finding: Finding) -> Mapping[str, str]:
    """What tells the finding from others in another run: of the same file, and of a new build.

    `row/v1` holds the row's address in the file; `function/v1` does not, and outlasts changes of
    other functions.
    """
    key, witness = finding.key, finding.witness
    lasting = [rule_of(key).id, file_name(key.module or ""), key.function or "", witness.row or ""]
    return {
        "row/v1": _digest([*lasting, key.module or "", _hex(key.row_pc) or ""]),
        "function/v1": _digest(lasting),
    }


def _digest(parts: Iterable[str]) -> str:
    text = "\0".join(parts)
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:32]


def _figures(result: Result) -> dict[str, Any]:
    """The figures of `emu check --json`, whose modules and findings stand elsewhere here."""
    figures = result.json()
    figures |= {"program": printable(result.program), "message": printable(result.message)}
    for elsewhere in ("schema", "findings", "modules"):
        del figures[elsewhere]
    return figures


def _hex(number: int | None) -> str | None:
    return None if number is None else hex(number)
