"""Pipes, and waiting for descriptors: poll and select.

Threads that wait for what nobody can bring about would hang forever; that ends the run with a
message instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from struct import pack, unpack

from emu.machine.linux.clock import LONGEST
from emu.machine.linux.descriptions import O_WRONLY, Description
from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.kernel import Handler, Kernel, signed_int
from emu.machine.linux.signal_delivery import suspend_mask
from emu.machine.linux.status import S_IFIFO, Status
from emu.machine.linux.thread import Thread
from emu.machine.linux.time_calls import read_timespec
from emu.machine.linux.wait import Wait, WouldWait
from emu.unwind import MemoryFault

CAPACITY, PIPE_BUF = 1 << 16, 4096
O_NONBLOCK, O_CLOEXEC, O_DIRECT = 0o4000, 0o2000000, 0o40000
POLLIN, POLLOUT, POLLHUP, POLLERR, POLLNVAL = 1, 4, 0x10, 8, 0x20
MAX_SELECT = 1024


@dataclass(slots=True)
class Channel:
    """The bytes in a pipe and how many ends are open."""

    data: bytearray = field(default_factory=bytearray)
    readers: int = 1
    writers: int = 1
    written: int = 0
    """How often bytes came, and"""
    taken: int = 0
    """how often some were read."""


class PipeReader(Description):
    """The end to read from."""

    def __init__(self, number: int, flags: int, channel: Channel) -> None:
        super().__init__(f"pipe:[{number}]", flags, Status(S_IFIFO | 0o600, inode=number))
        self._channel = channel

    @property
    def read_ready(self) -> bool:
        return bool(self._channel.data) or self.hung_up

    @property
    def hung_up(self) -> bool:
        return not self._channel.writers

    @property
    def waiting(self) -> int:
        return len(self._channel.data)

    def readable_by(self, _thread: Thread) -> bool:
        # The end of the file alone is a hang-up.
        return bool(self._channel.data)

    @property
    def arrivals(self) -> int:
        return self._channel.written

    def read(self, size: int, /) -> bytes:
        data = bytes(self._channel.data[:size])
        if not data and size and not self.hung_up:
            if self.flags & O_NONBLOCK:
                raise SystemCallError(Errno.EAGAIN)
            raise WouldWait(Wait(self.path, lambda: self.read_ready, restarts=True))
        del self._channel.data[:size]
        self._channel.taken += 1
        return data

    def close(self) -> None:
        self._channel.readers -= 1


class PipeWriter(Description):
    """The end to write to."""

    def __init__(self, number: int, flags: int, channel: Channel) -> None:
        super().__init__(f"pipe:[{number}]", flags, Status(S_IFIFO | 0o600, inode=number))
        self._channel = channel

    @property
    def write_ready(self) -> bool:
        return self._room >= PIPE_BUF or self.hung_up

    @property
    def hung_up(self) -> bool:
        return not self._channel.readers

    @property
    def takes_all(self) -> bool:
        return True

    @property
    def _room(self) -> int:
        return CAPACITY - len(self._channel.data)

    @property
    def arrivals(self) -> int:
        return self._channel.taken

    def write(self, data: bytes, /) -> int:
        if self.hung_up:
            raise SystemCallError(Errno.EPIPE)
        # What fits into PIPE_BUF is never split.
        least = len(data) if len(data) <= PIPE_BUF else 1
        if self._room < least:
            if self.flags & O_NONBLOCK:
                raise SystemCallError(Errno.EAGAIN)
            raise WouldWait(
                Wait(self.path, lambda: self._room >= least or self.hung_up, restarts=True)
            )
        taken = data[: self._room]
        self._channel.data += taken
        self._channel.written += 1
        return len(taken)

    def close(self) -> None:
        self._channel.writers -= 1


def pipe2(kernel: Kernel, array: int, flags: int) -> int:
    if flags & ~(O_NONBLOCK | O_CLOEXEC | O_DIRECT):
        raise SystemCallError(Errno.EINVAL)
    if kernel.memory.writable_prefix(array, 8) < 8:
        raise SystemCallError(Errno.EFAULT)
    number = kernel.system.next_inode()
    channel = Channel()
    kept, close_on_exec = flags & O_NONBLOCK, bool(flags & O_CLOEXEC)
    reader = kernel.descriptors.add(PipeReader(number, kept, channel), close_on_exec=close_on_exec)
    try:
        writer = kernel.descriptors.add(
            PipeWriter(number, kept | O_WRONLY, channel), close_on_exec=close_on_exec
        )
    except SystemCallError:
        kernel.descriptors.close(reader)
        raise
    kernel.memory.write(array, pack("<ii", reader, writer))
    return 0


def pipe(kernel: Kernel, array: int) -> int:
    return pipe2(kernel, array, 0)


# Waiting


def poll(kernel: Kernel, array: int, count: int, timeout: int) -> int:
    limit = signed_int(timeout)
    look = _poll(kernel, array, count)
    return _wait(kernel, look, None if limit < 0 else limit * 1_000_000)


def ppoll(kernel: Kernel, array: int, count: int, timeout: int, mask: int) -> int:
    limit = read_timespec(kernel, timeout) if timeout else None
    if mask and kernel.current.suspended_mask is None:
        suspend_mask(kernel.current, kernel.memory.word(mask))
    return _wait(kernel, _poll(kernel, array, count), limit)


@dataclass(frozen=True, slots=True)
class _Found:
    """What a look at descriptors found, and what is stored in the guest's memory then."""

    ready: int
    answers: list[tuple[int, bytes]]

    def tell(self, kernel: Kernel) -> int:
        for address, data in self.answers:
            kernel.memory.write(address, data)
        return self.ready


