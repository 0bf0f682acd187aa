"""Any bytes give a section or an SFrameError, quickly; whatever the writer writes reads back."""

import importlib.util
import struct
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emu.sframe import (
    UNDEFINED,
    Abi,
    FdeType,
    FreType,
    Function,
    PcType,
    RawRow,
    Rule,
    Rules,
    Section,
    SFrameError,
    function_of,
    rewrite,
    write_section,
)

ADDRESS = 0x402000


def load_check() -> Callable[[bytes], int]:
    """What the fuzzer holds the library to."""
    path = Path(__file__).parents[2] / "tools" / "fuzz_sframe.py"
    spec = importlib.util.spec_from_file_location("fuzz_sframe", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    check: Callable[[bytes], int] = module.check
    return check


exhaust = load_check()


def offsets(abi: Abi) -> st.SearchStrategy[int]:
    """CFA offsets that every word size can be needed for."""
    edges = st.sampled_from([0, 8, 127, 128, -128, -129, 32767, 32768, -32769, (1 << 31) - 1])
    values = edges | st.integers(-(1 << 31), (1 << 31) - 1)
    return values.map(lambda n: n // 8 * 8) if abi is Abi.S390X else values


@st.composite
def row_rules(draw: st.DrawFn, abi: Abi) -> Rules:
    """Rules of a row that some FDE type can hold."""
    if draw(st.integers(0, 9)) == 0:
        return UNDEFINED
    slot = st.builds(Rule, st.none(), st.integers(-300, 300).filter(bool), st.just(True))
    register = st.builds(Rule, st.integers(0, 40), st.integers(-40000, 40000), st.booleans())
    base = draw(st.sampled_from([abi.sp, abi.fp]) | st.integers(0, 40))
    cfa = Rule(base, draw(offsets(abi)), draw(st.integers(0, 4)) == 0)
    fixed = Rule(None, abi.fixed_ra_offset, True) if abi.fixed_ra_offset else None
    ra = draw(st.just(fixed) | slot | register)
    fp = draw(st.none() | slot | register)
    return Rules(cfa, ra, fp, draw(st.booleans()))


@st.composite
def functions(draw: st.DrawFn, abi: Abi) -> list[Function]:
    found = []
    start = 0x1000
    for _ in range(draw(st.integers(1, 4))):
        size = draw(st.sampled_from([1, 17, 255, 256, 65535, 65536, 1 << 20]))
        mask = draw(st.booleans())
        limit = 15 if mask else size
        starts = draw(st.lists(st.integers(0, limit), unique=True, max_size=6))
        found.append(
            Function(
                start=start,
                size=size,
                rows=tuple((at, draw(row_rules(abi))) for at in sorted(starts)),
                pc_type=PcType.MASK if mask else PcType.INC,
                rep_size=16 if mask else 0,
                signal=draw(st.booleans()),
                pauth_b_key=draw(st.booleans()),
            )
        )
        start += size + draw(st.integers(0, 9))
    return draw(st.permutations(found))


@given(st.data())
@settings(max_examples=300)
def test_round_trip(data: st.DataObject) -> None:
    abi = data.draw(st.sampled_from(Abi))
    written = data.draw(functions(abi))
    encoded = write_section(
        written, address=ADDRESS, abi=abi,
        sort=data.draw(st.booleans()), pcrel=data.draw(st.booleans()),
        auxiliary=data.draw(st.binary(max_size=8)),
        gap_before_fdes=data.draw(st.integers(0, 9)),
        gap_before_fres=data.draw(st.integers(0, 9)),
    )  # fmt: skip
    section = Section(encoded, ADDRESS)
    read = {fde.start: function_of(fde) for fde in section.fdes}
    for function in written:
        back = read[function.start]
        assert back.rows == function.rows
        assert (back.size, back.pc_type, back.rep_size) == (
            function.size,
            function.pc_type,
            function.rep_size,
        )
        assert (back.signal, back.pauth_b_key) == (function.signal, function.pauth_b_key)
    assert rewrite(section) == rewrite(section, raw=True) == encoded


@given(st.data())
def test_lookup_is_a_scan_of_the_rows(data: st.DataObject) -> None:
    written = data.draw(functions(Abi.AMD64))
    section = Section(
        write_section(written, address=ADDRESS, sort=data.draw(st.booleans())), ADDRESS
    )
    pc = data.draw(st.integers(0xFFF, max(f.start + f.size for f in written) + 1))
    inside = [f for f in written if f.start <= pc < f.start + f.size]
    match = section.lookup(pc)
    if not inside:
        assert match is None
        return
    (function,) = inside
    assert match is not None
    assert match.fde.start == function.start
    distance = pc - function.start
    if function.pc_type is PcType.MASK:
        distance %= function.rep_size
    assert match.distance == distance
    below = [row for row in function.rows if not isinstance(row, RawRow) and row[0] <= distance]
    if below:
        assert match.row is not None
        assert (match.row.start, match.rules) == below[-1]
    else:
        assert match.row is None


def sample(abi: Abi = Abi.AMD64) -> bytes:
    """A section with every kind of row, in 4 functions."""
    ra = Rule(None, -8, True)
    fp = Rule(None, -16, True)
    rows = [
        (0, Rules(Rule(abi.sp, 160), ra)),
        (1, Rules(Rule(abi.sp, 320), ra, fp)),
        (4, Rules(Rule(abi.fp, 4096), ra, fp)),
        (9, UNDEFINED),
    ]
    flexible = [
        (0, Rules(Rule(10, 0), ra)),
        (3, Rules(Rule(6, -8, True), ra, Rule(6, 0, True))),
        (5, Rules(Rule(3, 1 << 20), Rule(2, 0), fp)),
    ]
    return write_section(
        [
            Function(start=0x1000, size=10, rows=rows),
            Function(start=0x1010, size=300, rows=flexible),
            Function(start=0x1200, size=64, rows=rows[:2], pc_type=PcType.MASK, rep_size=16),
            Function(start=0x1300, size=2, signal=True),
        ],
        address=ADDRESS,
        abi=abi,
    )


@pytest.mark.parametrize("abi", Abi)
def test_truncation_at_every_byte(abi: Abi) -> None:
    data = sample(abi)
    for length in range(len(data)):
        with pytest.raises(SFrameError):
            Section(data[:length])
    assert exhaust(data) == 9


@pytest.mark.parametrize("abi", Abi)
def test_every_byte_replaced(abi: Abi) -> None:
    data = sample(abi)
    for at in range(len(data)):
        for value in (0, 0xFF, data[at] ^ 0x11):
            exhaust(data[:at] + bytes((value,)) + data[at + 1 :])


@given(st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_mutation(data: st.DataObject) -> None:
    mutated = bytearray(sample(data.draw(st.sampled_from(Abi))))
    mutated[2] = data.draw(st.sampled_from([1, 2, 3, 3, 3, 3]))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(4, len(mutated) - 1))
        mutated[at] = data.draw(st.integers(0, 255))
    exhaust(bytes(mutated))


@given(st.binary(max_size=200))
def test_noise(data: bytes) -> None:
    exhaust(data)
    exhaust(bytes.fromhex("e2de03050300f800") + data)
    exhaust(bytes.fromhex("dee2020104000000") + data)


@pytest.mark.parametrize("field", [8, 12, 16, 20, 24])
def test_huge_counts_are_refused_at_once(field: int) -> None:
    header = bytearray(bytes.fromhex("e2de03050300f800") + bytes(20))
    header[field : field + 4] = b"\xff" * 4
    began = time.process_time()
    with pytest.raises(SFrameError):
        Section(header)
    assert time.process_time() - began < 0.1


def test_a_huge_row_count_of_v2_ends_with_the_bytes() -> None:
    # One FDE of 20 bytes that claims 2^32 - 1 rows; two bytes of rows.
    header = struct.pack("<HBBBbbBIIIII", 0xDEE2, 2, 1, 3, 0, -8, 0, 1, 1, 2, 0, 20)
    entry = struct.pack("<iIIIBBH", 0, 16, 0, 0xFFFFFFFF, 0, 0, 0)
    (fde,) = Section(header + entry + b"\0\0").fdes
    with pytest.raises(SFrameError, match="row outside the FREs"):
        _ = fde.rows


def test_errors_name_place_and_reason() -> None:
    data = sample()
    for replaced, at, value, expected in (
        ("magic", 0, 0, "offset 0x0: magic is 00 de"),
        ("version", 2, 9, "offset 0x2: SFrame version 9"),
        ("abi", 4, 0, "offset 0x4: unknown ABI 0"),
        ("number of FDEs", 10, 1, "offset 0x8: 65540 FDEs"),
        ("number of FREs", 14, 1, "offset 0xc: 65545 FREs"),
        ("length of FREs", 18, 1, "offset 0x10: "),
        ("offset of FREs", 24, 0, "offset 0x18: FREs begin"),
    ):
        with pytest.raises(SFrameError) as caught:
            Section(data[:at] + bytes((value,)) + data[at + 1 :])
        assert str(caught.value).startswith(expected), replaced


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (Function(start=0, size=4, rows=[(0, UNDEFINED)], info=0x03), "FRE type 3"),
        (Function(start=0, size=4, rows=[RawRow(0, b"\x60")]), "reserved word size"),
        (Function(start=0, size=4, rows=[RawRow(0, b"\x02\1")], info2=2), "FDE type 2"),
        (Function(start=0, size=4, num_fres=1), "row outside the FREs"),
        (Function(start=0, size=4, data_offset=99), "attributes of FDE 0"),
        (Function(start=0, size=4, rep_size=0, pc_type=PcType.MASK), "repetition size 0"),
        (Function(start=0, size=4, rows=[RawRow(0, b"\x06\1\1\1")]), "more than a default row"),
        (
            Function(start=0, size=4, rows=[RawRow(0, b"\x02\x39")], fde_type=FdeType.FLEXIBLE),
            "without its offset",
        ),
        (
            Function(start=0, size=4, rows=[RawRow(0, b"\x04\x02\x08")], fde_type=FdeType.FLEXIBLE),
            "not based on a register",
        ),
    ],
)
def test_each_defect_of_a_function(function: Function, reason: str) -> None:
    section = Section(write_section([function], address=ADDRESS), ADDRESS)
    with pytest.raises(SFrameError, match=reason) as caught:
        assert section.lookup(0).rules is None  # type: ignore[union-attr]  # never None: it raises
    assert caught.value.offset is not None


