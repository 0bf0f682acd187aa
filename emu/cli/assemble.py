"""`emu assemble`: an ELF executable from a case file."""

import argparse
import os
import sys
from pathlib import Path

from emu.cli.report_file import ReportFile
from emu.cli.usage import UsageError
from emu.sframe.printable import printable

HELP = "an ELF executable from an asm case"

EPILOG = """\
example:
  emu assemble asm_cases/leaf.s -o leaf
  ./leaf; readelf -WS leaf; emu dump leaf

The file is GNU assembler source in Intel syntax. The executable has symbols, .sframe and
.eh_frame from the .cfi_* directives, and a PT_GNU_SFRAME segment. Procedures that SFrame cannot
describe are named on standard error, in the words of GNU as.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Assemble a case file to an ELF executable for x86-64 Linux."
    parser.epilog = EPILOG
    parser.add_argument("case", metavar="CASE", help="a case file; - is standard input")
    parser.add_argument(
        "--as-gnu", action="store_true", help="with the known defects of GNU as 2.47"
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", required=True, help="the executable; - is standard output"
    )


def run(arguments: argparse.Namespace) -> int:
    from emu.asm import AsmError, assemble

    output = ReportFile(arguments.output)
    try:
        source = _standard_input() if arguments.case == "-" else Path(arguments.case)
        case = assemble(source, as_gnu=arguments.as_gnu)
    except AsmError as error:
        raise UsageError(str(error)) from error
    for procedure in case.dropped:
        print(
            printable(f"{case.file}:{procedure.line}: no SFrame FDE emitted; {procedure.reason}"),
            file=sys.stderr,
        )
    mask = os.umask(0)
    os.umask(mask)
    output.write(case.elf, 0o777 & ~mask)
    return 0


def _standard_input() -> str:
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"<stdin>: byte {error.start} is not UTF-8") from error
