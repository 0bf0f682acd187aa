"""Function descriptor entries: the index and the attribute blocks.

SFrame specification, 'SFrame Function Descriptor Entries'.
"""

import sys
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from struct import Struct
from typing import Final, overload

from emu.sframe.constants import (
    ATTRIBUTES_SIZE,
    ENTRY_SIZE,
    ByteOrder,
    FdeType,
    PcType,
    Version,
)
from emu.sframe.error import SFrameError
from emu.sframe.fre import FreReader, Row
from emu.sframe.header import STRUCT_PREFIX, Header
from emu.sframe.rules import UNDEFINED, Rules

ADDRESS_MASK: Final = (1 << 64) - 1

_MASK_BIT: Final = 0x10

_ENTRY_FIELDS: Final = {Version.V1: "iIIIB", Version.V2: "iIIIBB2x", Version.V3: "qII"}
_START_FIELD: Final = {Version.V1: "i", Version.V2: "i", Version.V3: "q"}


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a function's rows are like. SFrame specification, 'The SFrame FDE Attribute'.

    V3: the block of 5 bytes in front of the rows, at `offset` from the start of the section.
    V1 and V2 keep the same facts in the index entry (`info2` and V1's `rep_size` are 0 then).
    `rows_offset` is where the first row begins, from the start of the section.
    """

    offset: int
    num_fres: int
    info: int
    info2: int
    rep_size: int
    rows_offset: int

    @property
    def fre_type(self) -> int:
        """Bits 0-3 of info: a `FreType` in a well-formed section."""
        return self.info & 0xF

    @property
    def pc_type(self) -> PcType:
        """Bit 4 of info."""
        return PcType(bool(self.info & _MASK_BIT))

    @property
    def pauth_b_key(self) -> bool:
        """Bit 5 of info: return addresses are signed with key B (AArch64)."""
        return bool(self.info & 0x20)

    @property
    def signal(self) -> bool:
        """Bit 7 of info: a signal frame."""
        return bool(self.info & 0x80)

    @property
    def fde_type(self) -> int:
        """Bits 0-4 of info2: a `FdeType` in a well-formed section."""
        return self.info2 & 0x1F

    @property
    def flexible(self) -> bool:
        return self.fde_type == FdeType.FLEXIBLE


@dataclass(frozen=True, slots=True)
class Fde:
    """One function. SFrame specification, 'The SFrame FDE Index'.

    `offset` is that of the index entry from the start of the section. `start` is the function's
    address modulo 2^64, `start_offset` the field it was computed from; `size` is in bytes.
    `data_offset` counts from the start of the FRE sub-section to the attribute block (V1, V2: to
    the first row).
    """

    index: int
    offset: int
    start: int
    start_offset: int
    size: int
    data_offset: int
    _table: "FdeIndex" = field(repr=False, compare=False)

    @property
    def end(self) -> int:
        """Address of the byte after the function."""
        return self.start + self.size

    @property
    def attributes(self) -> Attributes:
        """Decoded on each use. Raises `SFrameError` if the block lies outside the FREs."""
        return self._table.attributes(self)

    @property
    def rows(self) -> tuple[Row, ...]:
        """All rows, decoded on each use. Raises `SFrameError` if one cannot be decoded."""
        return tuple(self.iter_rows())

    def iter_rows(self) -> Iterator[Row]:
        """The rows one by one. Raises `SFrameError` when it reaches one that has no end."""
        at = self.attributes
        return self._table.fres.rows(at.rows_offset, at.num_fres, at.fre_type, at.fde_type)

    def match(self, pc: int) -> "Match":
        """The row that applies at `pc`: the last one that starts at or below pc - start.

        For MASK, pc - start modulo the repetition size. Raises `SFrameError` for bytes on the way
        that cannot be decoded, and for a repetition size of 0.
        """
        at = self.attributes
        info = at.info
        distance = pc - self.start & ADDRESS_MASK
        if info & _MASK_BIT:
            if not at.rep_size:
                raise SFrameError("PC type MASK with repetition size 0", at.offset)
            distance %= at.rep_size
        if not at.num_fres:
            return Match(self, None, distance)
        row = self._table.fres.find(
            at.rows_offset, at.num_fres, info & 0xF, at.info2 & 0x1F, distance
        )
        return Match(self, row, distance)


@dataclass(frozen=True, slots=True)
class Match:
    """What applies at a pc.

    `distance` is pc - function start, modulo the repetition size for MASK. `row` is None in a
    function without rows, or before its first one.
    """

    fde: Fde
    row: Row | None
    distance: int

    @property
    def rules(self) -> Rules | None:
        """The row's rules.

        Without any row: outermost for a function, None for a signal frame (its rules could not be
        expressed) and before the first row. Raises `SFrameError` if the words mean no rules.
        """
        if self.row is not None:
            return self.row.rules
        attributes = self.fde.attributes
        return None if attributes.num_fres or attributes.signal else UNDEFINED


class FdeIndex(Sequence[Fde]):
    """The index of a section as a sequence; an FDE is decoded when it is asked for."""

    def __init__(self, view: memoryview, header: Header, address: int, fres: FreReader) -> None:
        self.fres = fres
        self._view = view
        self._header = header
        self._address = address
        prefix = STRUCT_PREFIX[header.byte_order]
        self._entry = Struct(prefix + _ENTRY_FIELDS[header.version])
        self._start_field = Struct(prefix + _START_FIELD[header.version])
        self._block = _BLOCK[header.byte_order]
        self._stride = ENTRY_SIZE[header.version]
        self._first = header.fdes_start
        self._is_sorted = header.is_sorted
        self._is_pcrel = header.is_pcrel
        # V3 entries are two 64-bit fields, of which the first is the start offset: where the byte
        # order is this machine's they can be read in place.
        self._fields: memoryview | None = None
        if header.version is Version.V3 and header.byte_order == sys.byteorder:
            self._fields = view[header.fdes_start : header.fdes_end].cast("q")

    def __len__(self) -> int:
        return self._header.num_fdes

    @overload
    def __getitem__(self, index: int) -> Fde: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Fde, ...]: ...
    def __getitem__(self, index: int | slice) -> Fde | tuple[Fde, ...]:
        if isinstance(index, slice):
            return tuple(self._fde(i) for i in range(*index.indices(len(self))))
        if not -len(self) <= index < len(self):
            raise IndexError(f"FDE {index} of {len(self)}")
        return self._fde(index % len(self))

    def __iter__(self) -> Iterator[Fde]:
        return map(self._fde, range(len(self)))

    def relative_start(self, index: int) -> int:
        """Signed distance from the start of the section to function `index`."""
        offset = self._first + self._stride * index
        (start,) = self._start_field.unpack_from(self._view, offset)
        relative: int = start + offset if self._is_pcrel else start
        return relative

    def find(self, pc: int) -> Fde | None:
        """The function that contains `pc`: the last one that starts at or below it.

        A table flagged as sorted is searched as such, whatever it holds; others are sorted once.
        """
        # Compared as signed distances from the section: a section opened at address 0 has
        # functions at negative addresses, which modulo 2^64 would be out of order.
        distance = (pc - self._address & ADDRESS_MASK ^ _SIGN) - _SIGN
        if self._is_sorted:
            place = self._place(distance)
            index = place - 1
        else:
            place = bisect_right(self._by_start, distance, key=self.relative_start)
            index = self._by_start[place - 1] if place else -1
        if not place:
            return None
        fde = self._fde(index)
        return fde if pc - fde.start & ADDRESS_MASK < fde.size else None

    def _place(self, distance: int) -> int:
        """Number of entries at or below `distance` in a sorted table."""
        fields = self._fields
        if fields is None:
            return bisect_right(range(len(self)), distance, key=self.relative_start)
        # Written out because nearly all the time of a lookup is spent here.
        step = self._stride if self._is_pcrel else 0
        if step:
            distance -= self._first
        low, high = 0, len(fields) >> 1
        while low < high:
            middle = low + high >> 1
            if fields[middle << 1] + step * middle <= distance:
                low = middle + 1
            else:
                high = middle
        return low

    @cached_property
    def _by_start(self) -> list[int]:
        return sorted(range(len(self)), key=self.relative_start)

    def _fde(self, index: int) -> Fde:
        offset = self._first + self._stride * index
        start, size, data_offset = self._entry.unpack_from(self._view, offset)[:3]
        relative = start + offset if self._is_pcrel else start
        return Fde(
            index,
            offset,
            self._address + relative & ADDRESS_MASK,
            start,
            size,
            data_offset,
            self,
        )

    def attributes(self, fde: Fde) -> Attributes:
        """The attributes of `fde`; see `Fde.attributes`."""
        position = self.fres.start + fde.data_offset
        if self._header.version is not Version.V3:
            _, _, _, num_fres, info, *rest = self._entry.unpack_from(self._view, fde.offset)
            return Attributes(fde.offset, num_fres, info, 0, rest[0] if rest else 0, position)
        if position + ATTRIBUTES_SIZE > self.fres.end:
            raise SFrameError(
                f"attributes of FDE {fde.index} at {position:#x} reach beyond the FREs,"
                f" which end at {self.fres.end:#x}",
                fde.offset + 12,
            )
        num_fres, info, info2, rep_size = self._block.unpack_from(self._view, position)
        return Attributes(position, num_fres, info, info2, rep_size, position + ATTRIBUTES_SIZE)


_SIGN: Final = 1 << 63
_BLOCK: Final[dict[ByteOrder, Struct]] = {
    order: Struct(prefix + "HBBB") for order, prefix in STRUCT_PREFIX.items()
}
