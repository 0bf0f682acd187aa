"""A row found in `.sframe`: how the search got there, and the bytes it stands in.

SFrame specification, 'SFrame Function Descriptor Entries' and 'SFrame Frame Row Entries'; the
search is the kernel's (kernel behaviour: 6.1, 7.1).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from emu.lesson.locations import Address, Location


@dataclass(frozen=True, slots=True)
class ByteField:
    """Some bytes of a section and what they say. Multi-byte numbers are little endian."""

    offset: int
    """From the start of the section."""
    raw: bytes
    name: str
    value: int
    """The number in the bytes, with the field's sign."""
    meaning: str

    def saying(self, meaning: str) -> ByteField:
        """The same field with its meaning."""
        return replace(self, meaning=meaning)


@dataclass(frozen=True, slots=True)
class SectionRange:
    """A registered section: where it is and for which code."""

    name: str
    start: Address
    end: Address
    text_start: Address
    text_end: Address
    fdes_start: Address
    num_fdes: int
    fres_start: Address
    fres_end: Address
    ra_offset: int
    """Fixed offset of the return address from the CFA; 0 if there is none."""
    fp_offset: int


@dataclass(frozen=True, slots=True)
class Probe:
    """One look of the binary search over the FDEs: index `low + (high - low) / 2`."""

    low: int
    high: int
    index: int
    offset: int
    """Of the index entry from the start of the section."""
    start: Address
    """Where function `index` begins."""
    location: Location
    at_or_below: bool
    """Whether it begins at or below the address looked for: remembered, and the search goes on
    above; else below."""


@dataclass(frozen=True, slots=True)
class RowProbe:
    """One look of the linear search over the rows of a function."""

    index: int
    start: int
    """Bytes from the start of the function (MASK: of the block)."""
    at_or_below: bool
    """Whether the row begins at or below the distance looked for; the first that does not ends
    the search."""


@dataclass(frozen=True, slots=True)
class FdeBytes:
    """One FDE with its attribute block."""

    index: int
    start: Address
    size: int
    rows: int
    masked: bool
    repetition: int
    signal: bool
    flexible: bool
    location: Location
    """Of the function's first byte."""
    entry: tuple[ByteField, ...]
    """The 16 bytes of the index."""
    attributes: tuple[ByteField, ...]
    """The 5 bytes in front of the rows."""


@dataclass(frozen=True, slots=True)
class RowBytes:
    """One FRE."""

    index: int
    start: int
    """Bytes from the start of the function (MASK: of the block)."""
    end: int
    """Where the next row begins, or the function (the block) ends."""
    address: Address
    """The first byte of code it covers (MASK: in the block that was looked up)."""
    fields: tuple[ByteField, ...]
    rules: str
    """As equations; `RA undefined` for an outermost frame."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """The search for the row that is in force at an address."""

    address: Address
    """As looked up: some consumers look return addresses up one byte earlier."""
    section: SectionRange | None
    """None: no registered section covers the address."""
    probes: tuple[Probe, ...]
    fde: FdeBytes | None
    """The FDE that the search found, if it could be read; the address may lie behind its end."""
    distance: int
    """The address minus the function's start (MASK: modulo the repetition size)."""
    row_probes: tuple[RowProbe, ...]
    row: RowBytes | None
    errno: str
    """Name of the errno with which the lookup fails; empty if it found a row."""
    reason: str
    dropped: bool
    """The consumer removes the section because of this failure."""


@dataclass(frozen=True, slots=True)
class RowLine:
    """One row of a function's table."""

    index: int
    start: int
    rules: str
    in_force: bool


@dataclass(frozen=True, slots=True)
class FunctionRows:
    """The rows of a function around the one in force."""

    start: Address
    count: int
    """Of all rows of the function."""
    rows: tuple[RowLine, ...]
