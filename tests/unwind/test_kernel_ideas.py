"""Kernel behaviour: 18. One test (or a few) for each idea, named after it.

Idea 20, perf's merge, is in tests/profile.
"""

import struct

import pytest

from emu.unwind import (
    Allocation,
    DeferredTask,
    DeferredUnwinding,
    Ending,
    Errno,
    Frame,
    LookupFailure,
    Method,
    Reason,
    Refusal,
    RegionMemory,
    SectionStore,
    State,
    Tracer,
    Vma,
    VmaList,
    Walk,
    evaluate,
    policy,
    unwind_user,
)

PREFIX = "sframe: prog (42): /bin/prog: "
REMOVING = PREFIX + "removing bad .sframe section"
F = 0x20000
"""Where the functions of these tests begin; the text range is 0x20000-0x21000."""


def add(kit, section, **more):
    store = kit.store(section, add=False, **more)
    return store, store.add(kit.SFRAME, kit.SFRAME + len(section), *kit.TEXT)


def errno(found: Frame | LookupFailure) -> Errno:
    assert isinstance(found, LookupFailure)
    return found.errno


def rules(found: Frame | LookupFailure) -> str:
    assert isinstance(found, Frame), found
    return str(found)


def plain(kit, **header):
    return kit.section(kit.fde(F, 32, kit.fre(0, 8)), **header)


# 1 ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [{"version": 2}, {"flags": 4}, {"flags": 1}, {"auxiliary": 4}, {"magic": 0xE2DE}],
    ids=["V2", "not-sorted", "not-pc-relative", "auxiliary-header", "foreign-byte-order"],
)
def test_01_unsupported_headers_give_one_message(kit, header) -> None:
    section = plain(kit, **header)
    store, added = add(kit, section)
    assert added == -Errno.EINVAL
    assert store.log.drain() == [
        PREFIX + "bad/unsupported sframe header",
        PREFIX + f"SEC: sframe:0x10000-{0x10000 + len(section):#x} text:0x20000-0x21000"
        " fdes:0x0-0x0 fres:0x0-0x0 ra_off:0 fp_off:0",
    ]


@pytest.mark.parametrize("header", [{"abi": 2}, {"abi": 99}, {"flags": 0xFF}, {"num_fres": 77}])
def test_01_what_the_header_check_accepts(kit, header) -> None:
    store, added = add(kit, plain(kit, **header))
    assert added == 0
    assert rules(store.find(F)) == "CFA = rsp+8, RA = *(CFA-8)"


# 2 ---------------------------------------------------------------------------------------


def test_02_section_of_exactly_28_bytes(kit) -> None:
    section = plain(kit)
    store = kit.store(section, add=False)
    assert store.add(kit.SFRAME, kit.SFRAME + 28, *kit.TEXT) == -Errno.EINVAL
    assert store.log.drain()[0] == PREFIX + "header doesn't fit in section"


@pytest.mark.parametrize("counts", [{"num_fdes": 0}, {"num_fres": 0}])
def test_02_no_entries_comes_before_the_length(kit, counts) -> None:
    store = kit.store(plain(kit, **counts), add=False)
    assert store.add(kit.SFRAME, kit.SFRAME + 28, *kit.TEXT) == -Errno.EINVAL
    assert store.log.drain()[0] == PREFIX + "no FDE/FRE entries"


def test_02_one_byte_too_many_or_overlapping(kit) -> None:
    fre_bytes = 5 + len(kit.fre(0, 8))
    for header, expected in (
        ({"fre_len": fre_bytes}, 0),
        ({"fre_len": fre_bytes + 1}, -Errno.EINVAL),
        ({"freoff": 16, "fre_len": 1}, 0),
        ({"freoff": 15, "fre_len": 1}, -Errno.EINVAL),
    ):
        store, added = add(kit, plain(kit, **header))
        assert added == expected, header
        if expected:
            assert store.log.drain()[0] == PREFIX + "inconsistent FDE/FRE offsets"


