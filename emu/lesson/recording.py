"""Record a program's run: `record()` gives a `Recording`, in which any step is at hand at once.

Every instruction of a window is kept: registers, stack memory, the true stack and the walks of
three unwinders. A program with more instructions than the window is recorded around the place
asked for; memory is bounded by the window (a few hundred bytes per instruction).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from emu.check import CheckError, GuestOptions
from emu.check.guest_options import start_guest
from emu.lesson.arrival import Arrival, Destination
from emu.lesson.error import LessonError
from emu.lesson.processes import Progress, no_process, run_process
from emu.lesson.recording_engine import RecordingEngine, defects
from emu.lesson.recording_finder import Finder, FoundError
from emu.lesson.recording_forks import RecordedFork
from emu.lesson.recording_hops import Hop, HopKind
from emu.lesson.recording_model import (
    RecordedFrame,
    RecordedFunction,
    RecordedStep,
    RecordedWalk,
    Recording,
    Walks,
)
from emu.lesson.recording_stack import RecordedMemory, StackHistory
from emu.lesson.recording_truth import TrueCall
from emu.lesson.recording_walks import Link
from emu.machine import Image, OutcomeKind, Process
from emu.unwind import Policy, PolicyError
from emu.unwind import policy as policy_named

__all__ = [
    "WINDOW",
    "Hop",
    "HopKind",
    "Link",
    "RecordedFork",
    "RecordedFrame",
    "RecordedFunction",
    "RecordedMemory",
    "RecordedStep",
    "RecordedWalk",
    "Recording",
    "StackHistory",
    "TrueCall",
    "Walks",
    "record",
]

WINDOW = 60_000
"""Instructions recorded at most, unless said otherwise."""


def record(
    program: str | Path | Image,
    *,
    args: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    stdout: BinaryIO | None = None,
    stderr: BinaryIO | None = None,
    at: str | None = None,
    step: int | None = None,
    process: int | None = None,
    policy: str | Policy = "kernel-v15",
    convert: Collection[str] = (),
    max_instructions: int | None = None,
    window: int = WINDOW,
    root: str | Path = "/",
    options: GuestOptions | None = None,
    progress: Progress | None = None,
) -> Recording:
    """Run `program` and record at most `window` consecutive instructions of one process.

    That is process 0, the program itself, unless `process` says another: what is forked is
    numbered in that order. If it executes more instructions, the window holds the place to look
    at: the first execution of `at` (`SYMBOL[+OFFSET]`), the instruction number `step` (from 0) of
    the process, or without both the first finding of a check. With `at` and no `process` it is
    the process that comes there first. `max_instructions` bounds the whole run of all processes,
    also the search; `progress` is told of every run that is made. The other arguments are those of
    `emu.check.run`; the guest's output is written once. Raises `CheckError` if the program cannot
    be started or the place is never reached.
    """
    consumer = _policy(policy)

    def start(*, quiet: bool) -> Process:
        return start_guest(
            program,
            args=args,
            env=env,
            stdin=stdin,
            stdout=None if quiet else stdout,
            stderr=None if quiet else stderr,
            root=root,
            options=options or GuestOptions(),
        )

    def recorded(number: int, first: int, place: int | None, *, quiet: bool = False) -> Recording:
        engines: list[RecordingEngine] = []

        def engine_of(guest: Process) -> RecordingEngine:
            engine = RecordingEngine(
                guest, consumer, first=first, last=first + window, opening=place, convert=convert
            )
            engines.append(engine)
            return engine

        run = run_process(
            start(quiet=quiet), number, engine_of, consumer,
            convert=convert, max_instructions=max_instructions, progress=progress,
        )  # fmt: skip
        if run.outcome.kind is OutcomeKind.INTERRUPTED:
            raise KeyboardInterrupt
        if not engines:
            raise CheckError(no_process(number, run.count))
        return engines[0].recording(run.outcome)

    def first_finding(number: int) -> int | None:
        try:
            run = run_process(
                start(quiet=True), number,
                lambda guest: Finder(guest, consumer, convert=convert), consumer,
                convert=convert, max_instructions=max_instructions, progress=progress,
            )  # fmt: skip
        except FoundError as found:
            return found.instruction
        if run.outcome.kind is OutcomeKind.INTERRUPTED:
            raise KeyboardInterrupt
        return None

    number = process or 0
    if at is not None:
        arrival = Arrival(
            start(quiet=True), consumer, Destination(at, process=process), convert=convert
        )
        arrival.progress = progress
        try:
            step = arrival.arrive(max_instructions).instruction
        except LessonError as error:
            raise CheckError(str(error)) from error
        number = arrival.process_there
    if step is not None:
        recording = recorded(number, _around(step, window), step)
        if not 0 <= step - recording.first < len(recording):
            raise CheckError(f"--step {step}: the program executes fewer instructions")
        return recording
    recording = recorded(number, 0, None)
    if not recording.complete and not defects(recording.walks):
        place = first_finding(number)
        if place is not None:
            return recorded(number, _around(place, window), place, quiet=True)
    return recording


def _around(place: int, window: int) -> int:
    """The first instruction of a window that begins with the program if that is near enough."""
    return 0 if place < window * 3 // 4 else place - window // 2


def _policy(policy: str | Policy) -> Policy:
    try:
        return policy_named(policy) if isinstance(policy, str) else policy
    except PolicyError as error:
        raise CheckError(str(error)) from error
