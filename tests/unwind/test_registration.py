"""Registration: VMA checks, names in debug lines, loader, prctl, system call, teardown."""

import logging

import pytest

from emu.unwind import (
    Allocation,
    DebugLog,
    Errno,
    LookupFailure,
    PrctlNumbers,
    ProgramHeader,
    RegionMemory,
    SectionStore,
    StacktraceOperation,
    Vma,
    VmaList,
    prctl_sframe,
    register_image,
    registrations,
    stacktrace_setup,
)
from emu.unwind.debug import KEPT_LINES

F = 0x20000
TASK = "sframe: prog (42): "


@pytest.fixture
def section(kit) -> bytes:
    return kit.section(kit.fde(F, 32, kit.fre(0, 8)))


@pytest.mark.parametrize(
    ("sframe", "text", "line"),
    [
        ((0x10000, 0x10000), (F, F + 1), "invalid sframe/text address"),
        ((0x10001, 0x10000), (F, F + 1), "invalid sframe/text address"),
        ((0x10000, 0x10040), (F, F), "invalid sframe/text address"),
        ((0, 0), (0, 0), "invalid sframe/text address"),
        ((0x50000, 0x50040), (F, F + 1), "bad sframe address (0x50000 - 0x50040)"),
        ((0x10000, 0x18001), (F, F + 1), "bad sframe address (0x10000 - 0x18001)"),
        ((0, 0x40), (F, F + 1), "bad sframe address (0x0 - 0x40)"),
        ((0x10000, 0x10040), (0x50000, 0x50001), "bad text address (0x50000 - 0x50001)"),
        ((0x10000, 0x10040), (0x10000, 0x10040), "bad text address (0x10000 - 0x10040)"),
        ((0x10000, 0x10040), (0x2FFFF, 0x30001), "bad text address (0x2ffff - 0x30001)"),
    ],
)
def test_ranges(kit, section, sframe, text, line) -> None:
    store = kit.store(section, add=False)
    assert store.add(*sframe, *text) == -Errno.EINVAL
    assert store.log.drain() == [TASK + line]  # no file name before there is a record


def test_adjacent_mappings_are_not_joined(kit, section) -> None:
    vmas = VmaList(
        [
            Vma(0x10000, 0x10020, executable=False),
            Vma(0x10020, 0x11000, executable=False),
            Vma(F, F + 0x1000, executable=True),
        ]
    )
    store = SectionStore(RegionMemory([(0x10000, section)]), vmas)
    assert store.add(0x10000, 0x10000 + len(section), F, F + 0x1000) == -Errno.EINVAL


def test_ranges_may_end_where_their_mappings_end(kit, section) -> None:
    vmas = VmaList(
        [
            Vma(0x10000, 0x10000 + len(section), executable=False),
            Vma(F, F + 0x1000, executable=True),
        ]
    )
    store = SectionStore(RegionMemory([(0x10000, section)]), vmas)
    assert store.add(0x10000, 0x10000 + len(section), F, F + 0x1000) == 0


def test_unreadable_section(kit, section) -> None:
    store = kit.store(section[:20], add=False)
    assert store.add(0x10000, 0x10000 + len(section), *kit.TEXT) == -Errno.EFAULT
    assert store.log.drain()[0] == TASK + "/bin/prog: header usercopy failed"


def test_header_copy_is_28_bytes_whatever_the_length(kit, section) -> None:
    store = kit.store(section, add=False)
    assert store.add(0x10000, 0x10001, *kit.TEXT) == -Errno.EINVAL
    assert store.log.drain()[0] == TASK + "/bin/prog: header doesn't fit in section"


@pytest.mark.parametrize(
    ("what", "lines"),
    [
        (Allocation.RECORD, []),
        (Allocation.TREE, [TASK + "/bin/prog: mtree_insert_range failed: text=20000-21000"]),
    ],
)
def test_allocation_failures(kit, section, what, lines) -> None:
    store = kit.store(section, add=False)
    store.allocate = lambda asked: asked is not what
    assert store.add(0x10000, 0x10000 + len(section), *kit.TEXT) == -Errno.ENOMEM
    assert store.log.drain() == lines
    assert len(store) == 0


