"""The bytes of files in memory, and how much room they take."""

from __future__ import annotations

from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.mapping import Buffer, page_up

LAYER_LIMIT = 256 << 20
"""Bytes of file data the memory layer holds at most."""
MAX_FILES = 1 << 17
"""Files, directories and links it holds at most."""
_SMALL = 1 << 16


class Room:
    """What the memory layer holds, named or still open."""

    def __init__(self) -> None:
        self.bytes = 0
        self.files = 0

    @property
    def left(self) -> int:
        """Bytes there is room for."""
        return LAYER_LIMIT - self.bytes

    def take(self, size: int) -> None:
        """ENOSPC if `size` more bytes do not fit."""
        if size > self.left:
            raise SystemCallError(Errno.ENOSPC)
        self.bytes += size

    def give(self, size: int) -> None:
        """Bytes are held no more."""
        self.bytes -= size

    def take_file(self) -> None:
        """ENOSPC if there are too many."""
        if self.files >= MAX_FILES:
            raise SystemCallError(Errno.ENOSPC)
        self.files += 1

    def give_file(self) -> None:
        """One file is gone."""
        self.files -= 1


class FileData:
    """The contents of one file; its pages can be mapped into guests that share them.

    Small files are bytes of Python. A large one, or one that is mapped, lies in pages of the
    host, of which only those that were touched are there.
    """

    def __init__(self, room: Room, data: bytes = b"") -> None:
        """ENOSPC if there is no room for `data`."""
        room.take(len(data))
        self._room = room
        self._bytes: bytearray | memoryview = bytearray(data)
        self._buffer: Buffer | None = None
        self.size = len(data)

    def read(self, size: int, offset: int) -> bytes:
        """At most `size` bytes at `offset`; none beyond the end."""
        return bytes(self._bytes[offset : min(offset + size, self.size)])

    def write(self, data: bytes, offset: int) -> None:
        """Store bytes, in a file that grows if need be; ENOSPC."""
        end = offset + len(data)
        if end > self.size:
            self.resize(end)
        self._bytes[offset:end] = data

    def resize(self, size: int) -> None:
        """Cut the file, or let it grow with zeros; ENOSPC."""
        old = self.size
        if size > old:
            self._room.take(size - old)
        else:
            self._room.give(old - size)
        self.size = size
        if size > _SMALL:
            self.pages()
        if self._buffer is not None:
            # Stores through a mapping may lie behind the end in its last page.
            first = min(old, size)
            page = page_up(first)
            self._bytes[first:page] = bytes(page - first)
            self._buffer.clear(page, max(0, page_up(old) - page))
        elif isinstance(self._bytes, bytearray):
            self._bytes[size:] = bytes(max(0, size - old))

    def pages(self) -> Buffer:
        """The host memory that has the contents from now on, as large as a file can become."""
        if self._buffer is None:
            self._buffer = Buffer(LAYER_LIMIT)
            self._buffer.view[: len(self._bytes)] = self._bytes
            self._bytes = self._buffer.view
        return self._buffer

    def release(self) -> None:
        """The file is gone; whoever has mapped its pages keeps them."""
        self._room.give(self.size)
        self.size = 0
        self._bytes = bytearray()
        self._buffer = None
