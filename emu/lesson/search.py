"""The search for a row, look by look (kernel behaviour: 6, 7.1).

What a lookup comes to is `emu.unwind`'s result; this retraces the way there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from emu.lesson.entries import (
    FdeBytes,
    FunctionRows,
    Lookup,
    Probe,
    RowBytes,
    RowLine,
    RowProbe,
    SectionRange,
)
from emu.lesson.locations import Names
from emu.lesson.section_bytes import SectionBytes
from emu.sframe.printable import printable
from emu.unwind import (
    Frame,
    FunctionEntry,
    LookupFailure,
    Memory,
    MemoryFault,
    Policy,
    Row,
    SectionRecord,
    SectionStore,
)
from emu.unwind import Lookup as LookupKind
from emu.unwind.decode import MASK64, RowHead, SectionDecoder
from emu.unwind.errors import RejectedError
from emu.unwind.record import FDE_SIZE
from emu.unwind.rules import build_frame

ROWS_SHOWN = 32
"""Rows of a function's table on either side of the one in force."""


class Consultation(NamedTuple):
    """One lookup that a walk made, and what it did to the store."""

    address: int
    record: SectionRecord | None
    result: Row | LookupFailure
    dropped: bool


class WatchedStore(SectionStore):
    """A copy of a store that remembers its last lookup; what it drops stays in the original."""

    def __init__(self, store: SectionStore) -> None:
        super().__init__(store.memory, store.mappings, policy=store.policy)
        self._consulted: Consultation | None = None
        for record in store.records:
            self._insert(replace(record))

    def find(self, ip: int) -> Frame | LookupFailure:
        """`sframe_find`, remembered for `take`."""
        record, result, count = self.record_for(ip), self.lookup(ip), len(self)
        found = super().find(ip)
        self._consulted = Consultation(ip, record, result, len(self) < count)
        return found

    def take(self) -> Consultation | None:
        """The lookup made since the last call, if there was one."""
        consulted, self._consulted = self._consulted, None
        return consulted


