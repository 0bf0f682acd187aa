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
from emu.check.selection import Selection
from emu.lesson.recording_engine import Finder, RecordingEngine, defects
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
from emu.lesson.recording_walks import Hop, HopKind, Link
from emu.machine import Image, Process
from emu.unwind import Policy, PolicyError
from emu.unwind import policy as policy_named

__all__ = [
    "WINDOW",
    "Hop",
    "HopKind",
    "Link",
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
    policy: str | Policy = "kernel-v15",
    convert: Collection[str] = (),
    max_instructions: int | None = None,
    window: int = WINDOW,
    root: str | Path = "/",
    options: GuestOptions | None = None,
) -> Recording:
    """Run `program` and record at most `window` consecutive instructions of it.

    If it executes more, the window holds the place to look at: the first execution of `at`
    (`SYMBOL[+OFFSET]`), the instruction number `step` (from 0), or without both the first
    finding of a check. `max_instructions` bounds the whole run, also the search. The other
    arguments are those of `emu.check.run`; the guest's output is written once. Raises
    `CheckError` if the program cannot be started or the place is never reached.
    """
    consumer = _policy(policy)

    def process(*, quiet: bool) -> Process:
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

    def find() -> int | None:
        selection = None if at is None else Selection([at])
        finder = Finder(process(quiet=True), consumer, selection=selection, convert=convert)
        return finder.find(max_instructions)

    def recorded(first: int, place: int | None, *, quiet: bool = False) -> Recording:
        engine = RecordingEngine(
            process(quiet=quiet), consumer, first=first, opening=place, convert=convert
        )
        last = first + window
        return engine.record(last if max_instructions is None else min(last, max_instructions))

    if step is not None:
        recording = recorded(_around(step, window), step)
        if not 0 <= step - recording.first < len(recording):
            raise CheckError(f"--step {step}: the program executes fewer instructions")
        return recording
    if at is not None:
        place = find()
        if place is None:
            raise CheckError(f"--at {at}: never reached")
        return recorded(_around(place, window), place)
    recording = recorded(0, None)
    if not recording.complete and not defects(recording.walks):
        place = find()
        if place is not None:
            return recorded(_around(place, window), place, quiet=True)
    return recording


def _around(place: int, window: int) -> int:
    """The first instruction of a window that begins with the program if that is near enough."""
    return 0 if place < window * 3 // 4 else place - window // 2


def _policy(policy: str | Policy) -> Policy:
    try:
        return policy_named(policy) if isinstance(policy, str) else policy
    except PolicyError as error:
        raise CheckError(str(error)) from error
