"""Walks of a whole recording: every instruction, each step of a walk made once.

A step of a walk depends on the state it starts from, on the tables and on the words it reads.
It is remembered with those words until one of them changes, so that a walk at the next
instruction costs one step at the top. Walks are kept as chains that share their ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from emu.check.live import LiveRegisters
from emu.check.verdict import Verdict
from emu.check.walk import KERNEL_LIMIT
from emu.lesson.explanation import Unwinder
from emu.lesson.recording_truth import TrueCall
from emu.unwind import (
    DwarfReason,
    DwarfRefusal,
    DwarfState,
    Ending,
    Memory,
    MemoryFault,
    Method,
    SectionStore,
    State,
    Walk,
    dwarf_step,
)
from emu.unwind.dwarf import FindTable

REMEMBERED = 1 << 17
"""Steps of walks that are remembered at once."""


class HopKind(StrEnum):
    """How a step of a walk was made, or how the walk ended."""

    SFRAME = "sframe"
    FRAME_POINTER = "frame-pointer"
    SIGNAL = "signal-frame"
    DWARF = "dwarf"
    OUTERMOST = "outermost"
    """The end: a row says that nothing called."""
    REFUSED = "refused"
    """The end: a row that may not be used."""
    LOST = "lost"
    """The end: nothing says where the caller is."""
    LIMIT = "limit"
    """The end: more frames than a consumer records."""

    @property
    def ends(self) -> bool:
        """Whether there is no caller's state."""
        return self in _ENDS


_ENDS = frozenset({HopKind.OUTERMOST, HopKind.REFUSED, HopKind.LOST, HopKind.LIMIT})


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of a walk: the state it came to, or why it ended."""

    kind: HopKind
    state: State | None
    cfa: int | None = None
    """The CFA, where it is not the rsp of `state` (rules for rsp of DWARF)."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A hop and, as `further`, the number of the link after it; -1 if the walk ends here."""

    hop: Hop
    further: int
    length: int
    """Links from here to the end, this one included."""


