"""Returns through another word than the one that the call has pushed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence

from emu.truth.ahead import Way, leaving
from emu.truth.arrival import arrival
from emu.truth.copies import copies
from emu.truth.doubt import CopyDoubt, Settlement, SwitchDoubt
from emu.truth.entry import CALLEE_SAVED, Entry, EntryKind, Promise
from emu.truth.functions import Functions, same_function
from emu.truth.instruction import Decoder
from emu.truth.shadow import GuestMemory, ShadowStack

HISTORY = 64
"""Instructions looked back at, to tell where a value comes from."""
RBP, RSP = 6, 7


class ReturnsElsewhere(ShadowStack, ABC):
    """Follows return addresses to other words, by what was executed and by what will be.

    A function may copy its return address and leave by the copy; or put an address on the stack
    it has changed to and return to it. Neither is a call, but control goes where the word says.
    """

    def __init__(self, memory: GuestMemory, functions: Functions) -> None:
        super().__init__(memory, functions)
        self.decoder = Decoder(memory, functions)
        self._history: deque[int] = deque(maxlen=HISTORY)
        self._pc = 0

    def _executed(self) -> list[int]:
        """The last instructions before the one about to execute, oldest first."""
        return list(self._history)[:-1]

    def returns_by_copy(self, slot: int, registers: list[int]) -> bool:
        """Whether the topmost function may return by `slot`: it has copied the address there.

        If so there is a doubt from now on.
        """
        stack = self.stack
        entry = self._own_call()
        if (
            entry is None
            or self.doubt is not None
            or self._pending
            or slot <= entry.slot
            or slot not in self._copies(entry, self._executed(), registers)
        ):
            return False
        self.doubt = CopyDoubt(entry, entry.returning_by(slot), len(stack.interruptions))
        return True

    def _own_call(self) -> Entry | None:
        """The call of the topmost function; None if it was not called on this stack."""
        entries = self.stack.entries
        if len(entries) == self.stack.floor or entries[-1].kind is not EntryKind.CALL:
            return None
        return entries[-1]

    def _copies(self, entry: Entry, executed: Sequence[int], registers: list[int]) -> list[int]:
        """The words to which the function called by `entry` copied its return address."""
        address = entry.return_address
        return copies(self.decoder, self._memory, executed, registers, entry.slot, address)

    def _goes_on_by_copy(self, switch_pc: int, previous_rsp: int, registers: list[int]) -> bool:
        """Whether a function has just left its slot behind for a copy of its return address.

        libffi's `ffi_call_unix64` copies it to memory of its caller's, goes on there and returns
        by the copy. rsp has passed nothing but the function's own slot, and the function goes on:
        it calls.
        """
        stack, rsp = self.stack, registers[RSP]
        entry = self._own_call()
        if entry is None or entry.pending or rsp <= entry.slot:
            return False
        entries = stack.entries
        if len(entries) > stack.floor + 1:
            end = entries[-2].slot
        elif stack.interruptions:
            return False  # the handler's own frame
        else:
            end = stack.begin
        ahead = leaving(self.decoder, self._pc)
        if rsp >= end or ahead is None or ahead.way is not Way.CALL:
            return False
        if self.decoder.written(switch_pc) != {"rsp"}:
            return False  # what the registers were before is not known
        before = [*registers[:RSP], previous_rsp, *registers[RSP + 1 :]]
        for slot in self._copies(entry, self._executed()[:-1], before):
            if rsp <= slot < end:
                doubt = self.doubt
                right = isinstance(doubt, CopyDoubt) and doubt.elsewhere.slot == slot
                self._settle(Settlement.SECOND if right else Settlement.FIRST)
                entry.slot = slot
                entry.notes.clear()
                stack.same = min(stack.same, len(entries) - 1)
                return True
        return False

    def _look_forward(self, registers: list[int], left: Entry | None) -> None:
        """rsp has left the function's frame: see whether it returns from here, and by what.

        `left` is the newest call that the move has dropped, if it has dropped any.
        """
        stack = self.stack
        found = arrival(self.decoder, self._memory, self._pc, registers)
        if found is None or not self._memory.executable(found.target):
            return
        if stack.entries and stack.entries[-1].slot == found.slot:
            self._replaced(stack.entries[-1], found.target)
            return
        if found.by_jump:
            return
        if left is not None and left.return_address != found.target:
            left = None
        stack.promise = Promise(
            target=found.target,
            slot=found.slot,
            rbp=found.rbp,
            interruptions=len(stack.interruptions),
            left=left,
        )

    def _replaced(self, entry: Entry, target: int) -> None:
        """The newest call returns to `target`, which another function has put into its slot.

        So libgcc enters a landing pad: in place of the frame that it skips last it returns into the
        one that called it, elsewhere than behind the call, but with what that frame had there.
        """
        if entry.return_address != target and same_function(
            self._functions, entry.call_site, target
        ):
            entry.return_address = target
            entry.notes.clear()
            self.stack.same = min(self.stack.same, len(self.stack.entries) - 1)

    def _keep_promise(self, promise: Promise, registers: list[int], *, jumped: bool) -> None:
        """The code behind a move of rsp is executed, or has been left."""
        stack = self.stack
        if len(stack.interruptions) > promise.interruptions:
            return  # a handler runs
        if jumped:
            stack.promise = None
            self._complete(promise, registers)
            return
        if promise.kept is not None and stack.entries[-1:] != [promise.kept]:
            promise.kept = None  # the register held it no longer
        if promise.kept is None and (
            promise.target in registers[:16]
            or (registers[RSP] <= promise.slot and self._word(promise.slot) == promise.target)
        ):
            self._enter_promised(promise)

    def _enter_promised(self, promise: Promise) -> None:
        """A register or its slot holds the address: it is the topmost function's return address."""
        self.stack.promise = None
        if isinstance(self.doubt, SwitchDoubt):
            function = self._functions.function_at(self.doubt.switch_pc)
            if function is not None and function.start <= promise.target < function.end:
                return  # it tells nothing
            self._settle_switch(self.doubt, promise.target)
        stack = self.stack
        if stack.entries and stack.entries[-1].slot == promise.slot:
            return
        entry = promise.left
        if entry is None:
            entry = Entry(
                slot=promise.slot,
                return_address=promise.target,
                rbp=promise.rbp or 0,
                callee_saved=(0,) * len(CALLEE_SAVED),
                call_site=promise.target,
                kind=EntryKind.SWITCH,
                rbp_known=promise.rbp is not None,
            )
        else:
            self.figures.dropped -= 1
            if entry.slot != promise.slot:
                entry.slot = promise.slot
                entry.notes.clear()
        promise.kept = entry
        stack.promise = promise
        stack.moved_from = None
        stack.push(entry)

    def _complete(self, promise: Promise, registers: list[int]) -> None:
        """Control is transferred: all that the caller must find again is in the registers."""
        entry = promise.kept
        if entry is not None and entry is not promise.left:
            entry.rbp, entry.rbp_known = registers[RBP], True
            entry.callee_saved = tuple(registers[number] for number in CALLEE_SAVED)
            self.stack.same = min(self.stack.same, self.stack.index(entry))

    @abstractmethod
    def _settle_switch(self, doubt: SwitchDoubt, pc: int | None) -> None:
        """Control leaves the function that wrote rsp and goes to `pc`; None for a call."""
