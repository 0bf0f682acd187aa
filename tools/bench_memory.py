"""Memory of a long `emu check` over time: it should be flat.

    python tools/bench_memory.py [--samples N] [--json FILE] [PROGRAM [ARG...]]

Runs `emu check` on the program, by default `xz -9 -c` of 1 MB (1.8 billion instructions), and
looks at the resident memory of the process at even intervals; then the emulator alone runs it. The
figures are the growth from the first quarter of each run to its end: what the second one grows by
is the guest's.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

INTERVAL = 0.25
BARE = """
import sys
from emu.machine import Image, Process
with open(sys.argv[1], "rb") as data:
    Process(Image.from_file(sys.argv[2]), args=sys.argv[2:], stdin=data).run()
"""
"""The emulator alone, in a process of its own."""


def text() -> bytes:
    """1 MB that compresses neither well nor badly."""
    draw = random.Random(1)
    return b" ".join(b"%d" % (draw.randrange(1000) ** 2) for _ in range(200_000))[:1_000_000]


def resident(pid: int) -> float:
    """MiB of resident memory; 0 once the process has ended."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


def record(command: list[str]) -> list[tuple[float, float]]:
    """Pairs of seconds and MiB of a process, to its end."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    samples = []
    while process.poll() is None:
        if mebibytes := resident(process.pid):
            samples.append((time.monotonic() - started, mebibytes))
        time.sleep(INTERVAL)
    return samples


def growth(samples: list[tuple[float, float]]) -> float:
    """MiB from a quarter of the run to its end; at the very end memory is given back."""
    return samples[len(samples) - 1 - len(samples) // 20][1] - samples[len(samples) // 4][1]


def main() -> int:
    """Print the samples, and write JSON if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=12)
    parser.add_argument("--json", metavar="FILE", type=Path)
    parser.add_argument("words", nargs="*", metavar="PROGRAM")
    arguments, more = parser.parse_known_args()
    words = [*arguments.words, *more] or ["/usr/bin/xz", "-9", "-c"]
    with tempfile.TemporaryDirectory() as directory:
        report, data = Path(directory) / "report.json", Path(directory) / "input"
        data.write_bytes(text())
        options = ["--json", str(report), "--stdin", str(data)]
        check = [sys.executable, "-m", "emu", "check", *options, words[0], "--", *words[1:]]
        samples = record(check)
        alone = record([sys.executable, "-c", BARE, str(data), *words])
        instructions = json.loads(report.read_text())["instructions"]
    print(f"{' '.join(words)}: {instructions:,} instructions, {samples[-1][0]:.0f} s")
    step = max(len(samples) // arguments.samples, 1)
    for seconds, mebibytes in samples[step - 1 :: step]:
        print(f"{seconds:8.1f} s{mebibytes:10.1f} MiB")
    print(f"from a quarter of the run to its end: {growth(samples):+.1f} MiB")
    print(f"the emulator alone, likewise: {growth(alone):+.1f} MiB")
    if arguments.json:
        document = {"instructions": instructions, "samples": samples, "alone": alone}
        arguments.json.write_text(json.dumps(document) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
