"""Moments: a program, stopped just before an instruction, with a name in one lesson."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from functools import cached_property

from emu.check import CheckError, Snapshot, snapshots
from emu.lesson.entries import Lookup
from emu.lesson.explain import explain
from emu.lesson.explanation import Explanation, Unwinder
from emu.lesson.locations import disassemble
from emu.machine import Image
from emu.sframe import Elf
from emu.unwind import DWARF_NAMES, State
from lessons.errors import LessonError
from lessons.numbers import Address
from lessons.programs import Programs

_LINE = re.compile(
    r"(?P<name>[a-z_][a-z0-9_]*)\s*=\s*(?P<program>\S+)\s+@\s*(?P<place>\S+)"
    r"(?:\s+#(?P<execution>\d+))?(?:\s+policy\s+(?P<policy>\S+))?"
)

_INSTRUCTION = re.compile(r"(?P<function>[^/]+)/(?P<text>[^+]+)(?:\+(?P<behind>\d+))?")


@dataclass(frozen=True, slots=True)
class Values:
    """What an unwinder holds of a frame."""

    pc: Address
    sp: Address
    fp: Address

    @classmethod
    def of(cls, state: State) -> Values:
        """The same as numbers for documents."""
        return cls(Address(state.ip), Address(state.sp), Address(state.fp))


@dataclass(frozen=True, slots=True)
class Frame:
    """A true frame: where it is and what its row gives."""

    function: str
    values: Values
    row: str
    verdict: str
    got: Values | None
    """What its row gives for the caller, if that is not right."""

    @property
    def pc(self) -> Address:
        return self.values.pc

    @property
    def sp(self) -> Address:
        return self.values.sp

    @property
    def fp(self) -> Address:
        return self.values.fp


class Moment:
    """One snapshot. The process stays stopped there as long as the moment lives."""

    def __init__(self, program: str, runs: Iterator[Snapshot], snapshot: Snapshot) -> None:
        self.program = program
        self.snapshot = snapshot
        self._run = runs

    def close(self) -> None:
        """Leave the process."""
        if isinstance(self._run, Generator):
            self._run.close()

    @cached_property
    def explanations(self) -> dict[Unwinder, Explanation]:
        """The walks of all unwinders."""
        return {unwinder: explain(self.snapshot, unwinder) for unwinder in Unwinder}

    @property
    def walk(self) -> Explanation:
        """By the policy's own unwinder."""
        return self.explanations[Unwinder.SFRAME]

    @property
    def pointers(self) -> Explanation:
        """By frame pointers alone."""
        return self.explanations[Unwinder.FRAME_POINTERS]

    @property
    def dwarf(self) -> Explanation:
        """By .eh_frame."""
        return self.explanations[Unwinder.DWARF]

    @cached_property
    def frames(self) -> tuple[Frame, ...]:
        """The true frames, topmost first."""
        return tuple(self._frame(number) for number in range(len(self.snapshot.frames)))

    def _frame(self, number: int) -> Frame:
        snapshot = self.snapshot
        outcome = snapshot.outcome(number)
        return Frame(
            snapshot.functions[number],
            Values.of(snapshot.state(number)),
            snapshot.place(number).row or "no row",
            outcome.verdict.value,
            None if outcome.got is None else Values.of(outcome.got),
        )

    @property
    def pc(self) -> Address:
        """The instruction about to execute."""
        return Address(self.snapshot.pc)

    @property
    def rsp(self) -> Address:
        return self.reg("rsp")

    @property
    def rbp(self) -> Address:
        return self.reg("rbp")

    @property
    def cfa(self) -> Address:
        """The true CFA of the topmost frame."""
        return self.frames[1].sp

    @property
    def row(self) -> str:
        """The row in force, as equations."""
        return self.frames[0].row

    @property
    def lookup(self) -> Lookup:
        """The search for the topmost frame's row. Raises `LessonError` if none was made."""
        found = self.walk.frames[0].lookup
        if found is None:
            raise LessonError("nothing was looked up there")
        return found

    @property
    def row_size(self) -> int:
        """Bytes of the row in force."""
        assert self.lookup.row is not None, "a row was found"
        return sum(len(one.raw) for one in self.lookup.row.fields)

    @property
    def instruction(self) -> int:
        """How many instructions were executed before."""
        return self.snapshot.instruction

    def reg(self, name: str) -> Address:
        """A general register."""
        if name not in DWARF_NAMES[:16]:
            raise LessonError(f"no register {name}")
        return Address(self.snapshot.registers[DWARF_NAMES.index(name)])

    def word(self, address: int) -> Address:
        """Eight bytes of memory."""
        return Address(self.snapshot.memory.word(int(address)))


class Moments:
    """All moments asked for; the same one is made once."""

    def __init__(self, programs: Programs) -> None:
        self.programs = programs
        self._known: dict[tuple[str, str, int, str], Moment] = {}

    def close(self) -> None:
        """Leave all processes, the newest first: each run puts back what it found at its start."""
        for moment in reversed(self._known.values()):
            moment.close()
        self._known.clear()

    def read(self, line: str) -> tuple[str, Moment]:
        """`name = program @ place [#execution] [policy P]`. Raises `LessonError`."""
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise LessonError(
                f"'{line.strip()}' is not NAME = PROGRAM @ PLACE [#EXECUTION] [policy POLICY]"
            )
        return match["name"], self.get(
            match["program"],
            match["place"],
            int(match["execution"] or 1),
            match["policy"] or "kernel-v15",
        )

    def get(self, program: str, place: str, execution: int, policy: str) -> Moment:
        """The program before the given execution (from 1) of the instruction at a place."""
        key = (program, place, execution, policy)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._stop(*key)
        return known

    def _address(self, image: Image, place: str) -> str:
        """`FUNCTION/TEXT+N`: N instructions behind the first whose text begins with TEXT.

        Compilers move code; such a place stays. Other places are returned as they are.
        """
        match = _INSTRUCTION.fullmatch(place)
        if match is None:
            return place
        start = image.address_of(match["function"])
        symbol = None if start is None else image.symbol_at(start)
        if symbol is None:
            raise LessonError(f"no function {match['function']}")
        code = Elf(image.data)
        text = next(
            one for one in code.sections if one.address <= symbol.start < one.address + one.size
        )
        first = symbol.start - text.address
        function = bytes(code.contents(text)[first : symbol.end - text.address])
        instructions = list(disassemble(function, symbol.start))
        wanted = match["text"].replace("_", " ")
        behind = int(match["behind"] or 0)
        for number, (_, _, said) in enumerate(instructions):
            if said.startswith(wanted) and number + behind < len(instructions):
                return hex(instructions[number + behind][0])
        raise LessonError(f"{match['function']} has no such instruction: {place}")

    def _stop(self, program: str, place: str, execution: int, policy: str) -> Moment:
        image = self.programs.image(program)
        try:
            run = snapshots(image, at=self._address(image, place), policy=policy)
            for number, snapshot in enumerate(run, 1):
                if number == execution:
                    return Moment(program, run, snapshot)
        except CheckError as error:
            raise LessonError(f"{program}: {error}") from error
        raise LessonError(f"{program} does not come to {place} {execution} times")
