"""The worked bytes of the format reference: each decodes to its rules and is written back."""

import pytest

from emu.sframe import (
    UNDEFINED,
    Abi,
    Flag,
    Function,
    PcType,
    RawRow,
    Rule,
    Rules,
    Section,
    SFrameError,
    Version,
    rewrite,
    write_section,
)

REFERENCE_ADDRESS = 0x402108
REFERENCE = bytes.fromhex(
    """
e2de03050300f80007000000100000006f0000000000000070000000dceeffff
ffffffff0600000000000000d2eeffffffffffff0800000014000000caeeffff
ffffffff220000001b000000dceeffffffffffff0200000044000000ceeeffff
ffffffff0200000053000000c0eeffffffffffff0100000058000000b1eeffff
ffffffff3b0100005d0000000400000000000308010510f0040410f0060508f0
0100000000000006000001000004390805045100110a5100003300130a33f800
33001c0a5100003300210a390800330002000001000004390801083908023800
00800000000000000003000100000000030807002308103a010308
"""
)
"""Hand-written assembly through GNU as and ld 2.47; text at 0x401000-0x401170."""


@pytest.fixture
def section() -> Section:
    return Section(REFERENCE, REFERENCE_ADDRESS)


def test_header(section: Section) -> None:
    header = section.header
    assert header.version is Version.V3
    assert header.flags == Flag.FDE_SORTED | Flag.FDE_FUNC_START_PCREL
    assert header.abi is Abi.AMD64
    assert (header.fixed_fp_offset, header.fixed_ra_offset, header.auxiliary_length) == (0, -8, 0)
    assert (header.num_fdes, header.num_fres, header.fre_length) == (7, 16, 0x6F)
    assert (header.fdes_start, header.fres_start) == (28, 28 + 0x70)
    assert header.length == len(section.data) == 251


def test_index_entries(section: Section) -> None:
    found = [(fde.offset, fde.start, fde.start_offset, fde.size) for fde in section.fdes[:2]]
    assert found == [(28, 0x401000, -0x1124, 6), (44, 0x401006, -0x112E, 8)]
    assert [fde.data_offset for fde in section.fdes[:2]] == [0, 0x14]


LOOKUPS = {
    0x401000: "CFA = rsp+8, RA = *(CFA-8)",
    0x401001: "CFA = rsp+16, RA = *(CFA-8), FP = *(CFA-16)",
    0x401003: "CFA = rsp+16, RA = *(CFA-8), FP = *(CFA-16)",
    0x401004: "CFA = rbp+16, RA = *(CFA-8), FP = *(CFA-16)",
    0x401005: "CFA = rbp+16, RA = *(CFA-8), FP = *(CFA-16)",
    0x401006: "RA undefined",
    0x40100D: "RA undefined",
    0x40100E: "CFA = rsp+8, RA = *(CFA-8)",
    0x401013: "CFA = r10+0, RA = *(CFA-8)",
    0x40101F: "CFA = r10+0, RA = *(CFA-8), FP = *(rbp+0)",
    0x401021: "CFA = *(rbp-8), RA = *(CFA-8), FP = *(rbp+0)",
    0x40102F: "CFA = rsp+8, RA = *(CFA-8), FP = *(rbp+0)",
    0x401031: "CFA = rsp+8, RA = *(CFA+56)",
    0x401034: "RA undefined",
    0x401035: "CFA = rsp+8, RA = *(CFA-8)",
    0x40103C: "CFA = rsp+4104, RA = *(CFA-8)",
    0x40116E: "CFA = rsp+4104, RA = *(CFA-8)",
    0x40116F: "CFA = rsp+8, RA = *(CFA-8)",
}


@pytest.mark.parametrize(("pc", "equations"), LOOKUPS.items(), ids=map(hex, LOOKUPS))
def test_lookup(section: Section, pc: int, equations: str) -> None:
    match = section.lookup(pc)
    assert match is not None
    assert str(match.rules) == equations
    assert match.rules == Rules.parse(equations)


@pytest.mark.parametrize("pc", [0, 0x400FFF, 0x401170, 0x402108, (1 << 64) - 1], ids=hex)
def test_no_function(section: Section, pc: int) -> None:
    assert section.lookup(pc) is None


def test_signal_frame_without_rows_has_no_rules(section: Section) -> None:
    match = section.lookup(0x401032)
    assert match is not None
    assert match.fde.attributes.signal
    assert (match.row, match.rules) == (None, None)


def test_lookup_does_not_depend_on_where_the_section_is() -> None:
    for address in (0, 0x1000, REFERENCE_ADDRESS, (1 << 64) - 0x100):
        moved = Section(REFERENCE, address)
        for pc, equations in LOOKUPS.items():
            match = moved.lookup(pc - REFERENCE_ADDRESS + address & (1 << 64) - 1)
            assert match is not None
            assert str(match.rules) == equations


def test_write_back_is_identical(section: Section) -> None:
    # The return address at CFA-200, which as 2.47 cut to one byte, reads as +56 and stays so.
    assert rewrite(section) == REFERENCE
    assert rewrite(section, raw=True) == REFERENCE


def rows_of(function: bytes, size: int = 0x100) -> list[tuple[int, str, bytes]]:
    """Start, equations and bytes of the rows in `function`, an attribute block with rows."""
    count = int.from_bytes(function[:2], "little")
    data = write_section([Function(start=0x1000, size=size)])[:-5] + function
    data = data[:12] + count.to_bytes(4, "little") + len(function).to_bytes(4, "little") + data[20:]
    (fde,) = Section(data).fdes
    return [
        (row.start, str(row.rules), row.body.encoded) for row in Section(data).fdes[fde.index].rows
    ]


