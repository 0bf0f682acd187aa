"""Socket pairs: two ends in the same run, joined by a channel each way. There is no network."""

from __future__ import annotations

from struct import pack, unpack

from emu.machine.linux.descriptions import Description
from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.kernel import IO_CHUNK, Handler, Kernel, signed, signed_int
from emu.machine.linux.pipes import CAPACITY, Channel
from emu.machine.linux.status import S_IFSOCK, Status
from emu.machine.linux.transfer import Ranges, drain, read_vector
from emu.machine.linux.wait import Wait, WouldWait

AF_UNIX, SOCK_STREAM, SOL_SOCKET = 1, 1, 1
SOCK_NONBLOCK, SOCK_CLOEXEC = 0o4000, 0o2000000
MSG_DONTWAIT, MSG_NOSIGNAL, MSG_PEEK, MSG_WAITALL = 0x40, 0x4000, 2, 0x100
_HARMLESS = MSG_NOSIGNAL | MSG_DONTWAIT | MSG_PEEK | MSG_WAITALL | 0x4000_0000  # CMSG_CLOEXEC
_O_RDWR = 2


class SocketEnd(Description):
    """One end of a pair."""

    def __init__(self, number: int, flags: int, received: Channel, sent: Channel) -> None:
        status = Status(S_IFSOCK | 0o777, inode=number)
        super().__init__(f"socket:[{number}]", _O_RDWR | flags, status)
        self.received = received
        self.sent = sent

    @property
    def read_ready(self) -> bool:
        return bool(self.received.data) or not self.received.writers

    @property
    def write_ready(self) -> bool:
        return len(self.sent.data) < CAPACITY or self.hung_up

    @property
    def hung_up(self) -> bool:
        return not self.sent.readers

    @property
    def waiting(self) -> int:
        return len(self.received.data)

    @property
    def takes_all(self) -> bool:
        return True

    @property
    def arrivals(self) -> int:
        return self.received.written + self.sent.taken

    def read(self, size: int, /) -> bytes:
        return self.receive(size)

    def receive(self, size: int, *, wait: bool = True, keep: bool = False) -> bytes:
        """Bytes that came; none from an end that will send no more."""
        data = bytes(self.received.data[:size])
        if not data and size and self.received.writers:
            if self.flags & SOCK_NONBLOCK or not wait:
                raise SystemCallError(Errno.EAGAIN)
            raise WouldWait(Wait(self.path, lambda: self.read_ready, restarts=True))
        if not keep:
            del self.received.data[:size]
            self.received.taken += 1
        return data

    def write(self, data: bytes, /) -> int:
        return self.transmit(data)

    def transmit(self, data: bytes, *, wait: bool = True) -> int:
        """Bytes that fitted."""
        if self.hung_up or not self.sent.writers:
            raise SystemCallError(Errno.EPIPE)
        taken = data[: CAPACITY - len(self.sent.data)]
        if data and not taken:
            if self.flags & SOCK_NONBLOCK or not wait:
                raise SystemCallError(Errno.EAGAIN)
            raise WouldWait(Wait(self.path, lambda: self.write_ready, restarts=True))
        self.sent.data += taken
        self.sent.written += 1
        return len(taken)

    def stop(self, *, receiving: bool, sending: bool) -> None:
        """No more of the one or the other."""
        if receiving:
            self.received.readers = 0
        if sending:
            self.sent.writers = 0
            self.sent.written += 1

    def close(self) -> None:
        self.stop(receiving=True, sending=True)


def socketpair(kernel: Kernel, family: int, kind: int, protocol: int, array: int) -> int:
    if family != AF_UNIX or kind & ~(SOCK_NONBLOCK | SOCK_CLOEXEC) != SOCK_STREAM or protocol:
        raise SystemCallError(Errno.EAFNOSUPPORT)
    if kernel.memory.writable_prefix(array, 8) < 8:
        raise SystemCallError(Errno.EFAULT)
    one, two = Channel(), Channel()
    close_on_exec = bool(kind & SOCK_CLOEXEC)
    numbers = []
    for received, sent in ((one, two), (two, one)):
        end = SocketEnd(kernel.system.next_inode(), kind & SOCK_NONBLOCK, received, sent)
        try:
            numbers.append(kernel.descriptors.add(end, close_on_exec=close_on_exec))
        except SystemCallError:
            for number in numbers:
                kernel.descriptors.close(number)
            raise
    kernel.memory.write(array, pack("<ii", *numbers))
    return 0


def _socket(kernel: Kernel, fd: int) -> SocketEnd:
    description = kernel.descriptors[signed_int(fd)]
    if not isinstance(description, SocketEnd):
        raise SystemCallError(Errno.ENOTSOCK)
    return description


def _send(kernel: Kernel, end: SocketEnd, ranges: Ranges, flags: int) -> int:
    if flags & ~_HARMLESS:
        raise SystemCallError(Errno.EOPNOTSUPP)
    wait, quiet = not flags & MSG_DONTWAIT, bool(flags & MSG_NOSIGNAL)
    return drain(
        kernel, lambda data, _: end.transmit(data, wait=wait), ranges, insist=True, quiet=quiet
    )


