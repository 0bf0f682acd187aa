"""epoll: a descriptor that knows which others are ready."""

from __future__ import annotations

from dataclasses import dataclass
from struct import pack, unpack

from emu.machine.linux.clock import LONGEST
from emu.machine.linux.counters import O_CLOEXEC, Anonymous
from emu.machine.linux.descriptions import Description, Device
from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.linux.kernel import Handler, Kernel, signed_int
from emu.machine.linux.pipes import POLLERR, POLLHUP, conditions
from emu.machine.linux.signal_delivery import suspend_mask
from emu.machine.linux.thread import Thread
from emu.machine.linux.time_calls import read_timespec
from emu.machine.linux.wait import Wait, WouldWait

EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD = 1, 2, 3
EPOLLEXCLUSIVE, EPOLLONESHOT, EPOLLET = 1 << 28, 1 << 30, 1 << 31
_EVENT_SIZE = 12
"""`struct epoll_event` is packed on x86-64: 32 bits of events, 64 of data."""
_MAX_EVENTS = 4096
_MAX_NESTING = 5


@dataclass(slots=True)
class Interest:
    """What one descriptor is watched for; `events` is 0 after a one-shot has fired."""

    description: Description
    events: int
    data: int
    seen: tuple[int, int] | None = None
    """Conditions and arrivals as they were told last, for edges."""

    def ready(self, thread: Thread) -> int:
        """The conditions to tell; 0 for none."""
        if not self.events & ~(EPOLLET | EPOLLEXCLUSIVE):
            return 0
        found = conditions(self.description, thread) & (self.events | POLLERR | POLLHUP)
        if self.events & EPOLLET and (found, self.description.arrivals) == self.seen:
            return 0
        return found

    def told(self, found: int) -> None:
        """The program has been told."""
        if self.events & EPOLLET:
            self.seen = (found, self.description.arrivals)
        if self.events & EPOLLONESHOT:
            self.events = 0


Key = tuple[int, Description]


class Epoll(Anonymous):
    """The descriptors that are watched, by number and description."""

    def __init__(self) -> None:
        super().__init__("eventpoll", 0)
        self.interests: dict[Key, Interest] = {}
        self._queue: list[Key] = []
        """Those that were ready when somebody looked, in the order in which they came to be."""

    def readable_by(self, thread: Thread) -> bool:
        return any(interest.ready(thread) for _, interest in self.watched())

    @property
    def arrivals(self) -> int:
        return sum(key[1].arrivals for key in self.interests)

    def watched(self) -> list[tuple[Key, Interest]]:
        """All interests; those in closed descriptions are gone."""
        for key in [key for key in self.interests if not key[1].references]:
            del self.interests[key]
        return list(self.interests.items())

    def ready(self, thread: Thread, most: int) -> list[tuple[Interest, int]]:
        """The first interests that are ready, with their conditions; those come last next time."""
        found = {key: ready for key, one in self.watched() if (ready := one.ready(thread))}
        queue = [key for key in self._queue if key in found]
        queue += [key for key in found if key not in queue]
        told, self._queue = queue[:most], [*queue[most:], *queue[:most]]
        return [(self.interests[key], found[key]) for key in told]

    def depth(self, sought: Description) -> int:
        """How deep epolls are nested in this one; ELOOP if `sought` is among them."""
        deepest = 0
        for (_, description), _ in self.watched():
            if isinstance(description, Epoll):
                if description is sought:
                    raise SystemCallError(Errno.ELOOP)
                deepest = max(deepest, description.depth(sought))
        if deepest >= _MAX_NESTING:
            raise SystemCallError(Errno.ELOOP)
        return deepest + 1


def epoll_create1(kernel: Kernel, flags: int) -> int:
    if flags & ~O_CLOEXEC:
        raise SystemCallError(Errno.EINVAL)
    return kernel.descriptors.add(Epoll(), close_on_exec=bool(flags))


