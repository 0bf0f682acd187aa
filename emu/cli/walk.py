"""`emu walk`: one unwind explained, step by step."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from emu.cli.guest import configure_convert, configure_guest, count
from emu.cli.usage import UsageError
from emu.cli.walk_outputs import Output

if TYPE_CHECKING:
    from emu.lesson import Explanation

HELP = "explain one unwind: the search, the row, the equations, the truth beside them"

EPILOG = """\
examples:
  emu walk --at realign+0x1c asm_cases/drap_topmost.s
  emu walk --at leaf --hit 3 --unwinder all --plain ./prog -- ARG... > walk.txt
  emu walk --step 5000 --convert all --json walk.json ./prog
  emu walk --interactive ./prog
  emu walk --at realigned+0x64 --html walk.html c_cases/realignment.c

PROGRAM is an x86-64 ELF executable, an asm case (.s) or a C case (.c), which is built first.
The walkthrough goes to standard output, what the guest writes to standard error.

exit status:
  0  the walk was explained, wherever it leads      2  usage, or the place is never reached
  130  interrupted on the way there
"""

ALL = "all"
FRAMES = 16


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.description = (
        "Run PROGRAM up to a place, walk its stack from there and explain every step: how the row"
        " was found, its bytes, its equations with numbers, and what is true."
    )
    parser.epilog = EPILOG
    configure_guest(parser)
    configure_place(parser)
    parser.add_argument(
        "--unwinder",
        choices=("sframe", "frame-pointers", "dwarf", ALL),
        default="sframe",
        help="who walks (default: %(default)s); all: one after the other",
    )
    parser.add_argument(
        "--frames",
        type=count,
        default=FRAMES,
        metavar="N",
        help="show the first N frames of a deep walk, those where it leaves the truth, and the"
        " last (default: %(default)s)",
    )
    parser.add_argument(
        "-i",
        "--interactive",
        action="store_true",
        help="step through the run and its walks in the terminal, from --at or --step or the first"
        " thing that is wrong; needs the extra `tui`",
    )
    parser.add_argument(
        "--window",
        type=count,
        metavar="N",
        help="instructions that --interactive and --html record around the place (default: 60000)",
    )
    parser.add_argument(
        "--html",
        metavar="FILE",
        help="write a page that steps through the run, instead of text (- for stdout); it opens"
        " at --at or --step, or at the first thing that is wrong",
    )
    parser.add_argument(
        "--source",
        metavar="DIR",
        action="append",
        default=[],
        help="look for the source files of --html here too; may be repeated",
    )
    parser.add_argument(
        "--plain", action="store_true", help="neither colour nor boxes: for pipes and readers"
    )
    parser.add_argument("--output", metavar="FILE", help="write the walkthrough there")
    parser.add_argument(
        "--json", metavar="FILE", help="write all facts as JSON (- for stdout, instead of text)"
    )


def configure_place(parser: argparse.ArgumentParser) -> None:
    """Declare where to stop, who walks and how a C case is built."""
    parser.add_argument(
        "--at",
        metavar="PLACE",
        help="explain the walk from here: SYMBOL, SYMBOL+OFFSET or 0xADDRESS",
    )
    parser.add_argument(
        "--hit", type=count, default=1, metavar="K", help="the K-th time there (default: first)"
    )
    parser.add_argument(
        "--step",
        type=number,
        metavar="N",
        help="explain the walk before instruction N, counted from 0",
    )
    parser.add_argument(
        "--process",
        type=number,
        metavar="N",
        help="in process N of the run: 0 is PROGRAM itself, what is forked is numbered in that"
        " order (default: with --at whichever comes there first, otherwise 0)",
    )
    parser.add_argument(
        "--policy",
        default="kernel-v15",
        metavar="P",
        help="which consumer of .sframe walks: kernel-v15 (default), kernel-v14, format or glibc,"
        " with ,+switch or ,-switch",
    )
    configure_convert(parser)
    parser.add_argument(
        "--level",
        choices=("O0", "O2", "Os"),
        default="O2",
        help="optimisation of a C case (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Explain the walk and write it where it was asked for."""
    from emu.cli.walk_runs import explanations_of
    from emu.lesson import Unwinder

    if arguments.hit != 1 and arguments.at is None:
        raise UsageError("walk: --hit goes with --at")
    if arguments.interactive:
        return interact(arguments)
    if arguments.html is not None:
        return write_page(arguments)
    if arguments.window is not None:
        raise UsageError("walk: --window goes with --interactive or --html")
    if (arguments.at is None) == (arguments.step is None):
        raise UsageError("walk: either --at PLACE or --step N is needed, and not both")
    if arguments.json == "-" and arguments.output == "-":
        raise UsageError("only one of --json and --output can go to standard output")
    unwinders = list(Unwinder) if arguments.unwinder == ALL else [Unwinder(arguments.unwinder)]
    facts, text = Output.of(arguments.json), Output.of(arguments.output)
    if text is None and arguments.json != "-":
        text = Output.standard()
    explanations = explanations_of(arguments, unwinders)
    if facts is not None:
        facts.write(partial(write_facts, explanations))
    if text is not None:
        text.write(
            partial(write_text, explanations, plain=arguments.plain, frames=arguments.frames)
        )
    return 0