def test_02_big_gaps_are_accepted(kit) -> None:
    store, added = add(kit, plain(kit, fdeoff=0x1000, gap=0x2000))
    assert added == 0
    assert rules(store.find(F)) == "CFA = rsp+8, RA = *(CFA-8)"


# 3 ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ((0x21000, 0x22000), -Errno.EEXIST),
        ((0x21800, 0x21900), -Errno.EEXIST),
        ((0x20800, 0x22800), -Errno.EEXIST),
        ((0x20800, 0x21001), -Errno.EEXIST),
        ((0x21FFF, 0x22800), -Errno.EEXIST),
        ((0x20000, 0x21000), 0),
        ((0x22000, 0x23000), 0),
    ],
    ids=["identical", "nested", "containing", "low end", "high end", "touching", "touching above"],
)
def test_03_overlapping_registrations(kit, text, expected) -> None:
    section = plain(kit)
    store = kit.store(section, text=(0x21000, 0x22000))
    assert store.add(kit.SFRAME, kit.SFRAME + len(section), *text) == expected
    assert len(store) == (2 if expected == 0 else 1)
    lines = [PREFIX + f"mtree_insert_range failed: text={text[0]:x}-{text[1]:x}"]
    assert store.log.drain() == (lines if expected else [])


# 4 ---------------------------------------------------------------------------------------


def two_ranges(kit, *rows) -> SectionStore:
    section = kit.section(kit.fde(F, 32, *rows))
    store = kit.store(section)
    assert store.add(kit.SFRAME, kit.SFRAME + len(section), 0x21000, 0x22000) == 0
    assert len(store) == 2
    return store


def test_04_removal_by_start_drops_both_ranges(kit) -> None:
    store = two_ranges(kit, kit.fre(0, 8))
    for wrong in (kit.SFRAME + 1, F, 0):
        assert store.remove(wrong) == -Errno.EINVAL
    assert len(store) == 2
    assert store.remove(kit.SFRAME) == 0
    assert len(store) == 0
    assert store.remove(kit.SFRAME) == -Errno.EINVAL


def test_04_corruption_met_in_one_range_drops_both(kit) -> None:
    store = two_ranges(kit, kit.fre(0, 8, code=3))
    assert errno(store.find(F)) is Errno.EINVAL
    assert len(store) == 0
    assert store.log.drain() == [REMOVING]


# 5 ---------------------------------------------------------------------------------------


def test_05_below_the_first_function_of_a_second_segment(kit) -> None:
    # Functions at 0x20000 and 0x22010; one record for 0x20000-0x21000, one for 0x22000-0x23000.
    section = kit.section(kit.fde(F, 16, kit.fre(0, 8)), kit.fde(0x22010, 16, kit.fre(0, 8)))
    store = kit.store(section, text=(0x22000, 0x23000))
    assert rules(store.find(0x22010)) == "CFA = rsp+8, RA = *(CFA-8)"
    assert errno(store.find(0x22000)) is Errno.EFAULT
    assert len(store) == 0


def test_05_below_the_first_function_of_the_only_segment(kit) -> None:
    store = kit.store(kit.section(kit.fde(F + 16, 16, kit.fre(0, 8))))
    assert errno(store.find(F)) is Errno.ENOENT
    assert len(store) == 1
    assert store.log.drain() == []


# 6 ---------------------------------------------------------------------------------------


def test_06_fde_without_fres(kit) -> None:
    section = kit.section(kit.fde(F, 16), kit.fde(F + 32, 16, kit.fre(0, 8)))
    store = kit.store(section)
    assert errno(store.find(F + 20)) is Errno.ENOENT
    assert len(store) == 1
    assert errno(store.find(F + 4)) is Errno.EINVAL
    assert len(store) == 0


def test_06_a_broken_entry_below_a_gap_turns_the_miss_into_a_removal(kit) -> None:
    store = kit.store(kit.section(kit.fde(F, 16, kit.fre(0, 8), count=17)))
    assert errno(store.find(F + 20)) is Errno.EINVAL
    assert len(store) == 0


