"""The `emu` command line: finds the sub-command, maps failures to exit statuses.

Exit status: 0 nothing wrong, 1 findings, 2 usage, unreadable or unsupported input,
130 interrupted.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from typing import NoReturn, Protocol

from emu.cli.usage import UsageError

COMMANDS: tuple[str, ...] = (
    "check",
    "profile",
    "walk",
    "dump",
    "lookup",
    "lint",
    "assemble",
    "convert",
    "toolchain",
    "cc",
)
"""Modules of this package that are sub-commands, in the order `emu --help` lists them."""

GUESTS = frozenset({"check", "profile", "walk"})
"""Commands that run a program, with arguments of its own after `--`."""


class Command(Protocol):
    """What a module of this package provides to be a sub-command."""

    HELP: str
    """One line for `emu --help`."""

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the arguments; set description and an epilog with an example."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Do the work and return the exit status. Raises `UsageError` for exit status 2."""


def tell(message: str) -> None:
    """One line on standard error, whatever the names in it."""
    from emu.sframe.printable import printable

    print(f"emu: {printable(message)}", file=sys.stderr)


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with the arguments."""

    def error(self, message: str) -> NoReturn:
        """End with exit status 2."""
        tell(f"{message} (see {self.prog} --help)")
        self.exit(2)


class ShowVersion(argparse.Action):
    """`--version`: the number of the installed package."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print it and end."""
        print(f"emu {version('sframe-testbed')}", flush=True)
        parser.exit()


def build_parser(names: Sequence[str] = COMMANDS) -> argparse.ArgumentParser:
    """The parser for these sub-commands; making it imports each one's module."""
    parser = Parser(
        prog="emu",
        description="Is the .sframe of this binary right?",
        epilog="Each command has its own help with an example: emu COMMAND --help",
    )
    parser.add_argument("--version", action=ShowVersion, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name in names:
        module: Command = importlib.import_module(f"emu.cli.{name}")
        sub = commands.add_parser(
            name, help=module.HELP, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        module.configure(sub)
        sub.set_defaults(run=module.run)
    return parser


def split_guest(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """Our words and the guest's: what follows `--`, for the commands that run a program.

    argparse would take them for its own positional arguments, and only in some places.
    """
    if not argv or argv[0] not in GUESTS or "--" not in argv:
        return list(argv), []
    position = list(argv).index("--")
    return list(argv[:position]), list(argv[position + 1 :])


def occupy_standard_streams() -> None:
    """Give a command that was started without one of them the null device for it.

    A file opened later would get its number otherwise, and what is written there.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is not None:
            continue
        try:
            os.fstat(number)
        except OSError:
            null = os.open(os.devnull, os.O_RDWR)
            if null != number:
                os.dup2(null, number)
                os.close(null)
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w"))


def main(argv: Sequence[str] | None = None) -> int:
    """Run `emu` with `argv` (default: the process arguments) and return its exit status."""
    occupy_standard_streams()
    try:
        arguments = parse(sys.argv[1:] if argv is None else argv)
        status: int = arguments.run(arguments)
        sys.stdout.flush()
    except UsageError as error:
        tell(str(error))
        return 2
    except KeyboardInterrupt:
        return 130
    except MemoryError:
        tell("out of memory")
        return 2
    except BrokenPipeError:
        # The reader of a pipe went away (`emu dump F | head`); there is nobody left to tell.
        sys.stderr.close()
        return 141
    except OSError as error:
        # A full disk, for instance; the interpreter would try to write the rest once more.
        with suppress(OSError):
            sys.stdout.close()
        place = f"{error.filename}: " if error.filename else "standard output: "
        tell(f"{place}{error.strerror}")
        return 2
    return status


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The command's arguments, and its `run`."""
    words, guest = split_guest(argv)
    # The other commands' modules cost more than many a command.
    names = words[:1] if words and words[0] in COMMANDS else COMMANDS
    parser = build_parser(names)
    arguments, unknown = parser.parse_known_args(words, argparse.Namespace(args=guest))
    if unknown:
        parser.prog += f" {words[0]}"
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    return arguments
