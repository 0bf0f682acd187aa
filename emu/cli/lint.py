"""`emu lint`: faults of a section and hazards for its consumers."""

import argparse
import json
from dataclasses import replace

from emu.cli.sframe_file import open_elf, reading
from emu.sframe import Section, SFrameError
from emu.sframe.lint import Finding, Sizes, lint, measure, refused
from emu.sframe.locate import locate
from emu.sframe.printable import printable

HELP = "faults of a .sframe section and what consumers make of them"

EPILOG = """\
example:
  emu lint ./prog

Each finding says where (offset in the section, function), what, and what happens:
  refused   the kernel does not register the section
  dropped   a lookup fails and the kernel removes the section from the process
  wrong     a consumer finds rules, but not the ones meant
  unusable  a consumer finds the row and cannot follow it; the walk ends
  harmless  every consumer ignores it
Exit status 1 if there is a finding of the first two kinds.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Check the structure of the .sframe section of an ELF file."
    parser.epilog = EPILOG
    parser.add_argument("file", metavar="FILE", help="an ELF64 file; - is standard input")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(arguments: argparse.Namespace) -> int:
    sizes: Sizes | None = None
    with reading(arguments.file):
        elf = open_elf(arguments.file)
        found = locate(elf)
        try:
            section = Section(found.data, found.address, file_offset=found.file_offset)
        except SFrameError as error:
            findings = [refused(error)]
        else:
            findings = list(lint(section, elf))
            sizes = measure(section, section.fdes, elf)
    if arguments.json:
        print(json.dumps(as_json(findings, sizes), indent=2))
    else:
        for finding in findings:
            print(replace(finding, function=printable(finding.function or "")))
        if sizes is not None:
            print("\n".join(sizes.lines()))
    return int(any(finding.effect.loses_section for finding in findings))


def as_json(findings: list[Finding], sizes: Sizes | None) -> dict[str, object]:
    """`findings` (effect, offset as hex, function, what, consequence) and `sizes` or null."""
    return {
        "findings": [
            {
                "effect": finding.effect.value,
                "offset": f"{finding.offset:#x}",
                "function": finding.function,
                "what": finding.what,
                "consequence": finding.consequence,
            }
            for finding in findings
        ],
        "sizes": None
        if sizes is None
        else {
            "section": sizes.section,
            "eh_frame": sizes.eh_frame,
            "code": sizes.code,
            "fdes": sizes.fdes,
            "rows": sizes.rows,
            "flexible": sizes.flexible,
            "mask": sizes.mask,
            "signal": sizes.signal,
            "without_rows": sizes.without_rows,
            "undefined": sizes.undefined,
            "repeated": sizes.repeated,
            "fre_types": list(sizes.fre_types),
            "word_sizes": list(sizes.word_sizes),
        },
    }
