"""A process that checks one program for `emu check --jobs`.

What the program writes goes to files, the reports through a pipe, and if the process comes to a
bad end, that is an outcome like any other.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import signal
import sys
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from emu.cli.check_one import check_one, text_of
from emu.cli.usage import UsageError

FORK = get_context("fork")
"""The parent has imported what a check needs; its children begin with that."""
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one program."""

    status: int
    """As the exit status of `emu check`."""
    message: str = ""
    """One line if there is no result."""
    report: str = ""
    facts: str = ""
    """The result as JSON, one line."""
    parts: dict[str, Any] = field(default_factory=dict)
    """Of the documents that are asked for, by option."""


class Worker:
    """One program and the process that checks it."""

    def __init__(self, guest: argparse.Namespace, directory: Path, number: int) -> None:
        self.program: str = guest.program
        self.stdout, self.stderr = directory / f"{number}.out", directory / f"{number}.err"
        self.connection, end = FORK.Pipe(duplex=False)
        self._process = FORK.Process(
            target=_work, args=(guest, end, os.getpid(), self.stdout, self.stderr)
        )
        self._process.start()
        end.close()

    def outcome(self) -> Outcome:
        """What it says, to be asked for when `connection` is ready."""
        try:
            outcome: Outcome = self.connection.recv()
        except EOFError:
            outcome = Outcome(2, self._bad_end())
        self._process.join()
        self.connection.close()
        return outcome

    def interrupt(self) -> None:
        """Ask for a report of what was done so far."""
        if self._process.pid is not None and self._process.is_alive():
            os.kill(self._process.pid, signal.SIGINT)

    def kill(self) -> None:
        """End it without a report."""
        self._process.kill()
        self._process.join()
        self.connection.close()

    def _bad_end(self) -> str:
        self._process.join()
        code = self._process.exitcode or 0
        if code < 0:
            try:
                how = f"was ended by {signal.Signals(-code).name}"
            except ValueError:
                how = f"was ended by signal {-code}"
        else:
            last = self.stderr.read_text(errors="replace").strip().rpartition("\n")[2][:300]
            how = f"failed: {last}" if last else f"ended with status {code}"
            self.stderr.write_bytes(b"")
        return f"{self.program}: the process that checked it {how}"


def _work(
    guest: argparse.Namespace, end: Connection, parent: int, stdout: Path, stderr: Path
) -> None:
    """Check the program and send the outcome."""
    try:
        # Ctrl-C is the parent's, which passes it on; without a parent nobody would read.
        os.setpgid(0, 0)
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            return
        for path, number in ((stdout, 1), (stderr, 2)):
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(file, number)
            os.close(file)
        outcome = _check(guest)
    except UsageError as error:
        outcome = Outcome(2, str(error))
    except KeyboardInterrupt:
        outcome = Outcome(130, f"{guest.program}: interrupted before it began")
    sys.stdout.flush()
    sys.stderr.flush()
    end.send(outcome)


def _check(guest: argparse.Namespace) -> Outcome:
    from emu.report import DOCUMENTS

    result = check_one(guest, sys.stdout.buffer)
    return Outcome(
        result.exit_status,
        report=text_of(result, coloured=guest.coloured),
        facts=json.dumps(result.json()) if guest.json is not None else "",
        parts={
            name: form.part(result)
            for name, form in DOCUMENTS.items()
            if getattr(guest, name) is not None
        },
    )
