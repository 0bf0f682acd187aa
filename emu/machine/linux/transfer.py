"""Reading and writing through descriptors, and the descriptors themselves."""

from __future__ import annotations

from struct import pack, unpack

from emu.machine.linux.descriptions import Description
from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.kernel import IO_CHUNK, Handler, Kernel, signed, signed_int
from emu.machine.linux.signal_frame import SignalInfo
from emu.machine.linux.signal_numbers import Signal
from emu.machine.linux.signals import send

IOV_MAX = 1024
TCGETS, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX = 0x5401, 0x541B, 0x5421, 0x5451, 0x5450
F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC = 0, 1, 2, 3, 4, 1030
F_GETLK, F_SETLK, F_SETLKW = 5, 6, 7
_O_NONBLOCK = 0o4000
_CHANGEABLE = 0o2000 | 0o4000 | 0o40000  # O_APPEND, O_NONBLOCK, O_DIRECT


def _readable(kernel: Kernel, fd: int) -> Description:
    description = kernel.descriptors[signed_int(fd)]
    if not description.readable:
        raise SystemCallError(Errno.EBADF)
    return description


def _writable(kernel: Kernel, fd: int) -> Description:
    description = kernel.descriptors[signed_int(fd)]
    if not description.writable:
        raise SystemCallError(Errno.EBADF)
    return description


def _count(value: int) -> int:
    if signed(value) < 0:
        raise SystemCallError(Errno.EINVAL)
    return min(value, IO_CHUNK)


def read(kernel: Kernel, fd: int, buffer: int, count: int) -> int:
    description = _readable(kernel, fd)
    size = kernel.memory.writable_prefix(buffer, _count(count))
    data = description.read(size)
    kernel.memory.write(buffer, data)
    return len(data)


def write(kernel: Kernel, fd: int, buffer: int, count: int) -> int:
    description = _writable(kernel, fd)
    data = kernel.memory.read(buffer, _count(count))
    try:
        return description.write(data)
    except SystemCallError as error:
        if error.errno is Errno.EPIPE:
            send(kernel, SignalInfo(Signal.SIGPIPE))
        raise


def pread64(kernel: Kernel, fd: int, buffer: int, count: int, offset: int) -> int:
    description = _readable(kernel, fd)
    if signed(offset) < 0:
        raise SystemCallError(Errno.EINVAL)
    size = kernel.memory.writable_prefix(buffer, _count(count))
    data = description.read_at(size, offset)
    kernel.memory.write(buffer, data)
    return len(data)


def pwrite64(kernel: Kernel, fd: int, buffer: int, count: int, offset: int) -> int:
    description = _writable(kernel, fd)
    if signed(offset) < 0 or offset >> 40:
        raise SystemCallError(Errno.EINVAL)
    return description.write_at(kernel.memory.read(buffer, _count(count)), offset)


def read_vector(kernel: Kernel, address: int, count: int) -> list[tuple[int, int]]:
    """Address and length of the buffers in an array of `struct iovec`."""
    if not 0 <= signed(count) <= IOV_MAX:
        raise SystemCallError(Errno.EINVAL)
    words = unpack(f"<{2 * count}Q", kernel.memory.read(address, 16 * count))
    if any(signed(length) < 0 for length in words[1::2]):
        raise SystemCallError(Errno.EINVAL)
    return list(zip(words[::2], words[1::2], strict=True))


def readv(kernel: Kernel, fd: int, vector: int, count: int) -> int:
    total = 0
    for buffer, length in read_vector(kernel, vector, count):
        got = read(kernel, fd, buffer, length) if length else 0
        total += got
        if got < length:
            break
    return total


def writev(kernel: Kernel, fd: int, vector: int, count: int) -> int:
    _writable(kernel, fd)
    total = 0
    for buffer, length in read_vector(kernel, vector, count):
        done = write(kernel, fd, buffer, length) if length else 0
        total += done
        if done < length:
            break
    return total


def preadv(kernel: Kernel, fd: int, vector: int, count: int, offset: int) -> int:
    total = 0
    for buffer, length in read_vector(kernel, vector, count):
        got = pread64(kernel, fd, buffer, length, offset + total) if length else 0
        total += got
        if got < length:
            break
    return total


def pwritev(kernel: Kernel, fd: int, vector: int, count: int, offset: int) -> int:
    _writable(kernel, fd)
    total = 0
    for buffer, length in read_vector(kernel, vector, count):
        done = pwrite64(kernel, fd, buffer, length, offset + total) if length else 0
        total += done
        if done < length:
            break
    return total


def preadv2(
    kernel: Kernel, fd: int, vector: int, count: int, offset: int, _high: int, flags: int
) -> int:
    if flags:
        raise SystemCallError(Errno.EOPNOTSUPP)
    if signed(offset) == -1:
        return readv(kernel, fd, vector, count)
    return preadv(kernel, fd, vector, count, offset)


def pwritev2(
    kernel: Kernel, fd: int, vector: int, count: int, offset: int, _high: int, flags: int
) -> int:
    if flags:
        raise SystemCallError(Errno.EOPNOTSUPP)
    if signed(offset) == -1:
        return writev(kernel, fd, vector, count)
    return pwritev(kernel, fd, vector, count, offset)


def sync(_kernel: Kernel) -> int:
    return 0


def lseek(kernel: Kernel, fd: int, offset: int, whence: int) -> int:
    return kernel.descriptors[signed_int(fd)].seek(signed(offset), signed_int(whence))


def ftruncate(kernel: Kernel, fd: int, size: int) -> int:
    if size >> 40:
        raise SystemCallError(Errno.EINVAL)
    _writable(kernel, fd).truncate(size)
    return 0


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


def fsync(kernel: Kernel, fd: int) -> int:
    _ = kernel.descriptors[signed_int(fd)]
    return 0


def fadvise64(kernel: Kernel, fd: int) -> int:
    if not kernel.descriptors[signed_int(fd)].status.is_regular:
        raise SystemCallError(Errno.ESPIPE)
    return 0


def sendfile(kernel: Kernel, out: int, source: int, offset: int, count: int) -> int:
    reader, writer = _readable(kernel, source), _writable(kernel, out)
    size = _count(count)
    if not offset:
        return writer.write(reader.read(size))
    at = kernel.memory.word(offset)
    if signed(at) < 0:
        raise SystemCallError(Errno.EINVAL)
    done = writer.write(reader.read_at(size, at))
    kernel.memory.write(offset, pack("<Q", at + done))
    return done


CALLS: dict[int, Handler] = {
    0: read,
    1: write,
    3: close,
    8: lseek,
    16: ioctl,
    17: pread64,
    18: pwrite64,
    19: readv,
    20: writev,
    32: dup,
    33: dup2,
    40: sendfile,
    72: fcntl,
    73: fsync,
    74: fsync,
    75: fsync,
    77: ftruncate,
    162: sync,
    221: fadvise64,
    292: dup3,
    295: preadv,
    296: pwritev,
    306: fsync,
    327: preadv2,
    328: pwritev2,
    436: close_range,
}
