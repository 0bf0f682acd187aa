"""Looking at files of the host and opening them, without ever blocking or changing one."""

from __future__ import annotations

import errno
import os
import resource

from emu.machine.linux.errno import HOST_ERRNO, Errno, SystemCallError
from emu.machine.linux.nodes import HostNode
from emu.machine.linux.status import Status

_READING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


def look_at(path: str) -> HostNode | None:
    """What is at a path of the host; links are not followed."""
    try:
        return HostNode(path, host_status(os.lstat(path)))
    except (OSError, ValueError):
        return None


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
        try:
            descriptor = os.open(node.path, _READING)
        except OSError as error:
            if error.errno != errno.EMFILE or not _more_descriptors():
                raise
            descriptor = os.open(node.path, _READING)
    except OSError as error:
        raise host_error(error) from error
    found = os.fstat(descriptor)
    if (found.st_ino, found.st_mode) != (node.status.inode, node.status.mode):
        # The file was replaced between the look and the open.
        os.close(descriptor)
        raise SystemCallError(Errno.ENOENT)
    return descriptor


def _more_descriptors() -> bool:
    """Raise this process's own limit of open files, if it may: 1,024 is usual, which is what each
    guest alone may have open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = soft * 16 if hard == resource.RLIM_INFINITY else min(soft * 16, hard)
    if wanted <= soft:
        return False
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return True


def read_host(node: HostNode) -> bytes:
    """All of a regular file."""
    with os.fdopen(open_host(node), "rb") as file:
        return file.read(node.status.size)


def host_names(node: HostNode) -> list[str]:
    """The names in a directory."""
    try:
        return os.listdir(node.path)  # noqa: PTH208 -- names alone are wanted
    except OSError as error:
        raise host_error(error) from error


def host_link(node: HostNode) -> str:
    """Where a symbolic link points."""
    try:
        return os.readlink(node.path)  # noqa: PTH115 -- a string, not a path of the host
    except OSError as error:
        raise host_error(error) from error


def host_error(error: OSError) -> SystemCallError:
    """The guest's view of an error of the host."""
    name = errno.errorcode.get(error.errno or 0, "EIO")
    return SystemCallError(HOST_ERRNO.get(name, Errno.EIO))
