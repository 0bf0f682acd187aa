"""The runs behind `emu walk`: to the place that is explained, or recorded around it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from time import monotonic
from typing import TYPE_CHECKING, BinaryIO

from emu.cli.guest import environment_of, image_from_stdin, open_stdin
from emu.cli.progress import INTERVAL, ProgressLine
from emu.cli.usage import UsageError

if TYPE_CHECKING:
    from emu.lesson import Explanation, Unwinder
    from emu.lesson.arrival import Arrival
    from emu.lesson.recording import Recording
    from emu.lesson.subject import Subject


class WayLine(ProgressLine):
    """How many instructions a run has executed, from its first second on."""

    def __init__(self) -> None:
        super().__init__()
        self._next = monotonic() + 2 * INTERVAL

    @property
    def told(self) -> Callable[[int, int], None] | None:
        """To be called now and then; None where there is no terminal."""
        return self._tell if sys.stderr.isatty() else None

    def _tell(self, instructions: int, _findings: int) -> None:
        now = monotonic()
        if now >= self._next:
            self._next = now + INTERVAL
            self.show(f"{instructions:,} instructions")


def explanations_of(
    arguments: argparse.Namespace, unwinders: Sequence[Unwinder]
) -> list[Explanation]:
    """The walk from the place that the arguments name, by each unwinder.

    What the guest writes goes to standard error. Raises UsageError if the place is never reached.
    """
    from emu.check import CheckError
    from emu.lesson.error import LessonError
    from emu.machine import MachineError

    subject = subject_of(arguments)
    output = sys.stderr.buffer
    with ExitStack() as files:
        stdin = open_stdin(files, arguments.stdin)
        line = WayLine()
        try:
            arrival = _arrival(arguments, subject, stdin, output)
            arrival.progress = line.told
            explanations = arrival.explain(unwinders, arguments.max_instructions)
        except (CheckError, LessonError, MachineError) as error:
            raise UsageError(str(error)) from error
        finally:
            line.clear()
            output.flush()
    return explanations


def recording_of(arguments: argparse.Namespace, subject: Subject) -> Recording:
    """Record the run around the place that the arguments name. The guest's output is dropped."""
    from emu.check import CheckError, GuestOptions
    from emu.lesson.error import LessonError
    from emu.lesson.recording import WINDOW, record
    from emu.machine import MachineError

    with ExitStack() as files:
        stdin = open_stdin(files, arguments.stdin)
        # The run is made again to be recorded.
        data = stdin if isinstance(stdin, bytes) else stdin.read()
    step, process = arguments.step, arguments.process
    line = WayLine()
    try:
        if arguments.at is not None:
            arrival = _arrival(arguments, subject, data, None)
            arrival.progress = line.told
            step = arrival.arrive(arguments.max_instructions).instruction
            process = arrival.process_there
        return record(
            subject.image,
            args=arguments.args,
            env=environment_of(arguments.env),
            stdin=data,
            step=step,
            process=process,
            policy=arguments.policy,
            convert=arguments.convert,
            max_instructions=arguments.max_instructions,
            window=arguments.window or WINDOW,
            root=arguments.root,
            options=GuestOptions(clock_start=arguments.clock_start),
            progress=line.told,
        )
    except (CheckError, LessonError, MachineError) as error:
        raise UsageError(str(error)) from error
    finally:
        line.clear()


def _arrival(
    arguments: argparse.Namespace,
    subject: Subject,
    stdin: bytes | BinaryIO,
    output: BinaryIO | None,
) -> Arrival:
    """The process, ready to run to the place that the arguments name."""
    from emu.check import GuestOptions
    from emu.check.guest_options import start_guest
    from emu.lesson.arrival import Arrival, Destination
    from emu.unwind import PolicyError, policy

    if arguments.policy == "dwarf":
        raise UsageError("walk: --policy dwarf is --unwinder dwarf here")
    try:
        consumer = policy(arguments.policy)
    except PolicyError as error:
        raise UsageError(str(error)) from error
    process = start_guest(
        subject.image,
        args=arguments.args,
        env=environment_of(arguments.env),
        stdin=stdin,
        stdout=output,
        stderr=output,
        root=arguments.root,
        options=GuestOptions(clock_start=arguments.clock_start),
    )
    return Arrival(
        process,
        consumer,
        Destination(arguments.at, arguments.hit, arguments.step, arguments.process),
        convert=arguments.convert,
    )


def subject_of(arguments: argparse.Namespace) -> Subject:
    """The program that the arguments name, built if it is a case. Raises UsageError."""
    from emu.lesson.error import LessonError
    from emu.lesson.subject import Subject, open_subject
    from emu.machine import MachineError

    try:
        image = image_from_stdin(arguments)
        if image is not None:
            return Subject(image)
        return open_subject(arguments.program, f"-{arguments.level}")
    except (LessonError, MachineError) as error:
        raise UsageError(str(error)) from error
