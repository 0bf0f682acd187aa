"""One run of `emu check`, from its options to the result."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO, TextIO

from emu.cli.guest import environment_of, image_from_stdin, open_stdin
from emu.cli.progress import ProgressLine
from emu.cli.strace import strace_to
from emu.cli.usage import UsageError

if TYPE_CHECKING:
    from emu.check import Result


def prepare_engine(arguments: argparse.Namespace) -> None:
    """Load the engine; where it has to be compiled first, a terminal is told of it.

    Raises `UsageError` for an unknown policy.
    """
    from emu.check import CheckError, prepare

    line = ProgressLine() if sys.stderr.isatty() else None
    if line is not None:
        line.show("preparing the engine; the first time takes some seconds")
    stores = arguments.watch_stores or arguments.exhaustive
    try:
        prepare(arguments.engine, arguments.policy, stores=stores)
    except CheckError as error:
        raise UsageError(str(error)) from error
    finally:
        if line is not None:
            line.clear()


def check_one(
    arguments: argparse.Namespace,
    guest_output: BinaryIO,
    progress: Callable[[int, int], None] | None = None,
) -> Result:
    """Check `arguments.program` with `arguments.args`. Raises `UsageError` if it cannot be."""
    from emu.check import CheckError, GuestOptions, run
    from emu.check.conversion import unmatched
    from emu.machine import MachineError

    with ExitStack() as files:
        try:
            result = run(
                image_from_stdin(arguments) or arguments.program,
                args=arguments.args,
                env=environment_of(arguments.env),
                stdin=open_stdin(files, arguments.stdin),
                stdout=guest_output,
                stderr=sys.stderr.buffer,
                at=arguments.at,
                policy=arguments.policy,
                engine=arguments.engine,
                watch_stores=arguments.watch_stores,
                exhaustive=arguments.exhaustive,
                max_instructions=arguments.max_instructions,
                strict=arguments.strict,
                convert=arguments.convert,
                root=arguments.root,
                options=GuestOptions(
                    quantum=arguments.quantum,
                    seed=arguments.seed,
                    clock_start=arguments.clock_start,
                    signal_every=arguments.signal_every,
                    signal_seed=arguments.signal_seed,
                    on_system_call=strace_to(sys.stderr) if arguments.strace else None,
                ),
                progress=progress,
            )
        except (CheckError, MachineError) as error:
            raise UsageError(str(error)) from error
    names = unmatched(arguments.convert, (module.path for module in result.modules))
    if names:
        result = replace(result, remarks=(*result.remarks, never_loaded(names)))
    return result


def never_loaded(names: list[str]) -> str:
    """What is said of names given with `--convert` that no module has."""
    return f"--convert: no module is called {', '.join(names)}"


def write_text(result: Result, stream: TextIO, *, coloured: bool | None = None) -> None:
    """Write the report for people, with colours if the stream is a terminal or `coloured`."""
    from rich.console import Console

    from emu.report import write_report

    console = Console(file=stream, highlight=False, soft_wrap=True, force_terminal=coloured)
    write_report(result, console)


def text_of(result: Result, *, coloured: bool | None = None) -> str:
    """The report for people."""
    text = io.StringIO()
    write_text(result, text, coloured=coloured)
    return text.getvalue()
