"""Recorded walks held against the true stack."""

from collections import Counter
from dataclasses import dataclass, field

from emu.check import Verdict
from emu.check.modules import ModuleMap
from emu.check.tables import Tables
from emu.machine import Process, SignalEvent, Thread, ThreadEvent, UserState
from emu.truth import Entry, Tracker
from emu.unwind import MAX_ENTRIES, Ending, LookupFailure, Registers, State, Trace

RSP = 7
EXPLAINED = frozenset({Verdict.OK, Verdict.GAP, Verdict.LIMIT, Verdict.UNSETTLED})
"""What no table is to blame for."""

_WORDS = {
    Verdict.OK: "right",
    Verdict.GAP: "right as far as rows reach",
    Verdict.LIMIT: f"right, but truncated at {MAX_ENTRIES}",
    Verdict.TRUNCATED: "truncated",
    Verdict.REFUSED: "truncated by a row that is refused",
    Verdict.CORRUPT: "without the section that a lookup dropped",
    Verdict.WRONG: "wrong",
    Verdict.OVERRUN: "wrong beyond the outermost frame",
    Verdict.UNSETTLED: "not comparable",
}


@dataclass(frozen=True, slots=True)
class TrueChain:
    """The call stack at one moment: `entries` oldest first, below an interrupted frame."""

    entries: tuple[Entry, ...]
    settled: bool = True
    """False while what is on the stack depends on what comes."""

    def addresses(self, ip: int) -> tuple[int, ...]:
        """What a walk from `ip` should record, innermost first."""
        return (ip, *(entry.return_address for entry in reversed(self.entries)))


class TrueStacks:
    """Follows the stacks of all threads; `step` before every instruction."""

    def __init__(self, process: Process, modules: ModuleMap) -> None:
        self._process = process
        self._modules = modules
        self._trackers: dict[int, Tracker] = {}
        self._generation = -1
        self._begin(process.current, process.registers.read()[RSP])

    def step(self, pc: int, size: int) -> None:
        """The instruction at `pc` is about to execute in the current thread."""
        generation = self._process.memory.generation
        if generation != self._generation:
            self._generation = generation
            for tracker in self._trackers.values():
                tracker.code_changed()
        self._current.step(pc, size, self._process.registers.read())

    def signalled(self, event: SignalEvent, state: UserState) -> None:
        """A handler is about to start in the current thread, or has returned."""
        if event is SignalEvent.DELIVERED:
            self._current.signal_delivered(state.general)
        else:
            self._current.signal_returned(state.general)

    def thread_changed(self, event: ThreadEvent, thread: Thread) -> None:
        """A thread has been made or has ended."""
        if event is ThreadEvent.STARTED:
            self._begin(thread, thread.registers[RSP])
        elif event is ThreadEvent.ENDED:
            del self._trackers[thread.tid]

    def chain(self, *, interrupted: bool = False) -> TrueChain:
        """The current thread's stack, or with `interrupted` what its newest handler will leave."""
        tracker = self._current
        entries = tracker.entries
        if interrupted and tracker.stack.interruptions:
            entries = entries[: tracker.stack.interruptions[-1]]
        return TrueChain(tuple(entries), settled=tracker.doubt is None and not tracker.pending)

    @property
    def _current(self) -> Tracker:
        return self._trackers[self._process.current.tid]

    def _begin(self, thread: Thread, rsp: int) -> None:
        tracker = self._trackers[thread.tid] = Tracker(self._process.memory, self._modules)
        tracker.begin(rsp)


@dataclass(slots=True)
class Verification:
    """How many walks were what: `verdicts` counts each as `judge` found it."""

    tables: Tables
    verdicts: Counter[Verdict] = field(default_factory=Counter)

    @property
    def walks(self) -> int:
        """All that were judged."""
        return self.verdicts.total()

    @property
    def faults(self) -> int:
        """Those that neither a missing row nor the limit explains."""
        return sum(count for verdict, count in self.verdicts.items() if verdict not in EXPLAINED)

    def __str__(self) -> str:
        parts = [f"{count:,} {_WORDS[verdict]}" for verdict, count in self.verdicts.most_common()]
        return f"{self.walks:,} walks verified: {', '.join(parts) or 'none'}"

    def judge(self, trace: Trace, registers: Registers, truth: TrueChain) -> Verdict:
        """Compare the recorded addresses with the true ones, and count the verdict.

        A walk that departs is named by the cause at its last right frame: a GAP is right as far
        as rows reach.
        """
        verdict = self._verdict(trace, registers, truth)
        self.verdicts[verdict] += 1
        return verdict

    def _verdict(self, trace: Trace, registers: Registers, truth: TrueChain) -> Verdict:
        if not truth.settled:
            return Verdict.UNSETTLED
        true, got = truth.addresses(registers.ip), trace.ips
        if got == true:
            return Verdict.OK
        if got == true[:MAX_ENTRIES]:
            return Verdict.LIMIT
        common = next(
            (n for n, (one, other) in enumerate(zip(true, got, strict=False)) if one != other),
            min(len(true), len(got)),
        )
        cause = self._cause(registers, truth, common - 1)
        if cause is not None:
            return cause
        if common == len(got):
            refused = trace.end.ending is Ending.REFUSED
            return Verdict.REFUSED if refused else Verdict.TRUNCATED
        return Verdict.OVERRUN if common == len(true) else Verdict.WRONG

    def _cause(self, registers: Registers, truth: TrueChain, frame: int) -> Verdict | None:
        """Why a true frame had no row, or None if it had one."""
        if frame:
            entry = truth.entries[-frame]
            state, inside = entry.caller_state(), entry.caller_pc
        else:
            state = State(registers.ip, registers[7], registers[6], topmost=True)
            inside = registers.ip
        place = self.tables.place(state, inside)
        if place.gap:
            return Verdict.GAP
        if isinstance(place.found, LookupFailure) or self.tables.dropped:
            return Verdict.CORRUPT
        return None
