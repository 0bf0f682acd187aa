"""Benchmarks of the fast engine: every instruction checked, beside the emulator alone.

    python tools/bench_fast.py [--runs N] [--scale N] [--json FILE]

Two guests: `calls`, a recursion up to 20 deep in which every eighth instruction or so is a call
or a return, and `loops`, a loop over an array in a leaf function. Each figure is the median of
several runs in this process, and ratios compare medians of the same runs.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

from emu.asm import assemble
from emu.check import run
from emu.machine import Image, Process

CALLS = """\
#@ title: A recursion, {scale} times
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov r12d, {scale}
again:  mov edi, 18
        call fib
        dec r12d
        jnz again
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc
fib:    .cfi_startproc
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        push rbx
        .cfi_def_cfa_offset 24
        sub rsp, 8
        .cfi_def_cfa_offset 32
        mov ebx, edi
        mov eax, edi
        cmp edi, 2
        jb done
        lea edi, [rbx-1]
        call fib
        mov ebp, eax
        lea edi, [rbx-2]
        call fib
        add eax, ebp
done:   add rsp, 8
        .cfi_def_cfa_offset 24
        pop rbx
        .cfi_def_cfa_offset 16
        pop rbp
        .cfi_restore rbp
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
"""

LOOPS = """\
#@ title: A loop over an array, {scale} times
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov r12d, {scale}
again:  lea rdi, [rip+array]
        mov esi, 16384
        call sum
        dec r12d
        jnz again
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc
sum:    .cfi_startproc
        xor eax, eax
next:   mov edx, [rdi+rsi*4-4]
        imul edx, edx, 7
        xor edx, esi
        add eax, edx
        mov [rdi+rsi*4-4], edx
        dec esi
        jnz next
        ret
        .cfi_endproc
        .bss
array:  .skip 65536
"""


def bare(image: Image) -> float:
    """Seconds that the emulator needs without a hook."""
    process = Process(image, args=[image.path], stdout=len, stderr=len)
    started = time.perf_counter()
    process.run()
    return time.perf_counter() - started


def measure(name: str, source: str, runs: int) -> dict[str, object]:
    """The figures of one guest."""
    case = assemble(source)
    image = Image.from_bytes(case.elf, name)
    emulated, checked = [], []
    for _ in range(runs):
        seconds = bare(image)
        result = run(image, engine="fast")
        assert result.tally.checked == result.instructions, "every instruction is checked"
        emulated.append(result.instructions / seconds)
        checked.append(result.instructions_per_second)
    alone, fast = statistics.median(emulated), statistics.median(checked)
    return {
        "guest": name,
        "instructions": result.instructions,
        "bare_per_second": round(alone),
        "fast_per_second": round(fast),
        "slowdown": round(alone / fast, 2),
    }


def main() -> None:
    """Print a table, and write JSON if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--scale", type=int, default=100, help="millions of instructions, about")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    figures = [
        measure("calls", CALLS.format(scale=max(arguments.scale * 8, 1)), arguments.runs),
        measure("loops", LOOPS.format(scale=max(arguments.scale * 9, 1)), arguments.runs),
    ]
    print(f"{'guest':8}{'instructions':>14}{'bare/s':>14}{'fast/s':>14}{'slowdown':>10}")
    for figure in figures:
        print(
            f"{figure['guest']:8}{figure['instructions']:>14,}{figure['bare_per_second']:>14,}"
            f"{figure['fast_per_second']:>14,}{figure['slowdown']:>9}x"
        )
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