@pytest.mark.parametrize(
    ("vma", "name"),
    [
        ({"path": "/bin/prog"}, "/bin/prog"),
        ({"path": '/tmp/a b\n"\\\x1b'}, r"/tmp/a b\x0a\x22\x5c\x1b"),
        ({"name": "[vdso]"}, "[vdso]"),
        ({"path": "/bin/prog", "name": "[heap]"}, "/bin/prog"),
        ({"has_mm": False}, "(vdso)"),
        ({}, "(anonymous)"),
    ],
)
def test_names_in_debug_lines(section, vma, name) -> None:
    vmas = VmaList([Vma(0x10000, 0x11000, executable=True, **vma)])
    store = SectionStore(RegionMemory([]), vmas, DebugLog("x", 7))
    assert store.add(0x10000, 0x10040, 0x10000, 0x11000) == -Errno.EFAULT
    assert store.log.drain()[0] == f"sframe: x (7): {name}: header usercopy failed"


def test_lines_go_to_logging(kit, section, caplog) -> None:
    with caplog.at_level(logging.DEBUG, logger="emu.unwind"):
        kit.store(section, add=False).add(1, 0, 0, 0)
    assert caplog.messages == [TASK + "invalid sframe/text address"]


def test_lines_are_bounded(kit, section) -> None:
    store = kit.store(section, add=False)
    for _ in range(KEPT_LINES + 5):
        store.add(1, 0, 0, 0)
    assert len(store.log.drain()) == KEPT_LINES


def test_stale_records_cost_one_lookup(kit, section) -> None:
    # munmap has no hook: the record stays until a lookup finds its memory gone.
    store = kit.store(section)
    store.memory = RegionMemory([])
    assert len(store) == 1
    found = store.find(F)
    assert isinstance(found, LookupFailure)
    assert found.errno is Errno.EFAULT
    assert len(store) == 0
    found = store.find(F)
    assert isinstance(found, LookupFailure)
    assert found.errno is Errno.ENOENT


def test_function_may_end_at_the_end_of_the_text(kit) -> None:
    for size, kept in ((0x1000, 1), (0x1001, 0)):
        store = kit.store(kit.section(kit.fde(F, size, kit.fre(0, 8))))
        store.find(F)
        assert len(store) == kept


# Validation ------------------------------------------------------------------------------


def test_validation_accepts_what_it_does_not_check(kit) -> None:
    # A reserved bit, a CFA without register, overlapping functions, an FDE without rows.
    section = kit.section(
        kit.fde(F, 64, kit.fre(0, 0x3D, 8), fde_type=1),
        kit.fde(F + 8, 64, kit.fre(0, 0x38, 8), fde_type=1),
        kit.fde(F + 16, 64),
    )
    assert len(kit.store(section, validation=True)) == 1


@pytest.mark.parametrize(
    ("fdes", "errno", "first"),
    [
        (lambda kit: [kit.fde(F, 8, kit.fre(0, 8), kit.fre(0, 8))], Errno.EINVAL,
         "FDE 0: FRE 1 not sorted"),
        (lambda kit: [kit.fde(F, 8, kit.fre(0, 8), kit.fre(4, 8, 1, 2))], Errno.EINVAL,
         "FDE 0: safe_read_fre_datawords(1) failed"),
        (lambda kit: [kit.fde(F, 8, kit.fre(0, 8)), kit.fde(0x22000, 8, kit.fre(0, 8))],
         Errno.EFAULT, "safe_read_fde(1) failed"),
        (lambda kit: [kit.fde(F + 8, 8, kit.fre(0, 8)), kit.fde(F, 8, kit.fre(0, 8))],
         Errno.EINVAL, "FDE 1 not sorted"),
        (lambda kit: [kit.fde(F, 8, kit.fre(0, 8, count=9))], Errno.EFAULT,
         "FDE 0: safe_read_fre(0) failed"),
    ],
    ids=["FREs", "data words", "outside text", "FDEs", "words behind the end"],
)  # fmt: skip
def test_validation_failures(kit, fdes, errno, first) -> None:
    section = kit.section(*fdes(kit))
    store = kit.store(section, validation=True, add=False)
    assert store.add(0x10000, 0x10000 + len(section), *kit.TEXT) == -errno
    lines = store.log.drain()
    assert lines[0] == TASK + "/bin/prog: " + first
    assert len(lines) == (2 if "safe_read_fre" in first else 1)
    without = kit.store(section)
    assert len(without) == 1


