"""What others do at every instruction: gdb's `stepi` and `bt`, ptrace and libunwind.

Both step through the guest `calls`, linked by gcc with an .eh_frame, in the middle of its
recursion, and unwind the whole stack after every step. Times are those of the processor in the
debugger; the time of the stepped program and what the processors wait for each other come on top.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from bench_engine import source

PROGRAM = Path(__file__).resolve().parent / "step_unwind.c"
LIBRARIES = ("-l:libunwind-ptrace.so.0", "-l:libunwind-x86_64.so.8")
SKIPPED = 2_000
"""Steps before the first that counts; the recursion is deep by then."""
GDB_STEPS, PTRACE_STEPS = 2_000, 20_000


class MissingError(Exception):
    """Something is not installed; the message says what."""


def build(directory: Path) -> Path:
    """The guest as an ordinary program. Raises `MissingError`."""
    file = directory / "calls.s"
    file.write_text(source("calls", 5))
    _gcc(directory / "calls", file, "-static", "-nostdlib", "-Wl,--eh-frame-hdr")
    return directory / "calls"


def gdb(program: Path) -> tuple[float, float]:
    """Steps per second, and frames per step. Raises `MissingError`."""
    if not shutil.which("gdb"):
        raise MissingError("gdb is not installed")
    script = [
        "set pagination off",
        "set confirm off",
        "set debuginfod enabled off",
        "starti > /dev/null",
        f"stepi {SKIPPED}",
        "python import time; begin = time.process_time(); frames = 0",
        "python\nfor _ in range({steps}):\n"
        "    gdb.execute('stepi', to_string=True)\n"
        "    frames += gdb.execute('bt', to_string=True).count('\\n')\n"
        "end".replace("{steps}", str(GDB_STEPS)),
        "python print('PER SECOND', {0} / (time.process_time() - begin), frames / {0})".replace(
            "{0}", str(GDB_STEPS)
        ),
        "kill",
    ]
    commands = program.with_suffix(".gdb")
    commands.write_text("\n".join(script) + "\n")
    done = subprocess.run(
        ["gdb", "-nx", "-q", "-batch", "-x", str(commands), str(program)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    for line in done.stdout.splitlines():
        if line.startswith("PER SECOND"):
            _, _, rate, frames = line.split()
            return float(rate), float(frames)
    raise MissingError(f"gdb did not step: {done.stderr.strip()[-300:]}")


def ptrace(program: Path) -> tuple[float, float]:
    """Steps per second, and frames per step. Raises `MissingError`."""
    stepper = program.with_name("step_unwind")
    if not stepper.exists():
        _gcc(stepper, PROGRAM, *LIBRARIES)
    done = subprocess.run(
        [stepper, str(PTRACE_STEPS), str(SKIPPED), program],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise MissingError(f"ptrace and libunwind did not step: {done.stderr.strip()}")
    rate, frames = map(float, done.stdout.split())
    return rate, frames


def _gcc(output: Path, source_file: Path, *words: str) -> None:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise MissingError("gcc is not installed")
    done = subprocess.run(
        [compiler, "-O2", "-o", str(output), str(source_file), *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        last = done.stderr.strip().splitlines()[-2:]
        raise MissingError(f"gcc cannot link {output.name}: {' '.join(last)[:300]}")
