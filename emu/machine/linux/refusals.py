"""System calls that a guest may make and that are refused on purpose, as kernels may do.

They are not counted as unsupported: programs expect these answers.
"""

from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.kernel import Handler, Kernel

EAFNOSUPPORT = 97


def without_restartable_sequences(_kernel: Kernel) -> int:
    return -Errno.ENOSYS


def without_extended_attributes(_kernel: Kernel) -> int:
    raise SystemCallError(Errno.EOPNOTSUPP)


def without_network(_kernel: Kernel) -> int:
    return -EAFNOSUPPORT


def without_privilege(_kernel: Kernel) -> int:
    raise SystemCallError(Errno.EPERM)


_ATTRIBUTES = range(188, 200)  # setxattr .. fremovexattr
_NETWORK = (41, 53)  # socket, socketpair
_PRIVILEGED = (155, 161, 164, 165, 166, 167, 168, 169, 170, 171, 172, 173, 175, 176, 321)

CALLS: dict[int, Handler] = {
    334: without_restartable_sequences,
    **dict.fromkeys(_ATTRIBUTES, without_extended_attributes),
    **dict.fromkeys(_NETWORK, without_network),
    **dict.fromkeys(_PRIVILEGED, without_privilege),
}
