"""How a guest is run: turns of its threads, profiling signals, a log of its system calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from emu.check.error import CheckError
from emu.machine import CallLog, Image, MachineError, Process

ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/", "LC_ALL": "C"}
"""The guest's environment, before what the caller adds."""


@dataclass(frozen=True, slots=True)
class GuestOptions:
    """What of a run is neither the program's input nor about checking."""

    quantum: int = 10_000
    """Instructions of a thread's turn."""
    seed: int = 0
    """Of everything random: AT_RANDOM, getrandom, and unless 0 the turns' order and lengths."""
    clock_start: int | None = None
    """When the guest's clock begins, in nanoseconds since 1970; by default always in 2026."""
    signal_every: int | None = None
    """SIGPROF is delivered before instructions N, 2N, ... if the guest has a handler."""
    signal_seed: int | None = None
    """Draw the distances of these signals at random, N on average."""
    on_system_call: CallLog | None = None
    """Called with name, arguments and result of every system call when it returns."""


def start_guest(
    program: str | Path | Image,
    *,
    args: Sequence[str],
    env: Mapping[str, str] | None,
    stdin: bytes | BinaryIO | None,
    stdout: BinaryIO | None,
    stderr: BinaryIO | None,
    root: str | Path,
    options: GuestOptions,
) -> Process:
    """The process, loaded and not yet run. Raises `CheckError` if it cannot be."""
    if not Path(root).is_dir():
        raise CheckError(f"{root}: no such directory for the guest's root")
    try:
        image = program if isinstance(program, Image) else Image.from_file(program)
        return Process(
            image,
            args=[image.path, *args],
            env={**ENVIRONMENT, **(env or {})},
            stdin=stdin,
            stdout=stdout or _nowhere,
            stderr=stderr or _nowhere,
            root=root,
            seed=options.seed,
            clock_start=options.clock_start,
            quantum=options.quantum,
            signal_every=options.signal_every,
            signal_seed=options.signal_seed,
            on_system_call=options.on_system_call,
        )
    except MachineError as error:
        raise CheckError(str(error)) from error


def _nowhere(data: bytes) -> None:
    """Takes the guest's output and forgets it."""
