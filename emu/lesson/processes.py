"""The processes of a run, numbered: a walkthrough is about one of them.

The program is process 0, and what is forked is numbered in the order in which it is forked, by
whichever process. To know the true stack of a child, its parent's must have been followed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, TypeAlias

from emu.check.reference import PROGRESS_MASK, ReferenceEngine
from emu.machine import InstructionHook, Outcome, Process
from emu.unwind import Policy

Progress: TypeAlias = Callable[[int, int], None]
"""Told now and then how many instructions a process has executed, and how many findings it has."""


@dataclass(frozen=True, slots=True)
class Fork:
    """A process has made another one, of which no instruction was executed yet."""

    parent: int
    number: int
    child: Process


class Member(ReferenceEngine):
    """Follows one process of a run. What it forks is followed by another member, if at all."""

    number = 0
    processes: Processes | None = None

    def start(self) -> None:
        """Be the engine of the first process."""
        self._begin()

    def forked(self, fork: Fork) -> None:
        """This process has forked."""

    def tell(self) -> None:
        """Tell of progress, now and then."""
        if self.progress is not None and not self.instructions & PROGRESS_MASK:
            self.progress(self.instructions, len(self.tally.findings))

    def _forked(self, child: Process) -> None:
        """`Processes` finds an engine for a child."""

    def _process_ended(self) -> None:
        if self.processes is not None:
            self.processes.ended(self)


class Follower(Member):
    """Follows the true stack of a process and does nothing else."""

    def hook(self) -> InstructionHook:
        return self._note

    def _note(self, _uc: Any, pc: int, size: int, _data: Any) -> None:
        self._follow(pc, size)
        self.tell()


class Processes:
    """All processes of a run, the engines of those that are followed among them."""

    def __init__(self, first: Member, engine_for: Callable[[Fork], Member | None]) -> None:
        """`engine_for` makes the engine of a child whose parent has one, or leaves it alone."""
        self.count = 1
        """Processes there have been."""
        self._engine_for = engine_for
        self._members = {0: first}
        first.processes = self
        self._watch(first.process, 0)

    @property
    def members(self) -> Collection[Member]:
        """The engines of processes that live."""
        return self._members.values()

    def ended(self, member: Member) -> None:
        """The process of an engine is over."""
        self._members.pop(member.number, None)

    def _watch(self, process: Process, number: int) -> None:
        def forked(child: Process) -> None:
            fork = Fork(number, self.count, child)
            self.count += 1
            self._watch(child, fork.number)
            self._begin(fork)

        process.on_fork.append(forked)

    def _begin(self, fork: Fork) -> None:
        parent = self._members.get(fork.parent)
        if parent is None:
            return
        parent.forked(fork)
        engine = self._engine_for(fork)
        if engine is None:
            return
        engine.number = fork.number
        engine.processes = self
        engine.inherit(parent)
        fork.child.instruction_hook = engine.hook()
        self._members[fork.number] = engine


@dataclass(frozen=True, slots=True)
class Run:
    """How a run ended in which one process was looked at."""

    outcome: Outcome
    count: int
    """Processes there have been."""


def run_process(
    first: Process,
    number: int,
    engine_of: Callable[[Process], Member],
    policy: Policy,
    *,
    convert: Collection[str] = (),
    max_instructions: int | None = None,
    progress: Progress | None = None,
) -> Run:
    """Run a program with the engine that `engine_of` makes for process `number`.

    Processes before it are followed, as it may be a child of theirs; it may never be there.
    `max_instructions` bounds the instructions of all processes together.
    """
    there = number == 0

    def engine_for(fork: Fork) -> Member | None:
        nonlocal there
        if fork.number == number:
            there = True
            return telling(engine_of(fork.child))
        return None if there else telling(Follower(fork.child, policy, convert=convert))

    def telling(engine: Member) -> Member:
        engine.progress = progress
        return engine

    engine = telling(engine_of(first) if there else Follower(first, policy, convert=convert))
    engine.start()
    processes = Processes(engine, engine_for)
    outcome = first.run(engine.hook(), max_instructions)
    return Run(outcome, processes.count)


def no_process(number: int, count: int) -> str:
    """That there is no such process, of so many."""
    forked = {1: "no process", 2: "only 1 process"}.get(count, f"only {count - 1} processes")
    return f"--process {number}: the program forks {forked}"