# 7 ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("signal", [False, True], ids=["simple", "signal"])
def test_07_simple_function_and_signal_fde_without_rows(kit, signal) -> None:
    found = kit.store(kit.section(kit.fde(F, 2, signal=signal), num_fres=1)).find(F)
    assert errno(found) is Errno.EINVAL


def test_07_signal_mark_changes_nothing_where_there_are_rows(kit) -> None:
    marked = kit.store(kit.section(kit.fde(F, 2, kit.fre(0, 8), signal=True))).find(F)
    assert marked == kit.store(plain(kit)).find(F)


@pytest.mark.parametrize(("ip", "found"), [(0, True), (3, True), (4, False), (5, False)])
def test_07_row_at_the_end_of_its_function(kit, ip, found) -> None:
    # pop at 4 followed by .cfi_def_cfa_offset: rows 0, 1, 4 and 6 in a function of 6 bytes.
    rows = [kit.fre(0, 8), kit.fre(1, 16), kit.fre(4, 8), kit.fre(6, 8)]
    store = kit.store(kit.section(kit.fde(F, 6, *rows)))
    assert isinstance(store.find(F + ip), Frame) is found
    assert len(store) == found


# 8 ---------------------------------------------------------------------------------------


def test_08_empty_fde_inside_another_function(kit) -> None:
    section = kit.section(kit.fde(F, 32, kit.fre(0, 8)), kit.fde(F + 8, 0, kit.fre(0, 8)))
    store = kit.store(section)
    assert isinstance(store.find(F + 7), Frame)
    assert store.find(F + 9) == LookupFailure(
        Errno.EINVAL, "FDE 1 has 1 FREs, more than its 0 bytes"
    )
    assert len(store) == 0


# 9 ---------------------------------------------------------------------------------------


def test_09_disorder_off_the_search_path(kit) -> None:
    # Seven functions, entries 4 and 5 exchanged. A search beyond entry 3 goes on to 5 and
    # then up or nowhere: what entry 4 says is lost. Only function 3's own reads 5, then 4.
    starts = [F + 16 * number for number in (0, 1, 2, 3, 5, 4, 6)]
    section = kit.section(*(kit.fde(start, 16, kit.fre(0, 8)) for start in starts))
    store = kit.store(section)
    for number in (0, 1, 2, 4, 6):
        assert isinstance(store.find(F + 16 * number), Frame), number
    assert errno(store.find(F + 16 * 5)) is Errno.ENOENT
    assert len(store) == 1
    assert store.find(F + 16 * 3) == LookupFailure(Errno.EINVAL, "FDE 4 is out of order")
    assert len(store) == 0
    store, added = add(kit, section, validation=True)
    assert added == -Errno.EINVAL
    assert store.log.drain() == [PREFIX + "FDE 5 not sorted"]


def test_09_disorder_on_the_search_path(kit) -> None:
    # Looking for 0x20038 visits entry 1 (0x20030, lower) and then entry 2 (0x20010): disorder.
    starts = [F + 0x20, F + 0x30, F + 0x10]
    section = kit.section(*(kit.fde(start, 16, kit.fre(0, 8)) for start in starts))
    store = kit.store(section)
    assert store.find(F + 0x38) == LookupFailure(Errno.EINVAL, "FDE 2 is out of order")
    assert len(store) == 0


def test_09_validation_names_the_entry(kit) -> None:
    section = kit.section(kit.fde(F, 16, kit.fre(0, 8)), kit.fde(F, 16, kit.fre(0, 8)))
    store, added = add(kit, section, validation=True)
    assert added == -Errno.EINVAL
    assert store.log.drain() == [PREFIX + "FDE 1 not sorted"]
    assert isinstance(kit.store(section).find(F), Frame)  # lookups tolerate duplicates


def test_09_equal_starts_are_no_disorder(kit) -> None:
    # The search for F+4 visits entries 1 and 0; both upper starts are equal.
    starts = [F, F + 16, F + 16, F + 16, F + 16]
    store = kit.store(kit.section(*(kit.fde(start, 16, kit.fre(0, 8)) for start in starts)))
    for offset in (4, 20):
        assert rules(store.find(F + offset)) == "CFA = rsp+8, RA = *(CFA-8)"


