"""One run of `emu check`, from its options to the result."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, BinaryIO

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
    from emu.machine import MachineError

    with ExitStack() as files:
        try:
            return run(
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
                    signal_every=arguments.signal_every,
                    signal_seed=arguments.signal_seed,
                    on_system_call=strace_to(sys.stderr) if arguments.strace else None,
                ),
                progress=progress,
            )
        except (CheckError, MachineError) as error:
            raise UsageError(str(error)) from error
