"""Size, mode, owner and times of files; every change stays in the memory layer."""

from __future__ import annotations

from dataclasses import replace
from struct import unpack

from emu.machine.linux.descriptions import Description, MemoryFile
from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.files import (
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_SYMLINK_NOFOLLOW,
    look,
    open_description,
)
from emu.machine.linux.fixed_facts import UID
from emu.machine.linux.kernel import Handler, Kernel, signed_int
from emu.machine.linux.nodes import status_of
from emu.machine.linux.status import Status

FALLOC_KEEP_SIZE = 1
MAX_SIZE = 1 << 40
_NOW, _OMIT = (1 << 30) - 1, (1 << 30) - 2
_SECOND = 1_000_000_000


def truncate(kernel: Kernel, address: int, size: int) -> int:
    description = open_description(kernel, kernel.path(address), 1, 0, kernel.directory)
    try:
        if size >= MAX_SIZE:
            raise SystemCallError(Errno.EINVAL)
        description.truncate(size)
    finally:
        description.unused()
    return 0


def fallocate(kernel: Kernel, fd: int, mode: int, start: int, length: int) -> int:
    """Room is not set aside, only the size of the file follows."""
    description = kernel.descriptors[signed_int(fd)]
    if not description.writable:
        raise SystemCallError(Errno.EBADF)
    if mode & ~FALLOC_KEEP_SIZE or not isinstance(description, MemoryFile):
        raise SystemCallError(Errno.EOPNOTSUPP)
    if not length or max(start, length, start + length) >= MAX_SIZE:
        raise SystemCallError(Errno.EINVAL)
    if not mode and start + length > description.status.size:
        description.truncate(start + length)
    return 0


def fchmodat(kernel: Kernel, directory: int, address: int, mode: int) -> int:
    path, node = look(kernel, directory, address, follow=True)
    kernel.tree.change(path, node, _with_mode(status_of(node), mode))
    return 0


def _with_mode(status: Status, mode: int) -> Status:
    return replace(status, mode=status.mode & ~0o7777 | mode & 0o7777)


def chmod(kernel: Kernel, address: int, mode: int) -> int:
    return fchmodat(kernel, AT_FDCWD, address, mode)


def fchmod(kernel: Kernel, fd: int, mode: int) -> int:
    description = kernel.descriptors[signed_int(fd)]
    _change(kernel, description, _with_mode(description.status, mode))
    return 0


def _change(kernel: Kernel, description: Description, status: Status) -> None:
    """Give an open file another status."""
    if isinstance(description, MemoryFile):
        description.node.status = replace(status, changed=kernel.clock.now())
        return
    node = kernel.tree.node(description.path) if description.path.startswith("/") else None
    if node is None or node.status.inode != status.inode:
        raise SystemCallError(Errno.EPERM)
    kernel.tree.change(description.path, node, status)


def utimensat(kernel: Kernel, directory: int, address: int, times: int, flags: int) -> int:
    now = kernel.clock.now()
    pair: list[int | None] = [now, now]
    if times:
        fields = unpack("<4q", kernel.memory.read(times, 32))
        for index in range(2):
            seconds, nanoseconds = fields[2 * index : 2 * index + 2]
            if nanoseconds == _OMIT:
                pair[index] = None
            elif nanoseconds != _NOW:
                if not 0 <= nanoseconds < _SECOND:
                    raise SystemCallError(Errno.EINVAL)
                pair[index] = seconds * 1_000_000_000 + nanoseconds
    if not address:
        description = kernel.descriptors[signed_int(directory)]
        _change(kernel, description, _touched(description.status, pair))
        return 0
    path, node = look(kernel, directory, address, follow=not flags & AT_SYMLINK_NOFOLLOW)
    kernel.tree.change(path, node, _touched(status_of(node), pair))
    return 0


def futimesat(kernel: Kernel, directory: int, address: int, times: int) -> int:
    now = kernel.clock.now()
    pair: list[int | None] = [now, now]
    if times:
        fields = unpack("<4q", kernel.memory.read(times, 32))
        if any(not 0 <= part < 1_000_000 for part in fields[1::2]):
            raise SystemCallError(Errno.EINVAL)
        pair = [fields[at] * _SECOND + fields[at + 1] * 1000 for at in (0, 2)]
    path, node = look(kernel, directory, address, follow=True)
    kernel.tree.change(path, node, _touched(status_of(node), pair))
    return 0


def utimes(kernel: Kernel, address: int, times: int) -> int:
    return futimesat(kernel, AT_FDCWD, address, times)


def utime(kernel: Kernel, address: int, times: int) -> int:
    now = kernel.clock.now()
    pair: list[int | None] = [now, now]
    if times:
        pair = [second * _SECOND for second in unpack("<2q", kernel.memory.read(times, 16))]
    path, node = look(kernel, AT_FDCWD, address, follow=True)
    kernel.tree.change(path, node, _touched(status_of(node), pair))
    return 0


def _touched(status: Status, times: list[int | None]) -> Status:
    accessed, modified = times
    return replace(
        status,
        accessed=status.accessed if accessed is None else accessed,
        modified=status.modified if modified is None else modified,
    )


def fchownat(
    kernel: Kernel, directory: int, address: int, user: int, group: int, flags: int
) -> int:
    if flags & AT_EMPTY_PATH and not kernel.memory.read(address, 1)[0]:
        return fchown(kernel, directory, user, group)
    _, node = look(kernel, directory, address, follow=not flags & AT_SYMLINK_NOFOLLOW)
    return _chown(node.status, user, group)


def _chown(status: Status, user: int, group: int) -> int:
    """To the owner there is, or to the guest, who has no privilege to give files away."""
    if signed_int(user) not in (-1, UID, status.uid) or signed_int(group) not in (
        -1, UID, status.gid,
    ):  # fmt: skip
        raise SystemCallError(Errno.EPERM)
    return 0


def fchown(kernel: Kernel, fd: int, user: int, group: int) -> int:
    return _chown(kernel.descriptors[signed_int(fd)].status, user, group)


def chown(kernel: Kernel, address: int, user: int, group: int) -> int:
    return fchownat(kernel, AT_FDCWD, address, user, group, 0)


def lchown(kernel: Kernel, address: int, user: int, group: int) -> int:
    return fchownat(kernel, AT_FDCWD, address, user, group, AT_SYMLINK_NOFOLLOW)


CALLS: dict[int, Handler] = {
    76: truncate,
    90: chmod,
    91: fchmod,
    92: chown,
    93: fchown,
    94: lchown,
    132: utime,
    235: utimes,
    260: fchownat,
    261: futimesat,
    268: fchmodat,
    280: utimensat,
    285: fallocate,
    452: fchmodat,
}
