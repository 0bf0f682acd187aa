"""The options of commands that run a program, and the process they make."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from emu.cli import clock_start
from emu.cli.usage import UsageError

if TYPE_CHECKING:
    from emu.machine import Image, Process

GREATEST = (1 << 63) - 1


def configure_guest(parser: argparse.ArgumentParser, *, several: bool = False) -> None:
    """Declare PROGRAM and what it is given; its arguments follow `--`.

    With `several` there is a list of them, `programs`, instead of one `program`.
    """
    more = "..." if several else ""
    parser.usage = f"%(prog)s [OPTION]... PROGRAM{more} [OPTION]... [-- ARG...]"
    what = "an x86-64 ELF executable (- for standard input)"
    if several:
        parser.add_argument("programs", metavar="PROGRAM", nargs="*", help=what)
    else:
        parser.add_argument("program", metavar="PROGRAM", help=what)
    parser.add_argument(
        "--max-instructions", type=count, metavar="N", help="stop the program after N instructions"
    )
    parser.add_argument(
        "--stdin", metavar="FILE", help="the guest's standard input (default: empty; - for ours)"
    )
    parser.add_argument(
        "--env",
        metavar="K=V",
        action="append",
        default=[],
        help="add to the guest's environment, which is PATH, HOME=/ and LC_ALL=C",
    )
    parser.add_argument(
        "--root", default="/", metavar="DIR", help="the guest's root directory, read-only"
    )
    parser.add_argument(
        "--clock-start", type=clock_start.moment, metavar="TIME", help=clock_start.HELP
    )


def configure_convert(parser: argparse.ArgumentParser) -> None:
    """Declare `--convert`, of the commands that walk the program's stack."""
    parser.add_argument(
        "--convert",
        metavar="MODULE",
        action="append",
        default=[],
        help="make the rows that MODULE lacks from its .eh_frame: a path, a file name, or all;"
        " may be repeated",
    )


def start_guest(arguments: argparse.Namespace, files: ExitStack, stdout: BinaryIO) -> Process:
    """The process, loaded and not yet run. Raises UsageError if it cannot be.

    `files` closes the guest's standard input; its standard error is the command's own.
    """
    from emu.check import CheckError, GuestOptions
    from emu.check.guest_options import start_guest as start
    from emu.machine import MachineError

    try:
        return start(
            image_from_stdin(arguments) or arguments.program,
            args=arguments.args,
            env=environment_of(arguments.env),
            stdin=open_stdin(files, arguments.stdin),
            stdout=stdout,
            stderr=sys.stderr.buffer,
            root=arguments.root,
            options=GuestOptions(clock_start=arguments.clock_start),
        )
    except (CheckError, MachineError) as error:
        raise UsageError(str(error)) from error


def count(text: str) -> int:
    """An option's number, at least 1, as far as numbers of instructions go."""
    number = int(text, 0)
    if number <= 0:
        raise argparse.ArgumentTypeError("must be at least 1")
    if number > GREATEST:
        raise argparse.ArgumentTypeError("must be less than 2^63")
    return number


def image_from_stdin(arguments: argparse.Namespace) -> Image | None:
    """The program if it comes through standard input."""
    from emu.machine import Image

    if arguments.program != "-":
        return None
    if arguments.stdin == "-":
        raise UsageError("standard input cannot be both the program and its input")
    return Image.from_bytes(sys.stdin.buffer.read(), "<stdin>")


def open_stdin(files: ExitStack, name: str | None) -> bytes | BinaryIO:
    """What the guest reads: a file, the command's own input for `-`, or nothing."""
    if name is None:
        return b""
    if name == "-":
        return sys.stdin.buffer
    try:
        return files.enter_context(Path(name).open("rb"))
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror}") from error


def environment_of(pairs: list[str]) -> dict[str, str]:
    """The pairs of `--env`."""
    environment = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise UsageError(f"--env {pair}: not of the form K=V")
        environment[key] = value
    return environment
