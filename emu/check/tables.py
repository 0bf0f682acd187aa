"""The tables of a process as a consumer has them, and the rows they give, remembered per pc.

Step checks look up in an intact store: a lookup that would make the kernel drop a section is
reported, and the section is there again for the next one. Walk checks use a real store, from
which such a section is gone for good.
"""

from __future__ import annotations

from dataclasses import dataclass

from emu.check.modules import LoadedModule, ModuleMap
from emu.unwind import Errno, LookupFailure, Mappings, Memory, Policy, Row, SectionStore


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
        if isinstance(self.found, LookupFailure) or self.module is None:
            return None
        return self.found.start - self.module.bias


class Tables:
    """All registered sections. `place` is remembered until `forget` or a registration."""

    def __init__(
        self, modules: ModuleMap, memory: Memory, mappings: Mappings, policy: Policy
    ) -> None:
        self.intact = SectionStore(memory, mappings, policy=policy, stable=True)
        self.real = SectionStore(memory, mappings, policy=policy, stable=True)
        self._modules = modules
        self._policy = policy
        self._top_places: dict[int, Place] = {}
        self._places: dict[int, Place] = {}
        """Of return addresses."""
        self._rows_hit: set[tuple[int, int, int]] = set()

    def register(self, module: LoadedModule) -> str:
        """Register the section of a module for each of its executable segments.

        Returns `present`, `absent` or `rejected: <why>`.
        """
        extent = module.sframe_extent
        if extent is None:
            return module.sframe_problem or "absent"
        refused = ""
        for text in module.executable_extents:
            if self.intact.add(*extent, *text):
                refused = refused or self.intact.log.lines[-1]
            else:
                self.real.add(*extent, *text)
        self.forget()
        return f"rejected: {refused}" if refused else "present"

    def unregister(self, module: LoadedModule) -> None:
        """The module is gone; so are its records."""
        if module.sframe_extent is not None:
            self.intact.remove(module.sframe_extent[0])
            self.real.remove(module.sframe_extent[0])
        self.forget()

    @property
    def dropped(self) -> bool:
        """Whether a lookup has dropped a section from the real store."""
        return len(self.real) < len(self.intact)

    def forget(self) -> None:
        """Memory of a table may have changed: look up everything anew."""
        self.intact.invalidate()
        self.real.invalidate()
        self._top_places.clear()
        self._places.clear()

    def place(self, pc: int, *, topmost: bool = True) -> Place:
        """The row for `pc`, exactly as the policy's lookup finds it.

        A policy that looks return addresses up one byte earlier does so below the top.
        """
        known = self._top_places if topmost else self._places
        place = known.get(pc)
        if place is None:
            place = known[pc] = self._look_up(pc) if topmost else self._look_up_return(pc)
        return place

    def hit(self) -> tuple[int, int]:
        """FDEs and rows that any checked frame was in, over all sections."""
        return len({hit[:2] for hit in self._rows_hit}), len(self._rows_hit)

    def _look_up(self, pc: int) -> Place:
        return Place(pc, self._row(pc), self._modules.module_at(pc), self._modules.name_at(pc))

    def _look_up_return(self, pc: int) -> Place:
        # The call stands before the return address, and its function may end with it.
        modules = self._modules
        found = self._row(pc - 1 if self._policy.minus_one else pc)
        name = modules.name_at(pc - 1)
        foreign = not self._policy.minus_one and modules.name_at(pc) != name
        return Place(pc, found, modules.module_at(pc - 1), name, foreign)

    def _row(self, pc: int) -> Row | LookupFailure:
        found = self.intact.lookup(pc)
        if isinstance(found, Row):
            record = self.intact.record_for(pc)
            assert record is not None, "a row comes from a record"
            self._rows_hit.add((record.sframe_start, found.function.index, found.index))
        return found
