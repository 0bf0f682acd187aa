"""The walk: start, steps, frame pointers, 32-bit tasks, kernel threads, ends, the cache."""

import struct

import pytest

from emu.unwind import (
    End,
    Ending,
    Errno,
    LookupFailure,
    MemoryFault,
    Method,
    RegionMemory,
    RegisterFile,
    State,
    Trace,
    Walk,
    sframe_find,
    unwind_user,
)

F = 0x20000


def empty(kit):
    return kit.store(kit.section(kit.fde(F, 16, kit.fre(0, 8))), add=False)


def simple(kit):
    return kit.store(kit.section(kit.fde(F, 16, kit.fre(0, 8))))


def test_kernel_thread(kit) -> None:
    walk = Walk(None, kit.stack(), None)
    assert (walk.done, walk.ret, walk.available) == (True, -Errno.EINVAL, Method.NONE)
    assert walk.step() == -Errno.EINVAL
    assert unwind_user(None, kit.stack(), None, 9) == Trace(0, (), End(Ending.NO_USER))
    assert unwind_user(simple(kit), kit.stack(), None, 9).ips == ()
    assert sframe_find(None, F) == LookupFailure(
        Errno.EINVAL, "a kernel thread has no address space"
    )


def test_limit_0(kit) -> None:
    assert unwind_user(simple(kit), kit.stack(), kit.registers(F), 0).ret == -Errno.EINVAL


def test_mode_without_word_size(kit) -> None:
    walk = Walk(simple(kit), kit.stack(), kit.registers(F), word_size=0)
    assert (walk.done, walk.ret) == (True, -Errno.EINVAL)
    assert unwind_user(simple(kit), kit.stack(), kit.registers(F), 9, word_size=0).ips == ()


def test_without_a_record_only_frame_pointers(kit) -> None:
    walk = Walk(empty(kit), kit.stack(), kit.registers(F))
    assert walk.available is Method.FRAME_POINTER
    assert sframe_find(empty(kit), F) == LookupFailure(Errno.ENOENT, "no section covers 0x20000")


def test_frame_pointer_chain(kit) -> None:
    base = kit.STACK
    memory = kit.stack(base + 16, 0x100, base + 32, 0x200, 0, 0x300)
    trace = unwind_user(empty(kit), memory, kit.registers(0x50, base, base), 9)
    assert trace.ips == (0x50, 0x100, 0x200, 0x300)
    assert trace.frames[-1] == State(0x300, base + 48, 0)
    assert str(trace.end) == f"lost (CFA: fp 0x0 is below sp {base + 48:#x})"


@pytest.mark.parametrize("probed", [b"\x55", b"\xf3\x0f\x1e\xfa", b"\x55\x48\x89\xe5"])
def test_uprobe_at_function_entry(kit, probed: bytes) -> None:
    base = kit.STACK
    memory = kit.stack(0x100, base + 24, 0x200, base + 40, 0x300)
    registers = kit.registers(0x50, base, base + 8)
    trace = unwind_user(empty(kit), memory, registers, 3, probed=probed)
    assert trace.ips == (0x50, 0x100, 0x200)  # the entry frame only for the topmost
    assert unwind_user(empty(kit), memory, registers, 3).ips == (0x50, 0x200, 0x300)


def test_other_uprobes(kit) -> None:
    base = kit.STACK
    memory = kit.stack(0x100, base + 24, 0x200)
    trace = unwind_user(empty(kit), memory, kit.registers(0x50, base, base + 8), 2, probed=b"\x90")
    assert trace.ips == (0x50, 0x200)


def test_sframe_does_not_look_at_uprobes(kit) -> None:
    trace = unwind_user(simple(kit), kit.stack(7), kit.registers(F), 2, probed=b"\x55")
    assert trace.ips == (F, 7)


def narrow_stack(*words: int, at: int) -> RegionMemory:
    return RegionMemory([(at, struct.pack(f"<{len(words)}I", *words))])