class LoggedMemory:
    """Memory that remembers which words were read."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.words: set[int] = set()

    def read(self, address: int, size: int, /) -> bytes:
        """Exactly `size` bytes; MemoryFault."""
        self.words.update(range(address & -8, address + size, 8))
        return self._memory.read(address, size)

    def word(self, address: int, /) -> int:
        """The 8 bytes at `address`; MemoryFault."""
        self.words.add(address & -8)
        if address & 7:
            self.words.add((address & -8) + 8)
        return self._memory.word(address)


class Stepper(Protocol):
    """One way to walk; positions are whatever it needs to go on."""

    def top(self, registers: LiveRegisters) -> tuple[Hop, object]:
        """The step from the topmost frame."""

    def step(self, position: object) -> tuple[Hop, object]:
        """The step from a frame that an earlier step came to."""


_ENDINGS = {
    Ending.OUTERMOST: HopKind.OUTERMOST,
    Ending.ZERO_FP: HopKind.OUTERMOST,
    Ending.REFUSED: HopKind.REFUSED,
    Ending.LOST: HopKind.LOST,
    Ending.LIMIT: HopKind.LIMIT,
    Ending.NO_USER: HopKind.LOST,
}
_METHODS = {
    Method.SFRAME: HopKind.SFRAME,
    Method.FRAME_POINTER: HopKind.FRAME_POINTER,
    Method.SIGNAL: HopKind.SIGNAL,
}


class KernelStepper:
    """The kernel model with a store; without sections it follows frame pointers alone."""

    def __init__(self, store: SectionStore, memory: Memory) -> None:
        self._store = store
        self._registers = LiveRegisters()
        self._walk = Walk(store, memory, self._registers)
        self.forget()

    def forget(self) -> None:
        """What a walk may use is decided when it starts: the store may have changed."""
        methods = Method.SFRAME if len(self._store) else Method.NONE
        if self._store.policy.frame_pointers:
            methods |= Method.FRAME_POINTER
        self._walk.available = methods

    def top(self, registers: LiveRegisters) -> tuple[Hop, object]:
        self._registers.values = registers.values
        return self.step(State(registers.ip, registers[7], registers[6], topmost=True))

    def step(self, position: object) -> tuple[Hop, object]:
        assert isinstance(position, State)
        walk = self._walk
        walk.resume(position)
        walk.step()
        end = walk.end
        if end is None:
            return Hop(_METHODS[walk.current_type], walk.state), walk.state
        reasons = [str(part) for part in (end.lookup, end.refusal) if part is not None]
        return Hop(_ENDINGS[end.ending], None, reason="; ".join(reasons)), None


_NO_ROW = frozenset({DwarfReason.NO_MODULE, DwarfReason.NO_FDE})


class DwarfStepper:
    """Call frame information of whichever module a pc lies in."""

    def __init__(self, find: FindTable, memory: Memory) -> None:
        self._find = find
        self._memory = memory

    def top(self, registers: LiveRegisters) -> tuple[Hop, object]:
        known = tuple((number, registers[number]) for number in range(16))
        return self.step((registers.ip, known, False))

    def step(self, position: object) -> tuple[Hop, object]:
        assert isinstance(position, tuple)
        pc, known, return_address = position
        state = DwarfState(pc, dict(known), return_address)
        found = self._find(pc - return_address)
        if found is None:
            return Hop(HopKind.LOST, None, reason=DwarfReason.NO_MODULE.value), None
        got = dwarf_step(found[0], state, self._memory, bias=found[1])
        if isinstance(got, DwarfRefusal):
            if got.reason is DwarfReason.OUTERMOST:
                return Hop(HopKind.OUTERMOST, None), None
            kind = HopKind.LOST if got.reason in _NO_ROW else HopKind.REFUSED
            return Hop(kind, None, reason=str(got)), None
        # An unknown rbp counts as 0, as in `emu check`.
        hop = Hop(
            HopKind.DWARF,
            State(got.pc, got.sp, got.fp or 0, interrupted=not got.return_address),
            None if got.cfa == got.sp else got.cfa,
            "" if got.fp is not None else "rbp is not known",
        )
        return hop, (got.pc, tuple(got.registers.items()), got.return_address)


@dataclass(frozen=True, slots=True)
class _Known:
    hop: Hop
    position: object
    outside: tuple[tuple[int, int], ...]
    """Words that were read outside the recorded stacks, with their values."""


@dataclass(slots=True)
class WalkRecorder:
    """Makes the walks of one unwinder; `links` is filled as new ones appear."""

    stepper: Stepper
    log: LoggedMemory
    memory: Memory
    recorded: Callable[[int], bool]
    """Whether changes of the word at an address are told to `changed`."""
    links: list[Link] = field(default_factory=list)
    _numbers: dict[tuple[Hop, int], int] = field(default_factory=dict)
    _steps: dict[object, _Known] = field(default_factory=dict)
    _readers: dict[int, list[object]] = field(default_factory=dict)
    _chains: dict[object, int] = field(default_factory=dict)

    def forget(self) -> None:
        """Tables or mappings have changed."""
        self._steps.clear()
        self._readers.clear()
        self._chains.clear()

    def changed(self, addresses: Iterable[int]) -> None:
        """These words have other values now."""
        readers = self._readers
        for address in addresses:
            if address in readers:
                for position in readers.pop(address):
                    self._steps.pop(position, None)
                self._chains.clear()

    def walk(self, registers: LiveRegisters) -> int:
        """The number of the link that the topmost frame's step leads to."""
        hop, position = self.stepper.top(registers)
        return self._numbered(hop, -1 if position is None else self._chain(position))

    def _chain(self, position: object) -> int:
        """The number of the first link of the walk that goes on from `position`."""
        visited: list[tuple[object, Hop]] = []
        seen: set[object] = set()
        further = -1
        lasting = True
        circle = False
        here: object = position
        while True:
            number = self._chains.get(here)
            if number is not None:
                further = number
                break
            if here in seen or len(visited) >= KERNEL_LIMIT:
                # Without a rule that frames must grow a walk can go round in a circle.
                further = self._numbered(Hop(HopKind.LIMIT, None), -1)
                circle = True
                break
            seen.add(here)
            known = self._step(here)
            lasting = lasting and not known.outside
            visited.append((here, known.hop))
            if known.position is None:
                break
            here = known.position
        for place, hop in reversed(visited):
            further = self._numbered(hop, further)
            # In a circle the same state has other links each time round.
            if lasting and not (circle and place is not position):
                self._chains[place] = further
        return further

    def _step(self, position: object) -> _Known:
        known = self._steps.get(position)
        if known is not None and (not known.outside or self._unchanged(known)):
            return known
        self.log.words = set()
        hop, following = self.stepper.step(position)
        outside = []
        for address in self.log.words:
            if self.recorded(address):
                self._readers.setdefault(address, []).append(position)
                continue
            # What is unreadable stays so until mappings change.
            with suppress(MemoryFault):
                outside.append((address, self.memory.word(address)))
        known = _Known(hop, following, tuple(outside))
        if len(self._steps) >= REMEMBERED:
            self.forget()
        self._steps[position] = known
        return known

    def _unchanged(self, known: _Known) -> bool:
        try:
            return all(self.memory.word(address) == value for address, value in known.outside)
        except MemoryFault:
            return False

    def _numbered(self, hop: Hop, further: int) -> int:
        key = (hop, further)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.links)
            length = self.links[further].length + 1 if further >= 0 else 1
            self.links.append(Link(hop, further, length))
        return number


