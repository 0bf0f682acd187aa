"""`emu convert`: .sframe from .eh_frame."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from emu.cfi import CfiError, Conversion, Corrected, Refused, attach, convert
from emu.cli.report_file import STDOUT, report_file
from emu.cli.sframe_file import open_elf, reading
from emu.cli.usage import UsageError
from emu.sframe import Elf
from emu.sframe.printable import printable

HELP = ".sframe from .eh_frame"

EPILOG = """\
example:
  emu convert /lib/x86_64-linux-gnu/libc.so.6
  emu convert prog --attach prog-with-sframe && emu check ./prog-with-sframe
  emu convert old.o --attach new.o

FILE is any x86-64 ELF file, linked or relocatable. The rows are those that GNU as would have made
from the same directives, and the reasons for functions without rows are in its words. Where the
assembler's rows contradict the call frame information, the rows say what that says; --as-gnu keeps
the assembler's. Of a linked file the section has the address that --attach gives it.
"""

_SHOWN = 8
"""Functions named for one reason, unless --all is given."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Make a .sframe section from the call frame information of an ELF file."
    parser.epilog = EPILOG
    parser.add_argument("file", metavar="FILE", help="an x86-64 ELF file; - is standard input")
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write the section's bytes; - is standard output"
    )
    parser.add_argument(
        "--attach", metavar="FILE", help="write a copy of the ELF file with the section in it"
    )
    parser.add_argument("--as-gnu", action="store_true", help="with the defects of GNU as and ld")
    parser.add_argument("--json", action="store_true", help="the report as one JSON object")
    parser.add_argument("--all", action="store_true", help="name every function in the report")


def run(arguments: argparse.Namespace) -> int:
    if STDOUT == arguments.output == arguments.attach:
        raise UsageError("only one of --output and --attach can go to standard output")
    output, copy = report_file(arguments.output), report_file(arguments.attach)
    try:
        with reading(arguments.file):
            elf = open_elf(arguments.file)
            conversion = convert(elf, as_gnu=arguments.as_gnu)
            names = Names(elf)
            attached = attach(elf, conversion) if copy is not None else b""
    except CfiError as error:
        raise UsageError(f"{arguments.file}: {error}") from error
    to_stdout = STDOUT in {arguments.output, arguments.attach}
    report: TextIO = sys.stderr if to_stdout else sys.stdout
    if arguments.json:
        print(json.dumps(as_json(arguments.file, conversion, names), indent=1), file=report)
    else:
        limit = None if arguments.all else _SHOWN
        for line in text(arguments.file, conversion, names, limit):
            print(printable(line), file=report)
    if output is not None:
        output.write(conversion.data)
    if copy is not None:
        copy.write(attached, _permissions(arguments.file))
    return 0


def _permissions(file: str) -> int | None:
    """Of a copy: those of the file."""
    return None if file == STDOUT else Path(file).stat().st_mode & 0o777


class Names:
    """Symbols of a file by section and address; linked files have one space of addresses."""

    def __init__(self, elf: Elf) -> None:
        self._names: dict[tuple[int | None, int], str] = {}
        for symbol in elf.symbols():
            if symbol.name and symbol.section:
                section = symbol.section if elf.relocatable else None
                self._names.setdefault((section, symbol.address), symbol.name)

    def name(self, place: Refused | Corrected) -> str | None:
        """The function at the start of `place`."""
        return self._names.get((place.section, place.start))


def text(file: str, made: Conversion, names: Names, limit: int | None) -> Iterator[str]:
    """The report for readers."""
    yield (
        f"{file}: {made.fdes} FDEs, {made.converted} converted, {len(made.refused)} not;"
        f" {made.rows} rows"
    )
    yield (
        f"  .sframe {len(made.data)} bytes at {made.address:#x},"
        f" .eh_frame {made.eh_frame_size} bytes"
    )
    reasons: dict[tuple[str, bool], list[Refused]] = {}
    for refused in made.refused:
        reasons.setdefault((refused.reason, refused.as_refuses), []).append(refused)
    for (reason, as_refuses), places in sorted(reasons.items(), key=lambda item: -len(item[1])):
        yield f"not converted: {reason}{'' if as_refuses else ' (as would not refuse it)'}"
        yield from _places(places, names, limit)
    if made.corrected:
        yield "converted by the call frame information, where the rows of as say something else:"
        yield from _places(made.corrected, names, limit)


def _places(
    places: list[Refused] | tuple[Corrected, ...], names: Names, limit: int | None
) -> Iterator[str]:
    for place in places[:limit]:
        name = names.name(place)
        line = f"  {place.start:#x}{f' {name}' if name else ''}, {place.size} bytes"
        if isinstance(place, Corrected):
            line += f", +{place.offset:#x}: {place.of_cfi}; as: {place.of_as}"
        elif place.kept:
            line += ", signal frame: FDE without rows"
        yield line
    if limit is not None and len(places) > limit:
        yield f"  and {len(places) - limit} more"


def as_json(file: str, made: Conversion, names: Names) -> dict[str, object]:
    """The report for programs; addresses are hex strings, sizes in bytes."""
    return {
        "schema": 1,
        "file": file,
        "fdes": made.fdes,
        "converted": made.converted,
        "functions": made.functions,
        "rows": made.rows,
        "address": f"{made.address:#x}",
        "sframe_size": len(made.data),
        "eh_frame_size": made.eh_frame_size,
        "refused": [
            {
                **_json_place(refused, names),
                "reason": refused.reason,
                "as_refuses": refused.as_refuses,
                "kept_without_rows": refused.kept,
            }
            for refused in made.refused
        ],
        "corrected": [
            {
                **_json_place(corrected, names),
                "offset": corrected.offset,
                "row": corrected.of_cfi,
                "row_of_as": corrected.of_as,
            }
            for corrected in made.corrected
        ],
    }


def _json_place(place: Refused | Corrected, names: Names) -> dict[str, object]:
    return {
        "function": names.name(place),
        "start": f"{place.start:#x}",
        "size": place.size,
        "section": place.section,
    }
