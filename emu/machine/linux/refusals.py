"""System calls that a guest may make and that are refused on purpose, as kernels may do.

They are not counted as unsupported: programs expect these answers.
"""

from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.kernel import Handler, Kernel, signed_int

ENOTSOCK, EAFNOSUPPORT = 88, 97


def without_restartable_sequences(_kernel: Kernel) -> int:
    return -Errno.ENOSYS


def without_extended_attributes(_kernel: Kernel) -> int:
    raise SystemCallError(Errno.EOPNOTSUPP)


def without_network(_kernel: Kernel) -> int:
    return -EAFNOSUPPORT


def not_a_socket(kernel: Kernel, fd: int) -> int:
    _ = kernel.descriptors[signed_int(fd)]
    return -ENOTSOCK


def without_privilege(_kernel: Kernel) -> int:
    raise SystemCallError(Errno.EPERM)


_ATTRIBUTES = range(188, 200)  # setxattr .. fremovexattr
_NETWORK = (41, 53)  # socket, socketpair
_ON_SOCKETS = (*range(42, 53), 54, 55)  # connect .. getpeername, setsockopt, getsockopt
_PRIVILEGED = (155, 161, 164, 165, 166, 167, 168, 169, 170, 171, 172, 173, 175, 176, 321)

CALLS: dict[int, Handler] = {
    334: without_restartable_sequences,
    **dict.fromkeys(_ATTRIBUTES, without_extended_attributes),
    **dict.fromkeys(_NETWORK, without_network),
    **dict.fromkeys(_ON_SOCKETS, not_a_socket),
    **dict.fromkeys(_PRIVILEGED, without_privilege),
}