def interact(arguments: argparse.Namespace) -> int:
    """Record the run and step through it."""
    try:
        from emu.lesson.stepper_app import StepperApp
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "textual":
            raise
        raise UsageError(
            "walk: --interactive needs textual: pip install 'sframe-testbed[tui]'"
        ) from error
    from emu.cli.walk_runs import recording_of, subject_of
    from emu.lesson import Unwinder
    from emu.lesson.stepper import Stepper

    if arguments.json is not None or arguments.output is not None:
        raise UsageError("walk: --interactive goes without --json and --output")
    if arguments.stdin == "-":
        raise UsageError("walk: --interactive needs standard input itself")
    if arguments.at is not None and arguments.step is not None:
        raise UsageError("walk: either --at PLACE or --step N, not both")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("walk: --interactive needs a terminal")
    print("recording the run", file=sys.stderr)
    recording = recording_of(arguments, subject_of(arguments))
    unwinder = Unwinder.SFRAME if arguments.unwinder == ALL else Unwinder(arguments.unwinder)
    StepperApp(Stepper(recording, unwinder)).run()
    return 0


def write_page(arguments: argparse.Namespace) -> int:
    """Record the run and write the page that steps through it."""
    from emu.cli.walk_runs import recording_of, subject_of
    from emu.lesson import Unwinder
    from emu.lesson.page import case_lines, page

    if arguments.json is not None or arguments.output is not None:
        raise UsageError("walk: --html goes without --json and --output")
    if arguments.at is not None and arguments.step is not None:
        raise UsageError("walk: either --at PLACE or --step N, not both")
    output = Output.of(arguments.html)
    assert output is not None, "it is asked for"
    subject = subject_of(arguments)
    text = page(
        recording_of(arguments, subject),
        source=subject.source,
        lines=case_lines(subject.source),
        directories=[Path(directory) for directory in arguments.source],
        unwinder=Unwinder.SFRAME if arguments.unwinder == ALL else arguments.unwinder,
    )
    output.write(lambda file: print(text, end="", file=file))
    return 0


def write_facts(explanations: list[Explanation], facts: TextIO) -> None:
    """Write all facts as one JSON document."""
    from emu.lesson.document import document

    json.dump(document(explanations), facts, indent=2)
    facts.write("\n")


def write_text(
    explanations: Iterable[Explanation], text: TextIO, *, plain: bool, frames: int
) -> None:
    """Write walkthroughs one below the other."""
    from rich.console import Console

    from emu.lesson.plain import plain_lines
    from emu.lesson.terminal import write_walk

    if isinstance(text, TextIOWrapper):
        # Names of functions and files may be anything, and standard output any encoding.
        text.reconfigure(errors="backslashreplace")
    console = Console(file=text, highlight=False)
    for index, explanation in enumerate(explanations):
        if index:
            text.write("\n")
        if plain:
            text.writelines(f"{line}\n" for line in plain_lines(explanation, frames=frames))
        else:
            write_walk(explanation, console, frames=frames)


def number(text: str) -> int:
    """A number from 0 on."""
    parsed = int(text, 0)
    if parsed < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return parsed
