"""`emu toolchain`: which assembler, linker and compilers are there; install what is missing."""

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Self

from emu import toolchain
from emu.cli.usage import UsageError
from emu.toolchain import Extra, Tool, Toolchain, ToolchainError

HELP = "which assembler, linker and compilers are there; install what is missing"

EPILOG = """\
example:
  emu toolchain install
  emu toolchain --json

SFrame V3 is written by GNU as and ld >= 2.46. `install` uses those on PATH if they are new
enough; otherwise it unpacks a private copy below the user's cache directory, without root, from
a newer suite of the archive that apt is configured for, verified by apt's signatures.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Report the toolchain or make it able to write SFrame V3."
    parser.epilog = EPILOG
    parser.add_argument("action", nargs="?", choices=["install"], help="install what is missing")
    parser.add_argument(
        "--with",
        dest="extras",
        action="append",
        default=[],
        choices=[extra.value for extra in Extra],
        help="with install: a compiler to install beside the system's",
    )
    parser.add_argument("--json", action="store_true", help="report as one JSON object")


def run(arguments: argparse.Namespace) -> int:
    if arguments.extras and arguments.action != "install":
        raise UsageError("--with goes with install: emu toolchain install --with gcc-16")
    try:
        if arguments.action == "install":
            extras = [Extra(name) for name in dict.fromkeys(arguments.extras)]
            with _ProgressLine() as progress:
                found = toolchain.install(extras, progress)
        else:
            found = toolchain.find()
    except ToolchainError as error:
        raise UsageError(f"toolchain: {error}") from error
    if arguments.json:
        print(json.dumps(as_json(found), indent=2))
    else:
        print("\n".join(report(found)))
    return 0


class _ProgressLine:
    """One line on standard error that each message overwrites; nothing if it is no terminal."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __call__(self, line: str) -> None:
        if self._shown:
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)

    def __exit__(self, *_exception: object) -> None:
        self("")


def as_json(found: Toolchain) -> dict[str, object]:
    """The object of `emu toolchain --json`."""
    return {
        "as": _record(found.as_),
        "ld": _record(found.ld),
        "readelf": _record(found.readelf),
        "objdump": _record(found.objdump),
        "compilers": {name: _record(tool) for name, tool in found.compilers.items()},
    }


def _record(tool: Tool | None) -> dict[str, object] | None:
    if tool is None:
        return None
    return {
        "path": str(tool.path),
        "version": tool.version,
        "sframe": list(tool.sframe),
        "origin": tool.origin.value,
    }


def report(found: Toolchain) -> list[str]:
    """The lines of `emu toolchain`: one per tool, then what is missing."""
    named: Mapping[str, Tool | None] = {
        "as": found.as_,
        "ld": found.ld,
        "readelf": found.readelf,
        "objdump": found.objdump,
        **found.compilers,
    }
    lines = [f"{'tool':<9}{'version':<20}{'SFrame':<9}{'path'}"]
    for name, tool in named.items():
        if tool is None:
            lines.append(f"{name:<9}missing")
        else:
            versions = ",".join(f"V{version}" for version in tool.sframe) or "-"
            lines.append(f"{name:<9}{tool.version:<20}{versions:<9}{tool.path}")
    if not found.ready:
        lines.append("No assembler and linker here write SFrame V3; run `emu toolchain install`.")
    elif not found.compilers:
        lines.append("No compiler is here; install gcc.")
    return lines
