"""Running a program to the place that is to be explained."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from emu.check.reference import PROGRESS_MASK
from emu.check.selection import Selection
from emu.check.snapshot import Snapshot
from emu.lesson.error import LessonError
from emu.lesson.explain import explain
from emu.lesson.explanation import Explanation, Unwinder
from emu.lesson.processes import Fork, Member, Processes, no_process
from emu.machine import InstructionHook, Outcome, OutcomeKind, Process, Thread
from emu.truth import Settlement
from emu.unwind import Policy


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to stop: the `hit`-th time at `at`, or before instruction `step`, counted from 0.

    `process` is the number of the process that is meant; without it a step is one of the
    program itself, and a symbol may be reached in any process.
    """

    at: str | None = None
    hit: int = 1
    step: int | None = None
    process: int | None = None

    def __str__(self) -> str:
        place = f"--at {self.at}" + (f" --hit {self.hit}" if self.hit != 1 else "")
        if self.step is not None:
            place = f"--step {self.step}"
        return place + (f" --process {self.process}" if self.process is not None else "")

    @property
    def only(self) -> int | None:
        """The process in which it is; None for any."""
        return 0 if self.process is None and self.step is not None else self.process

    def may_be_in(self, number: int) -> bool:
        """Whether it may be in a process."""
        return self.only is None or self.only == number


SETTLING = 100_000
"""Instructions executed at most to learn what the true stack was."""
_DECISIONS = frozenset({Settlement.FIRST, Settlement.SECOND, Settlement.NEVER})
NEVER_SETTLED = "a code address was pushed and jumped from: whether that was a call never showed"


class ArrivedError(Exception):
    """Raised out of a run when what was asked for is known."""


@dataclass(slots=True)
class Journey:
    """What the engines of all processes of a run share."""

    destination: Destination
    unwinders: Sequence[Unwinder] = ()
    instructions: int = 0
    """Executed so far where the destination may be."""
    hits: int = 0
    arrived: Arrival | None = None
    """The engine of the process that came there first."""
    snapshot: Snapshot | None = None
    readings: list[list[Explanation]] = field(default_factory=list)
    settlement: Settlement | None = None
    patience: int = SETTLING
    progress: Callable[[int, int], None] | None = None
    symbol_seen: bool = False
    """A process that is over had the symbol."""


