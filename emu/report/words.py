"""How reports name what happened."""

from __future__ import annotations

from emu.check.finding import Finding, Key
from emu.check.listing import Line
from emu.check.result import Result
from emu.report.names import printable

SAID = {0: "nothing wrong", 1: "findings", 2: "not checked", 130: "interrupted"}
"""Exit statuses of `emu check`."""


def ending(result: Result) -> str:
    """How the program ended."""
    match result.ended:
        case "exit":
            return f"exit status {result.exit_code}"
        case "signal":
            return f"ended by {result.signal}: {result.message}"
        case _:
            return f"{result.ended}: {result.message}" if result.message else result.ended


def heading(key: Key) -> str:
    """The verdict and the field of a finding."""
    return f"{key.verdict.value} {key.field.value}" if key.field else key.verdict.value


def times(finding: Finding) -> str:
    """How often, and where first."""
    frame = finding.witness.frame
    where = "the topmost frame" if frame == 0 else f"frame {frame}"
    return (
        f"once, in {where}" if finding.count == 1 else f"{finding.count:,} times, first in {where}"
    )


def listed(line: Line, width: int = 0) -> str:
    """An instruction, `width` columns wide, and its row; an arrow before the one meant."""
    arrow = "→" if line.here else " "
    return printable(f"{arrow} {line.address:#x}  {line.text:<{width}}  {line.row}".rstrip())
