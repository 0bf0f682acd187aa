"""Call frame information of real programs walked at every instruction, held against the truth.

The programs are static, so glibc's hand-written call frame information is among it: the
expressions of `__restore_rt`, `_start` that ends the stack, functions that change it.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from emu.cfi import FrameTable
from emu.check import snapshots
from emu.toolchain import Toolchain
from emu.unwind import DwarfReason, DwarfState, DwarfTrace, State, dwarf_unwind

C_CASES = Path(__file__).parent.parent.parent / "c_cases"
MOST_FRAMES = 200


def walks(program: Path) -> Iterator[tuple[tuple[str, ...], tuple[State, ...], DwarfTrace]]:
    """At every instruction the functions on the stack, the true frames and the walk."""
    table = FrameTable.from_elf(program)
    for snapshot in snapshots(program):
        registers = {number: snapshot.registers[number] for number in range(16)}
        top = DwarfState(snapshot.pc, registers)
        trace = dwarf_unwind(lambda _pc: (table, 0), snapshot.memory, top, MOST_FRAMES)
        yield snapshot.functions, snapshot.frames, trace


def first_departure(frames: tuple[State, ...], trace: DwarfTrace) -> int | None:
    """Number of the first frame that is not the true one; None if all are, to the end."""
    for index, (true, found) in enumerate(zip(frames, trace.frames, strict=False)):
        if (true.ip, true.sp, true.fp) != (found.pc, found.sp, found.fp):
            return index
    if len(frames) != len(trace.frames) or not trace.complete:
        return min(len(frames), len(trace.frames))
    return None


@pytest.mark.parametrize("name", ["signal_handlers", "longjmp_out"])
def test_every_walk_is_right_where_there_is_cfi(
    name: str, toolchain: Toolchain, tmp_path: Path
) -> None:
    flags = ["-O2", "-std=gnu11", "-static"]
    program = toolchain.compile([C_CASES / f"{name}.c"], tmp_path / name, flags)
    right = without_cfi = in_longjmp = 0
    for functions, frames, trace in walks(program):
        departed = first_departure(frames, trace)
        if departed is None:
            right += 1
        elif functions[0] == "__longjmp":
            # Once it has loaded the target's registers its CFI describes where it will go.
            in_longjmp += 1
        else:
            assert trace.end is not None
            assert trace.end.reason is DwarfReason.NO_FDE, (functions, trace.end)
            assert departed == len(trace.frames), functions
            without_cfi += 1
    assert right > 10_000
    assert in_longjmp < 50
    # frame_dummy and the like of crt files, and the PLT of a static program.
    assert without_cfi < right / 50


def test_the_compilers_realigned_epilogue_is_wrong_in_eh_frame_too(
    toolchain: Toolchain, tmp_path: Path
) -> None:
    """gcc leaves the rule of rbp as it was after `leave` has restored it."""
    flags = ["-O2", "-std=gnu11", "-static"]
    program = toolchain.compile([C_CASES / "realignment.c"], tmp_path / "realignment", flags)
    wrong = set()
    for functions, frames, trace in walks(program):
        departed = first_departure(frames, trace)
        if departed is not None and departed < len(trace.frames):
            true, found = frames[departed], trace.frames[departed]
            assert (true.ip, true.sp) == (found.pc, found.sp)
            assert true.fp != found.fp
            wrong.add(functions[departed - 1])
    assert wrong == {"realigned"}
