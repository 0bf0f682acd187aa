"""Open file descriptions: what a file descriptor refers to."""

from __future__ import annotations

import os
from random import Random
from struct import pack
from typing import TYPE_CHECKING

from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.host_files import host_error, open_host
from emu.machine.linux.nodes import FileNode, HostNode, Node, status_of
from emu.machine.linux.status import S_IFCHR, S_IFMT, Status
from emu.machine.linux.tree import Tree

if TYPE_CHECKING:
    from emu.machine.linux.thread import Thread

O_ACCMODE, O_WRONLY, O_RDWR, O_APPEND = 3, 1, 2, 0o2000
MAX_FILE_SIZE = 1 << 40
SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE = range(5)


class Description:
    """One open file; by default nothing can be done with it but look at its status."""

    def __init__(self, path: str, flags: int, status: Status) -> None:
        self.path = path
        """Canonical path, or a name like `pipe:[1]`."""
        self.flags = flags
        self.offset = 0
        self._status = status
        self.references = 0

    @property
    def status(self) -> Status:
        return self._status

    @property
    def readable(self) -> bool:
        return self.flags & O_ACCMODE != O_WRONLY

    @property
    def writable(self) -> bool:
        return bool(self.flags & O_ACCMODE)

    @property
    def read_ready(self) -> bool:
        """Whether a read would return at once."""
        return True

    @property
    def write_ready(self) -> bool:
        """Whether a write would return at once."""
        return True

    @property
    def hung_up(self) -> bool:
        """Whether the other end of a pipe is gone."""
        return False

    @property
    def waiting(self) -> int | None:
        """Bytes that are there to be read, if FIONREAD tells them."""
        return None

    @property
    def takes_all(self) -> bool:
        """Whether a write waits until all bytes are taken."""
        return False

    @property
    def arrivals(self) -> int:
        """How often something has come that a reader or writer could wait for."""
        return 0

    def readable_by(self, _thread: Thread) -> bool:
        """Whether a read by that thread would return at once."""
        return self.read_ready

    def read(self, _size: int, /) -> bytes:
        """At most `size` bytes at the offset; empty at the end."""
        raise SystemCallError(Errno.EINVAL)

    def write(self, _data: bytes, /) -> int:
        """Bytes taken."""
        raise SystemCallError(Errno.EBADF)

    def read_at(self, _size: int, _offset: int, /) -> bytes:
        raise SystemCallError(Errno.ESPIPE)

    def write_at(self, _data: bytes, _offset: int, /) -> int:
        raise SystemCallError(Errno.ESPIPE)

    def seek(self, _offset: int, _whence: int, /) -> int:
        raise SystemCallError(Errno.ESPIPE)

    def truncate(self, _size: int, /) -> None:
        raise SystemCallError(Errno.EINVAL)

    def close(self) -> None:
        """The last descriptor is gone."""

    def unused(self) -> None:
        """Whoever opened it needs it no more; descriptors may refer to it."""
        if not self.references:
            self.close()


class Seekable(Description):
    """A description with an offset over `read_at` and `write_at`."""

    @property
    def waiting(self) -> int:
        return max(0, self.status.size - self.offset)

    def read(self, size: int, /) -> bytes:
        data = self.read_at(size, self.offset)
        self.offset += len(data)
        return data

    def write(self, data: bytes, /) -> int:
        if self.flags & O_APPEND:
            self.offset = self.status.size
        count = self.write_at(data, self.offset)
        self.offset += count
        return count

    def seek(self, offset: int, whence: int, /) -> int:
        size = self.status.size
        if whence in (SEEK_DATA, SEEK_HOLE):
            # All of it is data, as on file systems that know no holes.
            if not 0 <= offset < size:
                raise SystemCallError(Errno.ENXIO)
            self.offset = offset if whence == SEEK_DATA else size
            return self.offset
        base = {SEEK_SET: 0, SEEK_CUR: self.offset, SEEK_END: size}.get(whence)
        if base is None or not 0 <= base + offset <= MAX_FILE_SIZE:
            raise SystemCallError(Errno.EINVAL)
        self.offset = base + offset
        return self.offset


