"""The address space alone: mappings, faults, splitting, limits."""

import pytest

from emu.machine import AddressSpace, OutOfMemory, Protection
from emu.machine.processor import make_processor
from emu.unwind import MemoryFault

READ, WRITE, EXECUTE = Protection.READ, Protection.WRITE, Protection.EXECUTE
BASE = 0x10_0000


@pytest.fixture
def memory() -> AddressSpace:
    return AddressSpace(make_processor(), limit=1 << 24)


def test_words_and_bytes_at_the_ends_of_a_mapping(memory: AddressSpace) -> None:
    memory.map(BASE, 0x1000, READ | WRITE)
    memory.write(BASE, bytes(range(16)))
    memory.write(BASE + 0xFF8, b"\xff" * 8)
    assert memory.word(BASE) == 0x0706050403020100
    assert memory.word(BASE + 3) == 0x0A09080706050403
    assert memory.word(BASE + 0xFF8) == (1 << 64) - 1
    assert memory.read(BASE, 0) == b""
    for address in (BASE - 1, BASE - 8, BASE + 0xFF9, BASE + 0x1000, 0, (1 << 64) - 1, 1 << 63):
        with pytest.raises(MemoryFault):
            memory.word(address)
    with pytest.raises(MemoryFault) as fault:
        memory.read(BASE + 0xFFF, 2)
    assert fault.value.address == BASE + 0x1000


def test_reads_cross_adjacent_mappings(memory: AddressSpace) -> None:
    memory.map(BASE, 0x1000, READ | WRITE)
    memory.map(BASE + 0x1000, 0x1000, READ | WRITE)
    memory.write(BASE + 0xFFC, b"abcdefgh")
    assert memory.read(BASE + 0xFFC, 8) == b"abcdefgh"
    assert memory.word(BASE + 0xFFC) == int.from_bytes(b"abcdefgh", "little")
    assert memory.string(BASE + 0xFFC) == b"abcdefgh"


def test_protection_and_splitting(memory: AddressSpace) -> None:
    memory.map(BASE, 0x5000, READ | WRITE, "five")
    memory.write(BASE, bytes(range(256)) * 0x50)
    before = memory.generation
    memory.protect(BASE + 0x1000, 0x1000, Protection.NONE)
    memory.protect(BASE + 0x3000, 0x1000, READ | EXECUTE)
    assert memory.generation > before
    found = [(m.start - BASE, m.end - BASE, str(m.protection), m.name) for m in memory]
    assert found == [
        (0, 0x1000, "rw-", "five"),
        (0x1000, 0x2000, "---", "five"),
        (0x2000, 0x3000, "rw-", "five"),
        (0x3000, 0x4000, "r-x", "five"),
        (0x4000, 0x5000, "rw-", "five"),
    ]
    with pytest.raises(MemoryFault):
        memory.word(BASE + 0x1000)
    with pytest.raises(MemoryFault):
        memory.write(BASE + 0x3000, b"x")
    assert memory.word(BASE + 0x3000) == 0x0706050403020100
    assert memory.executable(BASE + 0x3FFF)
    assert not memory.executable(BASE + 0x4000)
    assert memory.writable(BASE + 0x4000)
    memory.protect(BASE + 0x1000, 0x1000, READ)
    assert memory.word(BASE + 0x1008) == 0x0F0E0D0C0B0A0908, "the bytes survived"


def test_a_cached_mapping_is_forgotten_when_it_goes(memory: AddressSpace) -> None:
    memory.map(BASE, 0x2000, READ | WRITE)
    assert memory.word(BASE + 0x1000) == 0
    memory.unmap(BASE + 0x1000, 0x1000)
    with pytest.raises(MemoryFault):
        memory.word(BASE + 0x1000)
    assert memory.word(BASE + 0xFF8) == 0
    with pytest.raises(MemoryFault):
        memory.word(BASE + 0xFF9)


def test_mapping_over_something_replaces_it(memory: AddressSpace) -> None:
    memory.map(BASE, 0x3000, READ | WRITE, "old")
    memory.write(BASE + 0x1000, b"old!")
    memory.map(BASE + 0x1000, 0x1000, READ | WRITE, "new")
    assert memory.read(BASE + 0x1000, 4) == bytes(4)
    assert [m.name for m in memory] == ["old", "new", "old"]


def test_limits(memory: AddressSpace) -> None:
    memory.map(BASE, 1 << 23, READ)
    memory.map(1 << 30, 1 << 24, Protection.NONE)
    with pytest.raises(OutOfMemory):
        memory.map(1 << 31, (1 << 23) + 0x1000, READ)
    with pytest.raises(OutOfMemory):
        memory.protect(1 << 30, 1 << 24, READ)
    with pytest.raises(OutOfMemory):
        memory.map(0x7FFF_FFFF_F000, 0x1000, READ)
    with pytest.raises(OutOfMemory):
        memory.map(BASE, 1 << 60, READ)


def test_gaps_are_found_from_the_top(memory: AddressSpace) -> None:
    top = 0x4000_0000
    assert memory.gap(0x2000, top) == top - 0x2000
    memory.map(top - 0x2000, 0x2000, READ)
    memory.map(top - 0x5000, 0x1000, READ)
    assert memory.gap(0x2000, top) == top - 0x4000
    assert memory.gap(0x3000, top) == top - 0x8000
    with pytest.raises(OutOfMemory):
        memory.gap(1 << 46, top)


def test_mappings_as_registration_sees_them(memory: AddressSpace) -> None:
    memory.map(BASE, 0x1000, READ | EXECUTE, "/lib/x.so")
    memory.map(BASE + 0x1000, 0x1000, READ | WRITE, "[heap]")
    vma = memory.vma_at(BASE + 5)
    assert vma is not None
    assert (vma.start, vma.end, vma.executable, vma.path) == (
        BASE,
        BASE + 0x1000,
        True,
        "/lib/x.so",
    )
    heap = memory.vma_at(BASE + 0x1000)
    assert heap is not None
    assert (heap.executable, heap.path, heap.name) == (False, None, "[heap]")
    assert memory.vma_at(BASE + 0x2000) is None


def test_numpy_sees_the_guest_memory(memory: AddressSpace) -> None:
    import numpy as np

    mapping = memory.map(BASE, 0x1000, READ | WRITE)
    words = np.frombuffer(mapping.buffer.view, dtype=np.uint64)
    memory.write(BASE + 16, b"\x2a")
    assert words[2] == 42
