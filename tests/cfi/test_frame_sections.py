"""Bytes of .eh_frame and .debug_frame, what they mean, and what is read from them."""

import random
from collections.abc import Sequence

import pytest

from emu.cfi import CfiError, FrameTable
from emu.cfi.decode import decode_instructions
from emu.cfi.entries import DEBUG_FRAME, EH_FRAME, Cie, DwarfFde, EntryReader

ADDRESS = 0x402000


def entry(body: str) -> bytes:
    data = bytes.fromhex(body)
    return len(data).to_bytes(4, "little") + data


CIE = entry(
    "00000000 01 7a5200 01 78 10 01 1b"  # zR, code 1, data -8, RA in 16, PC-relative sdata4
    "0c0708 9001 0000"  # CFA = rsp+8, RA = *(CFA-8)
)
FDE = entry(
    "1c000000 e0efffff 06000000 00"  # CIE 0x1c back; from -0x1020: 0x401000, 6 bytes
    "41 0e10 8602 43 0d06 00"  # +1: CFA = rsp+16, rbp at CFA-16; +4: CFA = rbp+16
)


def behind(cie: bytes, body: str) -> bytes:
    """A CIE and an FDE that refers to it, whose bytes after the CIE pointer are `body`."""
    pointer = len(cie) + 4
    return cie + entry(pointer.to_bytes(4, "little").hex() + body)


def fdes(data: bytes, name: str = EH_FRAME, **keywords: bool) -> list[DwarfFde]:
    return list(EntryReader(data, ADDRESS, name, **keywords).fdes())


def test_a_function() -> None:
    (fde,) = fdes(CIE + FDE)
    assert (fde.start, fde.size, fde.offset) == (0x401000, 6, len(CIE))
    table = FrameTable([fde])
    assert [str(row) for row in table.rows(fde)] == [
        "CFA = rsp+8, rip = *(CFA-8)",
        "CFA = rsp+16, rbp = *(CFA-16), rip = *(CFA-8)",
        "CFA = rbp+16, rbp = *(CFA-16), rip = *(CFA-8)",
    ]
    starts = {}
    for pc in range(0x400FFF, 0x401007):
        match = table.lookup(pc)
        starts[pc - 0x401000] = None if match is None else match.row.start
    assert starts == {-1: None, 0: 0, 1: 1, 2: 1, 3: 1, 4: 4, 5: 4, 6: None}


def test_a_zero_word_ends_a_section_of_unknown_end_only() -> None:
    again = CIE + FDE
    assert len(fdes(again + bytes(4) + again, to_terminator=True)) == 1
    assert len(fdes(again + bytes(4) + again)) == 2


def test_the_address_is_that_of_the_field() -> None:
    first, second = fdes(CIE + FDE + CIE + FDE)
    assert second.start - first.start == len(CIE + FDE)
    assert second.cie is not first.cie


@pytest.mark.parametrize(
    ("encoding", "start", "size", "expected"),
    [
        ("00", "0010400000000000", "0600000000000000", 0x401000),
        ("02", "0010", "0600", 0x1000),
        ("03", "00104000", "06000000", 0x401000),
        ("01", "8080 8002", "06", 0x400000),
        ("09", "8000", "06", 0),
        ("0a", "feff", "0600", (1 << 64) - 2),
        ("0b", "00104000", "06000000", 0x401000),
        ("0c", "0010400000000000", "0600000000000000", 0x401000),
        ("10", "e8efffffffffffff", "0600000000000000", 0x401008),
        ("1c", "e8efffffffffffff", "0600000000000000", 0x401008),
        ("50", "0010400000000000", "0600000000000000", 0x401000),
    ],
)
def test_pointer_encodings(encoding: str, start: str, size: str, expected: int) -> None:
    cie = entry(f"00000000 01 7a5200 01 78 10 01 {encoding} 0c0708 9001 0000")
    (fde,) = fdes(behind(cie, f"{start} {size} 00"))
    assert (fde.start, fde.size) == (expected, 6)


