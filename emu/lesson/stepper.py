"""Moving through a recorded run and through the walks at each of its instructions.

A stepper has three coordinates: the step of the recording, the unwinder, and the frame of its
walk. It knows nothing of terminals.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from emu.lesson.error import LessonError
from emu.lesson.explanation import FrameStep, Unwinder
from emu.lesson.recording import RecordedFrame, RecordedWalk, Recording
from emu.lesson.replay import Replay
from emu.unwind import State

REMEMBERED = 64
"""Explanations kept, for going back and forth."""
DEEPEST = 64
"""Frames that are explained; deeper ones are listed only."""

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{1,16}")
_NUMBER = re.compile(r"[0-9][0-9,_]*")
_PLACE = re.compile(r"([^+\s]+)(?:\+(0x[0-9a-fA-F]{1,8}|[0-9]{1,9}))?")


class Stepper:
    """Where somebody is in a recording."""

    def __init__(self, recording: Recording, unwinder: Unwinder = Unwinder.SFRAME) -> None:
        self.recording = recording
        self.replay = Replay(recording)
        self.step = min(max(recording.opening, 0), len(recording) - 1)
        self.frame = 0
        self.unwinder = unwinder
        self._explained: Callable[[int, Unwinder, int], FrameStep | None] = lru_cache(REMEMBERED)(
            self._explain
        )

    @property
    def instruction(self) -> int:
        """How many instructions of the program were executed before this step."""
        return self.recording.first + self.step

    @property
    def walk(self) -> RecordedWalk:
        """The walk of the chosen unwinder here."""
        return self.recording.walk(self.unwinder, self.step)

    @property
    def true_frames(self) -> tuple[RecordedFrame, ...]:
        """The true stack here, innermost frame first."""
        return self.recording.frames(self.step)

    @property
    def states(self) -> tuple[State, ...]:
        """The frames of the walk, the topmost first."""
        return (self.true_frames[0].state, *self.walk.frames)

    @property
    def state(self) -> State:
        """The chosen frame, as the walk has it."""
        return self.states[self.frame]

    @property
    def true_frame(self) -> RecordedFrame | None:
        """The true frame of the chosen frame's number."""
        frames = self.true_frames
        return frames[self.frame] if self.frame < len(frames) else None

    @property
    def on_truth(self) -> bool:
        """Whether the walk has not left the truth before the chosen frame."""
        departs = self.walk.departs
        return departs is None or self.frame <= departs

    def explanation(self) -> FrameStep | None:
        """The chosen frame explained.

        None if it is too deep, or needs memory that is not recorded.
        """
        return self._explained(self.step, self.unwinder, self.frame)

    def go(self, step: int) -> bool:
        """To a step of the recording, the topmost frame; False if it is here already."""
        step = min(max(step, 0), len(self.recording) - 1)
        moved = step != self.step
        self.step = step
        self.frame = 0
        return moved

    def move(self, distance: int) -> bool:
        """So many instructions forward, or back."""
        return self.go(self.step + distance)

    def over(self, direction: int) -> bool:
        """To the next (1) or previous (-1) instruction of this frame or of its callers."""
        return self._seek(direction, lambda step, depth: self._depth(step) <= depth)

    def out(self, direction: int) -> bool:
        """To the next (1) or previous (-1) instruction of a caller."""
        return self._seek(direction, lambda step, depth: self._depth(step) < depth)

    def wrong(self, direction: int) -> bool:
        """To the next (1) or previous (-1) step at which the chosen unwinder's walk is wrong.

        Where there is no row at all (`gap`) and below the consumer's limit of frames nothing is.
        """
        verdicts = self.recording.walks[self.unwinder].verdicts
        return self._seek(direction, lambda step, _: verdicts[step].defect)

    def deeper(self) -> bool:
        """To the frame that the chosen one was called from, as the walk has it."""
        if self.frame + 1 >= len(self.states):
            return False
        self.frame += 1
        return True

    def shallower(self) -> bool:
        """Back towards the topmost frame."""
        if self.frame == 0:
            return False
        self.frame -= 1
        return True

    def switch(self) -> None:
        """To the next unwinder, the same frame if its walk has one."""
        order = list(self.recording.walks)
        self.unwinder = order[(order.index(self.unwinder) + 1) % len(order)]
        self.frame = min(self.frame, len(self.states) - 1)

    def find(self, text: str) -> None:
        """To instruction `1234` of the program, or to the next time at `SYMBOL[+OFF]` or `0x..`.

        The search for a place begins behind this step and goes on at the beginning. Raises
        `LessonError` if the recording has no such step.
        """
        text = text.strip()
        if _ADDRESS.fullmatch(text):
            self._find_pc(text, int(text, 16))
        elif _NUMBER.fullmatch(text):
            number = int(re.sub("[,_]", "", text)) - self.recording.first
            if not 0 <= number < len(self.recording):
                raise LessonError(f"instruction {text} is not recorded")
            self.go(number)
        else:
            self._find_pc(text, self._address(text))

    def _find_pc(self, text: str, pc: int) -> None:
        size = len(self.recording)
        pcs = self.recording.registers[:, 16]
        for distance in range(1, size + 1):
            step = (self.step + distance) % size
            if pcs[step] == pc:
                self.go(step)
                return
        raise LessonError(f"{text}: never reached in the recorded instructions")

    def _address(self, text: str) -> int:
        place = _PLACE.fullmatch(text)
        for module in self.recording.modules:
            start = module.module.image.address_of(place[1]) if place else None
            if start is not None and place is not None:
                return module.bias + start + int(place[2] or "0", 0)
        raise LessonError(f"{text}: no instruction number, address or known symbol")

    def _seek(self, direction: int, wanted: Callable[[int, int], bool]) -> bool:
        depth = self._depth(self.step)
        thread = self.recording.threads[self.step]
        step = self.step + direction
        while 0 <= step < len(self.recording):
            if self.recording.threads[step] == thread and wanted(step, depth):
                return self.go(step)
            step += direction
        return False

    def _depth(self, step: int) -> int:
        return self.recording.depth(step)

    def _explain(self, step: int, unwinder: Unwinder, frame: int) -> FrameStep | None:
        if frame >= DEEPEST:
            return None
        explanation = self.replay.explain(step, unwinder, limit=frame + 1)
        if explanation is None or len(explanation.frames) <= frame:
            return None
        return explanation.frames[frame]
