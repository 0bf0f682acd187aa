"""A recording against snapshots of another run: registers, stacks, truth and walks."""

import io
from pathlib import Path

import pytest

from emu.asm import assemble
from emu.check import CheckError, Snapshot, run, snapshots
from emu.lesson.explanation import Unwinder
from emu.lesson.recording import HopKind, RecordedStep, Recording, record
from emu.machine import Image
from emu.toolchain.prebuilt import unpack_programs
from emu.unwind import MemoryFault, SectionStore, Trace, unwind_user

ROOT = Path(__file__).parent.parent.parent
RED_ZONE = 128


def case(name: str) -> Image:
    path = ROOT / "asm_cases" / f"{name}.s"
    return Image.from_bytes(assemble(path).elf, str(path))


def agrees(step: RecordedStep, snapshot: Snapshot) -> None:
    """Everything that is recorded of one step, the walks made anew on live memory."""
    assert (step.instruction, step.pc) == (snapshot.instruction, snapshot.pc)
    registers = snapshot.registers
    assert list(step.registers.values) == registers.values[:16]
    assert tuple(frame.state for frame in step.frames) == snapshot.frames
    names = tuple(frame.function or "(no symbol)" for frame in step.frames)
    assert names == snapshot.functions
    bottom = max(frame.state.sp for frame in step.frames[:3])
    for address in range((registers[7] - RED_ZONE) & -8, min(bottom, registers[7] + 512), 8):
        assert step.memory.word(address) == snapshot.memory.word(address)
    stores = {
        Unwinder.SFRAME: snapshot.store,
        Unwinder.FRAME_POINTERS: SectionStore(snapshot.memory, snapshot.memory),  # type: ignore[arg-type]  # a snapshot's memory is the process's, which has mappings
    }
    for unwinder, store in stores.items():
        walk = step.walks[unwinder]
        trace = unwind_user(store, snapshot.memory, registers, 510)
        assert walk.frames[: len(trace.frames) - 1] == trace.frames[1:]
        if len(trace.frames) < 510:
            assert len(walk.frames) == len(trace.frames) - 1
            assert walk.hops[-1].kind.value == ENDS[trace.end.ending.value]
        right = right_walk(trace, snapshot)
        assert right == (walk.departs is None), walk


ENDS = {"outermost": "outermost", "refused": "refused", "lost": "lost"}


def right_walk(trace: Trace, snapshot: Snapshot) -> bool:
    """Every state is the true one, and there are as many."""
    got = [(state.ip, state.sp, state.fp) for state in trace.frames]
    return got == [(state.ip, state.sp, state.fp) for state in snapshot.frames]


@pytest.mark.parametrize(
    "name",
    [
        "drap_topmost",
        "signal_handler",
        "signal_handler_on_its_own_stack",
        "three_coroutines",
        "wrong_fp_slot",
        "pushes",
        "red_zone",
        "return_address_replaced",
        "longjmp_with_frame_pointers",
        "startproc_simple",
        "two_holes",
        "undefined_in_the_middle",
    ],
)
def test_every_step_of_a_case(name: str) -> None:
    image = case(name)
    recording = record(image)
    assert recording.complete
    count = 0
    for count, snapshot in enumerate(snapshots(image), 1):
        agrees(recording.step(count - 1), snapshot)
    assert count == len(recording) >= 5
    for unwinder, policy in ((Unwinder.SFRAME, "kernel-v15"), (Unwinder.DWARF, "dwarf")):
        verdicts = recording.walks[unwinder].verdicts
        for verdict, times in run(image, policy=policy, engine="reference").tally.walks.items():
            assert verdicts.count(verdict) == times, (unwinder, verdict)


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("prebuilt")
    unpack_programs(ROOT / "c_cases" / "prebuilt", directory)
    return directory


