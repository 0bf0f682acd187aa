"""The shadow call stack: follows one thread instruction by instruction.

A call is recognised by its effect (rsp fell by 8, the new top word is the address after the
instruction, control is elsewhere), a return by control being at the return address with rsp just
above its slot. Everything is decided before the next instruction, never at the call itself, so
an instruction that is stopped and run again changes nothing.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from emu.truth.ahead import Leaving, Way, leaving
from emu.truth.doubt import (
    CopyDoubt,
    Doubt,
    LocalCall,
    Provisional,
    PushedCall,
    Settlement,
    SwitchDoubt,
)
from emu.truth.elsewhere import HISTORY, RBP, RSP
from emu.truth.entry import CALLEE_SAVED, Entry, EntryKind, Stack
from emu.truth.functions import Functions, same_function
from emu.truth.shadow import GuestMemory
from emu.truth.switches import StackSwitches

RIP = 16


@dataclass(frozen=True, slots=True)
class Suspended:
    """What a tracker knows of a thread that another one runs instead of."""

    stack: Stack
    doubt: Doubt | None = None
    pending: tuple[Entry, ...] = ()
    pending_failed: bool = False
    delivering: bool = False
    history: tuple[int, ...] = ()
    pc: int = 0
    following: int = -1
    rsp: int = 0


class Tracker(StackSwitches):
    """The call stack of the running thread. `step` is called before every instruction.

    A thread that stops running is suspended, another one resumed; parked stacks belong to no
    thread. Registers are passed as a list indexed by DWARF number, 0 to 15 and 16 for rip.
    """

    def __init__(self, memory: GuestMemory, functions: Functions) -> None:
        super().__init__(memory, functions)
        self._delivering = False
        self._local_calls: dict[tuple[int, int], bool] = {}
        self._enters: dict[tuple[int, int], bool] = {}
        self._following = -1
        self._rsp = 0

    def begin(self, rsp: int) -> None:
        """The thread starts with this stack pointer; there is no caller."""
        self.stack = Stack(begin=rsp)
        self._rsp = rsp
        self._following = -1

    def suspend(self) -> Suspended:
        """What to remember of the thread that has just stopped running."""
        return Suspended(
            stack=self.stack,
            doubt=self.doubt,
            pending=tuple(self._pending),
            pending_failed=self._pending_failed,
            delivering=self._delivering,
            history=tuple(self._history),
            pc=self._pc,
            following=self._following,
            rsp=self._rsp,
        )

    def resume(self, thread: Suspended) -> None:
        """Go on with a suspended thread, or begin one: `Suspended(Stack(rsp), rsp=rsp)`."""
        self.stack = thread.stack
        self.doubt = thread.doubt
        self._pending = list(thread.pending)
        self._pending_failed = thread.pending_failed
        self._delivering = thread.delivering
        self._history = deque(thread.history, maxlen=HISTORY)
        self._pc, self._following, self._rsp = thread.pc, thread.following, thread.rsp

    def code_changed(self) -> None:
        """Executable memory was mapped, unmapped or rewritten."""
        self.decoder.forget()
        self._local_calls.clear()
        self._enters.clear()

    def signal_delivered(self, registers: list[int]) -> None:
        """A handler is about to start; `registers` are those it interrupted.

        Another one may be delivered before its first instruction executes.
        """
        if self._delivering:
            self._enter_handler(registers)
        else:
            # What the last instruction did, a call perhaps, is decided at the interrupted one.
            self.step(registers[RIP], 0, registers)
            if isinstance(self.doubt, SwitchDoubt):
                # The handler would come between the switch and what tells its meaning.
                self._settle_switch(self.doubt, self._goes_to(registers))
        self.stack.push(
            Entry(
                slot=registers[RSP] - 8,
                return_address=registers[RIP],
                rbp=registers[RBP],
                callee_saved=tuple(registers[:16]),
                call_site=registers[RIP],
                kind=EntryKind.SIGNAL,
            )
        )
        self._delivering = True

    def signal_returned(self, registers: list[int]) -> None:
        """rt_sigreturn is about to go on with `registers`."""
        stack = self.stack
        if not stack.interruptions:
            return
        index = stack.interruptions[-1]
        entry = stack.entries[index]
        self._drop_from(index + 1)
        stack.cut(index)
        self.figures.verify(entry, registers)
        if registers[RSP] != entry.slot + 8:
            self._drop_below(registers[RSP])
        self._following, self._rsp = registers[RIP], registers[RSP]

    def _enter_handler(self, registers: list[int]) -> None:
        """The handler's first instruction: its return address is the restorer."""
        self._delivering = False
        rsp = registers[RSP]
        restorer = self._word(rsp) or 0
        self.stack.push(
            Entry(
                slot=rsp,
                return_address=restorer,
                rbp=registers[RBP],
                callee_saved=tuple(registers[number] for number in CALLEE_SAVED),
                call_site=restorer,
                kind=EntryKind.HANDLER,
            )
        )
        self._following, self._rsp = registers[RIP], rsp

    def step(self, pc: int, size: int, registers: list[int]) -> None:
        """The instruction at `pc`, `size` bytes long, is about to execute."""
        if self._delivering:
            self._enter_handler(registers)
        rsp = registers[RSP]
        previous_pc, following, previous_rsp = self._pc, self._following, self._rsp
        self._pc, self._following, self._rsp = pc, pc + size, rsp
        self._history.append(pc)
        jumped = pc != following
        if self.doubt is not None:
            self._reconsider(pc, previous_pc, jumped=jumped)
        if rsp != previous_rsp:
            if jumped and rsp == previous_rsp - 8 and self._word(rsp) == following:
                self._called(previous_pc, pc, following, registers)
            elif following != -1:
                self._wrote_rsp(previous_pc, previous_rsp, registers)
        elif jumped and self.decoder.ends_pushed_call(previous_pc):
            self._jumped_out(previous_pc, pc, registers)
        if self.stack.promise is not None:
            self._keep_promise(self.stack.promise, registers, jumped=jumped)
        if jumped and self.stack.straight and not self.stack.interruptions:
            self._started(registers)
        entries = self.stack.entries
        if self._pending or (
            entries and rsp > entries[-1].slot and len(entries) > self.stack.floor
        ):
            self._passed(pc, previous_pc, previous_rsp, registers)
        if jumped and self.stack.moved_from is not None:
            self._went_on(pc)

    def _wrote_rsp(self, pc: int, previous_rsp: int, registers: list[int]) -> None:
        """The instruction at `pc` changed rsp and was no call."""
        instruction = self.decoder.at(pc)
        rsp, rbp = registers[RSP], registers[RBP]
        if instruction.sets_rsp or (
            instruction.rsp_from_rbp and not self._in_frame(previous_rsp, rsp, rbp)
        ):
            self._moved(pc, previous_rsp, registers)

    def _went_on(self, pc: int) -> None:
        """Control was transferred on a stack whose first function came from another one."""
        stack = self.stack
        if len(stack.entries) == stack.base and not same_function(
            self._functions, pc, stack.moved_at
        ):
            stack.moved_from = None

    def _jumped_out(self, jump: int, pc: int, registers: list[int]) -> None:
        """The instruction at `jump` went to `pc`, and a push stands before it."""
        rsp = registers[RSP]
        entries = self.stack.entries
        word = self._word(rsp)
        if (
            word is None
            or (entries and entries[-1].slot == rsp)
            or not self._memory.executable(word)
            or not self._enters_function(jump, pc)
        ):
            return
        entry = Entry(
            slot=rsp,
            return_address=word,
            rbp=registers[RBP],
            callee_saved=tuple(registers[number] for number in CALLEE_SAVED),
            call_site=jump if same_function(self._functions, jump, word) else word,
        )
        self.stack.push(entry)
        self._settle(Settlement.FIRST)
        self.doubt = PushedCall(entry)

    def _enters_function(self, jump: int, pc: int) -> bool:
        """Whether a jump goes to the start of a function from another one."""
        known = self._enters.get((jump, pc))
        if known is None:
            function = self._functions.function_at(pc)
            known = (
                function is not None
                and function.start == pc
                and not same_function(self._functions, jump, pc)
            )
            self._enters[jump, pc] = known
        return known

    def _started(self, registers: list[int]) -> None:
        """The first transfer of control on a fresh stack: what its first caller must find."""
        self.stack.straight = False
        entries = self.stack.entries
        if entries and all(entry.kind is EntryKind.SWITCH for entry in entries[:2]):
            self.stack.same = 0
            entries[0].rbp, entries[0].rbp_known = registers[RBP], True
            entries[0].callee_saved = tuple(registers[number] for number in CALLEE_SAVED)

    def _called(self, call_site: int, target: int, following: int, registers: list[int]) -> None:
        local = self._local_calls.get((call_site, target))
        if local is None:
            function = self._functions.function_at(call_site)
            local = function is not None and function.start < target < function.end
            self._local_calls[call_site, target] = local
        entry = Entry(
            slot=registers[RSP],
            return_address=following,
            rbp=registers[RBP],
            callee_saved=tuple(registers[number] for number in CALLEE_SAVED),
            call_site=call_site,
            local=local,
        )
        self.stack.push(entry)
        if local:
            # A local call that has lived to make another one is a call like any other.
            self._settle(Settlement.FIRST)
            self.doubt = LocalCall(entry)

    def _passed(self, pc: int, previous_pc: int, previous_rsp: int, registers: list[int]) -> None:
        """rsp is above a slot, or an entry is pending: returned, still alive, or gone."""
        rsp = registers[RSP]
        entries = self.stack.entries
        index, floor = len(entries), self.stack.floor
        while index > floor and entries[index - 1].slot < rsp:
            index -= 1
            # A function that has popped its return address and calls on shares the slot.
            if entries[index].slot == rsp - 8 and entries[index].return_address == pc:
                break
        if index < len(entries):
            entry = entries[index]
            above = rsp - entry.slot - 8
            if pc == entry.return_address and (
                above == 0 or entry.pending or above == self.decoder.at(previous_pc).pops
            ):
                self._returned(index, registers)
            else:
                for passed in entries[index:]:
                    if not passed.pending:
                        passed.pending = True
                        self._pending.append(passed)
        if self._pending:
            self._look_after_pending(previous_rsp, registers)

    def _look_after_pending(self, previous_rsp: int, registers: list[int]) -> None:
        """Each pending entry: back in a slot, still alive, or gone."""
        rsp = registers[RSP]
        for entry in tuple(self._pending):
            if self.stack.interruptions and self.stack.index(entry) < self.stack.floor:
                continue  # what is interrupted stands still
            if self._pushed_again(entry, previous_rsp, rsp):
                self._resolve_pending(entry, dropped=False)
            elif self.stack.straight and entry.kind is EntryKind.SWITCH and rsp <= entry.slot:
                continue
            elif not self._held(entry, registers):
                if rsp <= entry.slot and self._word(entry.slot) == entry.return_address:
                    self._resolve_pending(entry, dropped=False)
                else:
                    self._remove(entry)

    def _pushed_again(self, entry: Entry, previous_rsp: int, rsp: int) -> bool:
        """Whether the return address has just been put back, maybe into another slot."""
        if (
            rsp != previous_rsp - 8
            or entry is not self.stack.entries[-1]
            or self._word(rsp) != entry.return_address
        ):
            return False
        entry.slot = rsp
        entry.notes.clear()
        self.stack.same = min(self.stack.same, len(self.stack.entries) - 1)
        return True

    def _held(self, entry: Entry, registers: list[int]) -> bool:
        """Whether a register holds the return address, in this frame or in a frame that called."""
        stack = self.stack
        promised = stack.promise is not None and stack.promise.kept is entry
        if (
            entry.kind is EntryKind.SWITCH
            and stack.straight
            and not stack.foreseen
            and not promised
        ):
            return False  # the new stack's prepared registers are being popped
        address = entry.return_address
        if address in registers[:16]:
            return True
        # The first call after the address was taken out of its slot saved it, if one did.
        entries = stack.entries
        for index in range(stack.index(entry) + 1, len(entries)):
            newer = entries[index]
            if address == newer.rbp or address in newer.callee_saved:
                return True
        return False

    def _returned(self, index: int, registers: list[int]) -> None:
        entry = self.stack.entries[index]
        self._drop_from(index + 1)
        self.stack.cut(index)
        self.figures.verify(entry, registers)
        self._let_go(entry, dropped=False)

    def _reconsider(self, pc: int, previous_pc: int, *, jumped: bool) -> None:
        doubt = self.doubt
        if isinstance(doubt, Provisional):
            if self._word(doubt.entry.slot) != doubt.entry.return_address:
                self._remove(doubt.entry)
        elif isinstance(doubt, SwitchDoubt) and jumped:
            function = self._functions.function_at(doubt.switch_pc)
            if function is None or not function.start <= pc < function.end:
                self._settle_switch(doubt, pc)
        elif isinstance(doubt, CopyDoubt) and jumped:
            if len(self.stack.interruptions) > doubt.interruptions:
                return  # a handler runs
            function = self._functions.function_at(previous_pc)
            if function is None or not function.start < pc < function.end:
                self._settle(Settlement.FIRST)

    def _settle_switch(self, doubt: SwitchDoubt, pc: int | None) -> None:
        """Control leaves the function that wrote rsp and goes to `pc`; None for a call."""
        if pc is not None and same_function(self._functions, pc, doubt.frame_pc):
            self._settle(Settlement.FIRST)
            return
        self._settle(Settlement.SECOND)
        self.figures.dropped -= len(doubt.dropped)
        self.figures.switches += 1
        for entry in doubt.dropped:
            self.stack.push(entry)
        self._park(self.stack, doubt.switch_rsp, doubt.switch_pc)
        self.stack = doubt.fresh

    def _goes_to(self, registers: list[int]) -> int | None:
        """Where the straight code that is about to execute goes on.

        None if it calls, or if that cannot be seen.
        """
        ahead = leaving(self.decoder, registers[RIP])
        match ahead:
            case Leaving(Way.WORD, offset):
                return self._word(registers[RSP] + offset)
            case Leaving(Way.REGISTER, number):
                return registers[number]
            case Leaving(Way.ADDRESS, address):
                return address
            case _:
                return None