def _wait(kernel: Kernel, look: Callable[[], _Found], limit: int | None) -> int:
    """The number of ready descriptors, or 0 after `limit` nanoseconds."""
    found = look()
    if found.ready or limit == 0:
        return found.tell(kernel)

    def ready() -> bool:
        try:
            return look().ready > 0
        except (SystemCallError, MemoryFault):
            # The call is made again and returns the error.
            return True

    def expired() -> int:
        try:
            return look().tell(kernel)
        except (SystemCallError, MemoryFault):
            return -Errno.EFAULT

    deadline = None if limit is None else min(kernel.clock.elapsed + limit, LONGEST)
    raise WouldWait(Wait("descriptors that never become ready", ready, deadline, expired=expired))


def conditions(description: Description, thread: Thread) -> int:
    """All conditions (POLLIN ...) that hold now for a descriptor that a thread asks about."""
    return (
        (POLLIN if description.readable and description.readable_by(thread) else 0)
        | (POLLOUT if description.writable and description.write_ready else 0)
        | ((POLLHUP if description.readable else POLLERR) if description.hung_up else 0)
    )


def _poll(kernel: Kernel, array: int, count: int) -> Callable[[], _Found]:
    if count > MAX_SELECT:
        raise SystemCallError(Errno.EINVAL)
    thread = kernel.current

    def look() -> _Found:
        ready = 0
        answers = []
        for index in range(count):
            at = array + 8 * index
            fd, events = unpack("<iH", kernel.memory.read(at, 6))
            found = 0
            if fd >= 0:
                try:
                    holding = conditions(kernel.descriptors[fd], thread)
                    found = holding & (events | POLLERR | POLLHUP)
                except SystemCallError:
                    found = POLLNVAL
            answers.append((at + 6, pack("<H", found)))
            ready += bool(found)
        return _Found(ready, answers)

    return look


def select(kernel: Kernel, count: int, reading: int, writing: int, other: int, time: int) -> int:
    limit = None
    if time:
        seconds, microseconds = unpack("<qq", kernel.memory.read(time, 16))
        if seconds < 0 or microseconds < 0:
            raise SystemCallError(Errno.EINVAL)
        limit = seconds * 1_000_000_000 + microseconds * 1000
    sets = (reading, writing, other)
    return _wait(kernel, _select(kernel, signed_int(count), *sets), limit)


def pselect6(
    kernel: Kernel, count: int, reading: int, writing: int, other: int, time: int, mask: int
) -> int:
    limit = read_timespec(kernel, time) if time else None
    address = kernel.memory.word(mask) if mask else 0
    if address and kernel.current.suspended_mask is None:
        suspend_mask(kernel.current, kernel.memory.word(address))
    sets = (reading, writing, other)
    return _wait(kernel, _select(kernel, signed_int(count), *sets), limit)


def _select(
    kernel: Kernel, count: int, reading: int, writing: int, other: int
) -> Callable[[], _Found]:
    if not 0 <= count <= MAX_SELECT:
        raise SystemCallError(Errno.EINVAL)
    size = (count + 63) // 64 * 8
    thread = kernel.current
    sets = ((reading, POLLIN | POLLHUP), (writing, POLLOUT | POLLERR), (other, 0))

    def look() -> _Found:
        ready = 0
        answers = []
        for address, wanted in sets:
            if not address:
                continue
            asked = int.from_bytes(kernel.memory.read(address, size), "little")
            found = 0
            for fd in range(count):
                if asked >> fd & 1 and conditions(kernel.descriptors[fd], thread) & wanted:
                    found |= 1 << fd
                    ready += 1
            answers.append((address, found.to_bytes(size, "little")))
        return _Found(ready, answers)

    return look


CALLS: dict[int, Handler] = {
    7: poll,
    22: pipe,
    23: select,
    270: pselect6,
    271: ppoll,
    293: pipe2,
}
