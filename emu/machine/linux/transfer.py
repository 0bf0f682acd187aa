"""Moving bytes through descriptors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from struct import pack, unpack

from emu.machine.linux.descriptions import Description
from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.kernel import IO_CHUNK, Handler, Kernel, signed, signed_int
from emu.machine.linux.signal_delivery import send
from emu.machine.linux.signal_frame import SignalInfo
from emu.machine.linux.signal_numbers import Signal
from emu.machine.linux.wait import WouldWait
from emu.unwind import MemoryFault

IOV_MAX = 1024
MAX_COUNT = 0x7FFF_F000
"""Bytes that one call moves at most, as in Linux; they move in pieces of IO_CHUNK."""

Ranges = Sequence[tuple[int, int]]
"""Address and length of parts of the guest's memory, in the order of their bytes."""


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
    return min(value, MAX_COUNT)


def _offset(value: int) -> int:
    if signed(value) < 0:
        raise SystemCallError(Errno.EINVAL)
    return value


def read_vector(kernel: Kernel, address: int, count: int) -> list[tuple[int, int]]:
    """Address and length of the buffers in an array of `struct iovec`."""
    if not 0 <= signed(count) <= IOV_MAX:
        raise SystemCallError(Errno.EINVAL)
    words = unpack(f"<{2 * count}Q", kernel.memory.read(address, 16 * count))
    if any(signed(length) < 0 for length in words[1::2]):
        raise SystemCallError(Errno.EINVAL)
    return list(zip(words[::2], words[1::2], strict=True))


# Reading


def fill(kernel: Kernel, take: Callable[[int, int], bytes], ranges: Ranges) -> int:
    """Store what `take` gives for a size and the bytes it gave before; the bytes stored.

    It is asked again only if it gave all it was asked for. EFAULT, and what `take` raises, if
    nothing has been stored.
    """
    done = 0
    for address, length in ranges:
        at, end = address, address + length
        while at < end:
            try:
                wanted = kernel.memory.writable_prefix(at, min(end - at, IO_CHUNK))
                data = take(wanted, done)
            except (MemoryFault, SystemCallError, WouldWait):
                if done:
                    return done
                raise
            kernel.memory.write(at, data)
            at += len(data)
            done += len(data)
            if len(data) < wanted or wanted < min(end - at + len(data), IO_CHUNK):
                return done
    return done


def _read(kernel: Kernel, description: Description, ranges: Ranges) -> int:
    if not any(length for _, length in ranges):
        description.read(0)
        return 0
    return fill(kernel, lambda size, _done: description.read(size), ranges)


def read(kernel: Kernel, fd: int, buffer: int, count: int) -> int:
    return _read(kernel, _readable(kernel, fd), [(buffer, _count(count))])


def readv(kernel: Kernel, fd: int, vector: int, count: int) -> int:
    return _read(kernel, _readable(kernel, fd), read_vector(kernel, vector, count))


def _read_at(kernel: Kernel, fd: int, ranges: Ranges, offset: int) -> int:
    description = _readable(kernel, fd)
    return fill(kernel, lambda size, done: description.read_at(size, offset + done), ranges)


def pread64(kernel: Kernel, fd: int, buffer: int, count: int, offset: int) -> int:
    return _read_at(kernel, fd, [(buffer, _count(count))], _offset(offset))


def preadv(kernel: Kernel, fd: int, vector: int, count: int, offset: int) -> int:
    return _read_at(kernel, fd, read_vector(kernel, vector, count), _offset(offset))


def preadv2(
    kernel: Kernel, fd: int, vector: int, count: int, offset: int, _high: int, flags: int
) -> int:
    if flags:
        raise SystemCallError(Errno.EOPNOTSUPP)
    if signed(offset) == -1:
        return readv(kernel, fd, vector, count)
    return preadv(kernel, fd, vector, count, offset)


# Writing