# 10 --------------------------------------------------------------------------------------


def masked(kit, *rows, size=64, repetition=16):
    return kit.store(kit.section(kit.fde(F, size, *rows, mask=True, repetition=repetition)))


def test_10_repetition_size_0(kit) -> None:
    found = masked(kit, kit.fre(0, 8), repetition=0).find(F)
    assert found == LookupFailure(Errno.EINVAL, "FDE 0 is MASK with repetition size 0")


def test_10_row_start_at_the_repetition_size(kit) -> None:
    store = masked(kit, kit.fre(0, 8), kit.fre(16, 16))
    assert errno(store.find(F)) is Errno.EINVAL


def test_10_last_partial_block(kit) -> None:
    # Blocks of 16 bytes, rows at 0 and 6; 40 bytes, so the third block has 8.
    store = masked(kit, kit.fre(0, 16), kit.fre(6, 24), size=40)
    expected = {True: "CFA = rsp+16, RA = *(CFA-8)", False: "CFA = rsp+24, RA = *(CFA-8)"}
    for offset in range(40):
        assert rules(store.find(F + offset)) == expected[offset % 16 < 6], offset
    assert errno(store.find(F + 40)) is Errno.ENOENT


def test_10_block_of_255(kit) -> None:
    store = masked(kit, kit.fre(0, 8), kit.fre(254, 16), size=0x400, repetition=255)
    assert rules(store.find(F + 254)) == "CFA = rsp+16, RA = *(CFA-8)"
    assert rules(store.find(F + 255)) == "CFA = rsp+8, RA = *(CFA-8)"


# 11 --------------------------------------------------------------------------------------


def row(kit, *words, fde_type=0, base="sp", code=0, **header):
    fde = kit.fde(F, 32, kit.fre(0, *words, base=base, code=code), fde_type=fde_type)
    return kit.store(kit.section(fde, **header)).find(F)


@pytest.mark.parametrize("code", [0, 1, 2])
@pytest.mark.parametrize("base", ["sp", "fp"])
@pytest.mark.parametrize(("ra", "fp", "most"), [(-8, 0, 2), (-8, -16, 1), (0, -16, 2), (0, 0, 3)])
def test_11_words_of_a_default_fde(kit, code, base, ra, fp, most) -> None:
    name = {"sp": "rsp", "fp": "rbp"}[base]
    words = (32, -24, -40)
    for count in range(16):
        found = row(kit, *(words * 5)[:count], base=base, code=code, ra=ra, fp=fp)
        if count == 0:
            assert rules(found) == "RA undefined"
        elif count > most:
            assert errno(found) is Errno.EINVAL, count
        else:
            left = list(words[1:count])
            expected_ra = ra or (left.pop(0) if left else None)
            expected_fp = fp or (left.pop(0) if left else None)
            text = f"CFA = {name}+32"
            text += f", RA = *(CFA{expected_ra:+d})" if expected_ra else ""
            text += f", FP = *(CFA{expected_fp:+d})" if expected_fp else ""
            assert rules(found) == text


def test_11_a_zero_fp_word_means_unchanged(kit) -> None:
    assert rules(row(kit, 16, 0)) == "CFA = rsp+16, RA = *(CFA-8)"


CFA = (0x39, 16)  # rsp+16
PAIR = (0x02, -24)  # *(CFA-24)
OTHER = (0x33, 8)  # *(rbp+8)


@pytest.mark.parametrize("code", [0, 1, 2])
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (CFA, "CFA = rsp+16, RA = *(CFA-8)"),
        (CFA + PAIR, "CFA = rsp+16, RA = *(CFA-24)"),
        ((*CFA, 0, *OTHER), "CFA = rsp+16, RA = *(CFA-8), FP = *(rbp+8)"),
        (CFA + PAIR + OTHER, "CFA = rsp+16, RA = *(CFA-24), FP = *(rbp+8)"),
        ((0x39,), None),
        ((*CFA, 5), None),
        ((*CFA, 0, 5), None),
        ((*CFA, *PAIR, 5), None),
        ((*CFA, 0, 0, 5), None),
        ((*CFA, 0, *OTHER, 0), None),
        ((*CFA, *PAIR, 0, 5), None),
        (CFA + PAIR + OTHER + (0,), None),
        (CFA * 4, None),
        ((0x39, 1, 0) * 5, None),
    ],
)
def test_11_words_of_a_flexible_fde(kit, code, words, expected) -> None:
    found = row(kit, *words, fde_type=1, code=code)
    if expected is None:
        assert errno(found) is Errno.EINVAL
    else:
        assert rules(found) == expected


