"""The true stack of a forked child: a copy of its parent's, which both go on with."""

from __future__ import annotations

from dataclasses import replace

from emu.truth.doubt import CopyDoubt, Doubt, LocalCall, PushedCall, SwitchDoubt
from emu.truth.entry import Entry, Promise, Stack
from emu.truth.tracker import Tracker


def inherit(child: Tracker, parent: Tracker) -> None:
    """Let `child` begin with what `parent` knows of the running thread and of parked stacks.

    Nothing that an observer has noted is copied: the child's frames are checked as its own.
    """
    copies = _Copies()
    thread = parent.suspend()
    child.resume(
        replace(
            thread,
            stack=copies.stack(thread.stack),
            doubt=copies.doubt(thread.doubt),
            pending=tuple(copies.entry(entry) for entry in thread.pending),
        )
    )
    child.parked = [copies.stack(stack) for stack in parent.parked]


class _Copies:
    """Each entry and stack is copied once, however often it is referred to."""

    def __init__(self) -> None:
        self._entries: dict[int, Entry] = {}
        self._stacks: dict[int, Stack] = {}

    def entry(self, entry: Entry) -> Entry:
        """Serials rise in the order of copying, as they do from older to newer entries."""
        if entry.serial not in self._entries:
            self._entries[entry.serial] = Entry(
                entry.slot,
                entry.return_address,
                entry.rbp,
                entry.callee_saved,
                entry.call_site,
                entry.kind,
                entry.local,
                entry.rbp_known,
                entry.pending,
            )
        return self._entries[entry.serial]

    def stack(self, stack: Stack) -> Stack:
        if id(stack) not in self._stacks:
            entries = [self.entry(entry) for entry in stack.entries]
            origin = None if stack.moved_from is None else self.entry(stack.moved_from)
            self._stacks[id(stack)] = Stack(
                begin=stack.begin,
                entries=entries,
                interruptions=list(stack.interruptions),
                parked_rsp=stack.parked_rsp,
                exit_pc=stack.exit_pc,
                moved_from=origin,
                moved_at=stack.moved_at,
                promise=self.promise(stack.promise),
            )
        return self._stacks[id(stack)]

    def promise(self, promise: Promise | None) -> Promise | None:
        if promise is None:
            return None
        left, kept = (each and self.entry(each) for each in (promise.left, promise.kept))
        return replace(promise, left=left, kept=kept)

    def doubt(self, doubt: Doubt | None) -> Doubt | None:
        match doubt:
            case LocalCall() | PushedCall():
                return replace(doubt, entry=self.entry(doubt.entry))
            case CopyDoubt():
                entry, elsewhere = self.entry(doubt.entry), self.entry(doubt.elsewhere)
                return replace(doubt, entry=entry, elsewhere=elsewhere)
            case SwitchDoubt():
                dropped = [self.entry(entry) for entry in doubt.dropped]
                return replace(doubt, fresh=self.stack(doubt.fresh), dropped=dropped)
            case None:
                return None
