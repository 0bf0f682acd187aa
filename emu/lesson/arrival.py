"""Running a program to the place that is to be explained."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from emu.check.reference import PROGRESS_MASK, ReferenceEngine
from emu.check.selection import Selection
from emu.check.snapshot import Snapshot
from emu.lesson.error import LessonError
from emu.machine import Outcome, OutcomeKind, Process
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


class ArrivedError(Exception):
    """Raised out of a run when it has come to its destination."""


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
        self._found: Snapshot | None = None

    def arrive(self, max_instructions: int | None = None) -> Snapshot:
        """The snapshot at the destination; the program stands still there for good.

        Raises `LessonError` if it is never reached.
        """
        self._begin()
        selection = self.selection
        if selection is not None and selection.unresolved and not self.process.image.interpreter:
            raise LessonError(f"{self._destination}: no such symbol in the program")
        step = self._destination.step
        if step is not None and (max_instructions is None or step < max_instructions):
            max_instructions = step + 1
        try:
            outcome = self.process.run(self._until(step), max_instructions)
        except ArrivedError:
            assert self._found is not None, "what is raised has been found"
            return self._found
        raise LessonError(f"{self._destination}: {self._missed(outcome)}")

    def _until(self, step: int | None) -> Callable[[Any, int, int, Any], None]:
        at, hit = self._at, self._destination.hit

        def before_instruction(_uc: Any, pc: int, size: int, _data: Any) -> None:
            registers = self._follow(pc, size)
            if self.progress is not None and not self.instructions & PROGRESS_MASK:
                self.progress(self.instructions, 0)
            if step is not None:
                if self.instructions <= step:
                    return
            elif at is None or pc not in at:
                return
            else:
                self._hits += 1
                if self._hits < hit:
                    return
            self._found = self._snapshot(registers)
            raise ArrivedError

        return before_instruction

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