def test_11_flexible_defaults_come_from_the_header(kit) -> None:
    found = row(kit, *CFA, fde_type=1, ra=0, fp=-16)
    assert rules(found) == "CFA = rsp+16, FP = *(CFA-16)"


@pytest.mark.parametrize(
    ("control", "field", "expected"),
    [
        (4, "RA", None),
        (8, "RA", "CFA-24"),  # register bits of a CFA rule are ignored
        (0x10, "RA", "CFA-24"),
        (0xF9, "RA", "xmm14-24"),  # register 31: taken here, refused at evaluation
        (0x04, "CFA", None),
        (0x3D, "CFA", None),  # rsp with the reserved bit
        (0x38, "CFA", None),  # reg_p 0
        (0x02, "CFA", None),
        (0xF9, "CFA", "xmm14-24"),
        (0x3B, "CFA", "*(rsp-24)"),
        (0x33, "CFA", "*(rbp-24)"),
        (0x53, "CFA", "*(r10-24)"),
    ],
)
def test_11_control_words(kit, control, field, expected) -> None:
    words = (control, -24) if field == "CFA" else (*CFA, control, -24)
    found = row(kit, *words, fde_type=1)
    if expected is None:
        assert errno(found) is Errno.EINVAL
    else:
        assert f"{field} = {expected}" in rules(found)


@pytest.mark.parametrize("code", [1, 2])
def test_11_register_39_is_register_7(kit, code) -> None:
    assert rules(row(kit, 0x139, 16, fde_type=1, code=code)) == "CFA = rsp+16, RA = *(CFA-8)"


def test_11_rows_at_the_end_of_the_sub_section(kit) -> None:
    # Two rows are announced. The second is cut: nothing of it, its start only, its word gone.
    first, second = kit.fre(0, 8), kit.fre(4, 16)
    for left in range(len(second)):
        section = kit.section(kit.fde(F, 32, first + second[:left], count=2))
        assert errno(kit.store(section).find(F)) is Errno.EFAULT, left
    # Its bounds come before its start, which is behind the function here.
    section = kit.section(kit.fde(F, 32, first + b"\x28", count=2))
    assert errno(kit.store(section).find(F)) is Errno.EFAULT
    section = kit.section(kit.fde(F, 32, first + second, count=2))
    assert rules(kit.store(section).find(F)) == "CFA = rsp+8, RA = *(CFA-8)"


@pytest.mark.parametrize(("fre_type", "far"), [(1, 0xFFFF), (2, 0x12345)])
def test_11_wide_start_offsets(kit, fre_type, far) -> None:
    size = 1 << fre_type
    near = [kit.fre(0, 8, start_size=size), kit.fre(far, 16, start_size=size)]
    section = kit.section(kit.fde(F, 0x20000, *near, fre_type=fre_type))
    vmas = [
        Vma(kit.SFRAME, kit.SFRAME + 0x8000, executable=False),
        Vma(F, F + 0x20000, executable=True),
    ]
    store = SectionStore(RegionMemory([(kit.SFRAME, section)]), VmaList(vmas))
    assert store.add(kit.SFRAME, kit.SFRAME + len(section), F, F + 0x20000) == 0
    assert rules(store.find(F + far - 1)) == "CFA = rsp+8, RA = *(CFA-8)"
    for offset in (far, 0x1FFFF):
        assert rules(store.find(F + offset)) == "CFA = rsp+16, RA = *(CFA-8)"


# 12 --------------------------------------------------------------------------------------


