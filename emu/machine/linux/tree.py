"""The guest's files: the host's below a root, read-only, under a layer kept in memory.

Paths are resolved here, component by component, so that neither symbolic links nor `..` lead out
of the root. Of the host only regular files, directories and symbolic links are used; /dev and
/proc are the emulator's own and hold a few entries.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

from emu.machine.linux.errno import HOST_ERRNO, Errno, SystemCallError
from emu.machine.linux.status import S_IFCHR, S_IFDIR, S_IFLNK, S_IFREG, Status

if TYPE_CHECKING:
    from emu.machine.linux.kernel import Kernel
    from emu.machine.linux.proc import ProcFiles

MAX_PATH = 4096
MAX_LINKS = 40
MAX_NAME = 255
LAYER_LIMIT = 256 << 20
"""Bytes of file data the memory layer holds at most."""


@dataclass(slots=True)
class HostNode:
    """A file, directory or link of the host."""

    path: str
    status: Status


@dataclass(slots=True)
class FileNode:
    """A regular file in memory."""

    status: Status
    data: bytearray = field(default_factory=bytearray)

    def current(self) -> Status:
        return replace(self.status, size=len(self.data))


@dataclass(slots=True)
class DirectoryNode:
    """A directory in memory; its entries are found by their paths."""

    status: Status


@dataclass(slots=True)
class LinkNode:
    """A symbolic link in memory."""

    status: Status
    target: str


@dataclass(slots=True)
class DeviceNode:
    """One of the emulated devices, by the name it has in /dev."""

    status: Status
    name: str


@dataclass(slots=True)
class TextNode:
    """A file of /proc whose text is made when it is opened."""

    status: Status
    text: Callable[[], bytes]


_PROC_INODES = 1 << 32

Node = HostNode | FileNode | DirectoryNode | LinkNode | DeviceNode | TextNode

_DEVICES = {"null": 0x103, "zero": 0x105, "full": 0x107, "random": 0x108, "urandom": 0x109}


def status_of(node: Node) -> Status:
    """Status of a node with its present size."""
    return node.current() if isinstance(node, FileNode) else node.status


class Tree:
    """All files a guest can name."""

    def __init__(self, root: Path, now: Callable[[], int]) -> None:
        self._root = os.path.realpath(root).rstrip("/")
        self._now = now
        self._inodes = count((1 << 40) + 1)
        self._layer: dict[str, Node | None] = {}
        """Canonical path -> what is there instead of the host's file; None is a removed one."""
        self._own: dict[str, Node] = {}
        self._own_roots = ("/dev", "/proc", "/sys")
        for path in self._own_roots:
            self._own[path] = DirectoryNode(self._new_status(S_IFDIR | 0o555))
        self._own["/dev/fd"] = LinkNode(self._new_status(S_IFLNK | 0o777), "/proc/self/fd")
        self.proc: ProcFiles | None = None
        """What is below /proc."""
        self._asking: Kernel | None = None
        for name, number in _DEVICES.items():
            status = replace(self._new_status(S_IFCHR | 0o666), rdev=number)
            self._own[f"/dev/{name}"] = DeviceNode(status, name)
        for number, name in enumerate(("stdin", "stdout", "stderr")):
            self._own[f"/dev/{name}"] = LinkNode(
                self._new_status(S_IFLNK | 0o777), f"/proc/self/fd/{number}"
            )

    def guest_path(self, path: str) -> str:
        """What the guest calls a file of the host that may lie below the root."""
        absolute = path if path.startswith("/") else posixpath.join("/", posixpath.normpath(path))
        below = absolute.startswith(self._root + "/")
        return absolute.removeprefix(self._root) if below else absolute

    def fork(self) -> Tree:
        """The same files for another process."""
        return copy(self)

    def belongs_to(self, kernel: Kernel) -> None:
        """Whose view this is: /proc/self is that process."""
        self._asking = kernel

    def _in_proc(self, path: str) -> Node | None:
        if self.proc is None or self._asking is None:
            return None
        there, entry = self.proc.find(path, self._asking)
        if not there:
            return None
        inode = _PROC_INODES + crc32(path.encode(errors="surrogateescape"))
        now = self._now()

        def status(mode: int) -> Status:
            return Status(mode, 0, inode, accessed=now, modified=now, changed=now)

        if entry is None:
            return DirectoryNode(status(S_IFDIR | 0o555))
        if isinstance(entry, str):
            return LinkNode(status(S_IFLNK | 0o777), entry)
        return TextNode(status(S_IFREG | 0o444), entry)

    # Paths

    def resolve(self, path: str, base: str, *, follow: bool = True) -> tuple[str, Node | None]:
        """The canonical path and what is there; a missing last component gives None.

        `base` is the canonical directory of a relative path. Raises SystemCallError.
        """
        if not path:
            raise SystemCallError(Errno.ENOENT)
        if len(path) >= MAX_PATH:
            raise SystemCallError(Errno.ENAMETOOLONG)
        must_be_directory = path.endswith(("/", "/.", "/.."))
        pending = [part for part in reversed(path.split("/")) if part and part != "."]
        here = "/" if path.startswith("/") else base
        links = 0
        while pending:
            name = pending.pop()
            if name == "..":
                here = posixpath.dirname(here)
                continue
            if len(os.fsencode(name)) > MAX_NAME:
                raise SystemCallError(Errno.ENAMETOOLONG)
            there = posixpath.join(here, name)
            node = self.node(there)
            if node is None:
                if pending:
                    raise SystemCallError(Errno.ENOENT)
                return there, None
            if node.status.is_link and (pending or follow or must_be_directory):
                links += 1
                if links > MAX_LINKS:
                    raise SystemCallError(Errno.ELOOP)
                target = self.link_target(node)
                pending += [part for part in reversed(target.split("/")) if part and part != "."]
                here = "/" if target.startswith("/") else here
                continue
            if (pending or must_be_directory) and not node.status.is_directory:
                raise SystemCallError(Errno.ENOTDIR)
            here = there
        return here, self.node(here)

    def existing(self, path: str, base: str, *, follow: bool = True) -> tuple[str, Node]:
        """As `resolve`, but ENOENT for a missing file."""
        canonical, node = self.resolve(path, base, follow=follow)
        if node is None:
            raise SystemCallError(Errno.ENOENT)
        return canonical, node

    def node(self, path: str) -> Node | None:
        """What is at a canonical path whose directory exists."""
        if path in self._layer:
            return self._layer[path]
        if path in self._own:
            return self._own[path]
        if path.startswith("/proc/"):
            return self._in_proc(path)
        if path.startswith(tuple(root + "/" for root in self._own_roots)):
            return None
        if isinstance(self._layer.get(posixpath.dirname(path)), DirectoryNode):
            return None
        host = self._root + path
        try:
            found = os.lstat(host)
        except (OSError, ValueError):
            return None
        return HostNode(host, host_status(found))

    def link_target(self, node: Node) -> str:
        """Where a symbolic link points."""
        if isinstance(node, LinkNode):
            return node.target
        if isinstance(node, HostNode) and node.status.is_link:
            try:
                return os.readlink(node.path)  # noqa: PTH115 -- a string, not a path of the host
            except OSError as error:
                raise host_error(error) from error
        raise SystemCallError(Errno.EINVAL)

    def entries(self, path: str) -> list[tuple[str, Node]]:
        """Name and node of everything in a directory, `.` and `..` included, by name."""
        names: set[str] = set()
        node = self.node(path)
        if isinstance(node, HostNode):
            try:
                names.update(os.listdir(node.path))  # noqa: PTH208 -- names alone are wanted
            except OSError as error:
                raise host_error(error) from error
        if (path + "/").startswith("/proc/") and self.proc is not None:
            names.update(self.proc.names(path))
        for other in (*self._layer, *self._own):
            if other != "/" and posixpath.dirname(other) == path:
                names.add(posixpath.basename(other))
        found = [(".", node), ("..", self.node(posixpath.dirname(path)))]
        found += [(name, self.node(posixpath.join(path, name))) for name in sorted(names)]
        return [(name, entry) for name, entry in found if entry is not None]

    # Changes, all in memory

    def create_file(self, path: str, permissions: int) -> FileNode:
        """A new empty file; its directory must exist."""
        self._require_writable_place(path)
        node = FileNode(self._new_status(S_IFREG | permissions & 0o7777))
        self._layer[path] = node
        return node

    def unnamed_file(self) -> FileNode:
        """A new file that no name leads to."""
        return FileNode(self._new_status(S_IFREG | 0o777))

    def create_directory(self, path: str, permissions: int) -> None:
        """mkdir."""
        self._require_writable_place(path)
        self._layer[path] = DirectoryNode(self._new_status(S_IFDIR | permissions & 0o7777))

    def create_link(self, path: str, target: str) -> None:
        """symlink."""
        self._require_writable_place(path)
        self._layer[path] = LinkNode(self._new_status(S_IFLNK | 0o777), target)

    def writable(self, path: str, node: Node) -> FileNode:
        """The file in memory behind `path`, copied there from the host if need be."""
        if isinstance(node, FileNode):
            return node
        self._require_writable_place(path)
        if not isinstance(node, HostNode) or not node.status.is_regular:
            raise SystemCallError(Errno.EACCES)
        self.reserve(node.status.size)
        descriptor = open_host(node)
        with os.fdopen(descriptor, "rb") as file:
            data = bytearray(file.read(node.status.size))
        copy = FileNode(replace(node.status, inode=self._next_inode()), data)
        self._layer[path] = copy
        return copy

    def remove(self, path: str) -> None:
        """Take a name away; open descriptors keep their file."""
        self._require_writable_place(path)
        self._layer[path] = None

    def rename(self, source: str, target: str, node: Node) -> None:
        """Move a file or link; a directory of the host stays where it is."""
        if node.status.is_directory:
            raise SystemCallError(Errno.EXDEV)
        self._require_writable_place(source)
        self._require_writable_place(target)
        if isinstance(node, HostNode):
            node = (
                LinkNode(node.status, self.link_target(node))
                if node.status.is_link
                else self.writable(source, node)
            )
        self._layer[source] = None
        self._layer[target] = node

    def link(self, path: str, node: Node, source: str) -> None:
        """A second name for a file."""
        self._require_writable_place(path)
        self._layer[path] = node if not isinstance(node, HostNode) else self.writable(source, node)

    def change(self, path: str, node: Node, status: Status) -> None:
        """Replace the status of a file or directory in memory."""
        if isinstance(node, HostNode):
            if node.status.is_regular:
                node = self.writable(path, node)
            else:
                raise SystemCallError(Errno.EPERM)
        node.status = status

    def reserve(self, size: int) -> None:
        """ENOSPC if `size` more bytes do not fit in the memory layer."""
        held = sum(len(n.data) for n in self._layer.values() if isinstance(n, FileNode))
        if held + size > LAYER_LIMIT:
            raise SystemCallError(Errno.ENOSPC)

    def _require_writable_place(self, path: str) -> None:
        if path == "/" or path.startswith(tuple(root + "/" for root in self._own_roots)):
            raise SystemCallError(Errno.EACCES)

    def _next_inode(self) -> int:
        return next(self._inodes)

    def _new_status(self, mode: int) -> Status:
        now = self._now()
        return Status(mode, 0, self._next_inode(), accessed=now, modified=now, changed=now)


def host_status(found: os.stat_result) -> Status:
    """A status of the host as the guest sees it."""
    return Status(
        found.st_mode, found.st_size, found.st_ino, found.st_dev & 0xFFFF, found.st_nlink,
        found.st_uid, found.st_gid, found.st_rdev & 0xFFFF,
        found.st_atime_ns, found.st_mtime_ns, found.st_ctime_ns, found.st_blocks,
    )  # fmt: skip


def open_host(node: HostNode) -> int:
    """A host descriptor for reading a regular file, opened so that nothing can block."""
    try:
        descriptor = os.open(
            node.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
        )
    except OSError as error:
        raise host_error(error) from error
    found = os.fstat(descriptor)
    if (found.st_ino, found.st_mode) != (node.status.inode, node.status.mode):
        # The file was replaced between the look and the open.
        os.close(descriptor)
        raise SystemCallError(Errno.ENOENT)
    return descriptor


def host_error(error: OSError) -> SystemCallError:
    """The guest's view of an error of the host."""
    import errno

    name = errno.errorcode.get(error.errno or 0, "EIO")
    return SystemCallError(HOST_ERRNO.get(name, Errno.EIO))
