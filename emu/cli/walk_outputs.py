"""Where `emu walk` writes: files that a failed run leaves as they were."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TextIO

from emu.cli.usage import UsageError


@dataclass(frozen=True, slots=True)
class Output:
    """A file that is asked for by name, or standard output for `-`."""

    name: str

    @classmethod
    def of(cls, name: str | None) -> Output | None:
        """The output, tried before the run, so that a mistyped directory costs nothing.

        Nothing is created or emptied yet: the place may never be reached. Raises UsageError if it
        cannot be written.
        """
        if name is None:
            return None
        if name != "-":
            path = Path(name)
            if path.is_dir():
                raise UsageError(f"{name}: Is a directory")
            if not path.parent.is_dir():
                raise UsageError(f"{name}: No such file or directory")
            if not os.access(path if path.exists() else path.parent, os.W_OK):
                raise UsageError(f"{name}: Permission denied")
        return cls(name)

    def write(self, write: Callable[[TextIO], None]) -> None:
        """Let `write` write it, all of it at once. Raises UsageError if the file takes no more."""
        if self.name == "-":
            write(sys.stdout)
            return
        text = StringIO()
        write(text)
        try:
            # Names of functions and files may be anything.
            Path(self.name).write_text(text.getvalue(), "utf-8", errors="backslashreplace")
        except OSError as error:
            raise UsageError(f"{self.name}: {error.strerror}") from error