@pytest.mark.parametrize("fde_type", range(2, 32))
def test_12_unknown_fde_types(kit, fde_type) -> None:
    assert rules(row(kit, fde_type=fde_type)) == "RA undefined"
    assert errno(row(kit, 8, fde_type=fde_type)) is Errno.EINVAL


@pytest.mark.parametrize("bits", [0x20, 0x40, 0x80, 0xE0])
def test_12_unused_bits_are_ignored(kit, bits) -> None:
    assert rules(row(kit, 8, fde_type=bits)) == "CFA = rsp+8, RA = *(CFA-8)"


# 13 --------------------------------------------------------------------------------------


def drap(kit, name: str = "kernel-v15") -> SectionStore:
    """A realigned function at F (CFA = *(rbp-8), FP = *(rbp+0)) and a leaf at F+0x40."""
    realigned = kit.fde(F, 32, kit.fre(0, 0x33, -8, 0, 0x33, 0), fde_type=1)
    leaf = kit.fde(F + 0x40, 32, kit.fre(0, 8))
    return kit.store(kit.section(realigned, leaf), policy=policy(name))


def test_13_drap_function_on_top(kit) -> None:
    store = drap(kit)
    base = kit.STACK
    # rbp = base+16: *(rbp-8) is the CFA, *(rbp+0) the caller's rbp, *(CFA-8) the address.
    memory = kit.stack(0, base + 0x40, 0x1234, 0, 0, 0, 0, 0x20048, 0)
    trace = unwind_user(store, memory, kit.registers(F, base, base + 16), 2)
    assert trace.frames[1] == State(0x20048, base + 0x40, 0x1234)


def test_13_drap_function_below_the_top(kit) -> None:
    store = drap(kit)
    base = kit.STACK
    memory = kit.stack(F + 4, base + 0x40, 0x1234, 0, 0, 0, 0, 0x20048, 0)
    trace = unwind_user(store, memory, kit.registers(F + 0x40, base, base + 16), 9)
    assert trace.ips == (F + 0x40, F + 4)
    assert trace.end.ending is Ending.REFUSED
    assert trace.end.refusal == Refusal(
        Reason.REGISTER_BELOW_TOP, "FP", "register rbp below the topmost frame"
    )
    assert len(store) == 1
    trace = unwind_user(drap(kit, "format"), memory, kit.registers(F + 0x40, base, base + 16), 3)
    assert trace.frames[2] == State(0x20048, base + 0x40, 0x1234)


# 14 --------------------------------------------------------------------------------------


def test_14_cfa_equal_to_sp(kit) -> None:
    frame = row(kit, 0)
    memory = kit.stack(1, 2, 3, at=kit.STACK - 8)
    registers = kit.registers(F)
    top = evaluate(frame, State(F, kit.STACK, 0, topmost=True), memory, registers)
    assert top == State(1, kit.STACK, 0)
    below = evaluate(frame, State(F, kit.STACK, 0), memory, registers)
    assert isinstance(below, Refusal)
    assert below.reason is Reason.CFA_NOT_ABOVE_SP


def test_14_cfa_below_sp(kit) -> None:
    registers = kit.registers(F)
    top = State(F, kit.STACK + 8, 0, topmost=True)
    found = evaluate(row(kit, -8), top, kit.stack(1, 2, at=kit.STACK - 8), registers)
    assert isinstance(found, Refusal)
    assert found.reason is Reason.CFA_NOT_ABOVE_SP


def test_14_sp_0_in_the_topmost_frame_never_grows(kit) -> None:
    found = evaluate(row(kit, 8), State(F, 0, 0, topmost=True), kit.stack(), kit.registers(F))
    assert isinstance(found, Refusal)
    assert found.reason is Reason.CFA_NOT_ABOVE_SP