def _receive(end: SocketEnd, size: int, flags: int) -> bytes:
    if flags & ~_HARMLESS:
        raise SystemCallError(Errno.EOPNOTSUPP)
    return end.receive(size, wait=not flags & MSG_DONTWAIT, keep=bool(flags & MSG_PEEK))


def _size(count: int) -> int:
    if signed(count) < 0:
        raise SystemCallError(Errno.EINVAL)
    return min(count, IO_CHUNK)


def sendto(kernel: Kernel, fd: int, buffer: int, count: int, flags: int, address: int) -> int:
    end = _socket(kernel, fd)
    if address:
        raise SystemCallError(Errno.EISCONN)
    return _send(kernel, end, [(buffer, _size(count))], flags & 0xFFFF_FFFF)


def recvfrom(
    kernel: Kernel, fd: int, buffer: int, count: int, flags: int, _address: int, length: int
) -> int:
    end = _socket(kernel, fd)
    size = kernel.memory.writable_prefix(buffer, _size(count))
    data = _receive(end, size, flags & 0xFFFF_FFFF)
    kernel.memory.write(buffer, data)
    if length:
        # The other end has no name.
        kernel.memory.write(length, bytes(4))
    return len(data)


def _message(kernel: Kernel, address: int) -> tuple[list[tuple[int, int]], int]:
    """The buffers of a `struct msghdr`, and the size of its control data."""
    _, _, vector, count, _, control, _ = unpack("<7Q", kernel.memory.read(address, 56))
    return read_vector(kernel, vector, count), control


def sendmsg(kernel: Kernel, fd: int, message: int, flags: int) -> int:
    end = _socket(kernel, fd)
    buffers, control = _message(kernel, message)
    if control:
        # No descriptors travel.
        raise SystemCallError(Errno.EOPNOTSUPP)
    return _send(kernel, end, buffers, flags & 0xFFFF_FFFF)


def recvmsg(kernel: Kernel, fd: int, message: int, flags: int) -> int:
    end = _socket(kernel, fd)
    buffers, _ = _message(kernel, message)
    size = sum(kernel.memory.writable_prefix(at, _size(length)) for at, length in buffers)
    data = _receive(end, min(size, IO_CHUNK), flags & 0xFFFF_FFFF)
    rest = data
    for at, length in buffers:
        kernel.memory.write(at, rest[:length])
        rest = rest[length:]
    kernel.memory.write(message + 8, bytes(4))  # no name,
    kernel.memory.write(message + 40, bytes(12))  # no control data, no flags
    return len(data)


def shutdown(kernel: Kernel, fd: int, how: int) -> int:
    end = _socket(kernel, fd)
    if how not in (0, 1, 2):
        raise SystemCallError(Errno.EINVAL)
    end.stop(receiving=how in (0, 2), sending=how in (1, 2))
    return 0


def getsockopt(kernel: Kernel, fd: int, level: int, option: int, value: int, length: int) -> int:
    _socket(kernel, fd)
    known = {3: SOCK_STREAM, 4: 0, 7: CAPACITY, 8: CAPACITY, 38: 0, 39: AF_UNIX}
    if level != SOL_SOCKET or option not in known:
        raise SystemCallError(Errno.EOPNOTSUPP)
    (size,) = unpack("<i", kernel.memory.read(length, 4))
    if size < 0:
        raise SystemCallError(Errno.EINVAL)
    kernel.memory.write(value, pack("<i", known[option])[:size])
    kernel.memory.write(length, pack("<i", min(size, 4)))
    return 0


def setsockopt(kernel: Kernel, fd: int, level: int) -> int:
    _socket(kernel, fd)
    if level != SOL_SOCKET:
        raise SystemCallError(Errno.EOPNOTSUPP)
    return 0


def _name(kernel: Kernel, fd: int, address: int, length: int) -> int:
    """Neither end has a name: the address is its family alone."""
    _socket(kernel, fd)
    (size,) = unpack("<i", kernel.memory.read(length, 4))
    if size < 0:
        raise SystemCallError(Errno.EINVAL)
    kernel.memory.write(address, pack("<H", AF_UNIX)[:size])
    kernel.memory.write(length, pack("<i", 2))
    return 0


def without_network(_kernel: Kernel) -> int:
    return -Errno.EAFNOSUPPORT


def not_connectable(kernel: Kernel, fd: int) -> int:
    _socket(kernel, fd)
    return -Errno.EISCONN


CALLS: dict[int, Handler] = {
    41: without_network,
    44: sendto,
    45: recvfrom,
    46: sendmsg,
    47: recvmsg,
    48: shutdown,
    51: _name,
    52: _name,
    53: socketpair,
    54: setsockopt,
    55: getsockopt,
    **dict.fromkeys((42, 43, 49, 50, 288), not_connectable),  # connect, accept, bind, listen
}
