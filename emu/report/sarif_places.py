"""Where the findings of a SARIF document are: files, addresses, functions, each listed once."""

from __future__ import annotations

from typing import Any

from emu.check.finding import Finding
from emu.check.result import Result
from emu.report.names import file_name, printable, uri

SOURCE_ROOT = "%SRCROOT%"
"""What relative names of source files are relative to; the viewer knows, or asks."""


class Places:
    """What locations refer to by number: files, modules by address, functions by name."""

    def __init__(self, result: Result) -> None:
        self.artifacts: list[dict[str, Any]] = []
        self.addresses: list[dict[str, Any]] = []
        self.logical: list[dict[str, Any]] = []
        self._artifacts: dict[str, int] = {}
        self._addresses: dict[str, tuple[int, int]] = {}
        self._logical: dict[tuple[str | None, str | None], int] = {}
        for module in result.modules:
            if module.path in self._artifacts:
                continue
            listed = artifact(module.path, target=module.path == result.program)
            listed["properties"] = {"bias": hex(module.bias), "sframe": printable(module.sframe)}
            self._add(module.path, listed)
            self._addresses[module.path] = len(self.addresses), module.bias
            self.addresses.append(
                {
                    "absoluteAddress": module.bias,
                    "kind": "module",
                    "name": printable(file_name(module.path)),
                    "fullyQualifiedName": printable(module.path),
                }
            )

    def _add(self, path: str, listed: dict[str, Any]) -> int:
        number = self._artifacts[path] = len(self.artifacts)
        self.artifacts.append(listed)
        return number

    def location(self, finding: Finding) -> dict[str, Any]:
        """Where a finding is: source line or file, address, function."""
        key, witness = finding.key, finding.witness
        location: dict[str, Any] = {
            "physicalLocation": {
                **self._file(key.module, witness.source),
                "address": self._address(key.module, witness.pc),
            }
        }
        if key.function or key.module:
            location["logicalLocations"] = [self._function(key.module, key.function)]
        return location

    def instruction(self, finding: Finding) -> dict[str, Any]:
        """The instruction that is about to execute, for a frame below the topmost."""
        return {
            "id": 1,
            "message": {"text": "the instruction about to execute in the topmost frame"},
            "physicalLocation": {
                "address": {"absoluteAddress": finding.witness.snapshot_pc, "kind": "instruction"}
            },
        }

    def _file(self, module: str | None, source: str | None) -> dict[str, Any]:
        name, _, line = (source or "").rpartition(":")
        if name and line.isdigit():
            number = self._artifacts.get(name)
            if number is None:
                number = self._add(name, {"location": _source_location(name)})
            file: dict[str, Any] = {"artifactLocation": {**_source_location(name), "index": number}}
            if int(line):
                file["region"] = {"startLine": int(line)}
            return file
        if module is None or module not in self._artifacts:
            return {}
        return {"artifactLocation": {"uri": uri(module), "index": self._artifacts[module]}}

    def _address(self, module: str | None, pc: int) -> dict[str, Any]:
        """Of the checked frame; relative to its module's load address, as its file has it."""
        address: dict[str, Any] = {"absoluteAddress": pc, "kind": "instruction"}
        if module in self._addresses and module is not None:
            number, bias = self._addresses[module]
            address |= {
                "relativeAddress": pc - bias,
                "offsetFromParent": pc - bias,
                "parentIndex": number,
            }
        return address

    def _function(self, module: str | None, function: str | None) -> dict[str, Any]:
        number = self._logical.get((module, function))
        if number is None:
            number = self._add_function(module, function)
        return {"fullyQualifiedName": self.logical[number]["fullyQualifiedName"], "index": number}

    def _add_function(self, module: str | None, function: str | None) -> int:
        names = [printable(file_name(module))] if module else []
        entry: dict[str, Any] = {"kind": "module"}
        if function:
            entry = {"kind": "function"}
            if module:
                entry["parentIndex"] = self._function(module, None)["index"]
            names.append(printable(function))
        entry["name"] = names[-1]
        entry["fullyQualifiedName"] = "!".join(names)
        number = self._logical[module, function] = len(self.logical)
        self.logical.append(entry)
        return number


def artifact(path: str, *, target: bool) -> dict[str, Any]:
    """A file, perhaps the program that is checked."""
    roles = {"roles": ["analysisTarget"]} if target else {}
    return {"location": {"uri": uri(path)}, **roles}


def _source_location(name: str) -> dict[str, Any]:
    base = {} if name.startswith("/") else {"uriBaseId": SOURCE_ROOT}
    return {"uri": uri(name), **base}
