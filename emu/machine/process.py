"""A guest process: the program in memory, the processor, the kernel, and a run to its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from os import PathLike, fspath
from pathlib import Path
from random import Random
from typing import Any

from unicorn import x86_const as x86

from emu.machine import engine, processor
from emu.machine.errors import MachineError
from emu.machine.events import MappingEvent, SignalEvent, ThreadEvent
from emu.machine.executor import Executor
from emu.machine.image import Image, Module
from emu.machine.linux import (
    HANDLERS,
    CallCount,
    CallLog,
    Clock,
    Kernel,
    Schedule,
    SectionCalls,
    System,
    Thread,
)
from emu.machine.linux.clone import remove_process, remove_thread
from emu.machine.linux.futex import let_go
from emu.machine.linux.proc import ProcFiles
from emu.machine.linux.tree import Tree
from emu.machine.mapped_files import MappedFiles
from emu.machine.mapping import TASK_SIZE, OutOfMemory, page_up
from emu.machine.memory import AddressSpace
from emu.machine.outcome import Outcome, OutcomeKind
from emu.machine.profiling import ProfilingSignals
from emu.machine.registers import RIP, RSP, RegisterFile
from emu.machine.run import Run
from emu.machine.section_stores import emptied, inherited
from emu.machine.start import start_program
from emu.machine.state import UserState
from emu.machine.streams import Sink, Source, standard_streams
from emu.unwind import SectionStore

DEFAULT_MEMORY = 2 << 30
DEFAULT_STACK = 8 << 20
DEFAULT_QUANTUM = 10_000

InstructionHook = Callable[[Any, int, int, Any], None] | engine.NativeHook
"""Called before an instruction as (engine handle, address, size, nothing or the user data)."""


class Process:
    """One guest, from its loaded image to its end.

    `stdin` is what the guest reads (nothing by default); `stdout` and `stderr` take bytes as they
    are written: binary files or functions; by default the command's own. `root` is the directory
    the guest sees as /, of which nothing is ever changed. `clock_start` is the time the guest
    begins at, in nanoseconds since 1970. Runs with equal arguments and files are equal,
    instruction by instruction. Raises MachineError if the program cannot be loaded.

    Threads take turns of `quantum` instructions in order; with a `seed` other than 0, lengths and
    order are drawn from it. `signal_every` sends SIGPROF before instructions N, 2N, ... if a
    handler is set, with `signal_seed` at random distances of N on average.
    """

    def __init__(
        self,
        image: Image,
        args: Sequence[str] | None = None,
        env: Mapping[str, str] | None = None,
        *,
        stdin: Source = None,
        stdout: Sink = None,
        stderr: Sink = None,
        root: str | PathLike[str] = "/",
        directory: str = "/",
        seed: int = 0,
        clock_start: int | None = None,
        memory_limit: int = DEFAULT_MEMORY,
        stack_limit: int = DEFAULT_STACK,
        quantum: int = DEFAULT_QUANTUM,
        signal_every: int | None = None,
        signal_seed: int | None = None,
        on_system_call: CallLog | None = None,
        section_calls: SectionCalls | None = None,
    ) -> None:
        if quantum < 1 or (signal_every is not None and signal_every < 1):
            raise ValueError("a turn and the distance of signals have at least one instruction")
        self._prepare(image, memory_limit, page_up(stack_limit))
        self._first: Process = self
        self._run: Run | None = None
        self.profiling = ProfilingSignals(signal_every, signal_seed)
        clock = Clock(clock_start)
        system = System(clock, Random(seed), Schedule(quantum, seed))  # noqa: S311 -- equal runs are the purpose
        descriptors = standard_streams(stdin, stdout, stderr)
        tree = Tree(Path(fspath(root)), clock.now)
        self.kernel = Kernel(self, system, tree, descriptors, HANDLERS)
        tree.proc = ProcFiles(system, self.kernel)
        self.kernel.directory = tree.existing(directory, "/")[0]
        self.kernel.on_call = on_system_call
        if section_calls is not None:
            self.kernel.section_calls = section_calls
        self._files = MappedFiles(self.memory)
        self._executor = Executor(self)
        try:
            self._start(args or [image.path], env or {})
        except OutOfMemory as error:
            raise MachineError(f"{image.path}: cannot be mapped: {error}") from error
        system.schedule.add(self.kernel.current)

    def _prepare(self, image: Image, memory_limit: int, stack_limit: int) -> None:
        """What every process has, however it comes to be."""
        self.image = image
        self.uc = processor.make_processor()
        self.memory = AddressSpace(self.uc, memory_limit)
        self.registers = RegisterFile(self.uc)
        self.stack_limit = stack_limit
        self.outcome: Outcome | None = None
        """How the process ended; a run may end otherwise."""
        self.instruction_hook: InstructionHook | None = None
        """Called before each instruction; `run` sets it for the first process, who watches
        `on_fork` sets it for a child."""
        self.section_store: SectionStore | None = None
        """What prctl and stacktrace_setup change; without it they are not there. A forked child
        has a duplicate, another program begins with an empty one."""
        self.on_mapping: list[Callable[[MappingEvent, Module], None]] = []
        """Called when a module is complete in memory and when it begins to go."""
        self.on_signal: list[Callable[[SignalEvent, int | None, UserState], None]] = []
        """Called with the number and the interrupted state when a handler is about to start, and
        with None and the state that is gone back to when it returns; for the current thread."""
        self.on_thread: list[Callable[[ThreadEvent, Thread], None]] = []
        """Called when a thread has been made, with its first registers in it; before the first
        instruction of another thread than before, when the processor has its registers; and when
        a thread has ended. The first thread of a process is there before anyone can listen;
        executing another program ends all threads and starts one."""
        self.on_fork: list[Callable[[Process], None]] = []
        """Called with a child before its first instruction. It has no listeners of its own yet."""

    def _start(self, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        self.registers[RIP], self.registers[RSP] = start_program(
            self.image, arguments, environment, self.kernel, self._files,
            self.stack_limit, self.kernel.random,
        )  # fmt: skip
        self.kernel.current.registers = self.registers.read()

    @property
    def pid(self) -> int:
        return self.kernel.pid

    @property
    def modules(self) -> list[Module]:
        """The images in memory, by address."""
        return self._files.modules

    @property
    def threads(self) -> list[Thread]:
        """Those that live, in the order they began."""
        return self.kernel.threads

    @property
    def current(self) -> Thread:
        """The thread whose registers the processor has."""
        return self.kernel.current

    @property
    def instructions(self) -> int:
        """Executed while they were counted: under a limit, with `signal_every`, several threads or
        processes, or a timer."""
        return self._executor.instructions

    @property
    def on_system_call(self) -> CallLog | None:
        """Called with name, arguments and result of a system call when it returns; the current
        thread made it. A forked child has its parent's until it is given another."""
        return self.kernel.on_call

    @on_system_call.setter
    def on_system_call(self, log: CallLog | None) -> None:
        self.kernel.on_call = log

    @property
    def system_calls(self) -> dict[str, CallCount]:
        """Name -> how often it was made, and whether it is unsupported; of all processes."""
        return self.kernel.counts

    def module_at(self, pc: int) -> Module | None:
        """The module that contains `pc`."""
        return next((module for module in self.modules if module.contains(pc)), None)

    # Running

    def run(
        self, on_instruction: InstructionHook | None = None, max_instructions: int | None = None
    ) -> Outcome:
        """Run to the end, or until `max_instructions` have been executed, by all processes.

        `on_instruction` is called by Unicorn itself before each instruction; what it raises ends
        the run and is raised here. Ctrl-C ends the run as INTERRUPTED. A run that was stopped can
        be continued by another call.
        """
        if max_instructions is not None and max_instructions <= 0:
            return Outcome(OutcomeKind.LIMIT, message="no instruction was allowed")
        self.instruction_hook = on_instruction
        self._run = Run(self, self.kernel.system, max_instructions)
        try:
            return self._run.to_its_end()
        finally:
            self._run = None
            self.instruction_hook = None

    def stop(self, kind: OutcomeKind = OutcomeKind.LIMIT, message: str = "") -> None:
        """End the run from within a callback, before the instruction it was called for."""
        self.finish(Outcome(kind, message=message))

    def finish(self, outcome: Outcome) -> None:
        """End the run with an outcome; the first one counts."""
        run = self._first._run
        if run is not None:
            run.finish(outcome)

    @property
    def stopped(self) -> bool:
        """Whether the run has ended or must end."""
        run = self._first._run
        return run is None or run.outcome is not None or run.failure is not None

    # What the run asks for

    def advance(self, thread: Thread, limit: int | None) -> int:
        return self._executor.advance(thread, limit)

    def rest(self) -> None:
        self._executor.rest()

    def wake(self) -> None:
        engine.stop(self.uc)

    @property
    def in_kernel(self) -> bool:
        return self._executor.in_kernel

    @property
    def before_signal(self) -> int | None:
        """Instructions to execute before the next profiling signal."""
        return self.profiling.before(self.instructions)

    def send_profiling_signal(self, thread: Thread) -> None:
        """Send it if it is due."""
        self.profiling.send(thread, self.instructions)

    # Events

    def tell_signal(self, event: SignalEvent, number: int | None, state: UserState) -> None:
        for callback in self.on_signal:
            callback(event, number, state)

    def tell_thread(self, event: ThreadEvent, thread: Thread) -> None:
        for callback in self.on_thread:
            callback(event, thread)

    # What system calls ask for

    def set_fs_base(self, address: int) -> None:
        self.uc.reg_write(x86.UC_X86_REG_FS_BASE, address)

    def fs_base(self) -> int:
        return int(self.uc.reg_read(x86.UC_X86_REG_FS_BASE))

    def set_result(self, result: int) -> None:
        self._executor.set_result(result)

    def file_mapped(self, path: str, read: Callable[[], Image]) -> None:
        for module in self._files.mapped(path, read):
            for callback in self.on_mapping:
                callback(MappingEvent.LOADED, module)

    def unmapped(self, start: int, end: int) -> None:
        for module in self._files.unmapped(start, end):
            for callback in self.on_mapping:
                callback(MappingEvent.UNLOADED, module)

    def start_thread(self, thread: Thread, rsp: int, tls: int | None) -> None:
        self._executor.copy_for(thread, rsp, tls)
        self.kernel.threads.append(thread)
        self.kernel.system.schedule.add(thread)
        self.tell_thread(ThreadEvent.STARTED, thread)

    def end_thread(self, thread: Thread) -> None:
        remove_thread(thread)
        self.tell_thread(ThreadEvent.ENDED, thread)

    def end(self, outcome: Outcome) -> None:
        """The process is over when the processor has stopped; the first outcome counts."""
        if self.outcome is None:
            self.outcome = outcome
        self.wake()

    def over(self) -> None:
        """The process is over."""
        assert self.outcome is not None, "it ended somehow"
        for thread in list(self.kernel.threads):
            self.end_thread(thread)
        remove_process(self.kernel, self.outcome)
        self.rest()

    def fork(self, *, share: bool) -> Kernel:
        child = Process.__new__(Process)
        child._become_child(self, share=share)
        return child.kernel

    def _become_child(self, parent: Process, *, share: bool) -> None:
        self._prepare(parent.image, parent.memory.limit, parent.stack_limit)
        self._first = parent._first
        self._run = None
        self.profiling = parent.profiling.fork()
        self.memory.taken_elsewhere = parent.memory.total
        parent.memory.copy_to(self.memory, share=share)
        if parent.section_store is not None:
            self.section_store = inherited(parent.section_store, self.memory, share=share)
        kernel = parent.kernel
        self.kernel = Kernel(
            self, kernel.system, kernel.tree.fork(), kernel.descriptors.fork(), kernel.handlers
        )
        self.kernel.tree.proc = ProcFiles(kernel.system, self.kernel)
        kernel.copy_to(self.kernel)
        self._files = parent._files.copy(self.memory)
        self._executor = Executor(self)
        self._executor.state.write(parent._executor.state.read())
        self.set_fs_base(parent.fs_base())
        self.set_result(0)

    def forked(self, child: Kernel) -> None:
        process = child.machine
        assert isinstance(process, Process), "so `fork` made it"
        child.current.registers = process.registers.read()
        for callback in self.on_fork:
            callback(process)

    def execute(self, image: Image, arguments: list[str], environment: dict[str, str]) -> None:
        kernel = self.kernel
        old = kernel.current
        for thread in list(kernel.threads):
            if thread is not old:
                self.end_thread(thread)
        let_go(old)
        self.tell_thread(ThreadEvent.ENDED, old)
        self.unmapped(0, TASK_SIZE)
        self.memory.unmap(0, TASK_SIZE)
        if self.section_store is not None:
            self.section_store = emptied(self.section_store, self.memory)
        self._executor.reset()
        kernel.forget_program()
        self.image = image
        try:
            self._start(arguments, environment)
        except (OutOfMemory, MachineError) as error:
            message = f"SIGKILL: {image.path} cannot be executed: {error}"
            self.end(Outcome(OutcomeKind.SIGNAL, signal="SIGKILL", message=message))
            return
        for module in self.modules:
            for callback in self.on_mapping:
                callback(MappingEvent.LOADED, module)
        self.tell_thread(ThreadEvent.STARTED, kernel.current)
