"""What the hook is told: facts, sites and functions by address.

An instruction that is met for the first time is learned with those that follow it in a straight
line, as far as that has no effect on the report: what a look at a row adds to the coverage is
added only when a frame there is checked.
"""

from __future__ import annotations

import ctypes

from emu.check.fast.codemap import CodeMap
from emu.check.fast.extents import RowExtents
from emu.check.fast.facts import FactReader
from emu.check.fast.layout import Fact, Place, Range, State
from emu.check.fast.sites import LIMIT_KEY, Sites
from emu.check.finding import Tally
from emu.check.modules import ModuleMap
from emu.check.selection import Selection
from emu.check.tables import Tables
from emu.machine import AddressSpace
from emu.truth import Decoder
from emu.unwind import Errno, LookupFailure, Row, SectionRecord
from emu.unwind import State as FrameState

AHEAD = 32
"""Instructions learned at a time."""
FORESEEN = 256
"""Bytes whose rows are remembered at a time."""
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
        self._extents = RowExtents(modules, tables, memory)
        self._generation = -1
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
        code.refresh(
            loaded.sframe_extent
            for loaded in self._modules.modules
            if loaded.sframe_extent is not None
        )
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
        self._state.records = len(real)
        self.sites.refresh(self._tables.real)
        self._cover()

    def learn_instruction(self, pc: int) -> None:
        """The facts about the instruction at `pc`, and about those that follow it."""
        state, code = self._state, self.code
        first = code.place(pc)
        state.previous_place = 0 if first is None else ctypes.addressof(first)
        if first is None or first.facts:
            return
        end = self._share(pc)
        for number, (at, size, facts) in enumerate(self._facts.run(pc)):
            place = code.place(at)
            if number == AHEAD or place is None or place.facts:
                break
            place.facts = facts | (Fact.SELECTED if self._is_selected(at) else 0)
            if number and size:
                self._foresee(place, at, end)

    def learn_call(self, call_site: int) -> None:
        """Where the function of a call begins and ends."""
        place = self.code.place(call_site)
        if place is None or place.function:
            return
        function = self._modules.function_at(call_site)
        extent = (0, 0) if function is None else (function.start, function.end)
        number = self._numbers.get(extent)
        if number is None:
            number = self._numbers[extent] = len(self._numbers) + 1
            if number == len(self._functions):
                larger = (Range * (2 * number))()
                ctypes.memmove(larger, self._functions, ctypes.sizeof(self._functions))
                self._functions = larger
            self._functions[number].start, self._functions[number].end = extent
        place.function = number
        self._state.functions = ctypes.addressof(self._functions)

    def learn_top(self, pc: int, tally: Tally) -> None:
        """The site of a topmost frame that was just checked."""
        place = self.code.place(pc)
        if place is None or not self._is_selected(pc):
            return
        if not place.top:
            place.top = self._top_site(pc)
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

    def look_up(self, pc: int) -> None:
        """Look up once what the step check and the walk are both about to look up."""
        place = self.code.place(pc)
        if place is not None and not place.facts and self._tables.real.record_for(pc):
            self._tables.real.remember(pc, self._tables.intact.lookup(pc))

    def _share(self, pc: int) -> int:
        """Where the row at `pc` ends, if it counts as exercised; what it answers is remembered."""
        tables = self._tables
        if tables.intact.record_for(pc) is None:
            return pc
        found = tables.intact.lookup(pc)
        if not isinstance(found, Row) or not tables.was_hit(pc, found):
            return pc
        end = min(self._extents.end(found, pc), pc + FORESEEN)
        for store in (tables.intact, tables.real):
            if store.record_for(pc) is not None:
                for address in range(pc + 1, end):
                    store.remember(address, found)
        return end

    def _foresee(self, place: Place, pc: int, end: int) -> None:
        """The site of a topmost frame at `pc`, if the report does not show that it was asked."""
        if self._is_selected(pc) and (pc < end or self._tables.intact.record_for(pc) is None):
            place.top = self._top_site(pc)

    def _top_site(self, pc: int) -> int:
        found = self._tables.place(FrameState(pc, 0, 0, topmost=True), pc)
        return self.sites.of_place(found, pc, self._tables.real)

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
