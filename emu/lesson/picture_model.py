"""What a picture of a stack shows: frames, their words, and what points at them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum


class Role(Enum):
    """What a word on the stack is."""

    RETURN_ADDRESS = "return address"
    FRAME_POINTER = "saved rbp"
    OTHER = ""


@dataclass(frozen=True, slots=True)
class Word:
    """Eight bytes of the stack."""

    address: int
    value: int | None
    """None if the memory cannot be read."""
    role: Role = Role.OTHER
    note: str = ""
    """What the value means: the function and offset of a return address."""
    target: int | None = None
    """The address on this stack that the word holds."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Words that are left out, from `address` on."""

    address: int
    words: int


@dataclass(frozen=True, slots=True)
class Band:
    """A frame: its words from `low` to below `high`, lowest first."""

    number: int
    function: str
    pc: str
    """Where the frame is: function and offset."""
    low: int
    high: int | None
    """The CFA, rsp of the caller after the return. None where the stack began."""
    row: str
    """The equations of the row in force, or why there are none."""
    has_row: bool
    words: tuple[Word | Gap, ...]
    interrupted: bool
    """A signal stopped it: its pc is no return address."""
    wrong: str
    """How the row contradicts the truth, empty if it does not."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """A register, or a value that a row claims, that points at a word."""

    name: str
    address: int
    wrong: bool = False


@dataclass(frozen=True, slots=True)
class Measure:
    """How the topmost frame's row comes to its CFA: so many bytes above a register."""

    base: int
    cfa: int
    wrong: bool

    @property
    def text(self) -> str:
        """The distance with its sign."""
        return f"{self.cfa - self.base:+d}"


@dataclass(frozen=True, slots=True)
class Picture:
    """A stack, the topmost frame first. `below` are words under rsp, lowest first."""

    bands: tuple[Band, ...]
    below: tuple[Word, ...]
    pointers: tuple[Pointer, ...]
    measure: Measure | None
    hidden: int
    """Frames between the last but one and the last band that are left out."""

    @property
    def prefix(self) -> int | None:
        """The upper bits that all addresses of the picture share, above the lower 16."""
        addresses = [one.address for one in self.words]
        uppers = {address >> 16 for address in addresses}
        return uppers.pop() if len(uppers) == 1 else None

    @property
    def words(self) -> Iterator[Word | Gap]:
        """Every line of the picture, lowest address first."""
        yield from self.below
        for band in self.bands:
            yield from band.words
