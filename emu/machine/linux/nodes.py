"""What a path leads to: files, directories and links of the host and of the memory layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from emu.machine.linux.file_data import FileData
from emu.machine.linux.status import Status


@dataclass(slots=True)
class HostNode:
    """A file, directory or link of the host."""

    path: str
    """Of the host; the guest may have given it another."""
    status: Status


@dataclass(slots=True, eq=False)
class FileNode:
    """A regular file in memory. `status` has its links, and not its size."""

    status: Status
    data: FileData
    opens: int = 0
    """How many descriptions there are of it."""

    def current(self) -> Status:
        """The status with the present size."""
        return replace(self.status, size=self.data.size)

    def written(self, now: int) -> None:
        """Its contents changed at `now`."""
        self.status = replace(self.status, modified=now, changed=now)


@dataclass(slots=True, eq=False)
class DirectoryNode:
    """A directory in memory; its entries are found by their paths."""

    status: Status


@dataclass(slots=True, eq=False)
class LinkNode:
    """A symbolic link in memory."""

    status: Status
    target: str


@dataclass(slots=True, eq=False)
class DeviceNode:
    """One of the emulated devices, by the name it has in /dev."""

    status: Status
    name: str


@dataclass(slots=True, eq=False)
class TextNode:
    """A file of /proc whose text is made when it is opened."""

    status: Status
    text: Callable[[], bytes]


Node = HostNode | FileNode | DirectoryNode | LinkNode | DeviceNode | TextNode


def status_of(node: Node) -> Status:
    """Status of a node with its present size."""
    return node.current() if isinstance(node, FileNode) else node.status
