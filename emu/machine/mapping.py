"""Pages of the guest and the host memory behind them."""

from __future__ import annotations

import ctypes
import mmap
import sys
from dataclasses import dataclass, field
from enum import IntFlag

PAGE = 0x1000
TASK_SIZE = 0x7FFF_FFFF_F000
"""First address no user mapping may reach (x86-64 with four-level page tables)."""

_CHUNK = 16 * PAGE
_ZEROS = bytes(_CHUNK)
_MAP_NORESERVE = 0x4000 if sys.platform == "linux" else 0  # mmap has the name since Python 3.13
_HOST_FLAGS = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_NORESERVE


class Protection(IntFlag):
    """Page protection; the values of Linux's PROT_* and of Unicorn's UC_PROT_* alike."""

    NONE = 0
    READ = 1
    WRITE = 2
    EXECUTE = 4

    def __str__(self) -> str:
        """The three letters of /proc/self/maps."""
        return "".join(
            letter if self & bit else "-"
            for letter, bit in zip("rwx", (self.READ, self.WRITE, self.EXECUTE), strict=True)
        )


class OutOfMemory(Exception):  # noqa: N818 -- ENOMEM under the name the field uses
    """The guest's memory limit, its address space or the host has no room for a mapping."""


def page_up(size: int) -> int:
    """`size` rounded up to whole pages."""
    return (size + PAGE - 1) & -PAGE


@dataclass(slots=True, eq=False)
class Buffer:
    """Host memory behind one or more mappings: zeroed, private, committed when touched."""

    size: int
    view: memoryview = field(init=False)
    """All bytes, writable; numpy.frombuffer(buffer.view, ...) sees the guest's memory live."""
    address: int = field(init=False)
    """Host address of the first byte."""
    _memory: mmap.mmap = field(init=False)

    def __post_init__(self) -> None:
        try:
            memory = mmap.mmap(-1, self.size, flags=_HOST_FLAGS)
        except (OSError, OverflowError, ValueError) as error:
            raise OutOfMemory(f"no host memory for {self.size:#x} bytes") from error
        self._memory = memory
        self.view = memoryview(memory)
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(memory))

    def copy_to(self, other: Buffer, offset: int, size: int) -> None:
        """Copy bytes to the same place of a new buffer, which is zero: zero pages are left out."""
        end = offset + size
        while offset < end:
            stop = min(offset + _CHUNK, end)
            data = bytes(self.view[offset:stop])
            if data != _ZEROS[: stop - offset]:
                other.view[offset:stop] = data
            offset = stop

    def clear(self, offset: int, size: int) -> None:
        """Make whole pages zero again and give their host memory back."""
        if size:
            self._memory.madvise(mmap.MADV_DONTNEED, offset, size)


@dataclass(slots=True, eq=False)
class Mapping:
    """A range of guest pages [start, end) with one protection over part of one buffer."""

    start: int
    end: int
    protection: Protection
    name: str
    """Path of the file mapped, or `[heap]`, `[stack]`, or nothing for anonymous memory."""
    buffer: Buffer
    offset: int
    """Offset of `start` in the buffer."""
    file_offset: int = 0
    """Offset of `start` in the file named."""
    shared: bool = False
    ran: bool = False
    """Was executable at some time: translated code may be cached for it."""

    @property
    def size(self) -> int:
        return self.end - self.start

    def split(self, address: int) -> Mapping:
        """Cut at `address`; this keeps the lower part, the upper one is returned."""
        skip = address - self.start
        upper = Mapping(
            address, self.end, self.protection, self.name, self.buffer,
            self.offset + skip, self.file_offset + skip, self.shared, self.ran,
        )  # fmt: skip
        self.end = address
        return upper
