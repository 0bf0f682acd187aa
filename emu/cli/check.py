"""`emu check`: run a program and check its tables at every instruction."""

from __future__ import annotations

import argparse
import gc
import json
import sys
from collections.abc import Mapping
from typing import BinaryIO

from emu.cli.check_many import check_many
from emu.cli.check_one import check_one, prepare_engine, text_of, write_text
from emu.cli.guest import configure_convert, configure_guest, count
from emu.cli.guest_list import guests_of
from emu.cli.progress import RunLine
from emu.cli.report_file import ReportFile
from emu.cli.usage import UsageError

HELP = "run a program and compare every unwind with its true stack"

EPILOG = """\
examples:
  emu cc -O2 -g -static prog.c -o prog && emu check ./prog
  emu check --at main --at qsort+0x10 --json - ./prog -- ARG... > report.json
  emu check --policy format --junit report.xml ./prog
  emu check --jobs 4 --junit report.xml --html report.html ./tests/*.exe -- --quick

The guest's output is the command's own; the report goes to standard error. If `-` sends a report to
standard output, the guest's standard output goes to standard error. Files of reports are replaced
when the run is over; one that cannot be started leaves older ones as they are.

Several programs are checked in processes of their own, --jobs of them at a time, and reported in
the order in which they were named. ARG... is given to each of them; a file of --list has a line
for each program with its arguments, as a shell would read it. With --json there is then one object
a line.

exit status, of several programs the largest:
  0  nothing wrong      1  findings      2  usage, or a program cannot be started or checked
  130  interrupted, after the report of what was done so far
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.description = (
        "Run PROGRAM under the emulator, unwind at every instruction and compare with the true"
        " call stack: every frame's pc, sp and fp, and where the stack ends."
    )
    parser.epilog = EPILOG
    configure_guest(parser, several=True)
    parser.add_argument(
        "--list",
        metavar="FILE",
        help="more programs, a line with its own arguments for each (- for standard input)",
    )
    parser.add_argument(
        "--jobs",
        type=count,
        metavar="N",
        help="of several programs, check N at a time (default: as many as there are processors)",
    )
    parser.add_argument(
        "--at",
        metavar="PLACE",
        action="append",
        default=[],
        help="check here only: SYMBOL, SYMBOL+OFFSET, SYMBOL+* for the whole function, or"
        " 0xADDRESS; may be repeated",
    )
    parser.add_argument(
        "--policy",
        default="kernel-v15",
        metavar="P",
        help="which consumer unwinds: kernel-v15 (default), kernel-v14, format or glibc, with"
        " ,+switch or ,-switch; or dwarf, which walks by .eh_frame",
    )
    parser.add_argument(
        "--engine",
        choices=("fast", "reference"),
        default="fast",
        help="compiled (default), or plain Python; they say the same",
    )
    repeat = parser.add_mutually_exclusive_group()
    repeat.add_argument(
        "--watch-stores",
        action="store_true",
        help="check a caller's frame again when a store, or the kernel, has changed what its check"
        " depends on; without this, only when it has been the topmost frame",
    )
    repeat.add_argument(
        "--exhaustive",
        action="store_true",
        help="find the same by checking all frames anew before every instruction; exit status 2 if"
        " one comes out differently although nothing has changed",
    )
    parser.add_argument(
        "--strict", action="store_true", help="frames without a row are findings too"
    )
    configure_convert(parser)
    parser.add_argument(
        "--quantum",
        type=count,
        default=10_000,
        metavar="N",
        help="instructions of a thread's turn (default: %(default)s)",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="of everything random in the guest, and unless 0 of the threads' turns",
    )
    parser.add_argument(
        "--signal-every",
        type=count,
        metavar="N",
        help="deliver SIGPROF before instructions N, 2N, ... if the guest has a handler",
    )
    parser.add_argument(
        "--signal-seed",
        type=int,
        metavar="N",
        help="draw the distances of these signals at random",
    )
    parser.add_argument(
        "--strace", action="store_true", help="print the guest's system calls on standard error"
    )
    parser.add_argument(
        "--output", metavar="FILE", help="write the report there instead (- for stdout)"
    )
    parser.add_argument("--json", metavar="FILE", help="write the result as JSON (- for stdout)")
    parser.add_argument("--junit", metavar="FILE", help="write JUnit XML (- for stdout)")
    parser.add_argument("--sarif", metavar="FILE", help="write SARIF 2.1.0 (- for stdout)")
    parser.add_argument(
        "--html", metavar="FILE", help="write the report as an HTML page (- for stdout)"
    )


OUTPUTS = ("output", "json", "junit", "sarif", "html")
"""Options that name a file to be written."""

COLLECTIONS = (200_000, 10, 1000)
"""Thresholds of the garbage collector. What a run learns of rows and instructions stays to its end,
and going through all of it again and again took a fifth of the time of a short run."""


def run(arguments: argparse.Namespace) -> int:
    """Check the programs and write the reports that were asked for."""
    gc.set_threshold(*COLLECTIONS)
    guests = guests_of(arguments)
    outputs = outputs_of(arguments)
    to_stdout = any(output.is_stdout for output in outputs.values())
    guest_output = (sys.stderr if to_stdout else sys.stdout).buffer
    if len(guests) > 1 or arguments.list is not None:
        return check_many(guests, arguments.jobs, guest_output, outputs)
    return _run(guests[0], guest_output, outputs)


def outputs_of(arguments: argparse.Namespace) -> dict[str, ReportFile]:
    """The files that were asked for, by the name of the option. Raises `UsageError`."""
    named = {name: getattr(arguments, name) for name in OUTPUTS}
    outputs = {name: ReportFile(file) for name, file in named.items() if file is not None}
    for option, output in outputs.items():
        for other in list(outputs)[list(outputs).index(option) + 1 :]:
            if outputs[other].name == output.name:
                where = "standard output" if output.is_stdout else output.name
                raise UsageError(f"only one of --{option} and --{other} can go to {where}")
    return outputs


def _run(
    arguments: argparse.Namespace, guest_output: BinaryIO, outputs: Mapping[str, ReportFile]
) -> int:
    """Check the only program."""
    from emu.report import DOCUMENTS

    prepare_engine(arguments)
    progress = RunLine() if sys.stderr.isatty() else None
    result = check_one(arguments, guest_output, progress)
    guest_output.flush()
    if progress is not None:
        progress.clear()
    if (text := outputs.get("output")) is None:
        write_text(result, sys.stderr)
    else:
        text.write(text_of(result).encode())
    if (facts := outputs.get("json")) is not None:
        facts.write(json.dumps(result.json(), indent=2).encode() + b"\n")
    for name, form in DOCUMENTS.items():
        if (output := outputs.get(name)) is not None:
            output.write(form.document([form.part(result)]))
    return result.exit_status