class Arrival(Member):
    """Follows a program's true stack up to a place, without checking anything on the way.

    A place that may be in any process is looked for in all of them.
    """

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
        self.journey = Journey(destination)
        self._settling: Thread | None = None

    @property
    def settlement(self) -> Settlement | None:
        """How it turned out what the true stack was, if that was in doubt."""
        return self.journey.settlement

    @property
    def process_there(self) -> int:
        """The number of the process that arrived."""
        assert self.journey.arrived is not None, "there was an arrival"
        return self.journey.arrived.number

    def arrive(self, max_instructions: int | None = None) -> Snapshot:
        """The snapshot at the destination; the program stands still there for good.

        Raises `LessonError` if it is never reached.
        """
        return self._travel(max_instructions)

    def explain(
        self, unwinders: Sequence[Unwinder], max_instructions: int | None = None
    ) -> list[Explanation]:
        """The walk from the destination by each unwinder.

        Where only what follows tells what the true stack was (a call into the middle of its own
        function, say), the program runs on until it is known. Raises `LessonError` if the
        destination is never reached.
        """
        self.journey.unwinders = unwinders
        self._travel(max_instructions)
        first, *others = self.journey.readings
        if not others:
            return first
        if self.settlement is Settlement.SECOND:
            return others[0]
        if self.settlement is Settlement.NEVER:
            return [replace(one, remark=NEVER_SETTLED) for one in first]
        return first

    def hook(self) -> InstructionHook:
        return self._before_instruction

    def _travel(self, max_instructions: int | None) -> Snapshot:
        self.start()
        journey, destination = self.journey, self.journey.destination
        selection = self.selection
        if selection is not None and selection.unresolved and not self.process.image.interpreter:
            raise LessonError(f"{destination}: no such symbol in the program")
        processes = Processes(self, self._engine_for)
        journey.progress = self.progress
        try:
            outcome = self.process.run(self.hook(), max_instructions)
        except ArrivedError:
            outcome = None
        if journey.snapshot is None or journey.arrived is None:
            assert outcome is not None, "only an arrival cuts a run off"
            if outcome.kind is OutcomeKind.INTERRUPTED:
                raise KeyboardInterrupt
            raise LessonError(self._missed(outcome, processes))
        if journey.settlement is None:
            journey.arrived.finish()
        return journey.snapshot

    def finish(self) -> None:
        """The run is over: what is in doubt stays so."""
        self._finish()

    def _engine_for(self, fork: Fork) -> Member | None:
        destination = self.journey.destination
        if destination.only == 0:
            return None
        engine = Arrival(fork.child, self.policy, destination, convert=self._convert)
        engine.journey = self.journey
        return engine

    def _before_instruction(self, _uc: Any, pc: int, size: int, _data: Any) -> None:
        registers = self._follow(pc, size)
        journey = self.journey
        if journey.snapshot is not None:
            if journey.arrived is self:
                journey.patience -= 1
                if journey.settlement is not None or not journey.patience:
                    raise ArrivedError
            return
        if not journey.destination.may_be_in(self.number):
            return
        journey.instructions += 1
        if journey.progress is not None and not journey.instructions & PROGRESS_MASK:
            journey.progress(journey.instructions, 0)
        if not self._is_there(pc):
            return
        journey.arrived = self
        journey.snapshot = snapshot = self._snapshot(registers)
        if journey.unwinders:
            self._explain(snapshot)
        if len(journey.readings) < 2:
            raise ArrivedError
        self._settling = self._running

    def _is_there(self, pc: int) -> bool:
        journey = self.journey
        step = journey.destination.step
        if step is not None:
            return self.instructions > step
        if self._at is None or pc not in self._at:
            return False
        journey.hits += 1
        return journey.hits == journey.destination.hit

    def _explain(self, snapshot: Snapshot) -> None:
        """Explain the walks while memory is as it is, under every reading of the stack."""
        readings = [snapshot]
        second = self.tracker.second_reading()
        if second is not None:
            readings.append(
                replace(snapshot, entries=tuple(second), moved=self.tracker.second_moved)
            )
        self.journey.readings = [
            [
                replace(explain(reading, unwinder), process=self.number)
                for unwinder in self.journey.unwinders
            ]
            for reading in readings
        ]

    def _settled(self, settlement: Settlement) -> None:
        super()._settled(settlement)
        if self._running is self._settling and settlement in _DECISIONS:
            self.journey.settlement = settlement

    def _process_ended(self) -> None:
        super()._process_ended()
        if self.selection is not None and not self.selection.unresolved:
            self.journey.symbol_seen = True

    def _missed(self, outcome: Outcome, processes: Processes) -> str:
        journey, destination = self.journey, self.journey.destination
        if destination.only is not None and destination.only >= processes.count:
            return no_process(destination.only, processes.count)
        count = f"{journey.instructions:,} instructions"
        if destination.step is not None and outcome.kind is not OutcomeKind.LIMIT:
            who = f"process {destination.only}" if destination.only else "the program"
            return f"{destination}: {who} executes only {count} ({_ended(outcome)})"
        reached = "never reached"
        if (
            destination.at is not None
            and not journey.symbol_seen
            and all(one.selection is None or one.selection.unresolved for one in processes.members)
        ):
            reached = "no such symbol in any module"
        elif journey.hits:
            times = "once" if journey.hits == 1 else f"{journey.hits:,} times"
            reached = f"reached only {times}"
        return f"{destination}: {reached} in {count} ({_ended(outcome)})"


def _ended(outcome: Outcome) -> str:
    match outcome.kind:
        case OutcomeKind.EXIT:
            return f"exit status {outcome.exit_code}"
        case OutcomeKind.SIGNAL:
            return f"ended by {outcome.signal}"
        case _:
            return outcome.message or outcome.kind.value
