"""Pages on which a reader steps through the run that a lesson shows."""

from __future__ import annotations

from pathlib import Path

from emu.lesson.page import case_lines, page
from emu.lesson.recording import record
from lessons.moments import Moment
from lessons.programs import ROOT, Programs


def walkthrough(moment: Moment, programs: Programs) -> str:
    """The whole run as one HTML document that opens at the moment."""
    recording = record(
        programs.image(moment.program),
        step=moment.instruction,
        policy=moment.snapshot.policy,
    )
    source = programs.source(moment.program)
    return page(recording, source=source, lines=case_lines(source), directories=[ROOT / "c_cases"])


def write_walkthrough(moment: Moment, programs: Programs, directory: Path, name: str) -> None:
    """Write it as a file of that name."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_text(walkthrough(moment, programs), encoding="utf-8")