def test_14_misaligned_by_4(kit) -> None:
    registers = kit.registers(F)
    memory = kit.stack(0x1111111122222222, 0x3333333344444444)
    state = State(F, kit.STACK, 0, topmost=True)
    wide = evaluate(row(kit, 12), state, memory, registers)
    assert isinstance(wide, Refusal)
    assert wide.reason is Reason.CFA_MISALIGNED
    narrow = evaluate(row(kit, 12), state, memory, registers, word_size=4)
    assert narrow == State(0x11111111, kit.STACK + 12, 0)


# 15 --------------------------------------------------------------------------------------


def test_15_return_address_0_is_recorded(kit) -> None:
    store = kit.store(plain(kit))
    trace = unwind_user(store, kit.stack(0), kit.registers(F), 9)
    assert trace.ips == (F, 0)
    assert trace.end.ending is Ending.LOST
    assert trace.end.lookup is not None
    assert trace.end.lookup.errno is Errno.ENOENT
    assert trace.end.refusal is not None
    assert trace.end.refusal.reason is Reason.FP_BELOW_SP


def test_15_return_address_behind_a_noreturn_caller(kit) -> None:
    # `die` at F calls exit as its last instruction; `next` follows and has another frame size.
    die = kit.fde(F, 16, kit.fre(0, 16))
    following = kit.fde(F + 16, 16, kit.fre(0, 32))
    leaf = kit.fde(F + 32, 16, kit.fre(0, 8))
    section = kit.section(die, following, leaf)
    memory = kit.stack(F + 16, 0xAAAA, 0xBBBB, 0xCCCC, 0xDDDD)
    registers = kit.registers(F + 32)
    raw = unwind_user(kit.store(section), memory, registers, 3)
    assert raw.ips == (F + 32, F + 16, 0xDDDD)
    store = kit.store(section, policy=policy("kernel-v15,+minus-one"))
    assert unwind_user(store, memory, registers, 3).ips == (F + 32, F + 16, 0xBBBB)


# 16 --------------------------------------------------------------------------------------


def test_16_evaluation_error_ends_the_walk(kit) -> None:
    # The frame pointer would lead on, but the row is there and its slot is unreadable.
    store = kit.store(kit.section(kit.fde(F, 32, kit.fre(0, 0x100, code=1))))
    memory = kit.stack(kit.STACK + 32, 0x999, 0, 0)
    walk = Walk(store, memory, kit.registers(F, kit.STACK, kit.STACK))
    assert walk.available == Method.SFRAME | Method.FRAME_POINTER
    assert walk.step() == -Errno.EINVAL
    assert (walk.done, walk.current_type, walk.state.ip) == (True, Method.NONE, F)
    assert walk.end is not None
    assert walk.end.ending is Ending.REFUSED
    assert walk.end.refusal is not None
    assert walk.end.refusal.reason is Reason.UNREADABLE
    assert walk.step() == -Errno.EINVAL
    assert len(store) == 1


def test_16_lookup_error_falls_back(kit) -> None:
    store = kit.store(kit.section(kit.fde(F, 32, kit.fre(0, 8, code=3))))
    memory = kit.stack(kit.STACK + 32, 0x999, 0, 0)
    walk = Walk(store, memory, kit.registers(F, kit.STACK, kit.STACK))
    assert walk.step() == 0
    assert walk.current_type == Method.FRAME_POINTER
    assert walk.state == State(0x999, kit.STACK + 16, kit.STACK + 32)
    assert len(store) == 0
    assert Method.SFRAME in walk.available  # fixed for the walk


# 17 --------------------------------------------------------------------------------------


class FailAt:
    """Lets the n-th allocation of a record fail."""

    def __init__(self, number: int) -> None:
        self.left = number

    def __call__(self, what: Allocation) -> bool:
        self.left -= what is Allocation.RECORD
        return not (what is Allocation.RECORD and self.left == 0)


def three_records(kit) -> SectionStore:
    section = plain(kit)
    store = kit.store(section)
    for start in (0x21000, 0x22000):
        assert store.add(kit.SFRAME, kit.SFRAME + len(section), start, start + 0x1000) == 0
    return store


def test_17_fork_without_records(kit) -> None:
    store = kit.store(plain(kit), add=False)
    child = store.duplicate(store.memory, store.mappings)
    assert isinstance(child, SectionStore)
    assert len(child) == 0


