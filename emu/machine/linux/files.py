"""Opening, closing and looking at files by name."""

from __future__ import annotations

import os
import re
from struct import pack, unpack

from emu.machine.linux.descriptions import (
    O_ACCMODE,
    Description,
    Device,
    Directory,
    HostFile,
    MemoryFile,
    TextFile,
)
from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.file_data import LAYER_LIMIT, MAX_FILES
from emu.machine.linux.kernel import Handler, Kernel, signed_int
from emu.machine.linux.nodes import DeviceNode, FileNode, HostNode, Node, TextNode, status_of
from emu.machine.linux.paths import MAX_NAME
from emu.machine.linux.status import Status
from emu.machine.mapping import PAGE

AT_FDCWD = -100
AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH = 0x100, 0x1000
O_CREAT, O_EXCL, O_TRUNC, O_DIRECTORY, O_NOFOLLOW = 0o100, 0o200, 0o1000, 0o200000, 0o400000
O_CLOEXEC, O_PATH = 0o2000000, 0o10000000
O_TMPFILE = 0o20000000
O_RDWR = 2
RESOLVE_NO_MAGICLINKS = 2
MFD_CLOEXEC, MFD_ALLOW_SEALING = 1, 2
_OVERLAY = 0x794C7630


def _base(kernel: Kernel, directory: int) -> str:
    """Canonical path that relative paths of an *at call start from."""
    number = signed_int(directory)
    if number == AT_FDCWD:
        return kernel.directory
    description = kernel.descriptors[number]
    if not description.status.is_directory:
        raise SystemCallError(Errno.ENOTDIR)
    return description.path


def look(kernel: Kernel, directory: int, address: int, *, follow: bool) -> tuple[str, Node]:
    """The canonical path and the existing file named by an *at call's first two arguments."""
    path = kernel.path(address)
    base = "/" if path.startswith("/") else _base(kernel, directory)
    return kernel.tree.existing(path, base, follow=follow)


def place(kernel: Kernel, directory: int, address: int) -> tuple[str, Node | None]:
    """Likewise, for a name to be made or removed; links are not followed."""
    path = kernel.path(address)
    base = "/" if path.startswith("/") else _base(kernel, directory)
    return kernel.tree.resolve(path.rstrip("/") or path, base, follow=False)


# Opening

_STREAMS = ("/dev/stdin", "/dev/stdout", "/dev/stderr")
_DESCRIPTOR = re.compile(r"(?:/dev|/proc/(?:(?:thread-)?self|(\d+))(?:/task/\d+)?)/fd/(\d+)")


def own_descriptor(kernel: Kernel, path: str) -> int | None:
    """The number of the process' own descriptor that a path names, in the usual spellings."""
    if path in _STREAMS:
        return _STREAMS.index(path)
    found = _DESCRIPTOR.fullmatch(path)
    if found is None or found[1] not in (None, str(kernel.pid)):
        return None
    return int(found[2])


def open_description(  # noqa: PLR0912 -- one branch per flag and kind of file
    kernel: Kernel, path: str, flags: int, mode: int, base: str = "/"
) -> Description:
    """Open by path; raises SystemCallError."""
    tree = kernel.tree
    own = own_descriptor(kernel, path)
    if own is not None:
        return kernel.descriptors[own]
    follow = not flags & O_NOFOLLOW and flags & (O_CREAT | O_EXCL) != O_CREAT | O_EXCL
    canonical, node = tree.resolve(path, base, follow=follow)
    writes = bool(flags & O_ACCMODE) and not flags & O_PATH
    if node is None:
        if not flags & O_CREAT:
            raise SystemCallError(Errno.ENOENT)
        if path.endswith("/"):
            raise SystemCallError(Errno.EISDIR)
        node = tree.create_file(canonical, mode & ~kernel.umask)
    elif flags & O_CREAT and flags & O_EXCL:
        raise SystemCallError(Errno.EEXIST)
    status = status_of(node)
    if status.is_link and not flags & O_PATH:
        raise SystemCallError(Errno.ELOOP)
    if flags & O_DIRECTORY and not status.is_directory:
        raise SystemCallError(Errno.ENOTDIR)
    if flags & O_PATH:
        return Description(canonical, flags, status)
    if status.is_directory:
        if writes or flags & O_CREAT:
            raise SystemCallError(Errno.EISDIR)
        return Directory(canonical, flags, node, tree)
    if writes and isinstance(node, HostNode):
        node = tree.writable(canonical, node)
    if isinstance(node, FileNode):
        file = MemoryFile(canonical, flags, node, tree)
        if flags & O_TRUNC and writes:
            file.truncate(0)
        return file
    if isinstance(node, DeviceNode):
        return Device(canonical, flags, status, node.name, kernel.random)
    if isinstance(node, TextNode):
        if writes:
            raise SystemCallError(Errno.EACCES)
        return TextFile(canonical, flags, status, node.text())
    if isinstance(node, HostNode) and status.is_regular:
        return HostFile(canonical, flags, node)
    # Devices, FIFOs and sockets of the host stay closed to guests.
    raise SystemCallError(Errno.EACCES)


