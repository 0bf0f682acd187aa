"""Descriptors themselves: closing and duplicating them, and their flags."""

from __future__ import annotations

from struct import pack, unpack

from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.kernel import Handler, Kernel, signed_int

TCGETS, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX = 0x5401, 0x541B, 0x5421, 0x5451, 0x5450
F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC = 0, 1, 2, 3, 4, 1030
F_GETLK, F_SETLK, F_SETLKW = 5, 6, 7
_O_NONBLOCK = 0o4000
_CHANGEABLE = 0o2000 | 0o4000 | 0o40000  # O_APPEND, O_NONBLOCK, O_DIRECT


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
    match command:
        case 0 | 1030:
            lowest = signed_int(argument)
            if lowest < 0:
                raise SystemCallError(Errno.EINVAL)
            return kernel.descriptors.add(
                slot.description, close_on_exec=command == F_DUPFD_CLOEXEC, lowest=lowest
            )
        case 1:
            return int(slot.close_on_exec)
        case 2:
            slot.close_on_exec = bool(argument & 1)
            return 0
        case 3:
            return slot.description.flags & ~0o2000000 | 0o100000
        case 4:
            kept = slot.description.flags & ~_CHANGEABLE
            slot.description.flags = kept | argument & _CHANGEABLE
            return 0
        case 6 | 7:
            return 0
        case _:
            raise SystemCallError(Errno.EINVAL)


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
    if request == FIONREAD and slot.description.status.is_regular:
        left = max(0, slot.description.status.size - slot.description.offset)
        kernel.memory.write(argument, pack("<I", left & 0xFFFF_FFFF))
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
