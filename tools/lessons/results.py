"""Results of whole runs, for numbers in running text."""

from __future__ import annotations

from dataclasses import dataclass

from emu.check import CheckError, Result, Verdict, run, snapshots
from emu.sframe import Section, SFrameError
from emu.unwind import State, evaluate
from emu.unwind.walk import POINTER_FRAMES
from lessons.errors import LessonError
from lessons.programs import Programs


@dataclass(frozen=True, slots=True)
class Score:
    """At how many of the instructions that have a caller either way finds it."""

    instructions: int
    sframe: int
    pointers: int


class Results:
    """Checks and sections of programs, each made once."""

    def __init__(self, programs: Programs) -> None:
        self._programs = programs
        self._checks: dict[tuple[str, str], Result] = {}
        self._scores: dict[tuple[str, str], Score] = {}

    def check(self, program: str, policy: str = "kernel-v15") -> Result:
        """What `emu check --policy P ./PROGRAM` comes to. Raises `LessonError`."""
        key = (program, policy)
        known = self._checks.get(key)
        if known is None:
            try:
                known = run(self._programs.image(program), policy=policy)
            except CheckError as error:
                raise LessonError(f"{program}: {error}") from error
            self._checks[key] = known
        return known

    def score(self, program: str, place: str = "") -> Score:
        """The first step either way at every instruction, or at those of a place.

        Right is a step that gives pc, sp and fp of the true caller.
        """
        key = (program, place)
        known = self._scores.get(key)
        if known is None:
            known = self._scores[key] = self._score(program, place)
        return known

    def _score(self, program: str, place: str) -> Score:
        instructions = sframe = pointers = 0
        image = self._programs.image(program)
        for snapshot in snapshots(image, at=[place] if place else []):
            if not snapshot.entries:
                continue
            instructions += 1
            sframe += snapshot.outcome(0).verdict is Verdict.OK
            caller = snapshot.entries[-1]
            found = evaluate(
                POINTER_FRAMES[8], snapshot.state(0), snapshot.memory, snapshot.registers
            )
            pointers += isinstance(found, State) and caller.is_caller(*found[:3])
        return Score(instructions, sframe, pointers)

    def section(self, program: str) -> Section:
        """The .sframe section of a program. Raises `LessonError` if it has none."""
        try:
            return Section.from_elf(self._programs.provide(program))
        except SFrameError as error:
            raise LessonError(f"{program}: {error}") from error
