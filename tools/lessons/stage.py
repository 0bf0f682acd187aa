"""The tree that mkdocs reads: documents as they are, lessons with their runs filled in."""

from __future__ import annotations

import re
import shutil
from contextlib import closing
from pathlib import Path

from emu.lesson.picture_style import STYLE
from lessons.commands import Commands
from lessons.moments import Moments
from lessons.page import Renderer
from lessons.programs import ROOT, Programs
from lessons.results import Results

DOCS = ROOT / "docs"
LESSONS = "lessons"
WIDE = "---\nhide:\n  - toc\n---\n\n"
"""Figures need the room of the table of contents, and a lesson is short."""


def stage(target: Path, scratch: Path) -> int:
    """Fill `target`, emptied first; programs go to `scratch`. Returns the number of lessons.

    Raises `LessonError` if a block of a lesson cannot be made.
    """
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(DOCS, target, ignore=shutil.ignore_patterns(LESSONS))
    for page in target.glob("*.md"):
        page.write_text(without_outside_links(page.read_text("utf-8")), "utf-8")
    (target / "assets").mkdir(exist_ok=True)
    (target / "assets" / "stack-picture.css").write_text(STYLE, "utf-8")
    programs = Programs(scratch)
    lessons = sorted((DOCS / LESSONS).glob("*.md"))
    (target / LESSONS).mkdir()
    with closing(Moments(programs)) as moments:
        renderer = Renderer(moments, Commands(programs), Results(programs), target / LESSONS)
        for lesson in lessons:
            text = renderer.render(lesson.read_text("utf-8"), lesson.name)
            (target / LESSONS / lesson.name).write_text(WIDE + text, "utf-8")
    return len(lessons)


def without_outside_links(text: str) -> str:
    """Links to files of the repository that are no documents become their text."""
    return re.sub(r"\[([^\]]*)\]\((?:\.\./)+(?!docs/)[^)]*\)", r"\1", text)