@dataclass(slots=True)
class Judge:
    """Compares walks with true stacks; equal pairs once."""

    links: list[Link]
    calls: list[TrueCall]
    unwinder: Unwinder
    _known: dict[tuple[int, int], tuple[int, Verdict]] = field(default_factory=dict)

    def judge(self, link: int, call: int) -> tuple[int, Verdict]:
        """The frame at which the walk departs and how, or (-1, ok)."""
        visited: list[tuple[int, int]] = []
        while True:
            known = self._known.get((link, call))
            if known is not None:
                break
            verdict = self._step(link, call)
            if verdict is not None:
                known = (-1 if verdict is Verdict.OK else 0, verdict)
                self._known[link, call] = known
                break
            visited.append((link, call))
            link, call = self.links[link].further, self.calls[call].older
        for pair in reversed(visited):
            frame, verdict = known
            known = self._known[pair] = (frame if frame < 0 else frame + 1, verdict)
        return known

    def _step(self, link: int, call: int) -> Verdict | None:
        """None if the step leads to the true caller."""
        hop = self.links[link].hop
        true = self.calls[call] if call >= 0 else None
        if hop.state is None:
            return Verdict.OK if true is None else self._ended(hop.kind)
        got = hop.state
        if true is not None and (
            got.ip == true.return_address
            and got.sp == true.slot + 8
            and (got.fp == true.rbp or not true.rbp_known)
        ):
            return None
        if self.unwinder is Unwinder.SFRAME and hop.kind is not HopKind.SFRAME:
            return Verdict.GAP
        return Verdict.WRONG if true is not None else Verdict.OVERRUN

    def _ended(self, kind: HopKind) -> Verdict:
        """The walk ended, and there is a caller."""
        if kind is HopKind.LIMIT:
            return Verdict.LIMIT
        if kind is HopKind.OUTERMOST or self.unwinder is Unwinder.FRAME_POINTERS:
            return Verdict.TRUNCATED
        return Verdict.REFUSED if kind is HopKind.REFUSED else Verdict.GAP
