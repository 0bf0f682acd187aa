"""`emu check` of several programs: some at a time, reported in the order of their names."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, BinaryIO

from emu.cli.check_one import prepare_engine
from emu.cli.check_worker import Outcome, Worker
from emu.cli.progress import CountLine
from emu.cli.report_file import ReportFile

SAID = {0: "with nothing wrong", 1: "with findings", 2: "not checked", 130: "interrupted"}


def check_many(
    guests: Sequence[argparse.Namespace],
    jobs: int | None,
    guest_output: BinaryIO,
    outputs: Mapping[str, ReportFile],
) -> int:
    """Check the programs in processes of their own; the largest of their exit statuses.

    `outputs` are the reports that were asked for, by option. After an interrupt no more are begun,
    and those that run report what they have done.
    """
    prepare_engine(guests[0])  # once for all workers
    for guest in guests:
        guest.coloured = "output" not in outputs and sys.stderr.isatty()
    with tempfile.TemporaryDirectory(prefix="emu-check-") as directory:
        queue = Queue(guests, jobs or len(os.sched_getaffinity(0)), Path(directory))
        report = Report(len(guests), guest_output, outputs)
        try:
            queue.run(report)
        finally:
            queue.stop()
        report.finish()
    return report.status


class Queue:
    """The programs that wait, the workers that run, and outcomes that wait for their turn."""

    def __init__(self, guests: Sequence[argparse.Namespace], jobs: int, directory: Path) -> None:
        self._guests = guests
        self._jobs = jobs
        self._directory = directory
        self._begun = 0
        self._running: dict[Connection, tuple[int, Worker]] = {}
        self._interrupted = False

    def run(self, report: Report) -> None:
        """Run all of them, or those begun before an interrupt."""
        ready: dict[int, tuple[Worker, Outcome]] = {}
        turn = 0
        while self._begin():
            try:
                finished = wait(list(self._running))
            except KeyboardInterrupt:
                if self._interrupted:
                    raise
                self._interrupt()
                continue
            for connection in finished:
                assert isinstance(connection, Connection), "it is what was waited for"
                number, worker = self._running.pop(connection)
                ready[number] = worker, worker.outcome()
            while turn in ready:
                report.add(*ready.pop(turn))
                turn += 1

    def stop(self) -> None:
        """Whatever still runs is of no use any more."""
        for _, worker in self._running.values():
            worker.kill()
        self._running.clear()

    def _begin(self) -> bool:
        """Start workers while there are programs and room; whether any is running."""
        while (
            not self._interrupted
            and self._begun < len(self._guests)
            and len(self._running) < self._jobs
        ):
            worker = Worker(self._guests[self._begun], self._directory, self._begun)
            self._running[worker.connection] = self._begun, worker
            self._begun += 1
        return bool(self._running)

    def _interrupt(self) -> None:
        self._interrupted = True
        for _, worker in self._running.values():
            worker.interrupt()


class Report:
    """Everything that is written, program by program."""

    def __init__(
        self, programs: int, guest_output: BinaryIO, outputs: Mapping[str, ReportFile]
    ) -> None:
        from emu.report import DOCUMENTS

        self._programs = programs
        self._guest_output = guest_output
        self._text = outputs.get("output")
        self._facts = outputs.get("json")
        self._documents = {name: outputs[name] for name in DOCUMENTS if name in outputs}
        self._parts: dict[str, list[Any]] = {name: [] for name in self._documents}
        self._counts: Counter[int] = Counter()
        self._progress = CountLine() if sys.stderr.isatty() else None

    @property
    def status(self) -> int:
        """The largest exit status so far."""
        return max(self._counts, default=130)

    def add(self, worker: Worker, outcome: Outcome) -> None:
        """Write what a program has written, and its reports."""
        from emu.report import DOCUMENTS

        if self._progress is not None:
            self._progress.clear()
        for path, stream in (
            (worker.stdout, self._guest_output),
            (worker.stderr, sys.stderr.buffer),
        ):
            if path.exists():
                with path.open("rb") as file:
                    shutil.copyfileobj(file, stream)
                path.unlink()
                stream.flush()
        self._say(f"emu: {outcome.message}\n" if outcome.message else outcome.report + "\n")
        if self._facts is not None and outcome.facts:
            self._facts.append(outcome.facts.encode() + b"\n")
            self._facts.flush()
        for name, parts in self._parts.items():
            if name in outcome.parts:
                parts.append(outcome.parts[name])
            else:
                parts.append(DOCUMENTS[name].error(worker.program, outcome.message))
        self._counts[outcome.status] += 1
        if self._progress is not None:
            self._progress.count(self._counts, self._programs)

    def finish(self) -> None:
        """The sum of all, and the documents."""
        from emu.report import DOCUMENTS

        if self._progress is not None:
            self._progress.clear()
        parts = [
            f"{self._counts[status]} {said}"
            for status, said in SAID.items()
            if self._counts[status]
        ]
        left = self._programs - self._counts.total()
        if left:
            parts.append(f"{left} not begun")
            self._counts[130] += left
        self._say(f"{self._programs} programs: {', '.join(parts)}\n")
        for written in (self._text, self._facts):
            if written is not None:
                written.finish()
        for name, output in self._documents.items():
            output.write(DOCUMENTS[name].document(self._parts[name]))

    def _say(self, text: str) -> None:
        """Write it where the report goes, to be read at once."""
        data = text.encode(errors="backslashreplace")
        if self._text is None:
            sys.stderr.buffer.write(data)
            sys.stderr.flush()
        else:
            self._text.append(data)
            self._text.flush()