def test_32_bit_task_with_frame_pointers(kit) -> None:
    base = 0xFFFF0000
    memory = narrow_stack(base + 8, 0x100, 0, 0xFFFFFFFF, at=base)
    trace = unwind_user(empty(kit), memory, kit.registers(0x50, base, base), 9, word_size=4)
    assert trace.ips == (0x50, 0x100, 0xFFFFFFFF)
    assert trace.frames[-1].fp == 0


def test_32_bit_task_at_function_entry(kit) -> None:
    base = 0xFFFF0000
    memory = narrow_stack(0x100, 0, 0, at=base)
    registers = kit.registers(0x50, base, 0)
    for probed, ips in ((b"\x55", (0x50, 0x100)), (b"\xf3\x0f\x1e\xfa", (0x50,))):
        trace = unwind_user(empty(kit), memory, registers, 9, word_size=4, probed=probed)
        assert trace.ips == ips


def test_32_bit_task_with_a_section(kit) -> None:
    # CFA = sp+4, RA = *(CFA-4): nothing rejects a compat task's section.
    section = kit.section(kit.fde(F, 16, kit.fre(0, 4)), ra=-4)
    trace = unwind_user(
        kit.store(section),
        narrow_stack(0x100, at=kit.STACK),
        kit.registers(F),
        9,
        word_size=4,
    )
    assert trace.frames[1] == State(0x100, kit.STACK + 4, 0)


def test_outermost_records_itself_and_nothing_after_it(kit) -> None:
    store = kit.store(kit.section(kit.fde(F, 16, kit.fre(0)), kit.fde(F + 16, 16, kit.fre(0, 8))))
    trace = unwind_user(store, kit.stack(F + 4), kit.registers(F + 16), 9)
    assert trace == Trace(
        0,
        (State(F + 16, kit.STACK, 0, topmost=True), State(F + 4, kit.STACK + 8, 0)),
        End(Ending.OUTERMOST),
    )


def test_limit_stops_before_the_next_step(kit) -> None:
    memory = CountingMemory(kit.stack(F + 4, F + 4, F + 4))
    trace = unwind_user(simple(kit), memory, kit.registers(F), 2)
    assert trace.end.ending is Ending.LIMIT
    assert memory.words == 1


def test_resume_goes_on_from_a_given_frame(kit) -> None:
    walk = Walk(simple(kit), kit.stack(1, 2), kit.registers(F))
    while not walk.done:
        walk.step()
    walk.resume(State(F, kit.STACK + 8, 0))
    assert (walk.done, walk.end, walk.available) == (
        False,
        None,
        Method.SFRAME | Method.FRAME_POINTER,
    )
    assert walk.step() == 0
    assert walk.state == State(2, kit.STACK + 16, 0)
    walk.available = Method.NONE
    walk.resume(State(F, kit.STACK + 8, 0))
    assert walk.step() == -Errno.EINVAL
    assert walk.end == End(Ending.LOST)


class CountingMemory:
    """Memory that counts the words read from it."""

    def __init__(self, memory) -> None:
        self.memory = memory
        self.words = 0

    def word(self, address: int) -> int:
        self.words += 1
        return self.memory.word(address)

    def read(self, address: int, size: int) -> bytes:
        return self.memory.read(address, size)


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ((0x39, 8, 8, -8), "unwind_user: UNWIND_USER_RULE_CFA_OFFSET invalid for RA"),
        ((0x39, 8, 0, 8, -8), "unwind_user: UNWIND_USER_RULE_CFA_OFFSET unsupported for FP"),
    ],
)
def test_lines_of_the_core_are_printed_once(kit, row, line) -> None:
    store = kit.store(kit.section(kit.fde(F, 16, kit.fre(0, *row), fde_type=1)))
    for expected in ([line], []):
        trace = unwind_user(store, kit.stack(1, 2), kit.registers(F), 9)
        assert trace.end.ending is Ending.REFUSED
        assert store.log.drain() == expected


