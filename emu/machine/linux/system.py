"""What all processes of a run share: time, numbers, and whose turn it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from emu.machine.linux.clock import LONGEST, NANOSECONDS_PER_INSTRUCTION, Clock
from emu.machine.linux.fixed_facts import FIRST_ID
from emu.machine.linux.thread import Thread

if TYPE_CHECKING:
    from emu.machine.linux.kernel import CallCount, Kernel

MAX_THREADS = 1024
"""Of all processes together; more is EAGAIN."""
MAX_PROCESSES = 64
MAX_VAIN_EXPIRIES = 10_000
"""So often a timer may expire while all threads wait for something else and none is woken."""


@dataclass(slots=True, eq=False)
class Timer:
    """Something that happens at a moment of a clock."""

    kernel: Kernel
    """Its owner."""
    fire: Callable[[], None]
    clock: int = 0
    """Which clock absolute times are of."""
    cpu: bool = False
    """Whether it follows the processor time of its process instead of real time."""
    deadline: int = 0
    """In nanoseconds of the clock's `elapsed` or the kernel's `cpu_time`."""
    interval: int = 0
    """Nanoseconds from one expiry to the next; 0 for one alone."""
    expiries: int = 1
    """How many the last `fire` stands for."""
    overruns: int = 0
    """Expiries without a signal since the one before the newest signal."""

    @property
    def now(self) -> int:
        return self.kernel.cpu_time if self.cpu else self.kernel.clock.elapsed

    @property
    def left(self) -> int:
        """Nanoseconds to the next expiry."""
        return max(0, self.deadline - self.now)


@dataclass(slots=True, eq=False)
class Waiter:
    """A thread in a futex queue."""

    thread: Thread
    bits: int
    woken: bool = False


@dataclass(slots=True, eq=False)
class Schedule:
    """Threads of all processes in the order they began; each has its turn of instructions.

    With seed 0 every turn has `quantum` instructions and threads follow each other in order. With
    another, lengths up to twice that and the next thread are drawn from it.
    """

    quantum: int
    seed: int = 0
    threads: list[Thread] = field(default_factory=list)
    left: int = 0
    """Instructions left of the current turn."""
    _current: Thread | None = None
    _next: int = 0
    _random: Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = Random(self.seed)  # noqa: S311 -- equal runs are the purpose

    def add(self, thread: Thread, *, soon: bool = False) -> None:
        """A thread was made; with `soon` it is the next one."""
        self.threads.append(thread)
        if soon:
            self._next = len(self.threads) - 1
            self.left = 0

    def remove(self, thread: Thread) -> None:
        """A thread has ended."""
        thread.ended = True
        index = self.threads.index(thread)
        del self.threads[index]
        if index < self._next:
            self._next -= 1
        if thread is self._current:
            self._current = None

    def replace(self, old: Thread, new: Thread) -> None:
        """A thread goes on as another: its process executes another program."""
        self.threads[self.threads.index(old)] = new
        if old is self._current:
            self._current = new
        old.ended = True

    @property
    def current(self) -> Thread | None:
        """The thread whose turn it is."""
        return self._current

    def give_way(self) -> None:
        """The current thread's turn is over."""
        self.left = 0

    def turn(self, now: int) -> Thread | None:
        """The thread that executes now; None if all wait."""
        current = self._current
        if current is not None and self.left > 0 and current.can_run(now):
            return current
        count = len(self.threads)
        places = [(self._next + step) % count for step in range(count)]
        if self.seed:
            places = [place for place in places if self.threads[place].can_run(now)]
            self._random.shuffle(places)
        for place in places:
            thread = self.threads[place]
            if thread.can_run(now):
                self._next = place + 1
                self._current = thread
                self.left = self.quantum
                if self.seed:
                    self.left = self._random.randint(1, 2 * self.quantum)
                return thread
        return None


class System:
    """Everything that does not belong to one process."""

    def __init__(self, clock: Clock, random: Random, schedule: Schedule) -> None:
        self.clock = clock
        self.random = random
        self.schedule = schedule
        self.processes: dict[int, Kernel] = {}
        """By number: those that live, and those nobody waited for yet."""
        self.counts: dict[str, CallCount] = {}
        self.timers: list[Timer] = []
        self.futexes: dict[tuple[int, int], list[Waiter]] = {}
        """By host memory: buffer and offset."""
        self.stuck = False
        """All threads wait for what will never come."""
        self._vain = 0
        self._last_id = FIRST_ID - 1
        self._last_inode = 2

    def new_id(self) -> int:
        """Number of a new process or thread."""
        self._last_id += 1
        return self._last_id

    def next_inode(self) -> int:
        """The inode number of another pipe; 0 to 2 are the standard streams."""
        self._last_inode += 1
        return self._last_inode

    @property
    def timed(self) -> bool:
        """Whether time must pass, and turns end, while instructions execute."""
        return len(self.schedule.threads) > 1 or bool(self.timers)

    def choose(self) -> Thread | None:
        """The thread whose turn it is.

        None if all wait: then time has moved on to the next deadline or expiry of a timer, or
        `stuck` says that there is none that could change anything.
        """
        self._fire_timers()
        thread = self.schedule.turn(self.clock.elapsed) if self.schedule.threads else None
        if thread is not None:
            self._vain = 0
            return thread
        deadlines = [
            thread.wait.deadline
            for thread in self.schedule.threads
            if thread.wait is not None and thread.wait.deadline is not None
        ]
        expiries = [timer.deadline for timer in self.timers if not timer.cpu]
        self._vain = 0 if deadlines else self._vain + 1
        moments = deadlines + expiries
        if not moments or self.clock.elapsed >= LONGEST or self._vain > MAX_VAIN_EXPIRIES:
            self.stuck = True
        else:
            self.clock.sleep(max(0, min(moments) - self.clock.elapsed))
        return None

    def limit(self, thread: Thread) -> int | None:
        """How many instructions the thread may execute before something else is due."""
        if not self.timed:
            return None
        limits = []
        if len(self.schedule.threads) > 1:
            limits.append(self.schedule.left)
        limits += [
            -(-timer.left // NANOSECONDS_PER_INSTRUCTION)
            for timer in self.timers
            if not timer.cpu or timer.kernel is thread.kernel
        ]
        return max(1, min(limits)) if limits else None

    def executed(self, thread: Thread, instructions: int) -> None:
        """Time passes for what a thread executed since it was chosen."""
        self.schedule.left -= instructions
        spent = instructions * NANOSECONDS_PER_INSTRUCTION
        self.clock.sleep(spent)
        thread.kernel.cpu_time += spent

    def _fire_timers(self) -> None:
        for timer in list(self.timers):
            if timer.deadline > timer.now:
                continue
            if timer.interval:
                # One firing, however many were missed: a pending signal is not sent twice.
                missed = (timer.now - timer.deadline) // timer.interval
                timer.deadline += (missed + 1) * timer.interval
                timer.expiries = missed + 1
            else:
                timer.expiries = 1
                self.timers.remove(timer)
            timer.fire()