def openat(kernel: Kernel, directory: int, address: int, flags: int, mode: int) -> int:
    path = kernel.path(address)
    if flags & O_TMPFILE:
        raise SystemCallError(Errno.EOPNOTSUPP)
    base = "/" if path.startswith("/") else _base(kernel, directory)
    if not path:
        raise SystemCallError(Errno.ENOENT)
    description = open_description(kernel, path, flags, mode, base)
    return kernel.descriptors.add(description, close_on_exec=bool(flags & O_CLOEXEC))


def open_(kernel: Kernel, address: int, flags: int, mode: int) -> int:
    return openat(kernel, AT_FDCWD, address, flags, mode)


def creat(kernel: Kernel, address: int, mode: int) -> int:
    return openat(kernel, AT_FDCWD, address, O_CREAT | O_TRUNC | 1, mode)


def openat2(kernel: Kernel, directory: int, address: int, how: int, size: int) -> int:
    if size < 24:
        raise SystemCallError(Errno.EINVAL)
    flags, mode, resolve = unpack("<3Q", kernel.memory.read(how, 24))
    if resolve & ~RESOLVE_NO_MAGICLINKS:
        # What it asks for cannot be promised.
        raise SystemCallError(Errno.EINVAL)
    return openat(kernel, directory, address, flags, mode)


def memfd_create(kernel: Kernel, address: int, flags: int) -> int:
    if flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING):
        raise SystemCallError(Errno.EINVAL)
    name = f"/memfd:{kernel.path(address)} (deleted)"
    file = MemoryFile(name, O_RDWR, kernel.tree.unnamed_file(), kernel.tree)
    return kernel.descriptors.add(file, close_on_exec=bool(flags & MFD_CLOEXEC))


# Status


def newfstatat(kernel: Kernel, directory: int, address: int, buffer: int, flags: int) -> int:
    kernel.memory.write(buffer, _status(kernel, directory, address, flags).pack())
    return 0


def _status(kernel: Kernel, directory: int, address: int, flags: int) -> Status:
    if flags & AT_EMPTY_PATH and not kernel.memory.read(address, 1)[0]:
        if signed_int(directory) == AT_FDCWD:
            return status_of(kernel.tree.existing(kernel.directory, "/")[1])
        return kernel.descriptors[signed_int(directory)].status
    _, node = look(kernel, directory, address, follow=not flags & AT_SYMLINK_NOFOLLOW)
    return status_of(node)


def fstat(kernel: Kernel, fd: int, buffer: int) -> int:
    kernel.memory.write(buffer, kernel.descriptors[signed_int(fd)].status.pack())
    return 0


def stat(kernel: Kernel, address: int, buffer: int) -> int:
    return newfstatat(kernel, AT_FDCWD, address, buffer, 0)


def lstat(kernel: Kernel, address: int, buffer: int) -> int:
    return newfstatat(kernel, AT_FDCWD, address, buffer, AT_SYMLINK_NOFOLLOW)


