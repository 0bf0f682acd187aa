"""System calls that a guest may make and that are refused on purpose, as kernels may do.

They are not counted as unsupported: programs expect these answers.
"""

from emu.machine.linux.errno import Errno
from emu.machine.linux.kernel import Handler, Kernel, signed_int


def without_it(_kernel: Kernel) -> int:
    """As a kernel that was built without the feature."""
    return -Errno.ENOSYS


def without_support(_kernel: Kernel) -> int:
    """As a file system without the feature."""
    return -Errno.EOPNOTSUPP


def without_privilege(_kernel: Kernel) -> int:
    return -Errno.EPERM


def without_access(_kernel: Kernel) -> int:
    return -Errno.EACCES


def without_a_pipe(_kernel: Kernel) -> int:
    """Programs go on with read and write."""
    return -Errno.EINVAL


def without_filters(_kernel: Kernel) -> int:
    return -Errno.EINVAL


def without_keys(_kernel: Kernel) -> int:
    """As on a processor without protection keys."""
    return -Errno.ENOSPC


def without_watches(_kernel: Kernel) -> int:
    """As if the user had used them all up: programs go on by looking now and then."""
    return -Errno.EMFILE


def not_a_watch(kernel: Kernel, fd: int) -> int:
    _ = kernel.descriptors[signed_int(fd)]
    return -Errno.EINVAL


_MISSING = (
    *range(29, 32), *range(64, 72), 220,  # shmget .. shmctl, semget .. msgctl, shmdt, semtimedop
    *range(237, 246),  # mbind, set_mempolicy, get_mempolicy, mq_open .. mq_getsetattr
    *range(248, 251),  # add_key, request_key, keyctl
    256, 279, 334, 424, 434, 438, 447, 449,  # migrate_pages, move_pages, rseq, pidfd_*, ...
)  # fmt: skip
_UNSUPPORTED = (
    *range(188, 200),  # setxattr .. fremovexattr
    303, 304, 326, 444, 445, 446,  # fallocate, *_handle*, copy_file_range, landlock_*
)  # fmt: skip
_PRIVILEGED = (
    101, 116, 126, 133, 153, 155, 161, 163, 164, 165, 166, 167, 168, 169, 170, 171, 172, 173, 175,
    176, 259, 272, 300, 308, 310, 311, 321, 323, 425,
)  # fmt: skip

CALLS: dict[int, Handler] = {
    **dict.fromkeys(_MISSING, without_it),
    **dict.fromkeys(_UNSUPPORTED, without_support),
    **dict.fromkeys(_PRIVILEGED, without_privilege),
    **dict.fromkeys((275, 276, 278), without_a_pipe),  # splice, tee, vmsplice
    330: without_keys,  # pkey_alloc
    298: without_access,  # perf_event_open
    253: without_watches,
    254: not_a_watch,
    255: not_a_watch,
    294: without_watches,
    317: without_filters,  # seccomp
}
