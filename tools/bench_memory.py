"""Memory of a long `emu check` over time: it should be flat.

    python tools/bench_memory.py [--samples N] [--json FILE] [PROGRAM [ARG...]]

Runs `emu check` on the program, by default `xz -9 -c` of 1 MB (1.8 billion instructions), and
looks at the resident memory of the process at even intervals. The figure is the growth from the
first quarter of the run to its end.
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


def text() -> bytes:
    """1 MB that compresses neither well nor badly."""
    draw = random.Random(1)
    return b" ".join(b"%d" % (draw.randrange(1000) ** 2) for _ in range(200_000))[:1_000_000]


def resident(pid: int) -> float:
    """MiB of resident memory; 0 once the process has ended."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


def record(words: list[str]) -> tuple[list[tuple[float, float]], int]:
    """Pairs of seconds and MiB, and the instructions of the run."""
    with tempfile.TemporaryDirectory() as directory:
        report, data = Path(directory) / "report.json", Path(directory) / "input"
        data.write_bytes(text())
        options = ["--json", str(report), "--stdin", str(data)]
        started = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "emu", "check", *options, words[0], "--", *words[1:]],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        samples = []
        while process.poll() is None:
            if mebibytes := resident(process.pid):
                samples.append((time.monotonic() - started, mebibytes))
            time.sleep(INTERVAL)
        document = json.loads(report.read_text())
    return samples, document["instructions"]


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
    samples, instructions = record(words)
    print(f"{' '.join(words)}: {instructions:,} instructions, {samples[-1][0]:.0f} s")
    step = max(len(samples) // arguments.samples, 1)
    for seconds, mebibytes in samples[step - 1 :: step]:
        print(f"{seconds:8.1f} s{mebibytes:10.1f} MiB")
    last = len(samples) - 1 - len(samples) // 20  # at the very end it is being given back
    growth = samples[last][1] - samples[len(samples) // 4][1]
    print(f"from a quarter of the run to its end: {growth:+.1f} MiB")
    if arguments.json:
        document = {"instructions": instructions, "samples": samples, "growth": growth}
        arguments.json.write_text(json.dumps(document) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