def test_retained_return_address(kit) -> None:
    store = kit.store(kit.section(kit.fde(F, 16, kit.fre(0, 8)), ra=0))
    trace = unwind_user(store, kit.stack(1, 2), kit.registers(F), 9)
    assert str(trace.end) == ("refused (RA: retained, and x86 has no register for it)")
    assert store.log.drain() == ["unwind_user: unwind_user_get_ra_reg() not implemented"]


def test_refusal_names_the_unreadable_address(kit) -> None:
    store = kit.store(kit.section(kit.fde(F, 16, kit.fre(0, 16, -16))))
    trace = unwind_user(store, kit.stack(5, at=kit.STACK + 8), kit.registers(F), 9)
    assert str(trace.end) == f"refused (FP: address {kit.STACK:#x} is unreadable)"


def test_addresses_wrap(kit) -> None:
    # CFA = fp + 16 with fp = 2^64 - 16: CFA is 0, which does not grow.
    store = kit.store(kit.section(kit.fde(F, 16, kit.fre(0, 16, base="fp"))))
    trace = unwind_user(store, kit.stack(), kit.registers(F, 8, (1 << 64) - 16), 9)
    assert str(trace.end) == "refused (CFA: CFA 0x0 is below sp 0x8)"


# Remembered lookups ----------------------------------------------------------------------


def test_stable_store_remembers_until_told(kit) -> None:
    section = bytearray(kit.section(kit.fde(F, 16, kit.fre(0, 8))))
    store = kit.store(bytes(section))
    store.stable = True
    before = store.find(F)
    section[-1] = 16  # the CFA offset
    store.memory = RegionMemory([(kit.SFRAME, bytes(section))])
    assert store.find(F) is before
    store.invalidate()
    assert str(store.find(F)) == "CFA = rsp+16, RA = *(CFA-8)"


def test_stable_store_notices_its_own_changes(kit) -> None:
    section = kit.section(kit.fde(F, 16, kit.fre(0, 8)))
    store = kit.store(section)
    store.stable = True
    for _ in range(2):
        assert not isinstance(store.find(F), LookupFailure)
        assert store.remove(kit.SFRAME) == 0
        assert isinstance(store.find(F), LookupFailure)
        assert store.add(kit.SFRAME, kit.SFRAME + len(section), *kit.TEXT) == 0


def test_stable_store_drops_bad_sections_all_the_same(kit) -> None:
    store = kit.store(kit.section(kit.fde(F, 16, kit.fre(0, 8, code=3))))
    store.stable = True
    assert isinstance(store.lookup(F), LookupFailure)
    assert len(store) == 1  # looking is without effect
    assert isinstance(store.find(F), LookupFailure)
    assert len(store) == 0


def test_lookup_says_which_row(kit) -> None:
    section = kit.section(
        kit.fde(F, 16, kit.fre(0, 8), kit.fre(1, 16), kit.fre(9, 8)),
        kit.fde(F + 16, 64, kit.fre(0, 16), kit.fre(6, 24), mask=True, repetition=16),
    )
    store = kit.store(section)
    for offset, function, index, start in (
        (0, 0, 0, F),
        (8, 0, 1, F + 1),
        (15, 0, 2, F + 9),
        (16 + 37, 1, 0, F + 16),
        (16 + 40, 1, 1, F + 16 + 6),
    ):
        row = store.lookup(F + offset)
        assert not isinstance(row, LookupFailure)
        assert (row.function.index, row.index, row.start) == (function, index, start), offset


def test_region_memory() -> None:
    memory = RegionMemory([(0x20, b"cd"), (0x1C, b"ab00"), (0x40, b"")])
    assert memory.read(0x1E, 4) == b"00cd"
    for address, size in ((0x1B, 1), (0x21, 2), (0x40, 1), (0x1C, 8)):
        with pytest.raises(MemoryFault) as fault:
            memory.read(address, size)
        assert fault.value.address == address
    with pytest.raises(ValueError, match="overlap"):
        RegionMemory([(0, b"abc"), (2, b"x")])


def test_register_file() -> None:
    registers = RegisterFile(5, range(16))
    assert (registers.ip, registers[6], registers[7]) == (5, 6, 7)
