"""The files of a guest and how it changes them, all in memory."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.file_data import FileData, Room
from emu.machine.linux.fixed_facts import UID
from emu.machine.linux.host_files import read_host
from emu.machine.linux.nodes import (
    DirectoryNode,
    FileNode,
    HostNode,
    LinkNode,
    Node,
)
from emu.machine.linux.paths import OWN, SHARED_MEMORY, Paths
from emu.machine.linux.status import S_IFDIR, S_IFLNK, S_IFREG, Status
from emu.machine.mapping import PAGE


class Tree(Paths):
    """All files a guest can name; what it makes, changes and removes is in the layer.

    Times of files and of the directories that name them follow, as do the numbers of links.
    """

    def __init__(self, root: Path, now: Callable[[], int]) -> None:
        super().__init__(root, now)
        self.room = Room()

    # Making

    def create_file(self, path: str, permissions: int) -> FileNode:
        """A new empty file; its directory must exist."""
        node = FileNode(self._made(path, S_IFREG, permissions), FileData(self.room))
        self.layer.put(path, node)
        return node

    def unnamed_file(self) -> FileNode:
        """A new file that no name leads to."""
        self.room.take_file()
        status = replace(self.new_status(S_IFREG | 0o777, UID), links=0)
        return FileNode(status, FileData(self.room))

    def create_directory(self, path: str, permissions: int) -> None:
        """mkdir."""
        status = replace(self._made(path, S_IFDIR, permissions), size=PAGE, links=2)
        self.layer.put(path, DirectoryNode(status))

    def create_link(self, path: str, target: str) -> None:
        """symlink."""
        size = len(os.fsencode(target))
        status = replace(self._made(path, S_IFLNK, 0o777), size=size)
        self.layer.put(path, LinkNode(status, target))

    def _made(self, path: str, kind: int, permissions: int) -> Status:
        """The status of a new file at `path`."""
        self._require_writable_place(path)
        self.room.take_file()
        self._entry_changed(path, links=int(kind == S_IFDIR))
        return self.new_status(kind | permissions & 0o7777, UID)

    # Changing

    def writable(self, path: str, node: Node) -> FileNode:
        """The file in memory behind `path`, copied there from the host if need be."""
        if isinstance(node, FileNode):
            return node
        self._require_writable_place(path)
        if not isinstance(node, HostNode) or not node.status.is_regular:
            raise SystemCallError(Errno.EACCES)
        if node.status.size > self.room.left:
            raise SystemCallError(Errno.ENOSPC)
        self.room.take_file()
        copy = FileNode(
            replace(node.status, links=1, host_blocks=None), FileData(self.room, read_host(node))
        )
        self.layer.put(path, copy)
        return copy

    def change(self, path: str, node: Node, status: Status) -> None:
        """Replace the status of a file, directory or link."""
        if isinstance(node, HostNode) and node.status.is_regular:
            node = self.writable(path, node)
        self._require_writable_place(path, entry=False)
        self._set_status(path, node, replace(status, changed=self.now()))

    def _set_status(self, path: str, node: Node, status: Status) -> None:
        node.status = status
        if isinstance(node, HostNode) and path not in self.layer:
            self.layer.statuses[path] = status

    def _entry_changed(self, path: str, links: int = 0) -> None:
        """The directory of `path` has one entry more or less, maybe a directory."""
        directory = posixpath.dirname(path)
        node, now = self.node(directory), self.now()
        if node is not None:
            status = node.status
            # Some file systems do not count, and say 1.
            counted = status.links + (links if status.links > 1 else 0)
            changed = replace(status, modified=now, changed=now, links=counted)
            self._set_status(directory, node, changed)

    # Names

    def link(self, path: str, node: Node, source: str) -> None:
        """A second name for a file."""
        self._require_writable_place(path)
        if not isinstance(node, HostNode | FileNode | LinkNode):
            raise SystemCallError(Errno.EXDEV)
        if isinstance(node, HostNode) and node.status.is_regular:
            node = self.writable(source, node)
        self._set_status(
            source, node, replace(node.status, links=node.status.links + 1, changed=self.now())
        )
        self._entry_changed(path)
        self.layer.put(path, node)

    def remove(self, path: str) -> None:
        """Take a name away; open descriptors keep their file."""
        self._require_writable_place(path)
        node = self.node(path)
        assert node is not None, "there is something to remove"
        self._entry_changed(path, links=-1 if node.status.is_directory else 0)
        self._hide(path)
        self._name_lost(node)

    def rename(self, source: str, target: str, node: Node) -> None:
        """Move what is at `source`, over what is at `target`."""
        self._require_writable_place(source)
        self._require_writable_place(target)
        old = self.node(target)
        if old is not None and old is node:
            # Two names of one file: nothing happens.
            return
        links = int(node.status.is_directory)
        self._entry_changed(source, -links)
        self._entry_changed(target, links if old is None else 0)
        moved = self._move(source, target, node)
        moved.status = replace(moved.status, changed=self.now())
        if old is not None:
            self._name_lost(old)

    def _move(self, source: str, target: str, node: Node) -> Node:
        """A directory's entries go along; of the host's files only the names are moved."""
        if node.status.is_directory:
            for name, entry in self.entries(source):
                if name not in (".", ".."):
                    before, after = posixpath.join(source, name), posixpath.join(target, name)
                    self._move(before, after, entry)
            if isinstance(node, HostNode):
                self.room.take_file()
                node = DirectoryNode(node.status)
        self._hide(source)
        self.layer.put(target, node)
        return node

    def exchange(self, one: str, other: str) -> None:
        """Swap two files that are no directories."""
        first, second = self.node(one), self.node(other)
        self._require_writable_place(one)
        self._require_writable_place(other)
        for path, node in ((one, second), (other, first)):
            self._entry_changed(path)
            self.layer.put(path, node)

    def _hide(self, path: str) -> None:
        """Nothing is at `path` any more."""
        self.layer.drop(path)
        if self.node(path) is not None:
            self.layer.put(path, None)

    # The end of a file

    def _name_lost(self, node: Node) -> None:
        if isinstance(node, HostNode):
            return
        node.status = replace(node.status, links=node.status.links - 1, changed=self.now())
        if isinstance(node, FileNode):
            self._forget_unused(node)
        else:
            self.room.give_file()

    def closed(self, node: FileNode) -> None:
        """A description of a file is gone."""
        node.opens -= 1
        self._forget_unused(node)

    def _forget_unused(self, node: FileNode) -> None:
        if not node.status.links and not node.opens:
            node.data.release()
            self.room.give_file()

    def _require_writable_place(self, path: str, *, entry: bool = True) -> None:
        if path.startswith(SHARED_MEMORY + "/"):
            return
        if (entry and path in ("/", *OWN)) or path.startswith(tuple(root + "/" for root in OWN)):
            raise SystemCallError(Errno.EACCES)
