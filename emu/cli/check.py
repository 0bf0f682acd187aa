"""`emu check`: run a program and check its tables at every instruction."""

from __future__ import annotations

import argparse
import gc
import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from emu.cli.guest import configure_guest, count, environment_of, image_from_stdin, open_stdin
from emu.cli.progress import progress_line
from emu.cli.strace import strace_to
from emu.cli.usage import UsageError

HELP = "run a program and compare every unwind with its true stack"

EPILOG = """\
examples:
  emu cc -O2 -g -static prog.c -o prog && emu check ./prog
  emu check --at main --at qsort+0x10 --json - ./prog -- ARG... > report.json
  emu check --policy format --junit report.xml ./prog

The guest's output is the command's own; the report goes to standard error. With `--json -` the
guest's standard output goes to standard error.

exit status:
  0  nothing wrong      1  findings      2  usage, or the program cannot be started
  130  interrupted, after the report of what was done so far
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.description = (
        "Run PROGRAM under the emulator, unwind at every instruction and compare with the true"
        " call stack: every frame's pc, sp and fp, and where the stack ends."
    )
    parser.epilog = EPILOG
    configure_guest(parser)
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
    parser.add_argument(
        "--strict", action="store_true", help="frames without a row are findings too"
    )
    parser.add_argument(
        "--convert",
        metavar="MODULE",
        action="append",
        default=[],
        help="make the rows that MODULE lacks from its .eh_frame: a path, a file name, or all;"
        " may be repeated",
    )
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
    """Check the program and write the reports that were asked for."""
    from rich.console import Console

    from emu.check import CheckError, GuestOptions
    from emu.check import run as check
    from emu.machine import MachineError
    from emu.report import junit, write_report

    gc.set_threshold(*COLLECTIONS)
    to_stdout = [option for option in ("json", "junit") if getattr(arguments, option) == "-"]
    if len(to_stdout) > 1:
        raise UsageError("only one of --json and --junit can go to standard output")
    with ExitStack() as files:
        outputs = {
            name: _open(files, getattr(arguments, name)) for name in ("output", "json", "junit")
        }
        guest_output = sys.stderr.buffer if to_stdout else sys.stdout.buffer
        try:
            result = check(
                image_from_stdin(arguments) or arguments.program,
                args=arguments.args,
                env=environment_of(arguments.env),
                stdin=open_stdin(files, arguments.stdin),
                stdout=guest_output,
                stderr=sys.stderr.buffer,
                at=arguments.at,
                policy=arguments.policy,
                engine=arguments.engine,
                max_instructions=arguments.max_instructions,
                strict=arguments.strict,
                convert=arguments.convert,
                root=arguments.root,
                options=GuestOptions(
                    quantum=arguments.quantum,
                    seed=arguments.seed,
                    signal_every=arguments.signal_every,
                    signal_seed=arguments.signal_seed,
                    on_system_call=strace_to(sys.stderr) if arguments.strace else None,
                ),
                progress=progress_line() if sys.stderr.isatty() else None,
            )
        except (CheckError, MachineError) as error:
            raise UsageError(str(error)) from error
        guest_output.flush()
        report = outputs["output"]
        if report is None:
            write_report(result, Console(stderr=True, highlight=False, soft_wrap=True))
        else:
            with Path(arguments.output).open("w", encoding="utf-8") as text:
                write_report(result, Console(file=text, highlight=False, soft_wrap=True))
        if outputs["json"] is not None:
            document = json.dumps(result.json(), indent=2) + "\n"
            outputs["json"].write(document.encode())
        if outputs["junit"] is not None:
            outputs["junit"].write(junit(result))
    return result.exit_status


def _open(files: ExitStack, name: str | None) -> BinaryIO | None:
    """Open a report before the run, so that a mistyped directory costs nothing."""
    if name is None:
        return None
    if name == "-":
        return sys.stdout.buffer
    try:
        return files.enter_context(Path(name).open("wb"))
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror}") from error