def statx(kernel: Kernel, directory: int, address: int, flags: int, _mask: int, out: int) -> int:
    kernel.memory.write(out, _status(kernel, directory, address, flags).pack_statx())
    return 0


def faccessat(kernel: Kernel, directory: int, address: int, mode: int) -> int:
    _, node = look(kernel, directory, address, follow=True)
    permissions = status_of(node).mode & 0o777
    if mode & ~7:
        raise SystemCallError(Errno.EINVAL)
    if mode & 1 and not permissions & 0o111 and not node.status.is_directory:
        raise SystemCallError(Errno.EACCES)
    return 0


def access(kernel: Kernel, address: int, mode: int) -> int:
    return faccessat(kernel, AT_FDCWD, address, mode)


def faccessat2(kernel: Kernel, directory: int, address: int, mode: int, _flags: int) -> int:
    return faccessat(kernel, directory, address, mode)


def readlinkat(kernel: Kernel, directory: int, address: int, buffer: int, size: int) -> int:
    if signed_int(size) <= 0:
        raise SystemCallError(Errno.EINVAL)
    _, node = look(kernel, directory, address, follow=False)
    target = kernel.tree.link_target(node)
    data = os.fsencode(target)[: signed_int(size)]
    kernel.memory.write(buffer, data)
    return len(data)


def readlink(kernel: Kernel, address: int, buffer: int, size: int) -> int:
    return readlinkat(kernel, AT_FDCWD, address, buffer, size)


def statfs(kernel: Kernel, address: int, buffer: int) -> int:
    look(kernel, AT_FDCWD, address, follow=True)
    return _write_statfs(kernel, buffer)


def fstatfs(kernel: Kernel, fd: int, buffer: int) -> int:
    _ = kernel.descriptors[signed_int(fd)]
    return _write_statfs(kernel, buffer)


def _write_statfs(kernel: Kernel, buffer: int) -> int:
    # An overlay file system as large as the layer may become; 120 bytes.
    room = kernel.tree.room
    blocks, free = LAYER_LIMIT // PAGE, room.left // PAGE
    files = MAX_FILES - room.files
    kernel.memory.write(
        buffer,
        pack("<qqqqqqqqqqq32x", _OVERLAY, PAGE, blocks, free, free, MAX_FILES, files, 0, MAX_NAME,
             PAGE, 0),
    )  # fmt: skip
    return 0


def getdents64(kernel: Kernel, fd: int, buffer: int, size: int) -> int:
    description = kernel.descriptors[signed_int(fd)]
    if not isinstance(description, Directory):
        raise SystemCallError(Errno.ENOTDIR)
    at = description.offset
    data = description.entries(min(size & 0xFFFF_FFFF, 1 << 20))
    try:
        kernel.memory.write(buffer, data)
    except Exception:
        description.offset = at
        raise
    return len(data)


# Working directory


def getcwd(kernel: Kernel, buffer: int, size: int) -> int:
    data = os.fsencode(kernel.directory) + b"\0"
    if len(data) > size:
        raise SystemCallError(Errno.ERANGE)
    kernel.memory.write(buffer, data)
    return len(data)


def chdir(kernel: Kernel, address: int) -> int:
    path, node = look(kernel, AT_FDCWD, address, follow=True)
    if not node.status.is_directory:
        raise SystemCallError(Errno.ENOTDIR)
    kernel.directory = path
    return 0


def fchdir(kernel: Kernel, fd: int) -> int:
    description = kernel.descriptors[signed_int(fd)]
    if not description.status.is_directory:
        raise SystemCallError(Errno.ENOTDIR)
    kernel.directory = description.path
    return 0


CALLS: dict[int, Handler] = {
    2: open_,
    4: stat,
    5: fstat,
    6: lstat,
    21: access,
    79: getcwd,
    80: chdir,
    81: fchdir,
    85: creat,
    89: readlink,
    137: statfs,
    138: fstatfs,
    217: getdents64,
    257: openat,
    262: newfstatat,
    267: readlinkat,
    269: faccessat,
    319: memfd_create,
    332: statx,
    437: openat2,
    439: faccessat2,
}
