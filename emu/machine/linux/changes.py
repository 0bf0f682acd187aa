"""Making, removing and changing files; every change stays in the memory layer."""

from __future__ import annotations

import posixpath
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
    place,
)
from emu.machine.linux.fixed_facts import UID
from emu.machine.linux.kernel import Handler, Kernel, signed_int
from emu.machine.linux.nodes import Node, status_of
from emu.machine.linux.status import Status

AT_REMOVEDIR = 0x200
RENAME_NOREPLACE, RENAME_EXCHANGE = 1, 2
FALLOC_KEEP_SIZE = 1
MAX_SIZE = 1 << 40
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
    last = posixpath.basename(kernel.path(address).rstrip("/"))
    if flags & AT_REMOVEDIR and last in (".", ".."):
        raise SystemCallError(Errno.EINVAL if last == "." else Errno.ENOTEMPTY)
    path, node = place(kernel, directory, address)
    if node is None:
        raise SystemCallError(Errno.ENOENT)
    if flags & AT_REMOVEDIR:
        if not node.status.is_directory:
            raise SystemCallError(Errno.ENOTDIR)
        _require_empty(kernel, path)
    elif node.status.is_directory:
        raise SystemCallError(Errno.EISDIR)
    kernel.tree.remove(path)
    return 0


def _require_empty(kernel: Kernel, directory: str) -> None:
    if len(kernel.tree.entries(directory)) > len((".", "..")):
        raise SystemCallError(Errno.ENOTEMPTY)


def unlink(kernel: Kernel, address: int) -> int:
    return unlinkat(kernel, AT_FDCWD, address, 0)


def rmdir(kernel: Kernel, address: int) -> int:
    return unlinkat(kernel, AT_FDCWD, address, AT_REMOVEDIR)


def renameat2(kernel: Kernel, old_fd: int, old: int, new_fd: int, new: int, flags: int) -> int:
    if flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE):
        raise SystemCallError(Errno.EINVAL)
    for address in (old, new):
        if posixpath.basename(kernel.path(address).rstrip("/")) in (".", ".."):
            raise SystemCallError(Errno.EBUSY)
    source, node = place(kernel, old_fd, old)
    target, there = place(kernel, new_fd, new)
    if node is None or (flags & RENAME_EXCHANGE and there is None):
        raise SystemCallError(Errno.ENOENT)
    if there is not None and flags & RENAME_NOREPLACE:
        raise SystemCallError(Errno.EEXIST)
    if node.status.is_directory and target.startswith(f"{source}/"):
        raise SystemCallError(Errno.EINVAL)
    if there is not None and flags & RENAME_EXCHANGE:
        if node.status.is_directory or there.status.is_directory:
            raise SystemCallError(Errno.EINVAL)
        kernel.tree.exchange(source, target)
        return 0
    if source == target:
        return 0
    if there is not None:
        _require_replaceable(kernel, node, target, there)
    kernel.tree.rename(source, target, node)
    return 0


def _require_replaceable(kernel: Kernel, node: Node, target: str, there: Node) -> None:
    """Whether `node` may take the place of what is at `target`."""
    if not node.status.is_directory:
        if there.status.is_directory:
            raise SystemCallError(Errno.EISDIR)
    elif there.status.is_directory:
        _require_empty(kernel, target)
    else:
        raise SystemCallError(Errno.ENOTDIR)


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


def umask(kernel: Kernel, mask: int) -> int:
    old, kernel.umask = kernel.umask, mask & 0o777
    return old


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
    82: rename,
    83: mkdir,
    84: rmdir,
    86: link,
    87: unlink,
    88: symlink,
    90: chmod,
    91: fchmod,
    92: chown,
    93: fchown,
    94: lchown,
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
    285: fallocate,
    316: renameat2,
    452: fchmodat,
}
