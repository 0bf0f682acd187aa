"""The guest's changes to its files: names it made, took away or moved, kept in memory."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from emu.machine.linux.nodes import DirectoryNode, Node
from emu.machine.linux.status import Status


class Layer:
    """Canonical path -> what is there instead of the host's file; None is a removed one.

    All that is below a directory of the layer is in the layer.
    """

    def __init__(self) -> None:
        self._nodes: dict[str, Node | None] = {}
        self._names: dict[str, set[str]] = {}
        """By directory: the names of its entries that are in the layer."""
        self.statuses: dict[str, Status] = {}
        """By path: what the guest made of the status of a host's directory or link."""

    def __contains__(self, path: str) -> bool:
        return path in self._nodes

    def __getitem__(self, path: str) -> Node | None:
        return self._nodes[path]

    def hides(self, path: str) -> bool:
        """Whether the host's file at a path that is not in the layer is not the guest's."""
        return isinstance(self._nodes.get(posixpath.dirname(path)), DirectoryNode)

    def names(self, directory: str) -> set[str]:
        """The names in a directory that are in the layer, removed ones too."""
        return self._names.get(directory, set())

    def put(self, path: str, node: Node | None) -> None:
        """From now on this is at `path`."""
        self._nodes[path] = node
        self._names.setdefault(posixpath.dirname(path), set()).add(posixpath.basename(path))

    def drop(self, path: str) -> None:
        """Forget a path: the host's file is there again if there is one."""
        self.statuses.pop(path, None)
        if path not in self._nodes:
            return
        del self._nodes[path]
        directory = posixpath.dirname(path)
        names = self._names[directory]
        names.discard(posixpath.basename(path))
        if not names:
            del self._names[directory]

    def below(self, directory: str) -> Iterator[str]:
        """All paths of the layer below a directory, each after that of its own directory."""
        for name in sorted(self.names(directory)):
            path = posixpath.join(directory, name)
            yield path
            yield from self.below(path)