def test_17_fork_with_records(kit) -> None:
    store = three_records(kit)
    child = store.duplicate(store.memory, store.mappings)
    assert isinstance(child, SectionStore)
    assert child.records == store.records
    assert store.remove(kit.SFRAME) == 0
    assert (len(store), len(child)) == (0, 3)
    assert rules(child.find(F)) == "CFA = rsp+8, RA = *(CFA-8)"


@pytest.mark.parametrize("number", [1, 2, 3])
def test_17_fork_with_a_failing_allocation(kit, number) -> None:
    store = three_records(kit)
    store.allocate = FailAt(number)
    assert store.duplicate(store.memory, store.mappings) is Errno.ENOMEM
    assert len(store) == 3
    store.allocate = FailAt(4)
    assert isinstance(store.duplicate(store.memory, store.mappings), SectionStore)


def test_17_fork_reads_nothing(kit) -> None:
    store = three_records(kit)
    child = store.duplicate(kit.stack(), store.mappings)  # the sections are not mapped there
    assert isinstance(child, SectionStore)
    assert len(child) == 3
    assert errno(child.find(F)) is Errno.EFAULT
    assert (len(store), len(child)) == (3, 0)


def test_17_before_v15_a_child_had_no_records(kit) -> None:
    store = kit.store(plain(kit), policy=policy("kernel-v14"))
    child = store.duplicate(store.memory, store.mappings)
    assert isinstance(child, SectionStore)
    assert (len(store), len(child)) == (1, 0)


# 18 --------------------------------------------------------------------------------------


def recursion(kit, depth: int):
    """A store and a stack of `depth` return addresses into one function of 8-byte frames."""
    return kit.store(plain(kit)), kit.stack(*[F + 4] * depth)


@pytest.mark.parametrize(("depth", "recorded"), [(508, 509), (509, 510), (510, 510), (5000, 510)])
def test_18_limit_of_510(kit, depth, recorded) -> None:
    store, memory = recursion(kit, depth)
    task = DeferredTask(
        DeferredUnwinding(),
        lambda limit: unwind_user(store, memory, kit.registers(F), limit).ips,
    )
    assert len(task.unwind_faultable().entries) == recorded


# 19 --------------------------------------------------------------------------------------


def test_19_two_tracers_in_one_kernel_entry(kit) -> None:
    kernel = DeferredUnwinding()
    walks: list[int] = []
    calls: list[tuple[str, tuple[int, ...], int]] = []

    def unwind(limit: int) -> list[int]:
        walks.append(limit)
        return [1, 2, 3]

    first = kernel.register(lambda entries, cookie: calls.append(("first", entries, cookie)))
    second = kernel.register(lambda entries, cookie: calls.append(("second", entries, cookie)))
    assert isinstance(first, Tracer)
    assert isinstance(second, Tracer)
    task = DeferredTask(kernel, unwind)
    cookie = 3 << 32 | 1
    assert task.request(first) == (0, cookie)
    assert task.request(second) == (0, cookie)
    assert task.request(first) == (1, cookie)
    task.resume_user()
    assert walks == [510]
    assert calls == [("first", (1, 2, 3), cookie), ("second", (1, 2, 3), cookie)]


# 21 --------------------------------------------------------------------------------------


def test_21_start_offset_that_wraps(kit) -> None:
    # start = entry address + offset, modulo 2^64: reaching F from above, through 2^64.
    section = bytearray(plain(kit))
    entry = kit.SFRAME + 28
    assert struct.unpack_from("<q", section, 28)[0] == F - entry
    far = -(1 << 63)
    struct.pack_into("<q", section, 28, far)
    store = kit.store(bytes(section))
    assert errno(store.find(F)) is Errno.ENOENT  # the start is far above
    struct.pack_into("<q", section, 28, -entry - 16)  # start = 2^64 - 16
    store, added = add(kit, bytes(section), validation=True)
    assert added == 0  # its end, 16 after the wrap, is "below" the end of the text
    assert errno(store.find(F)) is Errno.ENOENT
