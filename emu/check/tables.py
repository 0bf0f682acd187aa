"""The tables of a process as a consumer has them, and the rows they give, remembered per pc.

Step checks look up in an intact store: a lookup that would make the kernel drop a section is
reported, and the section is there again for the next one. Walk checks use a real store, from
which such a section is gone for good.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from emu.check.guest_store import GuestStore, Mappings
from emu.check.modules import LoadedModule, ModuleMap
from emu.unwind import (
    DebugLog,
    Errno,
    LookupFailure,
    Memory,
    Policy,
    Row,
    SectionStore,
    State,
)


@dataclass(slots=True)
class Place:
    """What is known about a pc: the row in force, or why there is none."""

    pc: int
    found: Row | LookupFailure
    module: LoadedModule | None
    function: str
    """Name of the function that the frame belongs to."""
    foreign: bool = False
    """A return address behind a call that ends its function: what follows is another one."""
    cfi_row: tuple[int, str] | None = None
    """Link-time address and text of the row of .eh_frame, for the policy that walks by it."""

    @property
    def gap(self) -> bool:
        """No table says anything about this pc."""
        return isinstance(self.found, LookupFailure) and self.found.errno is Errno.ENOENT

    @property
    def row_address(self) -> int | None:
        """Run-time address of the row's first byte."""
        return None if isinstance(self.found, LookupFailure) else self.found.start

    @property
    def row_pc(self) -> int | None:
        """Link-time address of the row's first byte, as readelf prints it."""
        if self.cfi_row is not None:
            return self.cfi_row[0]
        if isinstance(self.found, LookupFailure) or self.module is None:
            return None
        return self.found.start - self.module.bias

    @property
    def row(self) -> str | None:
        """The row in force, as equations."""
        if self.cfi_row is not None:
            return self.cfi_row[1]
        return None if isinstance(self.found, LookupFailure) else str(self.found.frame)


class Tables:
    """All registered sections. `place` is remembered until `forget` or a registration."""

    def __init__(
        self, modules: ModuleMap, memory: Memory, mappings: Mappings, policy: Policy
    ) -> None:
        self.intact = SectionStore(memory, mappings, policy=policy, stable=True)
        self.real = GuestStore(memory, mappings, policy, self.intact)
        self._modules = modules
        self._policy = policy
        self._places: dict[tuple[int, int], Place] = {}
        self._rows_hit: set[tuple[int, int, int]] = set()
        self.changes = 0
        """Counts all changes of what lookups may find, but those of a table that is rewritten."""
        self.rewritten = 0
        """Counts the times that the memory of a table may have changed."""
        self.real.on_change = self._changed

    def register(self, module: LoadedModule) -> str:
        """Register the section of a module for each of its executable segments.

        Returns `present`, `converted`, `absent` or `rejected: <why>`.
        """
        extent = module.sframe_extent
        if extent is None:
            return module.sframe_problem or "absent"
        refused = ""
        for text in module.executable_extents:
            if self.real.add(*extent, *text):
                refused = refused or _reason(self.real.log)
        self.modules_changed()
        if refused:
            return f"rejected: {refused}"
        return "converted" if module.converted else "present"

    def inherit(self, parent: Tables) -> None:
        """Have the sections of a forking process; what both exercise is counted once."""
        self.real.inherit(parent.real)
        self._rows_hit = parent._rows_hit
        self.forget()

    def unregister(self, module: LoadedModule) -> None:
        """The module is gone; so are its records."""
        if module.sframe_extent is not None:
            self.real.remove(module.sframe_extent[0])
        self.modules_changed()

    def empty(self) -> None:
        """No section is registered any more."""
        for record in self.real.records:
            self.real.remove(record.sframe_start)
        for record in self.intact.records:
            self.intact.remove(record.sframe_start)
        self.forget()

    @property
    def dropped(self) -> bool:
        """Whether a lookup has dropped a section from the real store."""
        return len(self.real) < len(self.intact)

    def forget(self) -> None:
        """Memory of a table may have changed: look up everything anew."""
        self.rewritten += 1
        self._look_up_anew()

    def _look_up_anew(self) -> None:
        self.intact.invalidate()
        self.real.invalidate()
        self._changed()

    def modules_changed(self) -> None:
        """Names, and what .eh_frame says, are others where a module came or went."""
        self.real.changes += 1
        self._look_up_anew()

    def _changed(self) -> None:
        self.changes += 1
        self._places.clear()

    def place(self, state: State, inside: int) -> Place:
        """The row for the frame in `state`, exactly as the policy's lookup finds it.

        `inside` is an address in the frame's function, which the call that made a return
        address stands in and the return address itself may not. A policy that looks return
        addresses up one byte earlier does not do so for an interrupted frame.
        """
        address = state.ip
        if self._policy.minus_one and not state.topmost and not state.interrupted:
            address -= 1
        key = (address, inside)
        place = self._places.get(key)
        if place is None or not self.intact.stable:
            place = self._places[key] = self.look_up(address, inside)
            self._exercised(place)
        return place

    def hit(self) -> tuple[int, int]:
        """FDEs and rows that any checked frame was in, over all sections."""
        return len({hit[:2] for hit in self._rows_hit}), len(self._rows_hit)

    def hit_also(self, rows: Iterable[tuple[int, int, int]]) -> None:
        """Frames were checked in these rows too: start of the section, FDE, FRE."""
        self._rows_hit.update(rows)

    def look_up(self, address: int, inside: int) -> Place:
        """Like `place`, for an address that is looked up as it is; no row counts as exercised."""
        modules = self._modules
        name = modules.name_at(inside)
        foreign = address != inside and modules.name_at(address) != name
        found = self.intact.lookup(address)
        return Place(address, found, modules.module_at(inside), name, foreign)

    def _exercised(self, place: Place) -> None:
        if isinstance(place.found, Row):
            record = self.intact.record_for(place.pc)
            assert record is not None, "a row comes from a record"
            self._rows_hit.add((record.sframe_start, place.found.function.index, place.found.index))


def _reason(log: DebugLog) -> str:
    """Why the kernel has just refused a section; a line with its addresses may follow."""
    return next(line for line in reversed(log.lines) if ": SEC: " not in line)