@pytest.mark.parametrize(
    ("encoding", "reason"),
    [
        ("9b", "is indirect"),
        ("2b", "has no base here"),
        ("0d", "is not known"),
        ("ff", "are omitted"),
    ],
)
def test_pointer_encodings_that_are_not_for_code(encoding: str, reason: str) -> None:
    cie = entry(f"00000000 01 7a5200 01 78 10 01 {encoding} 0c0708 9001 0000")
    with pytest.raises(CfiError, match=reason):
        fdes(behind(cie, "00000000 00000000 00"))


def test_personality_language_data_and_signal_frames() -> None:
    cie = entry(
        "00000000 01 7a504c525300 01 78 10"  # zPLRS
        "07 9b aabbccdd 1b 1b"  # 7 bytes: personality indirect, LSDA and code PC-relative
        "0c0708 9001"
    )
    (fde,) = fdes(behind(cie, "00000000 06000000 04 11223344 41 0e10"))
    assert fde.cie.signal
    assert fde.cie.augmentation == "zPLRS"
    assert fde.instructions == bytes.fromhex("41 0e10")


def test_64_bit_lengths() -> None:
    long = b"\xff\xff\xff\xff" + (len(FDE) - 4).to_bytes(8, "little")
    # The CIE pointer counts from itself, which stands 8 bytes later.
    body = bytearray(FDE[4:])
    body[0] += 8
    (fde,) = fdes(CIE + long + bytes(body))
    assert (fde.start, fde.size) == (0x401008, 6)


def test_debug_frame_of_version_4() -> None:
    cie = entry("ffffffff 04 00 08 00 01 78 10 0c0708 9001 00")
    fde = entry("00000000 0010400000000000 0600000000000000 41 0e10")
    (found,) = fdes(cie + fde, DEBUG_FRAME)
    assert (found.start, found.size, found.table) == (0x401000, 6, ".debug_frame")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (CIE[:-1], r"\.eh_frame\+0x0: an entry of 20 bytes"),
        (b"\xff\xff\xff\xff\x00", "in the middle of a length"),
        (FDE, "leads out of the section"),
        (CIE + FDE + entry("1e000000 00"), "to 0x18, which is no CIE"),
        (behind(CIE, "00"), "are left|in the middle"),
        (behind(entry("00000000 09 00 01 78 10"), ""), "version 9"),
        (behind(entry("00000000 01 7a52 01 78"), ""), "without an end"),
        (behind(entry("00000000 01 7800 01 78 10"), ""), "augmentation 'x'"),
        (behind(entry("00000000 01 7a00 01 78 10 7f"), "00"), "beyond the end of the CIE"),
    ],
)
def test_entries_that_cannot_be_read(data: bytes, reason: str) -> None:
    with pytest.raises(CfiError, match=reason):
        fdes(data)