HEADER_DEFECTS: dict[str, tuple[object, int, bytes]] = {
    # keyword: value, offset of the field, its bytes
    "magic": (0x1234, 0, b"\x34\x12"),
    "version": (2, 2, b"\x02"),
    "flags": (0x0A, 3, b"\x0a"),
    "abi_arch": (9, 4, b"\x09"),
    "auxiliary_length": (7, 7, b"\x07"),
    "num_fdes": (5, 8, b"\x05\0\0\0"),
    "num_fres": (6, 12, b"\x06\0\0\0"),
    "fre_length": (3, 16, b"\x03\0\0\0"),
    "fde_offset": (4, 20, b"\x04\0\0\0"),
    "fre_offset": (8, 24, b"\x08\0\0\0"),
}


@pytest.mark.parametrize("keyword", HEADER_DEFECTS)
def test_each_defect_of_the_header_changes_its_field_alone(keyword: str) -> None:
    function = Function(start=0, size=4, rows=[(0, UNDEFINED)])
    value, at, field = HEADER_DEFECTS[keyword]
    good = write_section([function])
    bad = write_section([function], **{keyword: value})  # type: ignore[arg-type]  # by name
    assert bad == good[:at] + field + good[at + len(field) :]


def test_fre_types_may_be_told() -> None:
    rows = [(0, UNDEFINED), (3, UNDEFINED)]
    for fre_type in FreType:
        data = write_section([Function(start=0, size=4, rows=rows, fre_type=fre_type)])
        (fde,) = Section(data).fdes
        assert fde.attributes.fre_type == fre_type
        assert [row.start for row in fde.rows] == [0, 3]
        assert fde.rows[0].end - fde.rows[0].offset == 1 + (1 << fre_type)
    with pytest.raises(SFrameError, match="does not fit"):
        write_section([Function(start=0, size=4, rows=[(256, UNDEFINED)])])
