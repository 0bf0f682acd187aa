"""How fast and how large: the emulator alone, and with every instruction checked.

The two guests are small programs without a library: `calls` is a recursion 18 deep in which every
eighth instruction or so is a call or a return, `loops` a loop over an array in a leaf function.
All times are processor time, so that other work on the machine counts as little as may be.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from emu.asm import assemble
from emu.check import run
from emu.machine import Image, Process

GUESTS = Path(__file__).resolve().parent / "guests"
ONCE = {"calls": 117_054, "loops": 114_695}
"""Instructions of one round of each guest, about."""

MEMORY = """
import re, sys
sys.path[:0] = [sys.argv[1]]
from bench_engine import bare, guest
from emu.check import run
image = guest(sys.argv[3], int(sys.argv[4]))
if sys.argv[2] == "bare":
    bare(image)
else:
    run(image, engine="fast")
print(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
"""
"""Run in a process of its own: its peak memory in KiB. (`ru_maxrss` would not fall below the
parent's.)"""


def source(name: str, millions: float) -> str:
    """The source of a guest that executes about so many million instructions."""
    rounds = max(round(millions * 1e6 / ONCE[name]), 1)
    text = (GUESTS / f"{name}.s").read_text()
    return text.replace("mov r12d, 1\n", f"mov r12d, {rounds}\n")


def guest(name: str, millions: float) -> Image:
    """The guest, assembled, with an .sframe from its directives."""
    return Image.from_bytes(assemble(source(name, millions)).elf, name)


def bare(image: Image) -> float:
    """Seconds that the emulator needs without a hook."""
    process = Process(image, args=[image.path], stdout=len, stderr=len)
    started = time.process_time()
    process.run()
    return time.process_time() - started


def checked(image: Image, *, engine: str = "fast", **options: bool) -> tuple[int, float]:
    """Instructions and seconds of a run that checks every one of them, the report included."""
    started = time.process_time()
    result = run(image, engine=engine, **options)  # type: ignore[arg-type]  # switches of `run`
    seconds = time.process_time() - started
    assert result.engine == engine, "the engine knows the policy"
    assert result.tally.checked == result.instructions, "every instruction is checked"
    assert result.ended == "exit", result.message
    return result.instructions, seconds


def peak_memory(how: str, name: str, millions: float) -> float:
    """Peak memory in MiB of a process that emulates a guest: `bare`, or `checked`."""
    words = [str(Path(__file__).parent), how, name, str(int(millions))]
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, *words], check=True, capture_output=True, text=True
    )
    return int(done.stdout) / 1024


def command(*words: str, stdin: bytes = b"") -> tuple[int, float]:
    """Instructions, and seconds of processor time of the whole process, for `emu check`."""
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory) / "report.json"
        before = os.times()
        subprocess.run(
            [sys.executable, "-m", "emu", "check", "--json", str(report), *words],
            input=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        after = os.times()
        document = json.loads(report.read_text())
    assert document["ended"] == "exit", f"{words}: {document['message']}"
    seconds = sum(after[2:4]) - sum(before[2:4])
    return document["instructions"], seconds
