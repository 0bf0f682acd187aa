"""What following the true stack costs at different depths: time for each instruction.

    python tools/bench_depth.py

A recursion goes down to each depth, then calls a leaf again and again. If the cost grew with the
depth, the last column would.
"""

import time

from emu.asm import assemble
from emu.check import run
from emu.machine import Image

SOURCE = """\
#@ title: A leaf called again and again from the bottom of a recursion
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov edi, {depth}
        call down
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc
down:   .cfi_startproc
        dec edi
        jz bottom
        call down
        ret
        .cfi_endproc
bottom: .cfi_startproc
        mov esi, {rounds}
again:  call leaf
        dec esi
        jnz again
        ret
        .cfi_endproc
leaf:   .cfi_startproc
        ret
        .cfi_endproc
"""
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
    case = assemble(SOURCE.format(depth=depth, rounds=rounds))
    image = Image.from_bytes(case.elf, case.file)
    started = time.process_time()
    result = run(image, engine=engine)
    assert result.ended == "exit", result.message
    return result.instructions, time.process_time() - started


if __name__ == "__main__":
    main()