ROWS = {
    # attributes | rows: the equations
    "0400000000 000308 010510f0 040410f0 060508f0": (
        "CFA = rsp+8, RA = *(CFA-8)",
        "CFA = rsp+16, RA = *(CFA-8), FP = *(CFA-16)",
        "CFA = rbp+16, RA = *(CFA-8), FP = *(CFA-16)",
        "CFA = rsp+8, RA = *(CFA-8), FP = *(CFA-16)",
    ),
    "0100000000 0000": ("RA undefined",),
    "0600000100 00043908 05045100 110a5100003300 130a33f8003300 1c0a5100003300 210a3908003300": (
        "CFA = rsp+8, RA = *(CFA-8)",
        "CFA = r10+0, RA = *(CFA-8)",
        "CFA = r10+0, RA = *(CFA-8), FP = *(rbp+0)",
        "CFA = *(rbp-8), RA = *(CFA-8), FP = *(rbp+0)",
        "CFA = r10+0, RA = *(CFA-8), FP = *(rbp+0)",
        "CFA = rsp+8, RA = *(CFA-8), FP = *(rbp+0)",
    ),
    "0300010000 00000308 0700230810 3a010308": (
        "CFA = rsp+8, RA = *(CFA-8)",
        "CFA = rsp+4104, RA = *(CFA-8)",
        "CFA = rsp+8, RA = *(CFA-8)",
    ),
    "0300000100 01241900c800 0224790038ff 032401010800": (
        "CFA = rbx+200, RA = *(CFA-8)",
        "CFA = r15-200, RA = *(CFA-8)",
        "CFA = xmm15+8, RA = *(CFA-8)",
    ),
    "0200000100 050839081900 020c3910110002f0": (
        "CFA = rsp+8, RA = rbx+0",
        "CFA = rsp+16, RA = rcx+0, FP = *(CFA-16)",
    ),
}


@pytest.mark.parametrize(("code", "equations"), ROWS.items(), ids=map(str, range(len(ROWS))))
def test_rows_and_their_bytes(code: str, equations: tuple[str, ...]) -> None:
    function = bytes.fromhex(code)
    rows = rows_of(function)
    assert tuple(text for _, text, _ in rows) == equations
    width = 2 if function[2] & 1 else 1
    assert function == function[:5] + b"".join(
        start.to_bytes(width, "little") + encoded for start, _, encoded in rows
    )
    written = write_section(
        [
            Function(
                start=0,
                size=0x100 if width == 2 else 0xFF,
                rows=[(start, Rules.parse(text)) for start, text, _ in rows],
            )
        ]
    )
    assert written[-len(function) :] == function


@pytest.mark.parametrize(
    ("code", "rep_size"),
    [("0200100010 000308 0b0310", 16), ("0200100010 000308 090310", 16), ("0100100008 000310", 8)],
    ids=["lazy", "ibt", "got"],
)
def test_plt_rows_repeat(code: str, rep_size: int) -> None:
    # A mask FDE: the same rows for every block of `rep_size` bytes.
    function = bytes.fromhex(code)
    rows = rows_of(function)
    data = write_section(
        [
            Function(
                start=0x1000,
                size=0x40,
                rows=[(start, Rules.parse(text)) for start, text, _ in rows],
                pc_type=PcType.MASK,
                rep_size=rep_size,
            )
        ]
    )
    assert data.endswith(function)
    section = Section(data)
    for pc in range(0x1000, 0x1040):
        match = section.lookup(pc)
        assert match is not None
        assert match.distance == (pc - 0x1000) % rep_size
        expected = [text for start, text, _ in rows if start <= match.distance][-1]
        assert str(match.rules) == expected


def test_as_cuts_a_flexible_stack_ra_offset() -> None:
    rules = Rules(Rule(7, 8), Rule(None, -200, deref=True))
    function = Function(start=0, size=4, rows=[(0, rules)])
    # Two bytes hold the offset; as 2.47 takes one, and the row reads CFA+56.
    assert write_section([function]).endswith(bytes.fromhex("00 28 3900 0800 0200 38ff"))
    cut = write_section([function], narrow_ra_offsets=True)
    assert cut.endswith(bytes.fromhex("00 08 39 08 02 38"))
    assert Section(cut).fdes[0].rows[0].rules.ra == Rule(None, 56, deref=True)


def test_unsorted_index_is_found_all_the_same() -> None:
    rows = [(0, UNDEFINED)]
    starts = (0x3000, 0x1000, 0x2000)
    data = write_section([Function(start=s, size=16, rows=rows) for s in starts], sort=False)
    section = Section(data)
    assert [fde.start for fde in section.fdes] == [*starts]
    for start in starts:
        match = section.lookup(start + 15)
        assert match is not None
        assert match.fde.start == start
        assert section.lookup(start + 16) is None


def test_rules_that_no_row_holds() -> None:
    for rules, reason in (
        (Rules(Rule(7, 8), None), "RA cannot be unchanged"),
        (Rules(Rule(7, 8), Rule(None, 0)), "padding"),
        (Rules(Rule(None, 8), Rule(None, -8, deref=True)), "based on a register"),
        (Rules(Rule(7, 1 << 31), Rule(None, -8, deref=True)), "needs words of 8 bytes"),
    ):
        with pytest.raises(SFrameError, match=reason):
            write_section([Function(start=0, size=1, rows=[(0, rules)])])


def test_raw_rows_are_written_as_they_are() -> None:
    data = write_section([Function(start=0, size=9, rows=[RawRow(3, b"\x7f")])])
    assert data.endswith(b"\x03\x7f")
    with pytest.raises(SFrameError, match="reserved word size code"):
        _ = Section(data).fdes[0].rows