def rows(code: str, cie: str = "0c0708 9001") -> list[str]:
    table = FrameTable(
        [DwarfFde(Cie(0, 1, -8, instructions=bytes.fromhex(cie)), 0, 99, bytes.fromhex(code), 0)]
    )
    return [f"{row.start}: {row}".replace(", rip = *(CFA-8)", "") for row in
            table.rows(table.fdes[0])]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("", ["0: CFA = rsp+8"]),
        ("41 0202 00 03 0001 0d06", ["0: CFA = rsp+8", "259: CFA = rbp+8"]),
        ("04 00000100 0e10", ["0: CFA = rsp+8", "65536: CFA = rsp+16"]),
        ("41 1307 42 1207 7f", ["0: CFA = rsp+8", "1: CFA = rsp-56", "3: CFA = rsp+8"]),
        ("11 03 02 05 0c 03 2f 0d 03", ["0: CFA = rsp+8, rbx = *(CFA-16), r12 = *(CFA-24), "
         "r13 = *(CFA+24)"]),
        ("14 03 02 15 06 7e", ["0: CFA = rsp+8, rbx = CFA-16, rbp = CFA+16"]),
        ("09 03 0c 07 06 08 0f", ["0: CFA = rsp+8, rbx = r12, rbp = undefined, r15 = same value"]),
        ("10 06 02 76 08 16 03 01 9c", ["0: CFA = rsp+8, rbx = [bytes 9c], rbp = *[rbp+8]"]),
        ("0f 03 76 78 06", ["0: CFA = [rbp-8, deref]"]),
        ("2e 10 2d", ["0: CFA = rsp+8"]),
        # States nest, and bring the CFA back.
        ("0a 0e10 41 0a 8602 0e18 42 0b 43 0b", ["0: CFA = rsp+16",
         "1: CFA = rsp+24, rbp = *(CFA-16)", "3: CFA = rsp+16", "6: CFA = rsp+8"]),
        # DW_CFA_restore gives the rule of the CIE.
        ("8602 9004 41 c6 d0", ["0: CFA = rsp+8, rbp = *(CFA-16), rip = *(CFA-32)",
         "1: CFA = rsp+8"]),
    ],
)  # fmt: skip
def test_instructions(code: str, expected: Sequence[str]) -> None:
    assert rows(code) == expected


def test_code_alignment_scales_advances() -> None:
    cie = Cie(0, 4, -8)
    (one,) = decode_instructions(bytes.fromhex("43 0e10"), cie)
    assert one.offset == 12


def test_set_loc_is_an_address() -> None:
    cie = Cie(0, 1, -8, pointer_encoding=0x03, instructions=bytes.fromhex("0c0708"))
    code = bytes.fromhex("01 10104000 0e10")
    both = [DwarfFde(cie, start, 0x100, code, 0) for start in (0x401000, 0x401008)]
    table = FrameTable(both)
    assert [row.start for fde in both for row in table.rows(fde)] == [0, 0x10, 0, 8]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("3f", "instruction 0x3f is not known"),
        ("0e", "ends in the middle"),
        ("0e" + "80" * 20, "without an end"),
        ("0f 7f 00", "127 bytes are wanted"),
        ("0b", "restore_state without"),
        ("0f 01 30 0e10", "not register"),
        ("0a" * 2000, "too many remembered"),
    ],
)
def test_instructions_that_mean_nothing(code: str, reason: str) -> None:
    with pytest.raises(CfiError, match=reason) as caught:
        rows(code)
    assert caught.value.place


def test_functions_within_functions() -> None:
    cie = Cie(0, 1, -8, instructions=bytes.fromhex("0c0708"))
    outer, inner = DwarfFde(cie, 0x100, 0x100, b"", 0), DwarfFde(cie, 0x140, 0x10, b"", 1)
    table = FrameTable([inner, outer])
    assert [table.find(pc) for pc in (0xFF, 0x100, 0x145, 0x150, 0x1FF, 0x200)] == [
        None, outer, inner, outer, outer, None,
    ]  # fmt: skip


def test_damaged_bytes_raise_cfi_errors_only() -> None:
    whole = CIE + FDE + behind(CIE, "00000000 06000000 00 0a 41 0b 0f 03 76 78 06 41 c6")
    numbers = random.Random(7)
    decoded, errors = 0, set()
    for _ in range(3000):
        data = bytearray(whole)
        for _ in range(numbers.randint(1, 4)):
            data[numbers.randrange(len(data))] = numbers.choice((0, 1, 0x7F, 0x80, 0xFF))
        try:
            table = FrameTable(fdes(bytes(data)))
            for fde in table.fdes:
                table.rows(fde)
                decoded += 1
        except CfiError as error:
            errors.add(str(error))
    assert decoded > 500
    assert len(errors) > 50
    assert not any("\n" in message for message in errors)
