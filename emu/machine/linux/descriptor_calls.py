"""Descriptors themselves: closing and duplicating them, and their flags."""

from __future__ import annotations

from enum import IntEnum
from struct import pack, unpack

from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.kernel import Handler, Kernel, signed_int
from emu.machine.linux.pipes import CAPACITY

TCGETS, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX = 0x5401, 0x541B, 0x5421, 0x5451, 0x5450
_F_UNLCK = 2
_O_NONBLOCK = 0o4000
_CHANGEABLE = 0o2000 | 0o4000 | 0o40000  # O_APPEND, O_NONBLOCK, O_DIRECT


class Fcntl(IntEnum):
    """What fcntl can be asked."""

    DUPFD = 0
    GETFD = 1
    SETFD = 2
    GETFL = 3
    SETFL = 4
    GETLK = 5
    SETLK = 6
    SETLKW = 7
    OFD_GETLK = 36
    OFD_SETLK = 37
    OFD_SETLKW = 38
    DUPFD_CLOEXEC = 1030
    SETPIPE_SZ = 1031
    GETPIPE_SZ = 1032


def close(kernel: Kernel, fd: int) -> int:
    kernel.descriptors.close(signed_int(fd))
    return 0


def close_range(kernel: Kernel, first: int, last: int, flags: int) -> int:
    first, last = first & 0xFFFF_FFFF, last & 0xFFFF_FFFF
    if first > last or flags & ~6:
        raise SystemCallError(Errno.EINVAL)
    for number in kernel.descriptors.numbers():
        if first <= number <= last:
            if flags & 4:
                kernel.descriptors.slot(number).close_on_exec = True
            else:
                kernel.descriptors.close(number)
    return 0


def dup(kernel: Kernel, fd: int) -> int:
    return kernel.descriptors.add(kernel.descriptors[signed_int(fd)])


def dup2(kernel: Kernel, old: int, new: int) -> int:
    description = kernel.descriptors[signed_int(old)]
    if signed_int(old) != signed_int(new):
        kernel.descriptors.put(signed_int(new), description)
    return signed_int(new)


def dup3(kernel: Kernel, old: int, new: int, flags: int) -> int:
    if signed_int(old) == signed_int(new) or flags & ~0o2000000:
        raise SystemCallError(Errno.EINVAL)
    description = kernel.descriptors[signed_int(old)]
    kernel.descriptors.put(signed_int(new), description, close_on_exec=bool(flags))
    return signed_int(new)


def fcntl(kernel: Kernel, fd: int, command: int, argument: int) -> int:
    slot = kernel.descriptors.slot(signed_int(fd))
    description = slot.description
    result = 0
    match command & 0xFFFF_FFFF:
        case Fcntl.DUPFD | Fcntl.DUPFD_CLOEXEC:
            lowest = signed_int(argument)
            if not 0 <= lowest < kernel.descriptors.limit:
                raise SystemCallError(Errno.EINVAL)
            closing = command == Fcntl.DUPFD_CLOEXEC
            result = kernel.descriptors.add(description, close_on_exec=closing, lowest=lowest)
        case Fcntl.GETFD:
            result = int(slot.close_on_exec)
        case Fcntl.SETFD:
            slot.close_on_exec = bool(argument & 1)
        case Fcntl.GETFL:
            result = description.flags & ~0o2000000 | 0o100000
        case Fcntl.SETFL:
            kept = description.flags & ~_CHANGEABLE
            description.flags = kept | argument & _CHANGEABLE
        case Fcntl.GETLK | Fcntl.OFD_GETLK:
            # Every lock is granted, so nobody holds one.
            kernel.memory.write(argument, pack("<h", _F_UNLCK))
        case Fcntl.SETLK | Fcntl.SETLKW | Fcntl.OFD_SETLK | Fcntl.OFD_SETLKW:
            kernel.memory.read(argument, 32)
        case Fcntl.GETPIPE_SZ | Fcntl.SETPIPE_SZ if description.status.is_fifo:
            result = CAPACITY
        case _:
            raise SystemCallError(Errno.EINVAL)
    return result


def ioctl(kernel: Kernel, fd: int, request: int, argument: int) -> int:
    slot = kernel.descriptors.slot(signed_int(fd))
    request &= 0xFFFF_FFFF
    if request in (FIOCLEX, FIONCLEX):
        slot.close_on_exec = request == FIOCLEX
        return 0
    if request == FIONBIO:
        (wanted,) = unpack("<i", kernel.memory.read(argument, 4))
        others = slot.description.flags & ~_O_NONBLOCK
        slot.description.flags = others | (_O_NONBLOCK if wanted else 0)
        return 0
    waiting = slot.description.waiting
    if request == FIONREAD and waiting is not None:
        kernel.memory.write(argument, pack("<I", waiting & 0xFFFF_FFFF))
        return 0
    raise SystemCallError(Errno.ENOTTY)


CALLS: dict[int, Handler] = {
    3: close,
    16: ioctl,
    32: dup,
    33: dup2,
    72: fcntl,
    292: dup3,
    436: close_range,
}