def test_function_at_address_0_is_not_sorted_for_validation(kit) -> None:
    section = kit.section(kit.fde(0, 8, kit.fre(0, 8)))
    vmas = VmaList(
        [Vma(0, 0x1000, executable=True), Vma(0x10000, 0x11000, executable=False, path="/p")]
    )
    for validation, expected in ((True, -Errno.EINVAL), (False, 0)):
        store = SectionStore(RegionMemory([(0x10000, section)]), vmas, validation=validation)
        assert store.add(0x10000, 0x10000 + len(section), 0, 0x1000) == expected


# Loader ----------------------------------------------------------------------------------

SFRAME, LOAD, GNU_STACK = 0x6474E554, 1, 0x6474E551


def test_loader_registers_every_executable_header(kit, section) -> None:
    headers = [
        ProgramHeader(SFRAME, 4, 0x99, 1),  # the last one counts
        ProgramHeader(LOAD, 5, 0x0, 0x1000),
        ProgramHeader(LOAD, 6, 0x5000, 0x1000),
        ProgramHeader(LOAD, 7, 0x2000, 0x1000),
        ProgramHeader(GNU_STACK, 7, 0, 0),
        ProgramHeader(SFRAME, 4, 0x10000 - F & (1 << 64) - 1, len(section)),
    ]
    assert [entry.text_start for entry in registrations(headers, F)] == [F, 0x22000, F]
    store = kit.store(section, add=False)
    assert register_image(store, headers, F) == [0, 0, -Errno.EINVAL]
    assert [record.text_start for record in store.records] == [F, 0x22000]
    assert store.log.drain() == [TASK + "invalid sframe/text address"]


def test_loader_without_a_section() -> None:
    assert registrations([ProgramHeader(LOAD, 5, 0, 0x1000)], 0) == []


def test_loader_with_text_across_two_mappings(kit, section) -> None:
    headers = [
        ProgramHeader(LOAD, 7, F, 0x20000),
        ProgramHeader(SFRAME, 4, 0x10000, len(section)),
    ]
    store = kit.store(section, add=False)
    assert register_image(store, headers, 0) == [-Errno.EINVAL]


# prctl and the system call ---------------------------------------------------------------


def test_prctl(kit, section) -> None:
    store = kit.store(section, add=False)
    ranges = (0x10000, 0x10000 + len(section), *kit.TEXT)
    assert prctl_sframe(store, 79, ranges, configured=False) == -Errno.ENOSYS
    assert prctl_sframe(store, 79, ranges) == 0
    assert prctl_sframe(store, 79, ranges) == -Errno.EEXIST
    assert prctl_sframe(store, 80, (0x10000, 0, 0, 1)) == -Errno.EINVAL
    assert prctl_sframe(store, 80, (0x10000, 0, 0, 0)) == 0
    assert prctl_sframe(store, 80, (0x10000, 0, 0, 0)) == -Errno.EINVAL
    assert prctl_sframe(store, 71, ranges) is None
    assert prctl_sframe(store, 71, ranges, numbers=PrctlNumbers(71, 72)) == 0


def test_stacktrace_setup(kit, section) -> None:
    store = kit.store(section, add=False)
    register, unregister = StacktraceOperation
    address, text = (0x10000, len(section)), (F, 0x1000)
    assert stacktrace_setup(store, register, address, text) == 0
    assert stacktrace_setup(store, register, address, text) == -Errno.EEXIST
    assert stacktrace_setup(store, 0, address, text) == -Errno.EINVAL
    assert stacktrace_setup(store, 3, address, text) == -Errno.EINVAL
    assert stacktrace_setup(store, unregister, (0x10000, 9), (9, 9)) == 0
    assert len(store) == 0
    for wraps in ((0x10000, (1 << 64) - 1), (0x10000, 0)):
        assert stacktrace_setup(store, register, wraps, text) == -Errno.EINVAL
    assert store.log.drain()[-1] == TASK + "invalid sframe/text address"


def test_first_argument_is_an_int(kit) -> None:
    section = kit.section(kit.fde(kit.TEXT[0], 32, kit.fre(0, 8)))
    store = kit.store(section, add=False)
    high = 0xABCD << 32
    sframe, text = (kit.SFRAME, len(section)), (kit.TEXT[0], 0x1000)
    assert stacktrace_setup(store, high | 1, sframe, text) == 0
    assert prctl_sframe(store, high | 80, (kit.SFRAME, 0, 0, 0)) == 0
    assert stacktrace_setup(store, high, sframe, text) == -Errno.EINVAL
    assert prctl_sframe(store, high | 78, (kit.SFRAME, 0, 0, 0)) is None
