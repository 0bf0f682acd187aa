"""The engines say the same of random programs, in every mode, and of programs that exec.

Here are a few seeds; `make agree` runs as many as there is time for.
"""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from emu.asm import assemble
from emu.check import run
from emu.machine import Image

TOOLS = Path(__file__).parents[2] / "tools"
SEEDS = (1, 2, 3, 4, 5, 8, 10, 11)

EXEC = """\
#@ title: A program that becomes another one, from a child and then itself
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov eax, 57
        syscall
        call become
        ud2
        .cfi_endproc
become: .cfi_startproc
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        lea rdi, [rip+path]
        lea rsi, [rip+arguments]
        xor edx, edx
        mov eax, 59
        syscall
        pop rbp
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
        .data
        .balign 8
arguments: .quad path, 0
path:   .asciz "/bin/true"
"""


@pytest.fixture(scope="module")
def agree() -> Iterator[ModuleType]:
    sys.path.insert(0, str(TOOLS))
    try:
        yield importlib.import_module("agree")
    finally:
        sys.path.remove(str(TOOLS))
        for name in ("agree", "random_programs"):
            sys.modules.pop(name, None)


@pytest.mark.parametrize("seed", SEEDS)
def test_random_programs(seed: int, agree: ModuleType) -> None:
    assert agree.disagreements(seed) == []


def test_the_seeds_are_of_every_kind(agree: ModuleType) -> None:
    """Threads, children, signals, findings, dropped frames, repeated checks: all come up."""
    situations = [agree.Situation.of(seed) for seed in SEEDS]
    kinds = " ".join(situation.kind for situation in situations)
    for kind in ("threads=2", "forks=True", "mischief=True", "signal_every=37", "tables=True"):
        assert kind in kinds
    results = [situation.run("fast", {}) for situation in situations]
    watched = [situation.run("fast", {"watch_stores": True}) for situation in situations]
    assert sum(result.figures.returns for result in results) > 1_500
    assert sum(result.figures.dropped for result in results) > 10
    assert sum(len(result.findings) for result in results) > 10
    assert sum(result.ended == "exit" for result in results) > len(results) // 2
    assert any(
        one.tally.frames != other.tally.frames for one, other in zip(results, watched, strict=True)
    )


@pytest.mark.parametrize("mode", [{}, {"watch_stores": True}, {"exhaustive": True}], ids=str)
def test_programs_that_exec(mode: dict[str, bool], agree: ModuleType) -> None:
    if not Path("/bin/true").exists():
        pytest.skip("there is no /bin/true")
    image = Image.from_bytes(assemble(EXEC).elf, "exec")
    limit = 20_000
    reference, fast = (
        agree.said(run(image, engine=engine, max_instructions=limit, **mode))
        for engine in ("reference", "fast")
    )
    assert fast == reference
    assert reference["system_calls"]["execve"]["count"] >= 1
