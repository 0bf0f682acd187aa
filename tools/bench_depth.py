"""What following the true stack costs at different depths: time for each instruction.

    python tools/bench_depth.py

A recursion goes down to each depth, then calls a leaf again and again. If the cost grew with the
depth, the last column would.
"""

import time
from pathlib import Path

from emu.asm import assemble
from emu.check import run
from emu.machine import Image

GUEST = (Path(__file__).resolve().parent / "guests" / "deep.s").read_text()
ROUNDS = {"fast": 3_000_000, "reference": 30_000}
DEPTHS = (100, 10_000, 100_000)


def main() -> None:
    print(f"{'engine':10} {'depth':>8} {'instructions':>13} {'ns for each':>12}")
    for engine, rounds in ROUNDS.items():
        measure(engine, 10, 10)
        for depth in DEPTHS:
            way, at_all = measure(engine, depth, 1), measure(engine, depth, rounds)
            instructions = at_all[0] - way[0]
            spent = (at_all[1] - way[1]) / instructions
            print(f"{engine:10} {depth:8,} {instructions:13,} {spent * 1e9:12,.0f}")


def measure(engine: str, depth: int, rounds: int) -> tuple[int, float]:
    """Instructions executed, and seconds of processor time."""
    source = GUEST.replace("edi, 10", f"edi, {depth}").replace("esi, 1", f"esi, {rounds}")
    case = assemble(source)
    image = Image.from_bytes(case.elf, case.file)
    started = time.process_time()
    result = run(image, engine=engine)
    assert result.ended == "exit", result.message
    return result.instructions, time.process_time() - started


if __name__ == "__main__":
    main()
