"""Deferred unwinding: asked for inside the kernel, done on the way out (kernel behaviour: 12).

`DeferredUnwinding` is the kernel's part, `DeferredTask` one thread's. Whoever drives them
calls `request` where an event happens, `resume_user` where the thread goes back to user
space, and `exit` where it ends.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from weakref import WeakSet

from emu.unwind.errors import Errno

MAX_ENTRIES = (4096 - 16) // 8
"""Entries of the cache: one page less its header, on 64-bit."""

PENDING = 1 << 0
USED = 1 << 1
_FIRST_TRACER_BIT = 2
_LAST_TRACER_BIT = 63

Callback = Callable[[tuple[int, ...], int], None]
"""Called with the addresses, innermost first (none if unwinding failed), and the cookie."""


@dataclass(eq=False, slots=True)
class Tracer:
    """One user of deferred unwinding; `bit` is -1 once it is cancelled."""

    callback: Callback
    bit: int


class Request(NamedTuple):
    """Result of a request: 0, 1 (this tracer has asked already) or a negated errno."""

    ret: int
    cookie: int


class Unwound(NamedTuple):
    """Result of an unwinding that may fault: 0 or a negated errno, and the addresses."""

    ret: int
    entries: tuple[int, ...]


class DeferredUnwinding:
    """Tracers and cookie counters of one kernel."""

    def __init__(self, *, nmi_safe: bool = True) -> None:
        self.nmi_safe = nmi_safe
        """The processor can compare and exchange inside an NMI (x86-64 can)."""
        self._tracers: list[Tracer] = []
        self._counters: dict[int, int] = {}
        self._tasks: WeakSet[DeferredTask] = WeakSet()

    @property
    def tracers(self) -> tuple[Tracer, ...]:
        """The tracers, in the order in which they are called."""
        return tuple(self._tracers)

    def register(self, callback: Callback) -> Tracer | Errno:
        """A tracer with the lowest free bit, or EBUSY when all 62 are taken."""
        taken = {tracer.bit for tracer in self._tracers}
        for bit in range(_FIRST_TRACER_BIT, _LAST_TRACER_BIT + 1):
            if bit not in taken:
                tracer = Tracer(callback, bit)
                self._tracers.append(tracer)
                return tracer
        return Errno.EBUSY

    def cancel(self, tracer: Tracer) -> None:
        """Withdraw a tracer: no thread will call it for requests made before."""
        if tracer.bit < 0:
            return
        self._tracers.remove(tracer)
        for task in self._tasks:
            task.forget(tracer.bit)
        tracer.bit = -1

    def enroll(self, task: "DeferredTask") -> None:
        """Make a thread known, so that cancelling reaches it."""
        self._tasks.add(task)

    def fresh_cookie(self, cpu: int) -> int:
        """A cookie never given before (until a CPU's counter wraps): odd count, CPU + 1."""
        count = (self._counters.get(cpu, 1) + 2) & 0xFFFFFFFF
        self._counters[cpu] = count
        return count << 32 | (cpu + 1)


@dataclass(slots=True)
class _Cache:
    entries: tuple[int, ...] = ()
    completed: int = 0
    """Bits of the tracers that were called since the kernel was entered."""


def _allocates() -> bool:
    return True


@dataclass(eq=False)
class DeferredTask:
    """One thread. `unwind(limit)` walks its user stack and returns the addresses.

    `unwind` None is a kernel thread. `allocate` is asked once, for the cache's page.
    """

    kernel: DeferredUnwinding
    unwind: Callable[[int], Sequence[int]] | None
    allocate: Callable[[], bool] = _allocates
    exiting: bool = field(default=False, init=False)
    mask: int = field(default=0, init=False)
    cookie: int = field(default=0, init=False)
    _cache: _Cache | None = field(default=None, init=False)
    _queued: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        """Make the thread known to its kernel."""
        self.kernel.enroll(self)

    def unwind_faultable(self) -> Unwound:
        """Addresses of this kernel entry, walked once and then remembered (12.1)."""
        if self.unwind is None:
            return Unwound(-Errno.EINVAL, ())
        if self._cache is None:
            if not self.allocate():
                return Unwound(-Errno.ENOMEM, ())
            self._cache = _Cache()
        if not self._cache.entries:
            self._cache.entries = tuple(self.unwind(MAX_ENTRIES))[:MAX_ENTRIES]
            self.mask |= USED
        return Unwound(0, self._cache.entries)

    def request(self, tracer: Tracer, *, cpu: int = 0, nmi: bool = False) -> Request:
        """Ask for a callback before the return to user space (12.3)."""
        if self.unwind is None or self.exiting:
            return Request(-Errno.EINVAL, 0)
        if (nmi and not self.kernel.nmi_safe) or tracer.bit < 0:
            return Request(-Errno.EINVAL, 0)
        if not self.cookie:
            self.cookie = self.kernel.fresh_cookie(cpu)
        bit = 1 << tracer.bit
        if self.mask & bit:
            return Request(1, self.cookie)
        pending = self.mask & PENDING
        self.mask |= bit | PENDING
        if not pending:
            self._queued = True
        return Request(0, self.cookie)

    def resume_user(self) -> None:
        """The way back to user space: run what was asked for, then forget it (12.4)."""
        while self._queued:
            self._run()
        if not self.mask or self.mask & PENDING:
            return
        self.mask = 0
        self.cookie = 0
        if self._cache is not None:
            self._cache.entries = ()
            self._cache.completed = 0

    def exit(self) -> None:
        """The thread ends: pending requests are served, later ones refused."""
        while self._queued:
            self._run()
        self.exiting = True
        self._cache = None
        self.mask = 0

    def forget(self, bit: int) -> None:
        """A tracer was cancelled."""
        self.mask &= ~(1 << bit)
        if self._cache is not None:
            self._cache.completed &= ~(1 << bit)

    def _run(self) -> None:
        self._queued = False
        asked = self.mask
        self.mask &= ~PENDING
        entries = self.unwind_faultable().entries
        if self._cache is not None:
            asked &= ~self._cache.completed
            self._cache.completed |= asked & ~(PENDING | USED)
        for tracer in self.kernel.tracers:
            if tracer.bit >= 0 and asked & 1 << tracer.bit:
                tracer.callback(entries, self.cookie)
