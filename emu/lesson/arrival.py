"""Running a program to the place that is to be explained."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from emu.check.reference import PROGRESS_MASK, ReferenceEngine
from emu.check.selection import Selection
from emu.check.snapshot import Snapshot
from emu.lesson.error import LessonError
from emu.lesson.explain import explain
from emu.lesson.explanation import Explanation, Unwinder
from emu.machine import Outcome, OutcomeKind, Process, Thread
from emu.truth import Settlement
from emu.unwind import Policy


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to stop: the `hit`-th time at `at`, or before instruction `step`, counted from 0."""

    at: str | None = None
    hit: int = 1
    step: int | None = None

    def __str__(self) -> str:
        if self.step is not None:
            return f"--step {self.step}"
        return f"--at {self.at}" + (f" --hit {self.hit}" if self.hit != 1 else "")


SETTLING = 100_000
"""Instructions executed at most to learn what the true stack was."""
_DECISIONS = frozenset({Settlement.FIRST, Settlement.SECOND, Settlement.NEVER})
NEVER_SETTLED = "a code address was pushed and jumped from: whether that was a call never showed"


class ArrivedError(Exception):
    """Raised out of a run when what was asked for is known."""


class Arrival(ReferenceEngine):
    """Follows a program's true stack up to a place, without checking anything on the way."""

    def __init__(
        self,
        process: Process,
        policy: Policy,
        destination: Destination,
        *,
        convert: Collection[str] = (),
    ) -> None:
        selection = None if destination.at is None else Selection([destination.at])
        super().__init__(process, policy, selection=selection, convert=convert)
        self._destination = destination
        self._hits = 0
        self._unwinders: Sequence[Unwinder] = ()
        self._snapshot_there: Snapshot | None = None
        self._readings: list[list[Explanation]] = []
        self._settling: Thread | None = None
        self.settlement: Settlement | None = None
        """How it turned out what the true stack was, if that was in doubt."""
        self._patience = SETTLING

    def arrive(self, max_instructions: int | None = None) -> Snapshot:
        """The snapshot at the destination; the program stands still there for good.

        Raises `LessonError` if it is never reached.
        """
        self._unwinders = ()
        return self._travel(max_instructions)

    def explain(
        self, unwinders: Sequence[Unwinder], max_instructions: int | None = None
    ) -> list[Explanation]:
        """The walk from the destination by each unwinder.

        Where only what follows tells what the true stack was (a call into the middle of its own
        function, say), the program runs on until it is known. Raises `LessonError` if the
        destination is never reached.
        """
        self._unwinders = unwinders
        self._travel(max_instructions)
        first, *others = self._readings
        if not others:
            return first
        if self.settlement is Settlement.SECOND:
            return others[0]
        if self.settlement is Settlement.NEVER:
            return [replace(one, remark=NEVER_SETTLED) for one in first]
        return first

    def _travel(self, max_instructions: int | None) -> Snapshot:
        self._begin()
        selection = self.selection
        if selection is not None and selection.unresolved and not self.process.image.interpreter:
            raise LessonError(f"{self._destination}: no such symbol in the program")
        step = self._destination.step
        if step is not None and (max_instructions is None or step < max_instructions):
            max_instructions = step + 1 + SETTLING
        try:
            outcome = self.process.run(self._before_instruction, max_instructions)
        except ArrivedError:
            outcome = None
        there = self._snapshot_there
        if there is None:
            assert outcome is not None, "only an arrival cuts a run off"
            if outcome.kind is OutcomeKind.INTERRUPTED:
                raise KeyboardInterrupt
            raise LessonError(f"{self._destination}: {self._missed(outcome)}")
        if self.settlement is None:
            self._finish()
        return there

    def _before_instruction(self, _uc: Any, pc: int, size: int, _data: Any) -> None:
        registers = self._follow(pc, size)
        if self._snapshot_there is not None:
            self._patience -= 1
            if self.settlement is not None or not self._patience:
                raise ArrivedError
            return
        if self.progress is not None and not self.instructions & PROGRESS_MASK:
            self.progress(self.instructions, 0)
        if not self._is_there(pc):
            return
        self._snapshot_there = snapshot = self._snapshot(registers)
        if self._unwinders:
            self._explain(snapshot)
        if len(self._readings) < 2:
            raise ArrivedError
        self._settling = self._running

    def _is_there(self, pc: int) -> bool:
        step = self._destination.step
        if step is not None:
            return self.instructions > step
        if self._at is None or pc not in self._at:
            return False
        self._hits += 1
        return self._hits == self._destination.hit

    def _explain(self, snapshot: Snapshot) -> None:
        """Explain the walks while memory is as it is, under every reading of the stack."""
        readings = [snapshot]
        second = self.tracker.second_reading()
        if second is not None:
            readings.append(
                replace(snapshot, entries=tuple(second), moved=self.tracker.second_moved)
            )
        self._readings = [
            [explain(reading, unwinder) for unwinder in self._unwinders] for reading in readings
        ]

    def _settled(self, settlement: Settlement) -> None:
        super()._settled(settlement)
        if self._running is self._settling and settlement in _DECISIONS:
            self.settlement = settlement

    def _missed(self, outcome: Outcome) -> str:
        count = f"{self.instructions:,} instructions"
        if self._destination.step is not None and outcome.kind is not OutcomeKind.LIMIT:
            return f"the program executes only {count} ({_ended(outcome)})"
        reached = "never reached"
        if self.selection is not None and self.selection.unresolved:
            reached = "no such symbol in any module"
        elif self._hits:
            times = "once" if self._hits == 1 else f"{self._hits:,} times"
            reached = f"reached only {times}"
        return f"{reached} in {count} ({_ended(outcome)})"


def _ended(outcome: Outcome) -> str:
    match outcome.kind:
        case OutcomeKind.EXIT:
            return f"exit status {outcome.exit_code}"
        case OutcomeKind.SIGNAL:
            return f"ended by {outcome.signal}"
        case _:
            return outcome.message or outcome.kind.value
