"""`emu check`: run a program and check its tables at every instruction."""

from __future__ import annotations

import argparse
import gc
import io
import json
import os
import stat
import sys
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from emu.cli.check_many import check_many
from emu.cli.check_one import check_one, prepare_engine
from emu.cli.guest import configure_convert, configure_guest, count
from emu.cli.guest_list import guests_of
from emu.cli.progress import RunLine
from emu.cli.usage import UsageError

HELP = "run a program and compare every unwind with its true stack"

EPILOG = """\
examples:
  emu cc -O2 -g -static prog.c -o prog && emu check ./prog
  emu check --at main --at qsort+0x10 --json - ./prog -- ARG... > report.json
  emu check --policy format --junit report.xml ./prog
  emu check --jobs 4 --junit report.xml ./tests/*.exe -- --quick

The guest's output is the command's own; the report goes to standard error. With `--json -` the
guest's standard output goes to standard error.

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
    parser.add_argument("--output", metavar="FILE", help="write the report there")
    parser.add_argument("--json", metavar="FILE", help="write the result as JSON (- for stdout)")
    parser.add_argument("--junit", metavar="FILE", help="write JUnit XML (- for stdout)")


COLLECTIONS = (200_000, 10, 1000)
"""Thresholds of the garbage collector. What a run learns of rows and instructions stays to its end,
and going through all of it again and again took a fifth of the time of a short run."""


def run(arguments: argparse.Namespace) -> int:
    """Check the programs and write the reports that were asked for."""
    gc.set_threshold(*COLLECTIONS)
    to_stdout = [option for option in ("json", "junit") if getattr(arguments, option) == "-"]
    if len(to_stdout) > 1:
        raise UsageError("only one of --json and --junit can go to standard output")
    guests = guests_of(arguments)
    with ExitStack() as files:
        outputs = {
            name: _open(files, getattr(arguments, name)) for name in ("output", "json", "junit")
        }
        guest_output = sys.stderr.buffer if to_stdout else sys.stdout.buffer
        if len(guests) > 1 or arguments.list is not None:
            _empty(outputs.values())
            return check_many(guests, arguments.jobs, guest_output, outputs)
        return _run(guests[0], guest_output, outputs)


def _run(
    arguments: argparse.Namespace,
    guest_output: BinaryIO,
    outputs: Mapping[str, BinaryIO | None],
) -> int:
    """Check the only program."""
    from rich.console import Console

    from emu.report import junit, write_report

    prepare_engine(arguments)
    progress = RunLine() if sys.stderr.isatty() else None
    result = check_one(arguments, guest_output, progress)
    guest_output.flush()
    if progress is not None:
        progress.clear()
    _empty(outputs.values())
    if outputs["output"] is None:
        write_report(result, Console(stderr=True, highlight=False, soft_wrap=True))
    else:
        with io.TextIOWrapper(outputs["output"], encoding="utf-8") as text:
            write_report(result, Console(file=text, highlight=False, soft_wrap=True))
    if outputs["json"] is not None:
        document = json.dumps(result.json(), indent=2) + "\n"
        outputs["json"].write(document.encode())
    if outputs["junit"] is not None:
        outputs["junit"].write(junit(result))
    return result.exit_status


def _open(files: ExitStack, name: str | None) -> BinaryIO | None:
    """Open a report before the run, so that a mistyped directory costs nothing.

    What an older file holds stays until there is something to write.
    """
    if name is None:
        return None
    if name == "-":
        return sys.stdout.buffer
    try:
        return files.enter_context(Path(name).open("ab"))
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror}") from error


def _empty(outputs: Iterable[BinaryIO | None]) -> None:
    """Drop what older reports say; devices and pipes have nothing to drop."""
    for output in outputs:
        if output is None or output is sys.stdout.buffer:
            continue
        if stat.S_ISREG(os.fstat(output.fileno()).st_mode):
            output.truncate(0)
