"""Descriptors 0, 1 and 2: what the caller of the emulator reads and writes."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from typing import BinaryIO

from emu.machine.linux.descriptions import O_WRONLY, Description, Seekable
from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.host_files import host_status
from emu.machine.linux.status import S_IFIFO, Status


class Input(Description):
    """The guest's standard input when it is no file: a pipe somebody else writes to."""

    def __init__(self, source: BinaryIO) -> None:
        super().__init__("pipe:[0]", 0, Status(S_IFIFO | 0o600, device=0xD, links=1))
        self._source = source

    def read(self, size: int, /) -> bytes:
        # One read of the host, so that a guest at a terminal gets the line that was typed.
        one = getattr(self._source, "read1", self._source.read)
        data: bytes | None = one(size)
        return data or b""


class InputFile(Seekable):
    """The guest's standard input when it is a regular file of the host."""

    def __init__(self, source: BinaryIO, status: Status) -> None:
        super().__init__("/dev/stdin", 0, status)
        self._source = source
        self.offset = source.tell()

    def read_at(self, size: int, offset: int, /) -> bytes:
        return os.pread(self._source.fileno(), size, offset)


def standard_input(source: BinaryIO) -> Description:
    """Descriptor 0 over what the caller has: a file stays one that can be sought in."""
    try:
        found = os.fstat(source.fileno())
    except (OSError, ValueError):
        return Input(source)
    return InputFile(source, host_status(found)) if stat.S_ISREG(found.st_mode) else Input(source)


class Output(Description):
    """The guest's standard output or error, which looks like a pipe."""

    def __init__(self, number: int, sink: Callable[[bytes], object]) -> None:
        super().__init__(
            f"pipe:[{number}]", O_WRONLY,
            Status(S_IFIFO | 0o600, inode=number + 1, device=0xD, links=1),
        )  # fmt: skip
        self._sink = sink

    def write(self, data: bytes, /) -> int:
        try:
            self._sink(data)
        except BrokenPipeError as error:
            raise SystemCallError(Errno.EPIPE) from error
        return len(data)