def epoll_create(kernel: Kernel, size: int) -> int:
    if signed_int(size) <= 0:
        raise SystemCallError(Errno.EINVAL)
    return epoll_create1(kernel, 0)


def _epoll(kernel: Kernel, fd: int) -> Epoll:
    description = kernel.descriptors[signed_int(fd)]
    if not isinstance(description, Epoll):
        raise SystemCallError(Errno.EINVAL)
    return description


def epoll_ctl(kernel: Kernel, fd: int, operation: int, watched: int, event: int) -> int:
    number = signed_int(watched)
    target = kernel.descriptors[number]
    epoll = kernel.descriptors[signed_int(fd)]
    if not _can_be_watched(target):
        raise SystemCallError(Errno.EPERM)
    if not isinstance(epoll, Epoll) or epoll is target:
        raise SystemCallError(Errno.EINVAL)
    events = data = 0
    if operation in (EPOLL_CTL_ADD, EPOLL_CTL_MOD):
        events, data = unpack("<IQ", kernel.memory.read(event, _EVENT_SIZE))
    key = (number, target)
    if operation == EPOLL_CTL_ADD:
        if key in epoll.interests:
            raise SystemCallError(Errno.EEXIST)
        if isinstance(target, Epoll):
            target.depth(epoll)
        epoll.interests[key] = Interest(target, events, data)
    elif operation not in (EPOLL_CTL_DEL, EPOLL_CTL_MOD):
        raise SystemCallError(Errno.EINVAL)
    elif key not in epoll.interests:
        raise SystemCallError(Errno.ENOENT)
    elif operation == EPOLL_CTL_MOD:
        epoll.interests[key] = Interest(target, events, data)
    else:
        del epoll.interests[key]
    return 0


def _can_be_watched(description: Description) -> bool:
    """Files and directories are always ready, so Linux refuses to watch them."""
    if isinstance(description, Device):
        return description.name in ("random", "urandom")
    return not (description.status.is_regular or description.status.is_directory)


def epoll_wait(kernel: Kernel, fd: int, events: int, most: int, timeout: int) -> int:
    limit = signed_int(timeout)
    return _wait(kernel, fd, events, most, None if limit < 0 else limit * 1_000_000)


def epoll_pwait(kernel: Kernel, fd: int, events: int, most: int, timeout: int, mask: int) -> int:
    _mask(kernel, mask)
    return epoll_wait(kernel, fd, events, most, timeout)


def epoll_pwait2(kernel: Kernel, fd: int, events: int, most: int, timeout: int, mask: int) -> int:
    limit = read_timespec(kernel, timeout) if timeout else None
    _mask(kernel, mask)
    return _wait(kernel, fd, events, most, limit)


def _mask(kernel: Kernel, address: int) -> None:
    if address and kernel.current.suspended_mask is None:
        suspend_mask(kernel.current, kernel.memory.word(address))


def _wait(kernel: Kernel, fd: int, events: int, most: int, limit: int | None) -> int:
    epoll = _epoll(kernel, fd)
    count = signed_int(most)
    if not 0 < count <= _MAX_EVENTS:
        raise SystemCallError(Errno.EINVAL)
    thread = kernel.current
    found = epoll.ready(thread, count)
    if found or limit == 0:
        for number, (interest, ready) in enumerate(found):
            record = pack("<IQ", ready, interest.data)
            kernel.memory.write(events + _EVENT_SIZE * number, record)
        for interest, ready in found:
            interest.told(ready)
        return len(found)
    deadline = None if limit is None else min(kernel.clock.elapsed + limit, LONGEST)
    what = "descriptors that never become ready"
    raise WouldWait(Wait(what, lambda: epoll.readable_by(thread), deadline))


CALLS: dict[int, Handler] = {
    213: epoll_create,
    232: epoll_wait,
    233: epoll_ctl,
    281: epoll_pwait,
    291: epoll_create1,
    441: epoll_pwait2,
}
