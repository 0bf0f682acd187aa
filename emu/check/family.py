"""The processes of a run: each is checked by an engine of its own, and all make one report."""

from __future__ import annotations

import gc
from typing import Protocol

from emu.check.finding import Key, Tally
from emu.check.listing import Line, listing
from emu.check.modules import LoadedModule, ModuleMap
from emu.check.selection import Selection
from emu.check.tables import Tables
from emu.machine import Process
from emu.truth import Figures, Tracker

COLLECTED_AT = 16
"""So many ended children are let go at once: a process and its engine refer to each other, and
collecting takes longer than freeing one."""


class Engine(Protocol):
    """What checks a child."""

    process: Process
    modules: ModuleMap
    tables: Tables
    tracker: Tracker
    tally: Tally
    instructions: int
    selection: Selection | None
    dropped_at: int | None

    @property
    def moved(self) -> set[str]:
        """Functions that moved to another stack themselves, with rows that lead back."""

    def end(self) -> None:
        """The process has ended, or the run: count what is still open."""


class Family:
    """What the children of the first process have added to the report.

    A child's engine goes with the child, so that a guest may have thousands one after another.
    """

    def __init__(self) -> None:
        self.count = 0
        """Children there have been."""
        self.living: list[Engine] = []
        self.instructions = 0
        self.tally = Tally()
        self.figures = Figures()
        self.modules: dict[tuple[str, int], LoadedModule] = {}
        """All that a child had, by path and bias."""
        self.listings: dict[Key, tuple[Line, ...]] = {}
        """The code around findings in children, taken from their memory."""
        self.moved: set[str] = set()
        self.found: set[str] = set()
        """Places of `--at` that a child had."""
        self.lost_tables = 0
        """Children whose walks had no table any more at some time."""
        self._uncollected = 0

    def begun(self, engine: Engine) -> None:
        """A child was forked."""
        if self._uncollected >= COLLECTED_AT:
            gc.collect()
            self._uncollected = 0
        self.count += 1
        self.living.append(engine)

    def ended(self, engine: Engine) -> None:
        """A child is over, or the run is: keep what it has seen."""
        self.living.remove(engine)
        self._uncollected += 1
        engine.end()
        self.instructions += engine.instructions
        for key, finding in engine.tally.findings.items():
            if key not in self.listings:
                memory = engine.process.memory
                self.listings[key] = listing(finding, engine.modules, engine.tables, memory)
        self.tally.add(engine.tally)
        add_figures(self.figures, engine.tracker.figures)
        for module in (*engine.modules.modules, *engine.modules.unloaded):
            self.modules.setdefault((module.path, module.bias), module)
        self.moved |= engine.moved
        self.lost_tables += engine.dropped_at is not None
        if engine.selection is not None:
            self.found |= {*engine.selection.places} - {*engine.selection.unresolved}

    def all_ended(self) -> None:
        """The run is over for all of them."""
        for engine in list(self.living):
            self.ended(engine)


def add_figures(total: Figures, other: Figures) -> None:
    """Count the returns of another process here too."""
    total.returns += other.returns
    total.returns_verified += other.returns_verified
    total.violations += other.violations
    total.dropped += other.dropped
    total.switches += other.switches
    total.witnesses += other.witnesses
