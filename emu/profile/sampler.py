"""A process that drives deferred unwinding and perf.

A timer interrupts the guest, or a system call ends: perf takes its sample with the thread in the
kernel, and on the way back to user space the thread's stack is walked, once, and its callchain
written (kernel behaviour: 12, 13.1).
"""

from collections.abc import Callable, Collection, Sequence

from emu.check.conversion import convert_module, wanted
from emu.check.modules import ModuleMap
from emu.check.tables import Tables
from emu.machine import (
    MappingEvent,
    Module,
    Outcome,
    OutcomeKind,
    Process,
    SignalEvent,
    Thread,
    ThreadEvent,
    UserState,
)
from emu.profile.guest import GuestSymbols, GuestThread
from emu.profile.kernel_text import AT_SYSTEM_CALL_EXIT, IN_SYSTEM_CALL
from emu.profile.period import Period, Unit
from emu.profile.records import PerfEvent, Record
from emu.profile.sampling import PerfSampling
from emu.profile.timer import InstructionTimer
from emu.profile.verify import TrueChain, TrueStacks, Verification
from emu.unwind import KERNEL_V15, DeferredUnwinding, Policy, unwind_user

NANOSECONDS_PER_INSTRUCTION = 10
"""What an instruction adds to the guest's clock.

That counts system calls and sleep, and instructions only while there are several threads or a
timer of the guest's.
"""
SYSTEM_CALL_EVENT = "raw_syscalls:sys_exit"
RIP = 16
_SYSCALL_SIZE = 2


