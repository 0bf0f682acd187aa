"""Where `emu walk` writes: texts, for which a terminal may be asked what it can show."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from typing import TextIO

from emu.cli.report_file import STDOUT, ReportFile


@dataclass(frozen=True, slots=True)
class Output:
    """A file that is asked for by name, or standard output for `-`."""

    file: ReportFile

    @classmethod
    def of(cls, name: str | None) -> Output | None:
        """The output, tried before the run. Raises UsageError if it cannot be written."""
        return None if name is None else cls(ReportFile(name))

    @classmethod
    def standard(cls) -> Output:
        """Standard output."""
        return cls(ReportFile(STDOUT))

    def write(self, write: Callable[[TextIO], None]) -> None:
        """Let `write` write it, all of it at once. Raises UsageError if the file takes no more."""
        if self.file.is_stdout:
            write(sys.stdout)
            return
        text = StringIO()
        write(text)
        # Names of functions and files may be anything.
        self.file.write(text.getvalue().encode("utf-8", errors="backslashreplace"))
