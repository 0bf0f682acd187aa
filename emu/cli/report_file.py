"""Files that a command writes: an older one stays until there is a new one."""

from __future__ import annotations

import os
import secrets
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from emu.cli.usage import UsageError

STDOUT = "-"


class ReportFile:
    """A file that is asked for by name, or standard output for `-`.

    It is tried before the run, so that a mistyped directory costs nothing; nothing is created or
    emptied yet. Raises `UsageError` with the name in it, then and later.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._path = Path(name)
        self._file: BinaryIO | None = None
        if self.is_stdout:
            return
        with self._told():
            if self._path.is_dir():
                raise UsageError(f"{name}: Is a directory")
            # Follows links; without the file, its directory is what matters.
            place = self._path.resolve()
            present = place.exists()
            if not present and not place.parent.is_dir():
                raise UsageError(f"{name}: No such file or directory")
            if not os.access(place if present else place.parent, os.W_OK):
                raise UsageError(f"{name}: Permission denied")

    @property
    def is_stdout(self) -> bool:
        """Whether it is standard output, and has no name."""
        return self.name == STDOUT

    def write(self, data: bytes, mode: int | None = None) -> None:
        """All of it at once. A file has the old content or the new one, never half of it.

        `mode` are its permissions, if not those of the older one or of new files.
        """
        with self._told():
            if self.is_stdout or not self._replaceable():
                self.append(data)
                self.finish()
                if mode is not None and self._path.is_file():
                    self._path.chmod(mode)
                return
            place = self._path.resolve()
            new = place.with_name(f".emu-{secrets.token_hex(8)}")
            try:
                with new.open("xb") as file:
                    if mode is None and place.exists():
                        mode = place.stat().st_mode & 0o7777
                    if mode is not None:
                        os.fchmod(file.fileno(), mode)
                    file.write(data)
                new.replace(place)
            except BaseException:
                new.unlink(missing_ok=True)
                raise

    def append(self, data: bytes) -> None:
        """A part of it, where others may read it meanwhile; the first empties an older file."""
        with self._told():
            if self._file is None:
                self._file = sys.stdout.buffer if self.is_stdout else self._path.open("wb")
            self._file.write(data)

    def flush(self) -> None:
        """Let others see what was appended."""
        with self._told():
            if self._file is not None:
                self._file.flush()

    def finish(self) -> None:
        """Nothing more is appended; without any, an older file is emptied."""
        self.append(b"")
        self.flush()
        with self._told():
            if self._file is not None and not self.is_stdout:
                self._file.close()

    def _replaceable(self) -> bool:
        """Whether another file may take its place; devices, pipes and shared files stay."""
        place = self._path.resolve()
        if not os.access(place.parent, os.W_OK | os.X_OK):
            return False
        try:
            status = place.stat()
        except FileNotFoundError:
            return True
        mine = status.st_uid == os.geteuid() and status.st_nlink == 1
        return stat.S_ISREG(status.st_mode) and mine

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Failures with the name of the file."""
        try:
            yield
        except (OSError, ValueError, RuntimeError) as error:
            # A name with a zero byte, and a loop of links, are not always system errors.
            if isinstance(error, BrokenPipeError) or self.is_stdout:
                raise
            if self._file is not None:
                # What could not be written would be tried once more, and complained about, when
                # the object goes.
                with suppress(OSError):
                    self._file.close()
            said = error.strerror if isinstance(error, OSError) else str(error)
            raise UsageError(f"{self.name}: {said or error}") from error


def report_file(name: str | None) -> ReportFile | None:
    """The file of an option, if it is given."""
    return None if name is None else ReportFile(name)
