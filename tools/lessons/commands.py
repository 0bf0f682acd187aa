"""Runs `emu` commands and keeps what they print."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from emu.cli.main import main
from lessons.errors import LessonError
from lessons.programs import Programs

_PROGRAM = re.compile(r"\./([A-Za-z0-9_+.-]+)")
_SECONDS = re.compile(r", in [0-9.]+ s(?=;)")
WIDTH = "100"
"""Columns of the terminal that commands believe to write to."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A command's exit status and what it wrote to either stream, in order."""

    status: int
    output: str


class Commands:
    """Runs commands in the directory of the programs."""

    def __init__(self, programs: Programs) -> None:
        self._programs = programs
        self._known: dict[str, Ran] = {}

    def run(self, command: str) -> Ran:
        """Run `emu ...`; programs named as ./NAME are made first. Raises `LessonError`.

        How long a check took is left out of its report: it is the only thing in it that two runs
        do not share.
        """
        known = self._known.get(command)
        if known is None:
            known = self._known[command] = self._run(command)
        return known

    def _run(self, command: str) -> Ran:
        words = shlex.split(command)
        if not words or words[0] != "emu":
            raise LessonError(f"'{command}' is not an emu command")
        for name in _PROGRAM.findall(command):
            self._programs.provide(name)
        written = io.BytesIO()
        stream = io.TextIOWrapper(written, encoding="utf-8", write_through=True)
        with (
            contextlib.chdir(self._programs.directory),
            _environment(COLUMNS=WIDTH, NO_COLOR="1", TERM="dumb"),
            contextlib.redirect_stdout(stream),
            contextlib.redirect_stderr(stream),
        ):
            try:
                status = main(words[1:])
            except SystemExit as leaving:
                status = leaving.code if isinstance(leaving.code, int) else 2
        output = written.getvalue().decode()
        return Ran(status, _SECONDS.sub("", output))


@contextlib.contextmanager
def _environment(**values: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
