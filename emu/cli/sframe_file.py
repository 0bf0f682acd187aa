"""A file named on the command line, opened with its .sframe section and function names."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from errno import ENOENT
from functools import cached_property

from emu.cli.usage import UsageError
from emu.sframe import Elf, FunctionNames, Section, SFrameError
from emu.sframe.elf import read_stream


@dataclass(frozen=True)
class SFrameFile:
    """What `dump` and `lookup` work on."""

    elf: Elf
    section: Section

    @cached_property
    def functions(self) -> FunctionNames:
        """Names of the functions: a symbol table is read only if one is asked for."""
        return FunctionNames(self.elf, self.section)


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn failures to decode the file `name` into one line and exit status 2."""
    try:
        yield
    except SFrameError as error:
        raise UsageError(f"{name}: {error}") from error


def open_elf(name: str) -> Elf:
    """Open `name`, `-` for standard input. Raises `UsageError` and `SFrameError`."""
    try:
        if not name:
            raise FileNotFoundError(ENOENT, os.strerror(ENOENT))
        return Elf(read_stream(sys.stdin.buffer) if name == "-" else name)
    except OSError as error:
        raise UsageError(f"{name or repr(name)}: {error.strerror or error}") from error


def open_file(name: str) -> SFrameFile:
    """Like `open_elf`, with section and names."""
    elf = open_elf(name)
    return SFrameFile(elf, Section.from_elf(elf))


def parse_address(text: str) -> int:
    """An address in hexadecimal with 0x, or in decimal. Raises `UsageError`."""
    try:
        address = int(text, 0)
    except ValueError:
        address = -1
    if not 0 <= address < 1 << 64:
        raise UsageError(f"{text!r} is no address: 0x401000 in hexadecimal, or decimal")
    return address