def test_a_program_of_gcc(programs: Path) -> None:
    program = programs / "realignment-O2"
    told: list[int] = []
    recording = record(program, progress=lambda instructions, _findings: told.append(instructions))
    assert told == list(range(16_384, len(recording) + 1, 16_384))
    assert told
    result = run(program)
    assert len(recording) == result.instructions
    looked = 0
    for snapshot in snapshots(program, at=["realigned+*", "shifted+*", "main+*"]):
        agrees(recording.step(snapshot.instruction), snapshot)
        looked += 1
    assert looked > 100
    verdicts = recording.walks[Unwinder.SFRAME].verdicts
    for verdict, count in result.tally.walks.items():
        assert verdicts.count(verdict) == count, verdict
    step = recording.step(recording.opening)
    assert recording.function_name(step.pc) == "realigned"
    assert recording.wrong_fields(Unwinder.SFRAME, recording.opening) == ("fp",)
    assert recording.wrong_fields(Unwinder.DWARF, recording.opening) == ("fp",)


def test_dwarf_walks_are_those_of_the_policy(programs: Path) -> None:
    program = programs / "signal_handlers-O2"
    recording = record(program)
    result = run(program, policy="dwarf")
    verdicts = recording.walks[Unwinder.DWARF].verdicts
    for verdict, count in result.tally.walks.items():
        assert verdicts.count(verdict) == count, verdict


def test_a_window_is_part_of_the_whole(programs: Path) -> None:
    program = programs / "qsort_callback-O0"
    whole = record(program, at="main")
    part = record(program, at="main", window=800)
    assert whole.complete
    assert not part.complete
    assert len(part) == 800
    assert part.first + part.opening == whole.opening
    assert part.function_name(part.pc(part.opening)) == "main"
    for number in range(0, 800, 37):
        same(part, number, whole, part.first + number)


def same(one: Recording, number: int, other: Recording, other_number: int) -> None:
    a, b = one.step(number), other.step(other_number)
    assert (a.instruction, a.registers, a.frames, a.walks) == (
        b.instruction,
        b.registers,
        b.frames,
        b.walks,
    )
    for address in range(a.registers[7] - RED_ZONE & -8, a.frames[-1].state.sp, 8):
        assert a.memory.word(address) == b.memory.word(address)


def test_the_step_asked_for(programs: Path) -> None:
    recording = record(programs / "qsort_callback-O0", step=20_000, window=400)
    assert recording.first + recording.opening == 20_000


def test_deep_recursion_ends_at_the_limit() -> None:
    recording = record(case("deep_recursion"))
    deepest = max(range(len(recording)), key=recording.depth)
    assert recording.depth(deepest) > 509
    for unwinder in (Unwinder.SFRAME, Unwinder.DWARF):
        walk = recording.walk(unwinder, deepest)
        assert (walk.departs, walk.verdict) == (509, "limit")


def test_what_is_not_recorded_is_unreadable() -> None:
    recording = record(case("pushes"))
    memory = recording.step(3).memory
    with pytest.raises(MemoryFault):
        memory.word(0x400000)
    rsp = recording.step(3).registers[7]
    word = memory.word(rsp).to_bytes(8, "little") + memory.word(rsp + 8).to_bytes(8, "little")
    assert memory.read(rsp + 3, 8) == word[3:11]
    assert memory.word(rsp + 5) == int.from_bytes(word[5:13], "little")


def test_where_a_walk_ends() -> None:
    recording = record(case("outermost"))
    walk = recording.walk(Unwinder.SFRAME, len(recording) - 1)
    assert walk.hops[-1].kind is HopKind.OUTERMOST
    assert walk.departs is None


def test_places_that_are_never_reached() -> None:
    with pytest.raises(CheckError, match="--at nowhere: no such symbol"):
        record(case("pushes"), at="nowhere")
    with pytest.raises(CheckError, match="--at 0x1: never reached"):
        record(case("pushes"), at="0x1")
    with pytest.raises(CheckError, match="fewer instructions"):
        record(case("pushes"), step=100_000)


def test_output_is_written_once(programs: Path) -> None:
    said = io.BytesIO()
    record(programs / "realignment-O2", stdout=said)
    again = io.BytesIO()
    run(programs / "realignment-O2", stdout=again)
    assert said.getvalue() == again.getvalue() != b""
