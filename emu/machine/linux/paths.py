"""Where paths lead: the host's files below a root, under a layer in memory.

Paths are resolved here, component by component, so that neither symbolic links nor `..` lead out
of the root. Of the host only regular files, directories and symbolic links are used; /dev and
/proc are the emulator's own and hold a few entries.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Protocol, Self
from zlib import crc32

from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.host_files import host_link, host_names, look_at
from emu.machine.linux.layer import Layer
from emu.machine.linux.nodes import (
    DeviceNode,
    DirectoryNode,
    HostNode,
    LinkNode,
    Node,
    TextNode,
)
from emu.machine.linux.status import S_IFCHR, S_IFDIR, S_IFLNK, S_IFREG, Status

MAX_PATH = 4096
MAX_LINKS = 40
MAX_NAME = 255
OWN = ("/dev", "/proc", "/sys")
SHARED_MEMORY = "/dev/shm"  # noqa: S108 -- of the guest, in the layer
_PROC_INODES = 1 << 32
_DEVICES = {"null": 0x103, "zero": 0x105, "full": 0x107, "random": 0x108, "urandom": 0x109}

Entry = Callable[[], bytes] | str | None
"""What is below /proc: a file by its text, a symbolic link by its target, or a directory."""


class ProcView(Protocol):
    """What one process finds below /proc."""

    def find(self, path: str) -> tuple[bool, Entry]:
        """Whether there is something at a canonical path, and what."""

    def names(self, path: str) -> list[str]:
        """The entries of a directory."""


class Paths:
    """All files a guest can name."""

    def __init__(self, root: Path, now: Callable[[], int]) -> None:
        self._root = os.path.realpath(root).rstrip("/")
        self.now = now
        """Nanoseconds since 1970."""
        top = look_at(self._root + "/")
        self._device = top.status.device if top is not None else 0x10
        self._inodes = count((1 << 40) + 1)
        self.layer = Layer()
        self.proc: ProcView | None = None
        """What the process finds below /proc."""
        self._own = self._own_nodes()

    def _own_nodes(self) -> dict[str, Node]:
        """What is in /dev, and the directories."""
        links = {"fd": "/proc/self/fd"}
        links |= {
            name: f"/proc/self/fd/{n}" for n, name in enumerate(("stdin", "stdout", "stderr"))
        }
        own: dict[str, Node] = {
            path: DirectoryNode(self.new_status(S_IFDIR | 0o555)) for path in OWN
        }
        own[SHARED_MEMORY] = DirectoryNode(self.new_status(S_IFDIR | 0o1777))
        for name, target in links.items():
            status = replace(self.new_status(S_IFLNK | 0o777), size=len(target))
            own[f"/dev/{name}"] = LinkNode(status, target)
        for name, number in _DEVICES.items():
            status = replace(self.new_status(S_IFCHR | 0o666), rdev=number)
            own[f"/dev/{name}"] = DeviceNode(status, name)
        return own

    def guest_path(self, path: str) -> str:
        """What the guest calls a file of the host that may lie below the root."""
        absolute = path if path.startswith("/") else posixpath.join("/", posixpath.normpath(path))
        below = absolute.startswith(self._root + "/")
        return absolute.removeprefix(self._root) if below else absolute

    def fork(self) -> Self:
        """The same files for another process, who has yet to be given its own `proc`."""
        return copy(self)

    def new_status(self, mode: int, owner: int = 0) -> Status:
        """The status of a file that is made now."""
        now = self.now()
        return Status(
            mode, 0, next(self._inodes), self._device, uid=owner, gid=owner,
            accessed=now, modified=now, changed=now,
        )  # fmt: skip

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
        if path in self.layer:
            return self.layer[path]
        if path in self._own:
            return self._own[path]
        if path.startswith("/proc/"):
            return self._in_proc(path)
        if path.startswith(tuple(root + "/" for root in OWN)) or self.layer.hides(path):
            return None
        node = look_at(self._root + path)
        if node is not None and path in self.layer.statuses:
            node.status = self.layer.statuses[path]
        return node

    def link_target(self, node: Node) -> str:
        """Where a symbolic link points."""
        if isinstance(node, LinkNode):
            return node.target
        if isinstance(node, HostNode) and node.status.is_link:
            return host_link(node)
        raise SystemCallError(Errno.EINVAL)

    def entries(self, path: str) -> list[tuple[str, Node]]:
        """Name and node of everything in a directory, `.` and `..` included, by name."""
        node = self.node(path)
        names = set(host_names(node)) if isinstance(node, HostNode) else set()
        if (path + "/").startswith("/proc/") and self.proc is not None:
            names.update(self.proc.names(path))
        names |= self.layer.names(path)
        names.update(posixpath.basename(own) for own in self._own if posixpath.dirname(own) == path)
        found = [(".", node), ("..", self.node(posixpath.dirname(path)))]
        found += [(name, self.node(posixpath.join(path, name))) for name in sorted(names)]
        return [(name, entry) for name, entry in found if entry is not None]

    def _in_proc(self, path: str) -> Node | None:
        there, entry = self.proc.find(path) if self.proc is not None else (False, None)
        if not there:
            return None
        inode = _PROC_INODES + crc32(os.fsencode(path))
        now = self.now()

        def status(mode: int) -> Status:
            return Status(mode, 0, inode, accessed=now, modified=now, changed=now)

        if entry is None:
            return DirectoryNode(status(S_IFDIR | 0o555))
        if isinstance(entry, str):
            return LinkNode(status(S_IFLNK | 0o777), entry)
        return TextNode(status(S_IFREG | 0o444), entry)
