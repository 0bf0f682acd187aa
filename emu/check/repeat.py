"""When the check of an older frame is made again.

A frame is checked when it becomes live. What the tables said of it is held from then on, and the
words that the check read, if stores are watched: one of them that is another one now makes the
check due again. Whether the tables say something else is asked when a section was registered or
removed, or its memory changed; whether a word has another value, for frames that a store came near
to. `Repeat.ALWAYS` asks both of all frames at every instruction.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from enum import Enum

from emu.check.step import Outcome
from emu.check.tables import Place
from emu.check.verdict import Field, Verdict
from emu.unwind import LookupFailure, Memory, MemoryFault

NOWHERE = 1 << 64


class Repeat(Enum):
    """How much is done to notice that an older frame's check would come out differently."""

    TABLES = "when a section that came or went gives the frame another row"
    STORES = "also when a store, or the kernel, has changed what it depends on"
    ALWAYS = "at every instruction"


@dataclass(frozen=True, slots=True)
class Span:
    """Addresses from `low` up to `high`, exclusive; empty unless `low` is less."""

    low: int = NOWHERE
    high: int = 0

    def touches(self, other: Span) -> bool:
        """Whether both have an address in common."""
        return self.low < other.high and other.low < self.high

    def with_(self, other: Span) -> Span:
        """The smallest span that contains both."""
        return Span(min(self.low, other.low), max(self.high, other.high))


EVERYTHING = Span(0, NOWHERE)


@dataclass(frozen=True, slots=True)
class Word:
    """Memory that was read, and what was there; None if it was unreadable."""

    address: int
    size: int
    value: bytes | None


@dataclass(slots=True)
class Held:
    """What a frame's check came to, and the words on which it depends."""

    verdict: Verdict
    fields: tuple[Field, ...]
    words: tuple[Word, ...]
    """Read by the step check."""
    pointers: tuple[Word, ...]
    """Read by a walk that has no row here."""
    reach: Span = Span()
    """Where words of this frame and of all older ones lie."""

    @property
    def span(self) -> Span:
        """Where this frame's own words lie."""
        return span_of((*self.words, *self.pointers))

    def came_to(self, outcome: Outcome) -> bool:
        """Whether the check came to the same as now."""
        return (self.verdict, self.fields) == (outcome.verdict, outcome.fields)


class Recorder:
    """Memory that remembers what was read while it is asked to."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._words: dict[tuple[int, int], Word] | None = None

    def record(self) -> None:
        """Remember from now on."""
        self._words = {}

    def recorded(self) -> tuple[Word, ...]:
        """What was read since `record`, each word once; and no longer remember."""
        words, self._words = self._words or {}, None
        return tuple(words.values())

    def read(self, address: int, size: int, /) -> bytes:
        """Like the memory's own."""
        if self._words is None:
            return self._memory.read(address, size)
        value = self._bytes(address, size)
        self._words[address, size] = Word(address, size, value)
        if value is None:
            raise MemoryFault(address)
        return value

    def word(self, address: int, /) -> int:
        """Like the memory's own."""
        if self._words is None:
            return self._memory.word(address)
        value = self._bytes(address, 8)
        self._words[address, 8] = Word(address, 8, value)
        if value is None:
            raise MemoryFault(address)
        return int.from_bytes(value, "little")

    def changed(self, words: Iterable[Word]) -> bool:
        """Whether one of them has another value now."""
        return any(self._bytes(word.address, word.size) != word.value for word in words)

    def _bytes(self, address: int, size: int) -> bytes | None:
        try:
            return self._memory.read(address, size)
        except MemoryFault:
            return None


class Repetition:
    """What may have changed since the last check, and what this instruction repeats for it."""

    def __init__(self, memory: Memory, repeat: Repeat = Repeat.TABLES) -> None:
        self.memory = Recorder(memory)
        self.watching = repeat is not Repeat.TABLES
        self.always = repeat is Repeat.ALWAYS
        self.renewed = NOWHERE
        """The oldest entry whose caller's check was made, since somebody last set this."""
        self._stored = Span()
        self._again: list[object] = []

    @property
    def open(self) -> bool:
        """Whether words may have changed that no check has looked at."""
        return self._stored.low < self._stored.high

    def stored(self, address: int, size: int) -> None:
        """The guest is writing there."""
        self._stored = self._stored.with_(Span(address, address + size))

    def everything(self) -> None:
        """The kernel or another thread: any word may have another value."""
        if self.watching:
            self._stored = EVERYTHING

    def near(self, held: Held | None) -> bool:
        """Whether words of a frame that holds these, or of an older one, must be looked at."""
        if held is None:
            return False
        return self.always or self._stored == EVERYTHING or self._stored.touches(held.reach)

    @property
    def repeating(self) -> bool:
        """Whether any check is repeated before this instruction."""
        return bool(self._again)

    def repeated(self, note: object) -> bool:
        """Whether the check to which `note` belongs is repeated before this instruction.

        The answer stays the same until `done`: a doubt has two readings, which share notes.
        """
        return any(note is other for other in self._again)

    def repeat(self, note: object) -> None:
        """It is."""
        self._again.append(note)

    def changed(self, held: Held | None) -> bool:
        """Whether a step check has read a word that has another value now."""
        if held is None:
            return False
        if not self.always and not self._stored.touches(held.span):
            return False
        return self.memory.changed(held.words)

    def done(self) -> None:
        """All checks of this instruction were made."""
        self._stored = Span()
        self._again.clear()


def row_of(place: Place) -> Hashable:
    """What a lookup has found, as a value that another lookup's can be compared with."""
    if isinstance(place.found, LookupFailure):
        return (place.gap, place.cfi_row)
    return (place.found.frame, place.row_pc)


def span_of(words: Iterable[Word]) -> Span:
    """The smallest span that contains all of them."""
    span = Span()
    for word in words:
        span = span.with_(Span(word.address, word.address + word.size))
    return span
