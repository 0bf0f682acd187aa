"""A recorded run: the state before every instruction, with the true stack and three walks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emu.check.modules import LoadedModule
from emu.check.verdict import Field, Verdict
from emu.lesson.entries import Lookup
from emu.lesson.explanation import Unwinder
from emu.lesson.locations import Location
from emu.lesson.recording_forks import RecordedFork
from emu.lesson.recording_hops import Hop
from emu.lesson.recording_stack import RecordedMemory, StackHistory
from emu.lesson.recording_truth import TrueCall
from emu.lesson.recording_walks import Link
from emu.truth import EntryKind
from emu.unwind import LookupFailure, RegisterFile, Row, State


@dataclass(frozen=True, slots=True)
class RecordedFrame:
    """One frame of the true stack, 0 the topmost."""

    number: int
    state: State
    inside: int
    """An address in the frame's function; the return address itself may not be."""
    function: str
    kind: EntryKind | None
    """What put the frame below the one above it; None for the topmost frame."""
    fp_known: bool
    """False at the bottom of a stack that was just switched to."""


@dataclass(frozen=True, slots=True)
class RecordedWalk:
    """One unwinder's walk at one step.

    `hops[k]` leads from frame k to frame k+1; the last one says how the walk ended.
    """

    hops: tuple[Hop, ...]
    departs: int | None
    """The frame from which the step is wrong or missing; None if the walk is right."""
    verdict: Verdict

    @property
    def frames(self) -> tuple[State, ...]:
        """The recovered states of frame 1 and on."""
        return tuple(hop.state for hop in self.hops if hop.state is not None)


@dataclass(frozen=True, slots=True)
class Walks:
    """All walks of one unwinder: shared links, and which one each step begins with."""

    links: tuple[Link, ...]
    at: NDArray[np.int32]
    """Number of the first link, by step."""
    departs: NDArray[np.int32]
    """The frame where the walk departs from truth, -1 for none, by step."""
    verdicts: tuple[Verdict, ...]
    """By step. `unsettled` where the truth itself is not sure."""


@dataclass(frozen=True, slots=True)
class RecordedFunction:
    """Code that ran or called, at run-time addresses [start, start + len(code))."""

    start: int
    code: bytes
    name: str
    module: LoadedModule | None


@dataclass(frozen=True, slots=True)
class RecordedStep:
    """The thread just before one instruction."""

    number: int
    instruction: int
    """Instructions executed before it."""
    registers: RegisterFile
    memory: RecordedMemory
    """The stacks; the rest of memory is not recorded."""
    frames: tuple[RecordedFrame, ...]
    walks: Mapping[Unwinder, RecordedWalk]

    @property
    def pc(self) -> int:
        return self.registers.ip


@dataclass(frozen=True, slots=True)
class Recording:
    """Consecutive instructions of one run. `recording.step(n)` is any of them at once.

    Steps are numbered from 0; step 0 is instruction `first` of the program.
    """

    program: str
    process: int
    """0 is the program itself; what is forked is numbered in that order."""
    pid: int
    forks: tuple[RecordedFork, ...]
    """What the recorded process has forked, before the recorded steps too."""
    policy: str
    first: int
    opening: int
    """The step to look at first: the place asked for, or the first that is wrong."""
    ended: str
    """How the run ended, or that more instructions follow."""
    complete: bool
    """Every instruction of the program is recorded."""
    registers: NDArray[np.uint64]
    """One row of 17 per step: DWARF registers 0 to 15, then rip."""
    threads: NDArray[np.int32]
    """Which thread executes, by step."""
    stack: StackHistory
    calls: tuple[TrueCall, ...]
    call_at: NDArray[np.int32]
    """Number of the newest true call by step, -1 for none."""
    walks: Mapping[Unwinder, Walks]
    locations: Mapping[int, Location]
    """Of every pc and return address."""
    rows: Mapping[int, Row | LookupFailure]
    """The SFrame row in force, or why there is none, by run-time address looked up."""
    lookups: Mapping[tuple[int, int], Lookup]
    """How a search finds each row of `rows`, by start of the function and number of the row."""
    functions: tuple[RecordedFunction, ...]
    modules: tuple[LoadedModule, ...]

    def __len__(self) -> int:
        return len(self.registers)

    def step(self, number: int) -> RecordedStep:
        """One step; IndexError if there is none of that number."""
        if not 0 <= number < len(self):
            raise IndexError(f"step {number} of {len(self)}")
        return RecordedStep(
            number=number,
            instruction=self.first + number,
            registers=self.registers_at(number),
            memory=RecordedMemory(self.stack, number),
            frames=self.frames(number),
            walks={unwinder: self.walk(unwinder, number) for unwinder in self.walks},
        )

    def registers_at(self, number: int) -> RegisterFile:
        """The registers before a step."""
        values = self.registers[number].tolist()
        return RegisterFile(values[16], values[:16])

    def pc(self, number: int) -> int:
        """The instruction of a step."""
        return int(self.registers[number, 16])

    def depth(self, number: int) -> int:
        """True frames above the topmost one."""
        call = int(self.call_at[number])
        return self.calls[call].depth if call >= 0 else 0

    def frames(self, number: int) -> tuple[RecordedFrame, ...]:
        """The true frames at a step, innermost first."""
        registers = self.registers_at(number)
        pc = registers.ip
        frames = [
            RecordedFrame(
                0,
                State(pc, registers[7], registers[6], topmost=True),
                pc,
                self.function_name(pc),
                None,
                True,
            )
        ]
        call = int(self.call_at[number])
        while call >= 0:
            entry = self.calls[call]
            name = self.function_name(entry.caller_pc)
            frames.append(
                RecordedFrame(
                    len(frames), entry.state(), entry.caller_pc, name, entry.kind, entry.rbp_known
                )
            )
            call = entry.older
        return tuple(frames)

    def walk(self, unwinder: Unwinder, number: int) -> RecordedWalk:
        """The walk of one unwinder at a step."""
        walks = self.walks[unwinder]
        hops = []
        link = int(walks.at[number])
        while link >= 0:
            hops.append(walks.links[link].hop)
            link = walks.links[link].further
        departs = int(walks.departs[number])
        verdict = walks.verdicts[number]
        return RecordedWalk(tuple(hops), departs if departs >= 0 else None, verdict)

    def wrong_fields(self, unwinder: Unwinder, number: int) -> tuple[Field, ...]:
        """Which fields of the first wrong state differ from the true caller's."""
        walk = self.walk(unwinder, number)
        if walk.departs is None:
            return ()
        got = walk.hops[walk.departs].state
        frames = self.frames(number)
        if got is None or walk.departs + 1 >= len(frames):
            return ()
        true = frames[walk.departs + 1]
        return tuple(
            field
            for field, one, other, known in (
                (Field.PC, got.ip, true.state.ip, True),
                (Field.SP, got.sp, true.state.sp, True),
                (Field.FP, got.fp, true.state.fp, true.fp_known),
            )
            if known and one != other
        )

    def function_name(self, address: int) -> str:
        """Name of the function that contains an address of the recording."""
        location = self.locations.get(address)
        return location.function if location is not None else ""
