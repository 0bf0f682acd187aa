"""How far a row reaches: addresses for which the kernel's lookup takes the same path.

A lookup compares the address with starts of functions and rows and with nothing else. In a table
in order, all addresses between two neighbouring starts are found alike, so one lookup answers for
all of them.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise

from emu.check.modules import LoadedModule, ModuleMap
from emu.check.tables import Tables
from emu.machine import AddressSpace
from emu.sframe import Section, SFrameError
from emu.unwind import Row


class RowExtents:
    """The ends of rows, as the format library reads the tables."""

    def __init__(self, modules: ModuleMap, tables: Tables, memory: AddressSpace) -> None:
        self._modules = modules
        self._tables = tables
        self._memory = memory
        self._orderly: dict[int, tuple[Section, bool]] = {}
        self._ends: dict[tuple[int, int], tuple[int, ...]] = {}

    def end(self, row: Row, pc: int) -> int:
        """Lookups of `pc` and of all addresses up to here, exclusive, give `row`.

        `row` is what the lookup of `pc` gave. Right behind `pc` if the table does not make sure.
        """
        loaded = self._modules.module_at(pc)
        record = self._tables.intact.record_for(pc)
        if (
            loaded is None
            or record is None
            or loaded.section is None
            or loaded.sframe_extent is None
            or loaded.sframe_extent[0] != record.sframe_start
            or row.function.masked
            or self._memory.writable(record.sframe_start)
            or not self._is_orderly(loaded.section)
        ):
            return pc + 1
        key = (id(loaded.section), row.function.index)
        starts = self._ends.get(key)
        if starts is None:
            starts = self._ends[key] = _starts(loaded, loaded.section, row.function.index)
        index = bisect_right(starts, pc)
        if not 0 < index < len(starts) or starts[index - 1] != row.start:
            return pc + 1
        return min(starts[index], record.text_end)

    def _is_orderly(self, section: Section) -> bool:
        """Whether every function starts behind the one before. Keeps the section alive."""
        known = self._orderly.get(id(section))
        if known is None:
            fdes = section.fdes
            starts = [fdes.relative_start(index) for index in range(len(fdes))]
            orderly = all(one < other for one, other in pairwise(starts))
            known = self._orderly[id(section)] = (section, orderly)
        return known[1]


def _starts(loaded: LoadedModule, section: Section, index: int) -> tuple[int, ...]:
    """Run-time starts of the rows of a function, and its end; nothing if they are not in order."""
    fde = section.fdes[index]
    end = fde.end
    if index + 1 < len(section.fdes):
        end = min(end, section.fdes[index + 1].start)
    try:
        starts = [fde.start + row.start for row in fde.rows] + [end]
    except SFrameError:
        return ()
    if any(one >= other for one, other in pairwise(starts)):
        return ()
    return tuple(loaded.bias + start for start in starts)