class SearchTrace:
    """Retraces lookups of one policy; `memory` holds the sections."""

    def __init__(self, memory: Memory, policy: Policy, names: Names) -> None:
        self._memory = memory
        self._policy = policy
        self._names = names
        self._known: dict[tuple[int, bool, bool], Lookup] = {}

    def lookup(self, consultation: Consultation) -> Lookup:
        """The looks that led to the result of a lookup, with the bytes of what was found.

        Remembered by address: frames of a recursion have the same one.
        """
        # A lookup on the way may have dropped the section.
        key = (consultation.address, consultation.record is None, consultation.dropped)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._lookup(consultation)
        return known

    def _lookup(self, consultation: Consultation) -> Lookup:
        address, record, result, dropped = consultation
        failure = result if isinstance(result, LookupFailure) else None
        if record is None:
            assert failure is not None, "there is no row without a section"
            return Lookup(
                address, None, (), None, 0, (), None, failure.errno.name, failure.reason, dropped
            )
        decoder = SectionDecoder(record, self._memory, self._policy)
        probes = self._probes(decoder, record, address)
        function = self._function(decoder, probes)
        fde = None if function is None else self._fde(record, function)
        distance = 0 if function is None else _distance(function, address)
        inside = function is not None and address - function.start & MASK64 < function.size
        scanned: tuple[RowProbe, ...] = ()
        if function is not None and inside:
            scanned = tuple(self._scan(decoder, function, distance))
        row = None
        if isinstance(result, Row) and result.index >= 0:
            row = self._row(decoder, record, result, address)
        return Lookup(
            address,
            _range(record),
            probes,
            fde,
            distance,
            scanned,
            row,
            failure.errno.name if failure else "",
            failure.reason if failure else "",
            dropped,
        )

    def rows(self, consultation: Consultation) -> FunctionRows | None:
        """The table of the function that was found, the row in force marked."""
        _, record, result, _ = consultation
        if record is None or isinstance(result, LookupFailure):
            return None
        function = result.function
        decoder = SectionDecoder(record, self._memory, self._policy)
        lines = []
        try:
            address = function.fres
            for index in range(min(function.count, result.index + ROWS_SHOWN + 1)):
                head = decoder.row_head(function, address)
                address = head.end
                if index >= result.index - ROWS_SHOWN:
                    words = decoder.data_words(function, head)
                    frame = build_frame(
                        words, self._policy, start=head.start, signal=function.signal
                    )
                    lines.append(RowLine(index, head.start, str(frame), index == result.index))
        except RejectedError:
            # The lookup never saw these rows: what was read before them stands.
            pass
        return FunctionRows(function.start, function.count, tuple(lines))

    def _probes(
        self, decoder: SectionDecoder, record: SectionRecord, address: int
    ) -> tuple[Probe, ...]:
        """Binary search over the index, to the look at which it ends or fails."""
        probes = []
        low, high = 0, record.num_fdes - 1
        lowest, highest = 0, MASK64
        while low <= high:
            middle = low + (high - low) // 2
            try:
                start = decoder.function_start(middle)
            except RejectedError:
                break
            at_or_below = address >= start
            offset = record.fdes_start + FDE_SIZE * middle - record.sframe_start
            location = self._names.location(start)
            probes.append(Probe(low, high, middle, offset, start, location, at_or_below))
            disorder = start < lowest if at_or_below else start > highest
            if disorder and self._policy.lookup is not LookupKind.FORMAT:
                break
            if at_or_below:
                lowest, low = start, middle + 1
            else:
                highest, high = start, middle - 1
        return tuple(probes)

    def _function(self, decoder: SectionDecoder, probes: tuple[Probe, ...]) -> FunctionEntry | None:
        index = next((probe.index for probe in reversed(probes) if probe.at_or_below), None)
        try:
            return None if index is None else decoder.function(index)
        except RejectedError:
            return None

    def _fde(self, record: SectionRecord, function: FunctionEntry) -> FdeBytes | None:
        fields = SectionBytes(record, self._memory, self._names)
        try:
            return FdeBytes(
                function.index,
                function.start,
                function.size,
                function.count,
                function.masked,
                function.repetition,
                function.signal,
                function.info2 & 0x1F == 1,
                self._names.location(function.start),
                fields.entry(function),
                fields.attributes(function),
            )
        except MemoryFault:
            return None

    def _scan(
        self, decoder: SectionDecoder, function: FunctionEntry, distance: int
    ) -> list[RowProbe]:
        """The rows that the linear search looks at."""
        probes: list[RowProbe] = []
        address = function.fres
        try:
            for index in range(function.count):
                head = decoder.row_head(function, address)
                probes.append(RowProbe(index, head.start, head.start <= distance))
                if head.start > distance:
                    break
                address = head.end
        except RejectedError:
            pass
        return probes

    def _row(
        self, decoder: SectionDecoder, record: SectionRecord, row: Row, address: int
    ) -> RowBytes:
        function = row.function
        head, following = self._head(decoder, function, row.index)
        end = function.repetition if function.masked else function.size
        if following is not None:
            end = following.start
        fields = SectionBytes(record, self._memory, self._names).row(function, head)
        covered = address - _distance(function, address) + head.start & MASK64
        return RowBytes(row.index, head.start, end, covered, fields, str(row.frame))

    def _head(
        self, decoder: SectionDecoder, function: FunctionEntry, index: int
    ) -> tuple[RowHead, RowHead | None]:
        """Row `index`, which has been read before, and the one behind it if it can be read."""
        address = function.fres
        for _ in range(index):
            address = decoder.row_head(function, address).end
        head = decoder.row_head(function, address)
        if index + 1 == function.count:
            return head, None
        try:
            return head, decoder.row_head(function, head.end)
        except RejectedError:
            return head, None


def _distance(function: FunctionEntry, address: int) -> int:
    distance = (address - function.start) & 0xFFFFFFFF
    return distance % function.repetition if function.masked and function.repetition else distance


def _range(record: SectionRecord) -> SectionRange:
    return SectionRange(
        printable(record.filename),
        record.sframe_start,
        record.sframe_end,
        record.text_start,
        record.text_end,
        record.fdes_start,
        record.num_fdes,
        record.fres_start,
        record.fres_end,
        record.ra_off,
        record.fp_off,
    )
