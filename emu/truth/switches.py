"""Writes of rsp that are no push, pop, call or return: frames left behind, other stacks."""

from __future__ import annotations

from collections.abc import Sequence

from emu.truth.ahead import Way, leaving
from emu.truth.doubt import Settlement, SwitchDoubt
from emu.truth.elsewhere import RBP, RSP, ReturnsElsewhere
from emu.truth.entry import CALLEE_SAVED, Entry, EntryKind, Stack
from emu.truth.functions import Functions, same_function
from emu.truth.instruction import derives_from_stack
from emu.truth.shadow import GuestMemory

PARKED_STACKS = 1 << 16


class StackSwitches(ReturnsElsewhere):
    """Tells where rsp went when an instruction wrote it freely, and keeps the stacks left behind.

    Parked stacks belong to no thread: another one may go on with them.
    """

    def __init__(self, memory: GuestMemory, functions: Functions) -> None:
        super().__init__(memory, functions)
        self._parked: list[Stack] = []

    @property
    def parked(self) -> list[Stack]:
        """The stacks that control has left and may come back to."""
        return self._parked

    @parked.setter
    def parked(self, stacks: list[Stack]) -> None:
        self._parked = stacks

    def mappings_changed(self) -> None:
        """Memory may have gone away, and with it the parked stacks in it."""
        self._parked = [stack for stack in self._parked if self._memory.writable(stack.parked_rsp)]

    def _in_frame(self, previous_rsp: int, rsp: int, rbp: int) -> bool:
        """Whether rsp, just computed from rbp, is still in the frame that had `previous_rsp`."""
        newest = self.stack.newest_slot()
        return previous_rsp <= rsp <= newest or previous_rsp <= rbp <= newest

    def _moved(self, switch_pc: int, previous_rsp: int, registers: list[int]) -> None:
        """An instruction wrote rsp freely: within the frame, up the stack, or to another one."""
        stack = self.stack
        stack.promise = None
        if self._goes_on_by_copy(switch_pc, previous_rsp, registers):
            return
        left = self._find(switch_pc, previous_rsp, registers[RSP], registers[RBP])
        dropped = left is not None and self.stack.entries[-1:] != [left]
        if self.stack is not stack or dropped:
            self.stack.promise = None
            self._look_forward(registers, left if dropped else None)

    def _find(self, switch_pc: int, previous_rsp: int, rsp: int, rbp: int) -> Entry | None:
        """Find the stack and the frame that rsp points into now.

        Returns the newest entry of that stack as it was before, if it had any.
        """
        stack = self.stack
        own = stack.entries[-1] if stack.entries else None
        self._parked = [parked for parked in self._parked if not self._begun_anew(parked, rsp)]
        for parked in self._parked:
            if rsp == parked.parked_rsp or (
                parked.entries and rsp - parked.entries[-1].slot in (0, 8)
            ):
                left = parked.entries[-1] if parked.entries else None
                self._go_on_with(parked, previous_rsp, switch_pc)
                self._drop_below(rsp)
                return left
        newest = stack.newest_slot()
        if previous_rsp <= rsp <= newest:
            return own
        if stack.interruptions and self._left_handlers(switch_pc, previous_rsp, rsp):
            return own
        if newest < rsp <= stack.begin:
            self._up_the_stack(switch_pc, previous_rsp, rsp)
            return own
        frame_pointer = previous_rsp <= rbp <= newest and not self._wrote_rbp(switch_pc)
        if rsp < previous_rsp and self._derived(switch_pc, frame_pointer):
            return own
        enclosing = [
            parked for parked in self._parked if parked.encloses(rsp) and rsp != parked.begin
        ]
        fresh = self._fresh(rsp, switch_pc, stack.entries)
        if enclosing:
            parked = min(enclosing, key=lambda parked: parked.begin - parked.parked_rsp)
            own = parked.entries[-1] if parked.entries else None
            self._go_on_with(parked, previous_rsp, switch_pc)
            self._up_the_stack(switch_pc, parked.parked_rsp, rsp, fresh)
        else:
            self._parked = [parked for parked in self._parked if rsp != parked.begin]
            self._park(stack, previous_rsp, switch_pc)
            self.stack = fresh
            self.figures.switches += 1
            for entry in fresh.entries:
                # A return through it, or the first transfer of control, proves it.
                entry.pending = True
                self._pending.append(entry)
            return None
        return own

    def _begun_anew(self, parked: Stack, rsp: int) -> bool:
        """Whether control enters `parked` through its newest slot, but by another word.

        makecontext lays its trampoline's address where the context that used the memory before
        had its last return address, that of the call in which it went away for good.
        """
        if not parked.entries or rsp != parked.entries[-1].slot:
            return False
        word = self._word(rsp)
        return (
            word is not None
            and word != parked.entries[-1].return_address
            and self._memory.executable(word)
        )

    def _left_handlers(self, switch_pc: int, previous_rsp: int, rsp: int) -> bool:
        """Whether rsp is in an interrupted frame or in an older one (siglongjmp, an exception).

        The handler's own stack may lie anywhere, so addresses are in order only between one
        interruption and the next.
        """
        stack = self.stack
        entries, interruptions = stack.entries, stack.interruptions
        oldest = entries[stack.floor :][:1]
        if oldest and previous_rsp <= rsp <= oldest[0].slot:
            return False
        for number in range(len(interruptions) - 1, -1, -1):
            index = interruptions[number]
            start = interruptions[number - 1] + 1 if number else None
            end = stack.begin if start is None else entries[start].slot
            if entries[index].slot + 8 <= rsp <= end:
                self._settle(Settlement.FIRST)
                self._up_the_stack(switch_pc, previous_rsp, rsp, handlers=self._drop_from(index))
                return True
        return False

    def _fresh(self, rsp: int, switch_pc: int, left: Sequence[Entry]) -> Stack:
        """A stack seen for the first time; it begins with the word at its top if that is code.

        Or with the one to which the code behind the switch returns once it has popped registers.
        `left` are the entries of the one that the instruction at `switch_pc` has left.
        """
        moved_from = left[-1] if left else None
        fresh = Stack(begin=rsp, straight=True, moved_from=moved_from, moved_at=switch_pc)
        ahead = leaving(self.decoder, self._pc)
        fresh.foreseen = ahead is not None and ahead.way is Way.WORD
        slot = rsp + (ahead.value if ahead is not None and fresh.foreseen else 0)
        word = self._word(slot)
        if word is not None and self._memory.executable(word):
            fresh.entries.append(
                Entry(
                    slot=slot,
                    return_address=word,
                    rbp=0,
                    callee_saved=(0,) * len(CALLEE_SAVED),
                    call_site=self._pc,
                    kind=EntryKind.SWITCH,
                    rbp_known=False,
                )
            )
        return fresh

    def _up_the_stack(
        self,
        switch_pc: int,
        previous_rsp: int,
        rsp: int,
        fresh: Stack | None = None,
        handlers: Sequence[Entry] = (),
    ) -> None:
        """rsp rose above slots: a jump out of frames, or a stack inside another frame's array.

        `handlers` are entries that were dropped before, those of handlers that are left.
        """
        entries = self.stack.entries
        index = self.stack.below(rsp)
        if index == len(entries) and not handlers:
            return
        self._settle(Settlement.FIRST)
        dropped = [*self._drop_from(index), *handlers]
        oldest = dropped[0]
        if rsp == oldest.slot + 8 or same_function(self._functions, switch_pc, oldest.call_site):
            return
        if entries and rsp == entries[-1].slot:
            return  # about to leave through this slot, as libgcc enters a landing pad
        self.doubt = SwitchDoubt(
            fresh=fresh or self._fresh(rsp, switch_pc, dropped),
            dropped=dropped,
            switch_pc=switch_pc,
            switch_rsp=previous_rsp,
            frame_pc=oldest.call_site,
        )

    def _go_on_with(self, parked: Stack, previous_rsp: int, switch_pc: int) -> None:
        self._parked.remove(parked)
        stack = self.stack
        came_back = stack.moved_from is not None and parked.entries[-1:] == [stack.moved_from]
        self._park(stack, previous_rsp, switch_pc)
        if came_back and len(stack.entries) == stack.base:
            self._parked.remove(stack)  # it was used by one call and is over
        self.stack = parked
        self.figures.switches += 1

    def _park(self, stack: Stack, rsp: int, switch_pc: int) -> None:
        stack.parked_rsp, stack.exit_pc = rsp, switch_pc
        if len(stack.entries) == stack.base:
            stack.moved_from = None
        for entry in tuple(self._pending):
            self._resolve_pending(entry, dropped=True)
        self._settle(Settlement.FIRST)
        self._parked.append(stack)
        if len(self._parked) > PARKED_STACKS:
            del self._parked[0]

    def _wrote_rbp(self, switch_pc: int) -> bool:
        """Whether rbp has changed with rsp (`xchg rsp, rbp`), so that it tells nothing."""
        return "rbp" in self.decoder.written(switch_pc)

    def _derived(self, switch_pc: int, frame_pointer: bool) -> bool:
        """Whether the value just written to rsp was computed from rsp (an alloca).

        Or from rbp, if that is a `frame_pointer`.
        """
        history = [self.decoder.at(pc) for pc in self._history if pc != self._pc]
        write = self.decoder.at(switch_pc)
        return any(
            derives_from_stack(history, source, frame_pointer=frame_pointer)
            for source in write.sources
        )
