"""The compiled walk gives what `emu.unwind.unwind_user` gives, on the stacks of real programs."""

import ctypes
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from emu.asm import assemble
from emu.check import CheckError, Snapshot, snapshots
from emu.check.fast.walker import CompiledWalk
from emu.machine import Image
from emu.sframe import Section
from emu.toolchain.prebuilt import unpack_programs
from emu.unwind import (
    Ending,
    RegionMemory,
    RegisterFile,
    SectionStore,
    Vma,
    VmaList,
    policy,
    unwind_user,
)

ROOT = Path(__file__).parent.parent.parent
CASES = sorted((ROOT / "asm_cases").glob("*.s"))


def image_of(source: str | Path) -> Image:
    case = assemble(source)
    return Image.from_bytes(case.elf, case.file)


def readable(snapshot: Snapshot) -> list[tuple[int, int, int]]:
    """Memory of the process, by host address."""
    space: Any = snapshot.memory
    return [
        (mapping.start, mapping.end, mapping.buffer.address + mapping.offset)
        for mapping in space
        if mapping.protection
    ]


def compare(walk: CompiledWalk, store: SectionStore, memory: Any, registers: Any) -> Ending:
    expected = unwind_user(store, memory, registers, 510)
    frames, ending = walk.walk(registers)
    assert [tuple(line) for line in frames.tolist()] == [state[:3] for state in expected.frames]
    assert ending is expected.end.ending
    return ending


def compare_all(taken: Iterable[Snapshot], *, every: int = 1) -> set[Ending]:
    """Walk at snapshots; the tables and the memory are those of the first until they change."""
    endings = set()
    walk, layout, records = None, None, None
    for number, snapshot in enumerate(taken):
        if number % every:
            continue
        now, registered = readable(snapshot), snapshot.store.records
        if walk is None or (now, registered) != (layout, records):
            texts = [(each.text_start, each.text_end) for each in registered]
            walk, layout, records = CompiledWalk(snapshot.store, texts, now), now, registered
        endings.add(compare(walk, snapshot.store, snapshot.memory, snapshot.registers))
    return endings


@pytest.mark.parametrize("path", CASES[::2], ids=lambda path: path.stem)
def test_assembled_cases(path: Path) -> None:
    assert compare_all(snapshots(image_of(path), max_instructions=400))


@pytest.mark.parametrize("name", ["qsort_callback-O2", "realignment-O0", "deep_recursion-O2"])
def test_compiled_programs(name: str, tmp_path: Path) -> None:
    programs = {path.name: path for path in unpack_programs(ROOT / "c_cases/prebuilt", tmp_path)}
    taken = snapshots(Image.from_file(programs[name]), max_instructions=30_000)
    assert Ending.LOST in compare_all(taken, every=17)


@pytest.mark.parametrize(
    "name", ["format", "kernel-v15,-frame-pointers", "kernel-v14", "kernel-v15,+value-rules"]
)
def test_other_policies(name: str) -> None:
    for case in CASES[::5]:
        compare_all(snapshots(image_of(case), policy=name, max_instructions=150))


def test_a_policy_with_steps_of_another_kind_is_refused() -> None:
    store = SectionStore(RegionMemory([]), VmaList([]), policy=policy("glibc"))
    with pytest.raises(CheckError, match="does not know policy glibc"):
        CompiledWalk(store, [], [])


def damaged(case: Path, flips: int, seed: int) -> Iterator[Snapshot]:
    draw = random.Random(seed)
    image = image_of(case)
    section = Section.from_elf(image.data)
    data = bytearray(image.data)
    for _ in range(flips):
        at = section.file_offset + draw.randrange(28, len(bytes(section.data)))
        data[at] ^= 1 << draw.randrange(8)
    return snapshots(Image.from_bytes(bytes(data), "damaged"), max_instructions=150)


@pytest.mark.parametrize("flips", [1, 4, 20])
def test_damaged_tables_that_are_dropped_on_the_way(flips: int) -> None:
    for seed in range(4):
        compare_all(damaged(ROOT / "asm_cases" / "mutual_recursion.s", flips, seed))


def wild_stack(draw: random.Random, start: int, text: tuple[int, int]) -> bytes:
    """Words that point into the stack or into code, most of them; not always whole words."""
    content = bytearray(draw.randbytes(draw.choice((0, 1, 7, 8, 200, 203))))
    for at in range(0, len(content) - 8, 8):
        word = draw.choice((start + draw.randrange(250), draw.randrange(*text)))
        if draw.random() < 0.8:
            content[at : at + 8] = (word % (1 << 64)).to_bytes(8, "little")
    return bytes(content)


@pytest.mark.parametrize("start", [0x10000, 0x10004, (1 << 64) - 208])
@pytest.mark.parametrize("name", ["two_holes", "six_registers_saved", "frame_pointer"])
def test_stacks_of_any_content(name: str, start: int) -> None:
    snapshot = next(iter(snapshots(image_of(ROOT / "asm_cases" / f"{name}.s"))))
    (record,) = snapshot.store.records
    table = snapshot.memory.read(record.sframe_start, record.sframe_end - record.sframe_start)
    text = record.text_start, record.text_end
    mappings = VmaList(
        [
            Vma(*text, executable=True),
            Vma(record.sframe_start, record.sframe_end, executable=False),
        ]
    )
    draw = random.Random(start)
    for _ in range(30):
        content = wild_stack(draw, start, text)
        regions = [(record.sframe_start, table), *([(start, content)] if content else [])]
        memory = RegionMemory(regions)
        store = SectionStore(memory, mappings, stable=True)
        assert store.add(record.sframe_start, record.sframe_end, *text) == 0
        host = (ctypes.c_char * (len(content) + 1)).from_buffer_copy(content + b"\0")
        extents = [(start, start + len(content), ctypes.addressof(host))] if content else []
        walk = CompiledWalk(store, [text], extents)
        for _ in range(20):
            general = [
                draw.choice((start + draw.randrange(220), draw.getrandbits(64))) % (1 << 64)
                for _ in range(16)
            ]
            compare(walk, store, memory, RegisterFile(draw.randrange(*text), general))


def test_limits_and_repetitions() -> None:
    case = ROOT / "asm_cases" / "deep_recursion.s"
    deepest = None
    for snapshot in snapshots(image_of(case), max_instructions=3_000):
        if deepest is None or len(snapshot.entries) > 300:
            deepest = snapshot
            if len(snapshot.entries) > 300:
                break
    assert deepest is not None
    records = deepest.store.records
    texts = [(each.text_start, each.text_end) for each in records]
    walk = CompiledWalk(deepest.store, texts, readable(deepest))
    full = unwind_user(deepest.store, deepest.memory, deepest.registers, 10_000)
    for limit in (1, 2, 300, 10_000):
        expected = unwind_user(deepest.store, deepest.memory, deepest.registers, limit)
        frames, ending = walk.walk(deepest.registers, limit, times=3)
        assert frames[:, 0].tolist() == list(expected.ips)
        assert ending is expected.end.ending
    assert len(full.frames) > 300
    assert len(walk.walk(deepest.registers, 0).frames) == 0
