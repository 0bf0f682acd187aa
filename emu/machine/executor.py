"""Executing the threads of one process on its processor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unicorn import UC_HOOK_CODE, UC_HOOK_INSN
from unicorn import x86_const as x86
from unicorn.unicorn_py3.unicorn import UcError

from emu.machine import engine, processor
from emu.machine.counter import InstructionCounter
from emu.machine.events import SignalEvent, ThreadEvent
from emu.machine.faults import Explainer, Fault
from emu.machine.linux import Thread
from emu.machine.linux.signal_delivery import (
    deliver,
    has_handler,
    ignored,
    restarts,
    take_pending,
)
from emu.machine.linux.signal_numbers import signal_name
from emu.machine.outcome import Outcome, OutcomeKind
from emu.machine.registers import RIP, RSP, RegisterBatch
from emu.machine.state import StateAccess
from emu.machine.traps import BREAKPOINT, Traps
from emu.unwind import MemoryFault

if TYPE_CHECKING:
    from emu.machine.process import InstructionHook, Process

_RAX, _RDX, _RSI, _RDI, _R8, _R9, _R10 = 0, 1, 4, 5, 8, 9, 10
SYSCALL_SIZE = 2


class Executor:
    """The processor has the state of one thread; the others' states are saved beside it.

    Whatever changes that state is done between two emulations, never in the middle of one.
    """

    def __init__(self, process: Process) -> None:
        self._process = process
        self._kernel = process.kernel
        self._uc = process.uc
        self._registers = process.registers
        self.in_kernel = False
        self.instructions = 0
        self._stopping = False
        self._pristine = self._uc.context_save()
        self.state = StateAccess(self._uc)
        self._explainer = Explainer(process.memory)
        self._hooks = engine.Hooks(self._uc)
        self._traps = Traps(self._uc, self._hooks, process.memory, self._explainer, process.wake)
        self._hooks.add(
            UC_HOOK_INSN, processor.SYSTEM_CALL, self._system_call, x86.UC_X86_INS_SYSCALL
        )
        self._result = RegisterBatch(
            self._uc, (x86.UC_X86_REG_RAX, x86.UC_X86_REG_RCX, x86.UC_X86_REG_R11)
        )
        self._rax = RegisterBatch(self._uc, (x86.UC_X86_REG_RAX,))
        self._flags = RegisterBatch(self._uc, (x86.UC_X86_REG_EFLAGS,))
        self._counter: InstructionCounter | None = None
        self._hook: InstructionHook | None = None
        self._hook_handle = 0

    # Executing

    def advance(self, thread: Thread, limit: int | None) -> int:
        """Execute at most `limit` instructions of a thread; the number, if there is a limit."""
        kernel, process = self._kernel, self._process
        if kernel.current is not thread:
            self._switch(thread)
        if thread.wait is not None:
            result = kernel.resume()
            if result is None:
                return 0
            self.set_result(result)
        process.send_profiling_signal(thread)
        self._deliver_pending()
        if process.outcome is not None:
            process.over()
            return 0
        if process.stopped:
            return 0
        return self._emulate(limit)

    def _emulate(self, limit: int | None) -> int:
        self._install(counted=limit is not None)
        counter = self._counter
        if counter is not None:
            counter.start(limit)
        self._traps.take_fault()
        self._stopping = False
        fault: Fault | None = None
        try:
            self._uc.emu_start(self._registers[RIP], processor.NEVER, 0, 0)
        except UcError as error:
            fault = self._traps.fault_of(error)
        executed = 0
        if counter is not None:
            if self._process.stopped and not self._stopping:
                counter.withdraw(self._registers[RIP])
            executed = counter.count
            self.instructions += executed
        self._after(fault)
        return executed

    def _after(self, error: Fault | None) -> None:
        """What a stop was for."""
        kernel, process = self._kernel, self._process
        thread = kernel.current
        kernel.attention = False
        if thread.resumed is not None:
            state, thread.resumed = thread.resumed, None
            process.tell_signal(SignalEvent.RETURNED, None, state)
            self.state.write(state)
        actions, kernel.later = kernel.later, []
        for action in actions:
            action()
        if process.outcome is not None:
            process.over()
            return
        if process.stopped:
            return
        fault = self._traps.take_fault() or error
        if fault is not None:
            if not self._handled(fault):
                process.end(self._explainer.outcome(fault, process.modules))
                process.over()
        elif not self._stopping and not (self._counter is not None and self._counter.reached):
            place = self._explainer.place(self._registers[RIP], process.modules)
            process.end(Outcome(OutcomeKind.UNSUPPORTED, message=f"the processor stopped {place}"))
            process.over()

    def _install(self, *, counted: bool) -> None:
        """Hooks as they are wanted now; translated code does not know of changes."""
        wanted = self._process.instruction_hook
        if wanted is not self._hook:
            if self._hook is not None:
                self._hooks.remove(self._hook_handle)
            if isinstance(wanted, engine.NativeHook):
                self._hook_handle = self._hooks.add(
                    UC_HOOK_CODE, processor.CODE, wanted.address, data=wanted.data
                )
            elif wanted is not None:
                self._hook_handle = self._hooks.add(UC_HOOK_CODE, processor.CODE, wanted)
            self._hook = wanted
            self._uc.ctl_flush_tb()
        if counted and self._counter is None:
            self._counter = InstructionCounter(self._uc, self._hooks)
            self._uc.ctl_flush_tb()

    def rest(self) -> None:
        """Take the hooks of the run away."""
        if self._hook is None and self._counter is None:
            return
        if self._hook is not None:
            self._hooks.remove(self._hook_handle)
        if self._counter is not None:
            self._counter.remove()
        self._hook, self._counter = None, None
        self._uc.ctl_flush_tb()

    # System calls

    def _system_call(self, _engine: int, _data: object) -> None:
        values = self._registers.read()
        arguments = (
            values[_RDI], values[_RSI], values[_RDX], values[_R10], values[_R8], values[_R9]
        )  # fmt: skip
        kernel = self._kernel
        self.in_kernel = True
        try:
            result = kernel.call(values[_RAX], arguments)
        finally:
            self.in_kernel = False
        # The syscall instruction itself leaves the return address and the flags behind.
        shown = values[_RAX] if result is None else result
        self._result.write([shown, values[RIP] + SYSCALL_SIZE, self._flags.read()[0]])
        thread = kernel.current
        if result is None or kernel.attention or kernel.later or thread.pending or kernel.pending:
            self._stopping = True
            engine.stop(self._uc)

    def set_result(self, result: int) -> None:
        """What the newest system call of the current thread returns."""
        self._rax.write([result])

    # Threads

    def _switch(self, thread: Thread) -> None:
        kernel = self._kernel
        old = kernel.current
        if not old.ended:
            old.registers = self._registers.read()
            if old.context is None:
                old.context = self._uc.context_save()
            else:
                self._uc.context_update(old.context)
        self._uc.context_restore(thread.context)
        kernel.current = thread
        self._process.tell_thread(ThreadEvent.SWITCHED, thread)

    def copy_for(self, thread: Thread, rsp: int, tls: int | None) -> None:
        """Give a new thread the state of the current one, with result 0 and its own stack."""
        here = self._uc.context_save()
        self.set_result(0)
        if rsp:
            self._registers[RSP] = rsp
        if tls is not None:
            self._process.set_fs_base(tls)
        thread.registers = self._registers.read()
        thread.context = self._uc.context_save()
        self._uc.context_restore(here)

    def reset(self) -> None:
        """The state of a new process."""
        self._uc.context_restore(self._pristine)
        self._uc.ctl_flush_tb()

    # Signals

    def _deliver_pending(self) -> None:
        """Go on with the handlers of all pending signals that are not blocked."""
        kernel, process = self._kernel, self._process
        thread = kernel.current
        info = take_pending(thread)
        if info is None and thread.interrupted_call is None:
            return
        state = self.state.read()
        while info is not None:
            if not ignored(kernel, info.number):
                name = signal_name(info.number)
                handled = has_handler(thread, info.number)
                if handled and thread.interrupted_call is not None:
                    if restarts(kernel, info.number):
                        state.general[RIP] -= SYSCALL_SIZE
                        state.general[_RAX] = thread.interrupted_call
                    thread.interrupted_call = None
                try:
                    entered = deliver(kernel, state, info)
                except MemoryFault:
                    why = f"no room on the stack for a frame of {name}"
                    process.end(_killed("SIGSEGV", why))
                    return
                if entered is None:
                    process.end(_killed(name, f"ended by {name}"))
                    return
                process.tell_signal(SignalEvent.DELIVERED, info.number, state)
                state = entered
            info = take_pending(thread)
        if thread.interrupted_call is not None:
            # No handler ran: the call goes on.
            state.general[RIP] -= SYSCALL_SIZE
            state.general[_RAX], thread.interrupted_call = thread.interrupted_call, None
        if thread.suspended_mask is not None:
            thread.blocked, thread.suspended_mask = thread.suspended_mask, None
        self.state.write(state)

    def _handled(self, fault: Fault) -> bool:
        """Whether the guest has a handler for the fault; it then goes on there."""
        kernel, process = self._kernel, self._process
        info = self._explainer.info(fault)
        if info is None or not has_handler(kernel.current, info.number):
            return False
        state = self.state.read()
        state.general[RIP] = fault.pc + (fault.vector == BREAKPOINT)
        try:
            entered = deliver(kernel, state, info)
        except MemoryFault:
            return False
        if entered is None:
            return False
        # The emulated processor remembers an exception and would make the next one a double fault.
        base = process.fs_base()
        self._uc.context_restore(self._pristine)
        process.set_fs_base(base)
        self.state.write(entered)
        process.tell_signal(SignalEvent.DELIVERED, info.number, state)
        return True


def _killed(signal: str, message: str) -> Outcome:
    return Outcome(OutcomeKind.SIGNAL, signal=signal, message=message)
