"""All rows of a section at once, for the tables that the hook reads.

Functions are decoded side by side: the first FRE of each, then the second of each, and so on. What
a row says is decoded once for all rows with the same bytes, by the code that the kernel model
itself uses. A function with anything wrong in it is left out whole, and so is a section whose
functions are not in order: what a lookup there comes to, and what it drops, depends on its path,
and is asked of the kernel model for one address at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from emu.unwind import Frame, Policy, RegionMemory, Row, SectionRecord
from emu.unwind.decode import FunctionEntry, RowHead, SectionDecoder
from emu.unwind.errors import RejectedError
from emu.unwind.lookup import USER_LIMIT
from emu.unwind.record import ATTRIBUTE_SIZE, FDE_SIZE
from emu.unwind.rules import build_frame

KEPT_SECTIONS = 64
"""So many sections are remembered: children have their parent's, guests register one again."""
LONGEST_WORDS = 24
"""Bytes of data words of one row; rows with more are left out."""

Array = np.ndarray[Any, np.dtype[Any]]

_FDE = np.dtype([("offset", "<i8"), ("size", "<u4"), ("attributes", "<u4")])
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Functions:
    """The FDEs of a section, a column for each field of `FunctionEntry`, by index."""

    starts: Array
    sizes: Array
    attribute_offsets: Array
    fres: Array
    counts: Array
    infos: Array
    infos2: Array
    repetitions: Array

    def entry(self, index: int) -> FunctionEntry:
        """One FDE, as the kernel model has it."""
        return FunctionEntry(
            index,
            int(self.starts[index]),
            int(self.sizes[index]),
            int(self.attribute_offsets[index]),
            int(self.fres[index]),
            int(self.counts[index]),
            int(self.infos[index]),
            int(self.infos2[index]),
            int(self.repetitions[index]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows in order of their addresses: [starts, ends), none of which overlap."""

    starts: Array
    """Run-time addresses, 64 bits, unsigned."""
    ends: Array
    rules: Array
    """For each row the number of what it says in `frames`."""
    indices: Array
    """Of the FDEs."""
    numbers: Array
    """Of the FREs in their functions."""
    frames: tuple[Frame, ...]
    functions: Functions | None

    def __len__(self) -> int:
        return len(self.starts)

    def row(self, at: int) -> Row:
        """The row at this place of the columns, as a lookup gives it."""
        assert self.functions is not None, "rows have functions"
        function = self.functions.entry(int(self.indices[at]))
        return Row(
            self.frames[self.rules[at]], function, int(self.numbers[at]), int(self.starts[at])
        )

    def at(self, pc: int) -> Row | None:
        """The row at `pc`; None if a lookup must tell."""
        place = int(np.searchsorted(self.starts, np.uint64(pc), "right")) - 1
        return self.row(place) if place >= 0 and pc < self.ends[place] else None

    def within(self, start: int, end: int) -> tuple[int, int]:
        """The places of the first row that ends behind `start`, and the first from `end` on."""
        return (
            int(np.searchsorted(self.ends, np.uint64(start), "right")),
            int(np.searchsorted(self.starts, np.uint64(end), "left")),
        )


_NO_ADDRESSES, _NO_NUMBERS = np.zeros(0, np.uint64), np.zeros(0, np.int64)
NO_ROWS = Rows(
    _NO_ADDRESSES, _NO_ADDRESSES, _NO_NUMBERS, _NO_NUMBERS, _NO_NUMBERS, frames=(), functions=None
)


@lru_cache(maxsize=KEPT_SECTIONS)
def read_rows(record: SectionRecord, data: bytes, policy: Policy) -> Rows:
    """The rows of a section with these bytes that every lookup by `policy` finds."""
    size = record.sframe_end - record.sframe_start
    fdes = record.fdes_start - record.sframe_start
    if (
        record.sframe_end > USER_LIMIT
        or len(data) != size
        or not record.num_fdes
        or fdes + FDE_SIZE * record.num_fdes > size
        or record.fres_end > record.sframe_end
    ):
        return NO_ROWS
    reader = _Reader(record, data)
    functions, usable = reader.functions()
    if functions is None:
        return NO_ROWS
    return reader.rows(functions, usable, policy)


class _Reader:
    """One section on its way into columns. Positions are offsets into its bytes."""

    def __init__(self, record: SectionRecord, data: bytes) -> None:
        self._record = record
        self._data = data
        # A row is looked at before it is known to end inside the section.
        self._bytes = np.frombuffer(data + bytes(16 + LONGEST_WORDS), np.uint8).astype(np.uint64)
        self._base = record.sframe_start
        self._end = record.fres_end - record.sframe_start

    def functions(self) -> tuple[Functions | None, Array]:
        """All FDEs, and which of them can be used; None if they are not in order."""
        record = self._record
        first = record.fdes_start - self._base
        table = np.frombuffer(self._data, _FDE, record.num_fdes, first)
        places = np.uint64(record.fdes_start) + np.arange(record.num_fdes, dtype=np.uint64) * (
            np.uint64(FDE_SIZE)
        )
        starts = places + table["offset"].view(np.uint64)
        if bool((starts[1:] <= starts[:-1]).any()):
            return None, starts
        sizes = table["size"].astype(np.uint64)
        ends = starts + sizes
        offsets = table["attributes"].astype(np.int64)
        at = offsets + (record.fres_start - self._base)
        usable = (starts >= np.uint64(record.text_start)) & (ends <= np.uint64(record.text_end))
        usable &= (ends >= starts) & (at + ATTRIBUTE_SIZE <= self._end)
        at = np.where(usable, at, 0)
        counts, infos, infos2, repetitions = (
            self._number(at, 2),
            self._number(at + 2, 1),
            self._number(at + 3, 1),
            self._number(at + 4, 1),
        )
        usable &= (counts <= sizes) & (infos & 0x1F <= 2) & (infos2 & 0x1F <= 1)
        fres = at.astype(np.uint64) + np.uint64(self._base + ATTRIBUTE_SIZE)
        columns = (starts, sizes, offsets, fres, counts, infos, infos2, repetitions)
        return Functions(*columns), usable

    def rows(self, functions: Functions, usable: Array, policy: Policy) -> Rows:
        """The rows of the functions that are usable."""
        found = self._fres(functions, usable)
        if found is None:
            return NO_ROWS
        index, number, start, at, end = found
        order = np.lexsort((number, index))
        order = order[usable[index[order]]]
        index, number, start, at, end = (each[order] for each in found)
        starts = functions.starts[index] + start
        limits = functions.starts + functions.sizes
        limits[:-1] = np.minimum(limits[:-1], functions.starts[1:])
        ends = limits[index]
        following = index[1:] == index[:-1]
        ends[:-1][following] = np.minimum(ends[:-1][following], starts[1:][following])
        keys, plain = self._keys(functions, index, at, end)
        rules, frames, known = self._frames(functions, keys, (index, start, at), policy)
        kept = plain & known & (starts < ends)
        return Rows(
            starts[kept], ends[kept], rules[kept], index[kept], number[kept], frames, functions
        )

    def _fres(self, functions: Functions, usable: Array) -> tuple[Array, ...] | None:
        """Function, number, start, position and end of every FRE; unsets what is not `usable`."""
        index = np.flatnonzero(usable & (functions.counts > 0))
        at = functions.fres[index].astype(np.int64) - self._base
        previous = np.full(len(index), -1, np.int64)
        taken: list[tuple[Array, ...]] = []
        number = 0
        while len(index):
            width = np.left_shift(1, functions.infos[index].astype(np.int64) & 0xF)
            start = self._number(at, 4).astype(np.int64) & ((1 << 8 * width) - 1)
            info = self._number(at + width, 1).astype(np.int64)
            end = at + width + 1 + ((info >> 1 & 0xF) << (info >> 5 & 3))
            good = (start > previous) & (start < functions.sizes[index].astype(np.int64))
            good &= (info >> 5 & 3 != 3) & (end <= self._end)
            usable[index[~good]] = False
            index, at, start, end = index[good], at[good], start[good], end[good]
            taken.append((index, np.full(len(index), number), start.astype(np.uint64), at, end))
            number += 1
            more = functions.counts[index] > number
            index, at, previous = index[more], end[more], start[more]
        if not taken:
            return None
        return tuple(np.concatenate(columns) for columns in zip(*taken, strict=True))

    def _keys(
        self, functions: Functions, index: Array, at: Array, end: Array
    ) -> tuple[list[Array], Array]:
        """All on which a row's rules depend, as columns, and for which rows that is all."""
        infos, infos2 = functions.infos[index], functions.infos2[index]
        words = at + np.left_shift(1, infos.astype(np.int64) & 0xF)
        info = self._number(words, 1)
        words += 1
        length = end - words
        keys = [self._part(words + part, length - part, 8) for part in range(0, LONGEST_WORDS, 8)]
        keys.append(info | (infos2 & np.uint64(0x1F)) << np.uint64(8) | infos << np.uint64(16))
        return keys, length <= LONGEST_WORDS

    def _frames(
        self,
        functions: Functions,
        keys: list[Array],
        rows: tuple[Array, Array, Array],
        policy: Policy,
    ) -> tuple[Array, tuple[Frame, ...], Array]:
        """What each row says, the distinct ones of it, and for which rows that is known."""
        mixed = keys[0] * _FACTOR
        for key in keys[1:]:
            mixed = ((mixed ^ (mixed >> np.uint64(29))) + key) * _FACTOR
        _, first, rules = np.unique(mixed, return_index=True, return_inverse=True)
        known = np.ones(len(mixed), bool)
        for key in keys:
            known &= key[first][rules] == key
        memory = RegionMemory([(self._base, self._data)])
        decoder = SectionDecoder(self._record, memory, policy)
        frames: list[Frame] = []
        numbers = np.full(len(first), -1)
        for number, row in enumerate(first):
            index, start, at = (int(column[row]) for column in rows)
            function = functions.entry(index)
            try:
                head: RowHead = decoder.row_head(function, self._base + at)
                words = decoder.data_words(function, head)
                frame = build_frame(words, policy, start=start, signal=function.signal)
            except RejectedError:
                continue
            numbers[number] = len(frames)
            frames.append(frame)
        rules = numbers[rules]
        return rules, tuple(frames), known & (rules >= 0)

    def _number(self, at: Array, size: int) -> Array:
        """Little-endian numbers of so many bytes at these positions."""
        number = self._bytes[at]
        for byte in range(1, size):
            number = number | self._bytes[at + byte] << np.uint64(8 * byte)
        return number

    def _part(self, at: Array, length: Array, size: int) -> Array:
        """The first `size` bytes of data words as a number; 0 behind their `length`."""
        number = np.zeros(len(at), np.uint64)
        for byte in range(size):
            inside = length > byte
            number[inside] |= self._bytes[at[inside] + byte] << np.uint64(8 * byte)
        return number
