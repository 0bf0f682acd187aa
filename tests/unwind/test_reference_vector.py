"""Kernel behaviour: 19, the section that GNU as and ld made, lookup by lookup."""

import pytest

from emu.unwind import (
    DebugLog,
    Errno,
    LookupFailure,
    RegionMemory,
    SectionStore,
    Vma,
    VmaList,
)

START = 0x402108
TEXT = (0x401000, 0x401170)
SECTION = bytes.fromhex(
    "e2de03050300f80007000000100000006f0000000000000070000000dceeffff"
    "ffffffff0600000000000000d2eeffffffffffff0800000014000000caeeffff"
    "ffffffff220000001b000000dceeffffffffffff0200000044000000ceeeffff"
    "ffffffff0200000053000000c0eeffffffffffff0100000058000000b1eeffff"
    "ffffffff3b0100005d0000000400000000000308010510f0040410f0060508f0"
    "0100000000000006000001000004390805045100110a5100003300130a33f800"
    "33001c0a5100003300210a390800330002000001000004390801083908023800"
    "00800000000000000003000100000000030807002308103a010308"
)


def registered(*, validation: bool = False) -> tuple[SectionStore, int]:
    vmas = VmaList(
        [
            Vma(0x401000, 0x402000, executable=True, path="/bin/prog"),
            Vma(0x402000, 0x403000, executable=False, path="/bin/prog"),
        ]
    )
    memory = RegionMemory([(START, SECTION)])
    store = SectionStore(memory, vmas, DebugLog("prog", 42), validation=validation)
    return store, store.add(START, START + len(SECTION), *TEXT)


def test_length() -> None:
    assert len(SECTION) == 251


@pytest.mark.parametrize(
    ("ip", "equations"),
    [
        (0x401000, "CFA = rsp+8, RA = *(CFA-8)"),
        (0x401001, "CFA = rsp+16, RA = *(CFA-8), FP = *(CFA-16)"),
        (0x401003, "CFA = rsp+16, RA = *(CFA-8), FP = *(CFA-16)"),
        (0x401006, "RA undefined"),
        (0x40100D, "RA undefined"),
        (0x401013, "CFA = r10+0, RA = *(CFA-8)"),
        (0x401021, "CFA = *(rbp-8), RA = *(CFA-8), FP = *(rbp+0)"),
        (0x401031, "CFA = rsp+8, RA = *(CFA+56)"),
        (0x401035, "CFA = rsp+8, RA = *(CFA-8)"),
        (0x40103C, "CFA = rsp+4104, RA = *(CFA-8)"),
    ],
)
def test_rules(ip: int, equations: str) -> None:
    store, added = registered()
    assert added == 0
    assert str(store.find(ip)) == equations
    assert len(store) == 1


@pytest.mark.parametrize("ip", [0x400FFF, 0x401170])
def test_outside_the_text_range(ip: int) -> None:
    store, _ = registered()
    found = store.find(ip)
    assert isinstance(found, LookupFailure)
    assert found.errno is Errno.ENOENT
    assert len(store) == 1


@pytest.mark.parametrize(
    ("ip", "reason"),
    [
        (0x401004, "FRE start 6 is not below the function size 6"),
        (0x401005, "FRE start 6 is not below the function size 6"),
        (0x401032, "FDE 4 has no FREs"),
        (0x401033, "FDE 4 has no FREs"),
        (0x401034, "FDE 5 has no FREs"),
    ],
)
def test_bad_entries_drop_the_section(ip: int, reason: str) -> None:
    store, _ = registered()
    assert store.find(ip) == LookupFailure(Errno.EINVAL, reason)
    assert len(store) == 0
    assert store.log.drain() == ["sframe: prog (42): /bin/prog: removing bad .sframe section"]


def test_validation_refuses_it() -> None:
    store, added = registered(validation=True)
    assert added == -Errno.EINVAL
    fields = "func_addr:0x401000 func_size:0x6 fda_off:0 fres_off:0x5 fres_num:4"
    assert store.log.drain() == [
        "sframe: prog (42): /bin/prog: FDE 0: safe_read_fre(3) failed",
        f"sframe: prog (42): /bin/prog: FDE: {fields} info:0 info2:0 rep_size:0",
    ]
