"""Lookups in a section whose memory does not change: each function is decoded once.

What is found, and how a lookup fails, is what `lookup.find_row` says: the same functions read
and check, and only their results are kept. Which FDEs the search reads still depends on the
address, as disorder among them counts only on its path.
"""

from bisect import bisect_right
from dataclasses import dataclass, field

from emu.unwind.decode import FunctionEntry, RowHead, SectionDecoder
from emu.unwind.errors import Errno, LookupFailure, RejectedError
from emu.unwind.lookup import (
    USER_LIMIT,
    Row,
    find_function,
    make_row,
    row_before_all,
    row_heads,
    row_offset,
)
from emu.unwind.policy import Policy
from emu.unwind.protocols import Memory
from emu.unwind.record import SectionRecord

KEPT_ROWS = 1 << 18
"""With more rows, or more starts of functions, everything is forgotten: memory stays bounded."""


@dataclass(slots=True)
class DecodedFunction:
    """The FREs of a function up to the first that cannot be used."""

    heads: list[RowHead] = field(default_factory=list)
    reach: list[int] = field(default_factory=list)
    """For each FRE the largest start so far: its own, but for the format's lookup, which takes
    FREs in any order and stops at the first that starts behind the address."""
    failure: LookupFailure | None = None
    """Why the FRE after the last cannot be used; None if there is none."""
    rows: dict[int, Row] = field(default_factory=dict)
    """By number, those that were asked for."""


class DecodedSection(SectionDecoder):
    """A decoder that remembers functions and their rows."""

    __slots__ = ("_entries", "_functions", "_kept", "_policy", "_starts")

    def __init__(self, record: SectionRecord, memory: Memory, policy: Policy) -> None:
        super().__init__(record, memory, policy)
        self._policy = policy
        self._forget()

    def _forget(self) -> None:
        self._starts: dict[int, int] = {}
        self._entries: dict[int, FunctionEntry] = {}
        self._functions: dict[int, DecodedFunction] = {}
        self._kept = 0

    def find_row(self, ip: int) -> Row | LookupFailure:
        """As `lookup.find_row`."""
        if self._record.sframe_end > USER_LIMIT:
            return LookupFailure(Errno.EFAULT, "the sframe range is beyond user space")
        if self._kept > KEPT_ROWS:
            self._forget()
        try:
            entry = find_function(self, self._record.num_fdes, ip, self._policy)
            return self._row(entry, row_offset(entry, ip))
        except RejectedError as rejected:
            return rejected.failure

    def function_start(self, index: int) -> int:
        """Start address of FDE `index`."""
        start = self._starts.get(index)
        if start is None:
            start = self._starts[index] = super().function_start(index)
            self._kept += 1
        return start

    def function(self, index: int) -> FunctionEntry:
        """FDE `index` with its attribute block, checked."""
        entry = self._entries.get(index)
        if entry is None:
            entry = self._entries[index] = super().function(index)
        return entry

    def _row(self, entry: FunctionEntry, offset: int) -> Row:
        function = self._functions.get(entry.index)
        if function is None:
            function = self._functions[entry.index] = self._decode(entry)
            self._kept += len(function.heads)
        end = bisect_right(function.reach, offset)
        if end == len(function.heads) and function.failure is not None:
            raise RejectedError(function.failure.errno, function.failure.reason)
        if not end:
            return row_before_all(entry, self._policy)
        row = function.rows.get(end - 1)
        if row is None:
            row = make_row(self, entry, end - 1, function.heads[end - 1], self._policy)
            function.rows[end - 1] = row
        return row

    def _decode(self, entry: FunctionEntry) -> DecodedFunction:
        function = DecodedFunction()
        highest = 0
        try:
            for head in row_heads(self, entry, self._policy):
                highest = max(highest, head.start)
                function.heads.append(head)
                function.reach.append(highest)
        except RejectedError as rejected:
            function.failure = rejected.failure
        return function
