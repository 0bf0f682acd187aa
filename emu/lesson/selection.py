"""Which frames of a deep walk are shown."""

from __future__ import annotations

from collections.abc import Iterator

from emu.lesson.explanation import Explanation, FrameStep

AROUND = 2
"""Frames shown before and behind the one where walk and truth part."""


def shown_frames(explanation: Explanation, most: int | None) -> Iterator[FrameStep | None]:
    """All frames if there are at most `most`; else the first ones, those around the departure and
    the last, with None where some are left out."""
    frames = explanation.frames
    if most is None or len(frames) <= most:
        yield from frames
        return
    wanted = {*range(most), len(frames) - 1}
    departure = explanation.departure
    if departure is not None:
        wanted |= set(range(departure.number - AROUND, departure.number + AROUND + 1))
    previous = -1
    for number in sorted(number for number in wanted if 0 <= number < len(frames)):
        if number != previous + 1:
            yield None
        yield frames[number]
        previous = number
