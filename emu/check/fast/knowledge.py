"""What the hook is told: facts, sites and functions by address.

An instruction that is met for the first time is learned with those behind it, and the sites of all
rows of its function are made at once (`rows`). Nothing of that has an effect on the report: a row
counts as exercised when a frame there is checked.
"""

from __future__ import annotations

import ctypes
from itertools import islice

import numpy as np

from emu.check.fast.codemap import CodeMap, Places
from emu.check.fast.facts import FactReader
from emu.check.fast.layout import Fact, Place, Range, State
from emu.check.fast.rows import Rows, read_rows
from emu.check.fast.sites import LIMIT_KEY, Sites
from emu.check.finding import Tally
from emu.check.modules import ModuleMap
from emu.check.selection import Selection
from emu.check.tables import Tables
from emu.machine import AddressSpace
from emu.truth import Decoder
from emu.unwind import Errno, LookupFailure, MemoryFault, SectionRecord
from emu.unwind import State as FrameState

AHEAD = 1024
"""Bytes of code decoded at a time."""
LARGEST = 1 << 16
"""Bytes on either side for which rows are learned at a time."""
_MASK32 = (1 << 32) - 1


class Knowledge:
    """Writes into the hook's tables what the reference code finds."""

    def __init__(
        self,
        state: State,
        memory: AddressSpace,
        modules: ModuleMap,
        tables: Tables,
        decoder: Decoder,
        *,
        selection: Selection | None,
        strict: bool,
    ) -> None:
        self.code = CodeMap(memory)
        self.sites = Sites(strict=strict)
        self._state = state
        self._memory = memory
        self._modules = modules
        self._tables = tables
        self._selected = None if selection is None else selection.addresses
        self._facts = FactReader(memory, decoder)
        self._rows: dict[SectionRecord, Rows] = {}
        self._tried: set[int] = set()
        """Where functions start whose rows were learned, as far as that is possible."""
        self._generation = -1
        self._rewritten = 0
        self._records: tuple[SectionRecord, ...] = ()
        self._intact: tuple[SectionRecord, ...] = ()
        self._functions = (Range * 1024)()
        self._numbers: dict[tuple[int, int], int] = {}

    def refresh(self) -> None:
        """Follow changes of the address space and of the registered sections."""
        memory, state, code = self._memory, self._state, self.code
        self._refresh_records()
        if memory.generation == self._generation:
            return
        self._generation = memory.generation
        rewritten = self._tables.rewritten != self._rewritten
        self._rewritten = self._tables.rewritten
        self._tried.clear()
        if rewritten:
            self._rows.clear()
        code.refresh(everything=rewritten)
        state.code, state.code_count = ctypes.addressof(code.ranges), len(code.ranges)
        state.memory, state.memory_count = ctypes.addressof(code.readable), len(code.readable)
        state.code_size = 0
        state.memory_start, state.memory_last = 1, 0
        self._cover()

    def _refresh_records(self) -> None:
        """Rows are other ones where a section was registered, removed or dropped."""
        real, intact = self._tables.real.records, self._tables.intact.records
        if real == self._records and intact == self._intact:
            return
        for record in {*intact} ^ {*self._intact}:
            self.code.forget_rows(record.text_start, record.text_end)
        for record in {*real} ^ {*self._records}:
            self.code.forget_walks(record.text_start, record.text_end)
        self._records, self._intact = real, intact
        self._tried.clear()
        self._state.records = len(real)
        self.sites.refresh(self._tables.real)
        self._cover()

    def learn_instruction(self, pc: int) -> None:
        """The facts about the instruction at `pc`, and about those behind it in its function."""
        state, code = self._state, self.code
        first = code.place(pc)
        state.previous_place = 0 if first is None else ctypes.addressof(first)
        if first is None or first.facts:
            return
        start, end = self._modules.stretch_at(pc) or (pc, pc + 1)
        self._learn_rows(pc, start, end)
        end = min(end, pc + AHEAD)
        view = code.view(pc, end)
        if view is None or not self._learn_ahead(pc, end, view):
            ((_, _, facts),) = islice(self._facts.run(pc), 1)
            self._learn_facts(pc, first, facts)

    def _learn_ahead(self, pc: int, end: int, view: Places) -> bool:
        """What is known of [pc, end) without executing it, as far as it is new."""
        known = np.flatnonzero(view["facts"])
        if len(known):
            end = pc + int(known[0])
        function = self._modules.function_at(pc)
        number = self._number_of((0, 0) if function is None else (function.start, function.end))
        learned = False
        for at, size, facts, call in self._facts.sweep(pc, end):
            place = self.code.place(at)
            assert place is not None, "all of it has places"
            self._learn_facts(at, place, facts)
            learned = True
            if call and at + size < end:
                place.function = number
                following = self.code.place(at + size)
                assert following is not None, "all of it has places"
                following.caller, following.distance = following.top, size
        return learned

    def _learn_facts(self, pc: int, place: Place, facts: Fact) -> None:
        place.facts = facts | (Fact.SELECTED if self._is_selected(pc) else 0)

    def _learn_rows(self, pc: int, start: int, end: int) -> None:
        """The sites of topmost frames around `pc`, as far as [start, end) is one function."""
        tables, modules = self._tables, self._modules
        start, end = max(start, pc - LARGEST), min(end, pc + LARGEST)
        module, record = modules.module_at(pc), tables.intact.record_for(pc)
        if module is None or not tables.intact.stable:
            return
        if record is None:
            end = min(end, pc + AHEAD)
            view = self.code.view(pc, end)
            covered = (each.text_start < end and pc < each.text_end for each in self._intact)
            if view is not None and not any(covered):
                place = tables.look_up(pc, pc)
                view["top"] = self.sites.of_place(place, pc, tables.real)
            return
        view, rows = self.code.view(start, end), self._rows_at(pc)
        if view is None or rows is None or start in self._tried:
            return
        self._tried.add(start)
        first, last = rows.within(start, end)
        if first >= last:
            return
        number = self.sites.of_rows(
            rows, first, last, record, module, modules.name_at(pc), tables.real
        )
        addresses = np.arange(start, end, dtype=np.uint64)
        found = np.searchsorted(rows.starts[first:last], addresses, "right") - 1
        covering = (found >= 0) & (addresses < rows.ends[first + np.maximum(found, 0)])
        view["top"] = np.where(covering, number + found, view["top"])

    def look_up(self, pc: int) -> None:
        """Let the first lookup in a function be one of those that were all made at once."""
        place, tables = self.code.place(pc), self._tables
        if place is None or place.facts:
            return
        rows = self._rows_at(pc)
        found = None if rows is None else rows.at(pc)
        if found is not None:
            tables.intact.remember(pc, found)

    def _rows_at(self, pc: int) -> Rows | None:
        """The rows of the section that covers `pc`; None if it may change, or there is none."""
        intact = self._tables.intact
        record = intact.record_for(pc) if intact.stable else None
        if record is None or record not in self._intact:
            return None
        ends = (record.sframe_start, record.sframe_end - 1)
        if any(self._memory.writable(address) for address in ends):
            return None
        return self._rows_of(record)

    def _rows_of(self, record: SectionRecord) -> Rows:
        rows = self._rows.get(record)
        if rows is None:
            try:
                size = record.sframe_end - record.sframe_start
                data = self._memory.read(record.sframe_start, size)
            except MemoryFault:
                data = b""
            rows = self._rows[record] = read_rows(record, data, self._tables.intact.policy)
        return rows

    def learn_call(self, call_site: int) -> None:
        """Where the function of a call begins and ends."""
        place = self.code.place(call_site)
        if place is None or place.function:
            return
        function = self._modules.function_at(call_site)
        extent = (0, 0) if function is None else (function.start, function.end)
        place.function = self._number_of(extent)

    def _number_of(self, extent: tuple[int, int]) -> int:
        """The number of a function; `State.functions` is up to date afterwards."""
        number = self._numbers.get(extent)
        if number is None:
            number = self._numbers[extent] = len(self._numbers) + 1
            if number == len(self._functions):
                larger = (Range * (2 * number))()
                ctypes.memmove(larger, self._functions, ctypes.sizeof(self._functions))
                self._functions = larger
            self._functions[number].start, self._functions[number].end = extent
            self._state.functions = ctypes.addressof(self._functions)
        return number

    def learn_top(self, pc: int, tally: Tally) -> None:
        """The site of a topmost frame that was just checked."""
        place = self.code.place(pc)
        if place is None or not self._is_selected(pc):
            return
        if not place.top:
            # Other tables are registered than when the code was learned.
            self._learn_rows(pc, *(self._modules.stretch_at(pc) or (pc, pc + 1)))
        if not place.top:
            looked_up = self._tables.place(FrameState(pc, 0, 0, topmost=True), pc)
            place.top = self.sites.of_place(looked_up, pc, self._tables.real)
        self.sites.learn(place.top, tally)

    def learn_caller(self, return_address: int, inside: int, tally: Tally) -> None:
        """The site of an older frame that was just checked; `inside` lies in its function."""
        place = self.code.place(return_address)
        if place is None:
            return
        distance = return_address - inside & _MASK32
        if not place.caller or place.distance != distance:
            found = self._tables.place(FrameState(return_address, 0, 0), inside)
            place.caller = self.sites.of_place(found, return_address, self._tables.real)
            place.distance = distance
        self.sites.learn(place.caller, tally)

    def answer(self, tally: Tally) -> None:
        """Learn what the hook has asked for, and what repeats in `tally` from now on."""
        state = self._state
        if state.missing:
            self.learn_caller(state.missing, state.missing_inside, tally)
        if state.wanted:
            self._learn_walk(state.wanted)
        state.missing = state.wanted = 0
        state.limit_known = LIMIT_KEY in tally.findings
        state.sites = self.sites.address

    def _learn_walk(self, pc: int) -> None:
        """What a walk finds at `pc`, wherever it came from."""
        place = self.code.place(pc)
        if place is None:
            return
        store = self._tables.real
        found = store.lookup(pc)
        if isinstance(found, LookupFailure):
            gap = found.errno is Errno.ENOENT or store.record_for(pc) is None
            place.row = self.sites.of_walk(found, gap=gap)
        else:
            place.row = self.sites.of_walk(found.frame, gap=False)

    def _is_selected(self, pc: int) -> bool:
        return self._selected is None or pc in self._selected

    def _cover(self) -> None:
        """How many sections have code that the hook has no places for."""
        self._state.uncovered = sum(
            not self.code.covers(record.text_start, record.text_end) for record in self._records
        )
