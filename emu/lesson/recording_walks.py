"""Walks of a whole recording: every instruction, each step of a walk made once.

A step of a walk depends on the state it starts from, on the tables and on the words it reads.
It is remembered with those words until one of them changes, so that a walk at the next
instruction costs one step at the top. Walks are kept as chains that share their ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from emu.check.live import LiveRegisters
from emu.check.walk import KERNEL_LIMIT
from emu.lesson.recording_hops import Hop, HopKind, LoggedMemory, Stepper
from emu.unwind import Memory, MemoryFault

REMEMBERED = 1 << 17
"""Steps of walks that are remembered at once."""


@dataclass(frozen=True, slots=True)
class Link:
    """A hop and, as `further`, the number of the link after it; -1 if the walk ends here."""

    hop: Hop
    further: int
    length: int
    """Links from here to the end, this one included."""


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
