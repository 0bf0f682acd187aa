"""Making, moving and removing names of files; every change stays in the memory layer."""

from __future__ import annotations

import posixpath

from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.files import (
    AT_FDCWD,
    place,
)
from emu.machine.linux.kernel import Handler, Kernel
from emu.machine.linux.nodes import Node

AT_REMOVEDIR = 0x200
RENAME_NOREPLACE, RENAME_EXCHANGE = 1, 2


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


def umask(kernel: Kernel, mask: int) -> int:
    old, kernel.umask = kernel.umask, mask & 0o777
    return old


CALLS: dict[int, Handler] = {
    82: rename,
    83: mkdir,
    84: rmdir,
    86: link,
    87: unlink,
    88: symlink,
    95: umask,
    258: mkdirat,
    263: unlinkat,
    264: renameat,
    265: linkat,
    266: symlinkat,
    316: renameat2,
}
