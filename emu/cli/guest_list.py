"""Which programs `emu check` is to run: those it names, and those of a list."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

from emu.cli.usage import UsageError


def guests_of(arguments: argparse.Namespace) -> list[argparse.Namespace]:
    """The options for each program: those given, with `program` and `args` of its own."""
    guests = [_guest(arguments, program, arguments.args) for program in arguments.programs]
    if arguments.list is not None:
        guests += [_guest(arguments, program, args) for program, *args in _lines(arguments.list)]
    if not guests:
        raise UsageError("no PROGRAM to check (see emu check --help)")
    if len(guests) > 1 or arguments.list is not None:
        users = [arguments.list, arguments.stdin, *(guest.program for guest in guests)].count("-")
        if users > (arguments.list == "-"):
            raise UsageError("standard input cannot be shared by several programs")
    return guests


def _guest(arguments: argparse.Namespace, program: str, args: list[str]) -> argparse.Namespace:
    return argparse.Namespace(**{**vars(arguments), "program": program, "args": args})


def _lines(name: str) -> Iterator[list[str]]:
    """The words of each line that has any; `#` begins a comment."""
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{name}: not text: {error}") from error
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            words = shlex.split(line, comments=True)
        except ValueError as error:
            raise UsageError(f"{name}:{number}: {error}") from error
        if words:
            yield words