class Sampler:
    """Profiles one process with all its threads; not its children.

    `period` is the timer's, None for no timer. With `on_system_call` the end of every system
    call is an event too (those that do not return have none). Every module's `.sframe` is
    registered, of libraries too, and what the guest registers by system calls; `convert` names
    modules (by path or file name, or `all`) whose missing rows are made from .eh_frame. With
    `verify` every walk is compared with the true stack, which needs Python at every instruction;
    the records are the same.
    """

    def __init__(
        self,
        process: Process,
        *,
        period: Period | None = None,
        on_system_call: bool = False,
        policy: Policy = KERNEL_V15,
        verify: bool = False,
        convert: Collection[str] = (),
    ) -> None:
        self.process = process
        self._convert = convert
        self.modules = ModuleMap()
        self.symbols = GuestSymbols(self.modules)
        self.tables = Tables(self.modules, process.memory, process.memory, policy)
        self.deferred = DeferredUnwinding()
        """The guest's kernel: other tracers register here."""
        self._threads: dict[int, GuestThread] = {}
        self.on_record: list[Callable[[Record], None]] = []
        """Called with perf's records, in the order of time."""
        self.on_event: list[Callable[[GuestThread], None]] = []
        """Called while the thread is in the kernel, behind perf's samples."""
        self.walks = 0
        """User stacks that were walked."""
        self.samples = 0
        self._perf = PerfSampling(self.deferred, self._record, lambda: self.now)
        self._period = period
        self._tick: PerfEvent | None = None
        self._call: PerfEvent | None = None
        if period is not None:
            self._tick = self._open(period.unit.event, period.count)
        if on_system_call:
            self._call = self._open(SYSTEM_CALL_EVENT, 1)
        self._truth: TrueStacks | None = None
        self.verification: Verification | None = None
        if verify:
            self._truth = TrueStacks(process, self.modules)
            self.verification = Verification(self.tables)
        self._timer = InstructionTimer(
            self._timer_expired, None if self._truth is None else self._truth.step
        )
        self._due = 0
        """When the timer expires, in its unit."""
        self._chain: TrueChain | None = None
        self._generation = -1

    @property
    def thread(self) -> GuestThread:
        """The thread whose turn it is."""
        thread = self.process.current
        known = self._threads.get(thread.tid)
        if known is None or known.thread is not thread:
            known = GuestThread(self.process, thread, self.deferred, self._walk)
            self._threads[thread.tid] = known
        return known

    @property
    def instructions(self) -> int:
        """Instructions that have begun; at the end, all."""
        return self._timer.begun

    @property
    def now(self) -> int:
        """Guest time since the start in nanoseconds, instructions included."""
        return self._time(self._executed)

    @property
    def event_names(self) -> tuple[str, ...]:
        """Of the opened events."""
        return tuple(event.name for event in (self._tick, self._call) if event is not None)

    def run(self, max_instructions: int | None = None) -> Outcome:
        """Run the program to its end or its limit, sampling."""
        process = self.process
        process.section_store = self.tables.real
        listener = process.kernel.on_call
        for module in process.modules:
            self._mapping_changed(MappingEvent.LOADED, module)
        self._arm()

        def called(name: str, arguments: tuple[int, ...], result: int) -> None:
            self._system_call_done()
            if listener is not None:
                listener(name, arguments, result)

        def forked(child: Process) -> None:
            child.kernel.on_call = listener

        process.on_mapping.append(self._mapping_changed)
        process.on_signal.append(self._signalled)
        process.on_thread.append(self._thread_changed)
        process.on_fork.append(forked)
        process.kernel.on_call = called
        try:
            outcome = process.run(self._timer.hook, max_instructions)
        finally:
            process.on_mapping.remove(self._mapping_changed)
            process.on_signal.remove(self._signalled)
            process.on_thread.remove(self._thread_changed)
            process.on_fork.remove(forked)
            process.kernel.on_call = listener
        if outcome.kind in (OutcomeKind.EXIT, OutcomeKind.SIGNAL):
            for thread in self._threads.values():
                thread.deferred.exit()
        return outcome

    def _open(self, name: str, period: int) -> PerfEvent:
        """Open an event; the first one receives the callchains, as perf's tool has it."""
        first = self._tick is None
        event = PerfEvent(name, period=period, defer_callchain=True, defer_output=first)
        self._perf.open(event)
        return event

    def _mapping_changed(self, event: MappingEvent, module: Module) -> None:
        if event is MappingEvent.UNLOADED:
            self.tables.unregister(self.modules.remove(module))
            return
        store = self.tables.real
        if self.process.section_store is not store:
            # Another program is executed: what the last one registered by itself is gone.
            for record in store.records:
                store.remove(record.sframe_start)
            self.process.section_store = store
        loaded = self.modules.add(module)
        if wanted(loaded, self._convert):
            convert_module(loaded, self.process.memory)
        loaded.sframe = self.tables.register(loaded)

    # Time

    @property
    def _executed(self) -> int:
        """Instructions executed to the end: neither the one in a system call nor the next."""
        return max(0, self._timer.begun - 1)

    def _time(self, executed: int) -> int:
        return self.process.kernel.clock.elapsed + executed * NANOSECONDS_PER_INSTRUCTION

    def _arm(self) -> None:
        """Set the timer to its next expiry after now."""
        if self._period is None:
            return
        count, executed = self._period.count, self._executed
        if self._period.unit is Unit.INSTRUCTIONS:
            self._due = executed // count * count + count
            self._timer.arm(self._due)
            return
        now = self._time(executed)
        if self._due <= now:
            self._due = now // count * count + count
        self._timer.arm(executed - (now - self._due) // NANOSECONDS_PER_INSTRUCTION)

    # What happens to the thread

    def _timer_expired(self) -> None:
        """Before an instruction: user code is interrupted."""
        assert self._tick is not None, "only a timer expires"
        thread = self.thread
        thread.registers.values = self.process.registers.read()
        if self._truth is not None:
            self._chain = self._truth.chain()
        self._sample(thread, self._tick, ())
        self._leave_kernel(thread)
        self._arm()

    def _system_call_done(self) -> None:
        """Within a system call of the current thread, its work done; signals come after it."""
        process = self.process
        if process.outcome is not None or process.current.ended:
            return
        thread = self.thread
        resumed = process.current.resumed
        if resumed is not None:
            values = list(resumed.general)
        else:
            values = process.registers.read()
            if process.in_kernel:
                # A call that had to wait returns with the processor behind its instruction.
                values[RIP] += _SYSCALL_SIZE
        thread.registers.values = values
        if self._truth is not None:
            self._chain = self._truth.chain(interrupted=resumed is not None)
        if self._call is not None:
            self._sample(thread, self._call, AT_SYSTEM_CALL_EXIT)
        if self._period is not None and self._period.unit is Unit.NANOSECONDS:
            assert self._tick is not None, "a period has an event"
            if self.now >= self._due:
                self._sample(thread, self._tick, IN_SYSTEM_CALL)
            self._arm()
        self._leave_kernel(thread)

    def _signalled(self, event: SignalEvent, _number: int | None, state: UserState) -> None:
        if self._truth is not None:
            self._truth.signalled(event, state)

    def _thread_changed(self, event: ThreadEvent, thread: Thread) -> None:
        if self._truth is not None:
            self._truth.thread_changed(event, thread)
        if event is ThreadEvent.ENDED and thread.tid in self._threads:
            self._threads.pop(thread.tid).deferred.exit()

    def _record(self, record: Record) -> None:
        for callback in self.on_record:
            callback(record)

    def _sample(self, thread: GuestThread, event: PerfEvent, kernel: Sequence[int]) -> None:
        self.samples += 1
        self._perf.sample(event, thread, kernel=kernel)

    def _leave_kernel(self, thread: GuestThread) -> None:
        for callback in self.on_event:
            callback(thread)
        thread.deferred.resume_user()

    def _walk(self, thread: GuestThread, limit: int) -> tuple[int, ...]:
        """The deferred walk of a thread, as `DeferredTask` asks for it."""
        self.walks += 1
        if self.process.memory.generation != self._generation:
            self._generation = self.process.memory.generation
            self.tables.forget()
        registers = thread.registers
        trace = unwind_user(self.tables.real, self.process.memory, registers, limit)
        if self.verification is not None:
            assert self._chain is not None, "whoever interrupts tells the true stack"
            self.verification.judge(trace, registers, self._chain)
        return trace.ips