class HostFile(Seekable):
    """A regular file of the host, for reading."""

    def __init__(self, path: str, flags: int, node: HostNode) -> None:
        super().__init__(path, flags, node.status)
        self._descriptor = open_host(node)

    def read_at(self, size: int, offset: int, /) -> bytes:
        try:
            return os.pread(self._descriptor, size, offset)
        except OSError as error:
            raise host_error(error) from error

    def close(self) -> None:
        os.close(self._descriptor)


class MemoryFile(Seekable):
    """A regular file of the memory layer."""

    def __init__(self, path: str, flags: int, node: FileNode, tree: Tree) -> None:
        super().__init__(path, flags, node.status)
        self.node = node
        self._tree = tree
        node.opens += 1

    @property
    def status(self) -> Status:
        return self.node.current()

    def read_at(self, size: int, offset: int, /) -> bytes:
        return self.node.data.read(size, offset)

    def write_at(self, data: bytes, offset: int, /) -> int:
        if self.flags & O_APPEND:
            # Linux appends, whatever the offset.
            offset = self.node.data.size
        if data:
            self.node.data.write(data, offset)
            self.node.written(self._tree.now())
        return len(data)

    def truncate(self, size: int, /) -> None:
        self.node.data.resize(size)
        self.node.written(self._tree.now())

    def close(self) -> None:
        self._tree.closed(self.node)


class TextFile(Seekable):
    """Text made when the file was opened."""

    def __init__(self, path: str, flags: int, status: Status, text: bytes) -> None:
        super().__init__(path, flags, status)
        self._text = text

    def read_at(self, size: int, offset: int, /) -> bytes:
        return self._text[offset : offset + size]


class Directory(Description):
    """A directory; its entries are listed when first asked for."""

    def __init__(self, path: str, flags: int, node: Node, tree: Tree) -> None:
        super().__init__(path, flags, node.status)
        self._tree = tree
        self._records: list[bytes] | None = None

    def read(self, _size: int, /) -> bytes:
        raise SystemCallError(Errno.EISDIR)

    def seek(self, offset: int, whence: int, /) -> int:
        if whence != SEEK_SET or offset < 0:
            raise SystemCallError(Errno.EINVAL)
        self.offset = offset
        if offset == 0:
            self._records = None
        return offset

    def entries(self, size: int) -> bytes:
        """`struct linux_dirent64` records that fit in `size` bytes, from the offset on."""
        if self._records is None:
            self._records = [
                _record(index, name, status_of(node))
                for index, (name, node) in enumerate(self._tree.entries(self.path), 1)
            ]
        taken = bytearray()
        while self.offset < len(self._records):
            record = self._records[self.offset]
            if len(taken) + len(record) > size:
                if not taken:
                    raise SystemCallError(Errno.EINVAL)
                break
            taken += record
            self.offset += 1
        return bytes(taken)


class Device(Description):
    """One of /dev/null, zero, full, random, urandom."""

    def __init__(self, path: str, flags: int, status: Status, name: str, random: Random) -> None:
        super().__init__(path, flags, status)
        self.name = name
        self._random = random

    def read(self, size: int, /) -> bytes:
        if self.name == "null":
            return b""
        return bytes(size) if self.name in ("zero", "full") else self._random.randbytes(size)

    def read_at(self, size: int, _offset: int, /) -> bytes:
        return self.read(size)

    def write(self, data: bytes, /) -> int:
        if self.name == "full":
            raise SystemCallError(Errno.ENOSPC)
        return len(data)

    def seek(self, _offset: int, _whence: int, /) -> int:
        return 0


def _record(index: int, name: str, status: Status) -> bytes:
    encoded = os.fsencode(name)
    length = (19 + len(encoded) + 8) & -8
    kind = (status.mode & S_IFMT) >> 12
    return pack("<QqHB", status.inode, index, length, kind) + encoded.ljust(length - 19, b"\0")


def is_character_device(status: Status) -> bool:
    """Whether a status is that of a device like /dev/null."""
    return status.mode & S_IFMT == S_IFCHR