def drain(
    kernel: Kernel,
    put: Callable[[bytes, int], int],
    ranges: Ranges,
    *,
    insist: bool = False,
    quiet: bool = False,
) -> int:
    """Give bytes to `put`, which is told how many it took before; the bytes taken.

    The call ends when it takes fewer than it is given, unless it must `insist` on all. If it has
    to wait then, it goes on where it was when it is made again. What `put` raises when it has
    taken some ends the call with their number. EPIPE sends SIGPIPE, unless `quiet`.
    """
    thread = kernel.current
    done, thread.written = thread.written, 0
    total = sum(length for _, length in ranges)
    if not total:
        return put(b"", 0)
    try:
        while done < total:
            data = kernel.memory.read(*_piece(ranges, done))
            taken = put(data, done)
            done += taken
            if taken < len(data) and not insist:
                break
    except WouldWait as waiting:
        thread.written = done
        if done:
            wait = waiting.wait
            wait.restarts = False
            wait.interrupted = lambda: _interrupted(kernel)
        raise
    except (SystemCallError, MemoryFault) as error:
        broken = isinstance(error, SystemCallError) and error.errno is Errno.EPIPE
        if broken and not quiet:
            send(kernel, SignalInfo(Signal.SIGPIPE))
        if not done:
            raise
    return done


def _interrupted(kernel: Kernel) -> int:
    """A signal came in the middle of a write."""
    thread = kernel.current
    done, thread.written = thread.written, 0
    return done


def _piece(ranges: Ranges, done: int) -> tuple[int, int]:
    """Address and size of the next bytes after the first `done`."""
    for address, length in ranges:
        if done < length:
            return address + done, min(length - done, IO_CHUNK)
        done -= length
    raise AssertionError("there are more bytes")


def _write(kernel: Kernel, description: Description, ranges: Ranges) -> int:
    insist = description.takes_all
    return drain(kernel, lambda data, _done: description.write(data), ranges, insist=insist)


def write(kernel: Kernel, fd: int, buffer: int, count: int) -> int:
    return _write(kernel, _writable(kernel, fd), [(buffer, _count(count))])


def writev(kernel: Kernel, fd: int, vector: int, count: int) -> int:
    return _write(kernel, _writable(kernel, fd), read_vector(kernel, vector, count))


def _write_at(kernel: Kernel, fd: int, ranges: Ranges, offset: int) -> int:
    description = _writable(kernel, fd)
    if offset >> 40:
        raise SystemCallError(Errno.EINVAL)
    return drain(kernel, lambda data, done: description.write_at(data, offset + done), ranges)


def pwrite64(kernel: Kernel, fd: int, buffer: int, count: int, offset: int) -> int:
    return _write_at(kernel, fd, [(buffer, _count(count))], _offset(offset))


def pwritev(kernel: Kernel, fd: int, vector: int, count: int, offset: int) -> int:
    return _write_at(kernel, fd, read_vector(kernel, vector, count), _offset(offset))


def pwritev2(
    kernel: Kernel, fd: int, vector: int, count: int, offset: int, _high: int, flags: int
) -> int:
    if flags:
        raise SystemCallError(Errno.EOPNOTSUPP)
    if signed(offset) == -1:
        return writev(kernel, fd, vector, count)
    return pwritev(kernel, fd, vector, count, offset)


def sendfile(kernel: Kernel, out: int, source: int, offset: int, count: int) -> int:
    reader, writer = _readable(kernel, source), _writable(kernel, out)
    size = min(_count(count), IO_CHUNK)
    at = kernel.memory.word(offset) if offset else reader.offset
    # Nothing has been read yet when the writer has to wait.
    done = writer.write(reader.read_at(size, _offset(at)))
    if offset:
        kernel.memory.write(offset, pack("<Q", at + done))
    else:
        reader.offset = at + done
    return done


# Where in the file, and how long it is


def lseek(kernel: Kernel, fd: int, offset: int, whence: int) -> int:
    return kernel.descriptors[signed_int(fd)].seek(signed(offset), signed_int(whence))


def ftruncate(kernel: Kernel, fd: int, size: int) -> int:
    if size >> 40:
        raise SystemCallError(Errno.EINVAL)
    _writable(kernel, fd).truncate(size)
    return 0


def sync(_kernel: Kernel) -> int:
    return 0


def fsync(kernel: Kernel, fd: int) -> int:
    _ = kernel.descriptors[signed_int(fd)]
    return 0


def fadvise64(kernel: Kernel, fd: int) -> int:
    if not kernel.descriptors[signed_int(fd)].status.is_regular:
        raise SystemCallError(Errno.ESPIPE)
    return 0


CALLS: dict[int, Handler] = {
    0: read,
    1: write,
    8: lseek,
    17: pread64,
    18: pwrite64,
    19: readv,
    20: writev,
    40: sendfile,
    73: fsync,
    74: fsync,
    75: fsync,
    77: ftruncate,
    162: sync,
    221: fadvise64,
    295: preadv,
    296: pwritev,
    306: fsync,
    327: preadv2,
    328: pwritev2,
}
