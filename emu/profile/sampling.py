"""The kernel's side of perf: what a sample's callchain holds (kernel behaviour: 13.1)."""

from collections.abc import Callable, Sequence
from typing import Protocol

from emu.profile.contexts import Context
from emu.profile.errors import ProfileError
from emu.profile.frame_pointers import immediate_chain
from emu.profile.records import DeferredRecord, PerfEvent, Record, Sample
from emu.unwind import DeferredTask, DeferredUnwinding, Memory, Registers, Tracer

MAX_STACK = 127
"""Addresses of a callchain, marks and cookie not counted (`kernel.perf_event_max_stack`)."""


class Thread(Protocol):
    """A thread that can be sampled, as it is at this moment."""

    @property
    def pid(self) -> int:
        """Of its process."""
        ...

    @property
    def tid(self) -> int:
        """Its own."""
        ...

    @property
    def comm(self) -> str:
        """Its name."""
        ...

    @property
    def cpu(self) -> int:
        """Where it runs."""
        ...

    @property
    def registers(self) -> Registers | None:
        """Its saved user registers; None for a kernel thread."""
        ...

    @property
    def memory(self) -> Memory:
        """Its address space."""
        ...

    @property
    def deferred(self) -> DeferredTask:
        """Its part of deferred unwinding."""
        ...


class PerfSampling:
    """The opened events of one kernel; all of them are one tracer of deferred unwinding.

    `write` receives the records in the order of time. `clock` gives nanoseconds. Samples tell
    their CPU if `per_cpu`.
    """

    def __init__(
        self,
        kernel: DeferredUnwinding,
        write: Callable[[Record], None],
        clock: Callable[[], int],
        *,
        per_cpu: bool = False,
        word_size: int = 8,
    ) -> None:
        tracer = kernel.register(self._unwound)
        if not isinstance(tracer, Tracer):
            raise ProfileError("no tracer of deferred unwinding is left for perf (EBUSY)")
        self._tracer = tracer
        self._write = write
        self._clock = clock
        self._per_cpu = per_cpu
        self._word_size = word_size
        self._events: list[PerfEvent] = []
        self._asked: dict[int, Thread] = {}

    def open(self, event: PerfEvent) -> None:
        """Begin to record an event."""
        self._events.append(event)

    def close(self, event: PerfEvent) -> None:
        """End it; callchains still to come are not written to it."""
        self._events.remove(event)

    def sample(
        self,
        event: PerfEvent,
        thread: Thread,
        *,
        kernel: Sequence[int] = (),
        nmi: bool = False,
        probed: bytes | None = None,
    ) -> Sample:
        """`event` happened in `thread`: writes and returns the sample.

        `kernel` are the kernel's addresses, innermost first, none if user code was
        interrupted; `probed` the original instruction while a uprobe is handled.
        """
        chain: list[int] = []
        addresses = tuple(kernel)[:MAX_STACK]
        if addresses:
            chain += [Context.KERNEL, *addresses]
        crosstask = event.task is not None and event.task != thread.tid
        registers = thread.registers
        if event.user_callchain and registers is not None and not crosstask:
            cookie = self._defer(event, thread, nmi=nmi)
            if cookie is not None:
                chain += [Context.USER_DEFERRED, cookie]
            else:
                chain.append(Context.USER)
                chain += immediate_chain(
                    registers,
                    thread.memory,
                    MAX_STACK - len(addresses),
                    word_size=self._word_size,
                    probed=probed,
                )
        sample = Sample(
            event,
            thread.pid,
            thread.tid,
            thread.comm,
            self._clock(),
            tuple(int(entry) for entry in chain),
            self._cpu(thread),
        )
        self._write(sample)
        return sample

    def _cpu(self, thread: Thread) -> int | None:
        return thread.cpu if self._per_cpu else None

    def _defer(self, event: PerfEvent, thread: Thread, *, nmi: bool) -> int | None:
        """The cookie of a request; None if the event does not ask, or the request fails."""
        if not event.defer_callchain:
            return None
        request = thread.deferred.request(self._tracer, cpu=thread.cpu, nmi=nmi)
        if request.ret < 0:
            return None
        if request.ret == 0:
            self._asked[request.cookie] = thread
        return request.cookie

    def _unwound(self, entries: tuple[int, ...], cookie: int) -> None:
        """Called for a thread on its way to user space: a record for each event in scope."""
        thread = self._asked.pop(cookie)
        for event in tuple(self._events):
            if event.defer_output and event.task in {None, thread.tid}:
                self._write(
                    DeferredRecord(
                        event,
                        thread.pid,
                        thread.tid,
                        thread.comm,
                        self._clock(),
                        cookie,
                        entries,
                        self._cpu(thread),
                    )
                )
