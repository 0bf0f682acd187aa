"""Making, removing and changing files; every change stays in the memory layer."""

from __future__ import annotations

from dataclasses import replace
from struct import unpack

from emu.machine.linux.descriptions import MemoryFile
from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.files import (
    AT_FDCWD,
    AT_SYMLINK_NOFOLLOW,
    look,
    open_description,
    place,
)
from emu.machine.linux.kernel import Handler, Kernel, signed_int
from emu.machine.linux.status import Status
from emu.machine.linux.tree import status_of

AT_REMOVEDIR = 0x200
RENAME_NOREPLACE = 1
_NOW, _OMIT = (1 << 30) - 1, (1 << 30) - 2
_SECOND = 1_000_000_000


def mkdirat(kernel: Kernel, directory: int, address: int, mode: int) -> int:
    path, node = place(kernel, directory, address)
    if node is not None:
        raise SystemCallError(Errno.EEXIST)
    kernel.tree.create_directory(path, mode & ~kernel.umask)
    return 0


def mkdir(kernel: Kernel, address: int, mode: int) -> int:
    return mkdirat(kernel, AT_FDCWD, address, mode)


def unlinkat(kernel: Kernel, directory: int, address: int, flags: int) -> int:
    path, node = place(kernel, directory, address)
    if node is None:
        raise SystemCallError(Errno.ENOENT)
    if flags & AT_REMOVEDIR:
        if not node.status.is_directory:
            raise SystemCallError(Errno.ENOTDIR)
        if len(kernel.tree.entries(path)) > 2:
            raise SystemCallError(Errno.ENOTEMPTY)
    elif node.status.is_directory:
        raise SystemCallError(Errno.EISDIR)
    kernel.tree.remove(path)
    return 0


def unlink(kernel: Kernel, address: int) -> int:
    return unlinkat(kernel, AT_FDCWD, address, 0)


def rmdir(kernel: Kernel, address: int) -> int:
    return unlinkat(kernel, AT_FDCWD, address, AT_REMOVEDIR)


def renameat2(kernel: Kernel, old_fd: int, old: int, new_fd: int, new: int, flags: int) -> int:
    source, node = place(kernel, old_fd, old)
    target, there = place(kernel, new_fd, new)
    if node is None:
        raise SystemCallError(Errno.ENOENT)
    if flags & ~RENAME_NOREPLACE:
        raise SystemCallError(Errno.EINVAL)
    if there is not None:
        if flags & RENAME_NOREPLACE:
            raise SystemCallError(Errno.EEXIST)
        if there.status.is_directory:
            raise SystemCallError(Errno.EISDIR)
    if source != target:
        kernel.tree.rename(source, target, node)
    return 0


def renameat(kernel: Kernel, old_fd: int, old: int, new_fd: int, new: int) -> int:
    return renameat2(kernel, old_fd, old, new_fd, new, 0)


def rename(kernel: Kernel, old: int, new: int) -> int:
    return renameat2(kernel, AT_FDCWD, old, AT_FDCWD, new, 0)


def linkat(kernel: Kernel, old_fd: int, old: int, new_fd: int, new: int) -> int:
    source, node = place(kernel, old_fd, old)
    target, there = place(kernel, new_fd, new)
    if node is None:
        raise SystemCallError(Errno.ENOENT)
    if there is not None:
        raise SystemCallError(Errno.EEXIST)
    if node.status.is_directory:
        raise SystemCallError(Errno.EPERM)
    kernel.tree.link(target, node, source)
    return 0


def link(kernel: Kernel, old: int, new: int) -> int:
    return linkat(kernel, AT_FDCWD, old, AT_FDCWD, new)


def symlinkat(kernel: Kernel, target: int, directory: int, address: int) -> int:
    text = kernel.path(target)
    path, node = place(kernel, directory, address)
    if node is not None:
        raise SystemCallError(Errno.EEXIST)
    kernel.tree.create_link(path, text)
    return 0


def symlink(kernel: Kernel, target: int, address: int) -> int:
    return symlinkat(kernel, target, AT_FDCWD, address)


def truncate(kernel: Kernel, address: int, size: int) -> int:
    path = kernel.path(address)
    description = open_description(kernel, path, 1, 0, kernel.directory)
    if size >> 40:
        raise SystemCallError(Errno.EINVAL)
    description.truncate(size)
    return 0


def fchmodat(kernel: Kernel, directory: int, address: int, mode: int) -> int:
    path, node = look(kernel, directory, address, follow=True)
    status = status_of(node)
    kernel.tree.change(path, node, replace(status, mode=status.mode & ~0o7777 | mode & 0o7777))
    return 0


def chmod(kernel: Kernel, address: int, mode: int) -> int:
    return fchmodat(kernel, AT_FDCWD, address, mode)


def fchmod(kernel: Kernel, fd: int, mode: int) -> int:
    description = kernel.descriptors[signed_int(fd)]
    if isinstance(description, MemoryFile):
        status = description.node.status
        description.node.status = replace(status, mode=status.mode & ~0o7777 | mode & 0o7777)
        return 0
    raise SystemCallError(Errno.EPERM)


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
        if not isinstance(description, MemoryFile):
            raise SystemCallError(Errno.EPERM)
        description.node.status = _touched(description.node.status, pair)
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


def umask(kernel: Kernel, mask: int) -> int:
    old, kernel.umask = kernel.umask, mask & 0o777
    return old


def fchownat(kernel: Kernel, directory: int, address: int) -> int:
    look(kernel, directory, address, follow=False)
    return 0


def chown(kernel: Kernel, address: int) -> int:
    return fchownat(kernel, AT_FDCWD, address)


CALLS: dict[int, Handler] = {
    76: truncate,
    82: rename,
    83: mkdir,
    84: rmdir,
    86: link,
    87: unlink,
    88: symlink,
    90: chmod,
    91: fchmod,
    92: chown,
    94: chown,
    95: umask,
    132: utime,
    235: utimes,
    258: mkdirat,
    260: fchownat,
    261: futimesat,
    263: unlinkat,
    264: renameat,
    265: linkat,
    266: symlinkat,
    268: fchmodat,
    280: utimensat,
    316: renameat2,
    452: fchmodat,
}
