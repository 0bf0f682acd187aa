"""File status: what stat, fstat, statx and getdents64 report."""

from dataclasses import dataclass
from struct import Struct

from emu.machine.mapping import page_up

S_IFIFO = 0o010000
S_IFCHR = 0o020000
S_IFDIR = 0o040000
S_IFREG = 0o100000
S_IFLNK = 0o120000
S_IFSOCK = 0o140000
S_IFMT = 0o170000

_STAT = Struct("<QQQIIIIQqqqqqqqqq24x")
_STATX = Struct("<IIQIIIHxxQQQQqIxxxxqIxxxxqIxxxxqIxxxxIIII112x")
_STATX_BASIC = 0x7FF
_SECOND = 1_000_000_000
_SHORT_LINK = 60


@dataclass(frozen=True, slots=True)
class Status:
    """One inode. Times in nanoseconds since 1970."""

    mode: int
    """File type and permission bits."""
    size: int = 0
    """In bytes; the room it takes is derived from it where the host does not say."""
    inode: int = 1
    device: int = 0x10
    links: int = 1
    uid: int = 0
    gid: int = 0
    rdev: int = 0
    accessed: int = 0
    modified: int = 0
    changed: int = 0
    host_blocks: int | None = None

    @property
    def blocks(self) -> int:
        """Of 512 bytes, as many as whole pages have; short links lie in their inode."""
        if self.host_blocks is not None:
            return self.host_blocks
        if self.is_link and self.size < _SHORT_LINK:
            return 0
        return page_up(self.size) // 512

    @property
    def is_directory(self) -> bool:
        return self.mode & S_IFMT == S_IFDIR

    @property
    def is_regular(self) -> bool:
        return self.mode & S_IFMT == S_IFREG

    @property
    def is_fifo(self) -> bool:
        return self.mode & S_IFMT == S_IFIFO

    @property
    def is_link(self) -> bool:
        return self.mode & S_IFMT == S_IFLNK

    def pack(self) -> bytes:
        """`struct stat` of x86-64, 144 bytes."""
        return _STAT.pack(
            self.device, self.inode, self.links, self.mode, self.uid, self.gid, 0, self.rdev,
            self.size, 4096, self.blocks,
            *divmod(self.accessed, _SECOND), *divmod(self.modified, _SECOND),
            *divmod(self.changed, _SECOND),
        )  # fmt: skip

    def pack_statx(self) -> bytes:
        """`struct statx`, 256 bytes, with the basic fields."""
        return _STATX.pack(
            _STATX_BASIC, 4096, 0, self.links, self.uid, self.gid, self.mode, self.inode,
            self.size, self.blocks, 0,
            *divmod(self.accessed, _SECOND), 0, 0, *divmod(self.changed, _SECOND),
            *divmod(self.modified, _SECOND),
            self.rdev >> 8, self.rdev & 0xFF, self.device >> 8, self.device & 0xFF,
        )  # fmt: skip
