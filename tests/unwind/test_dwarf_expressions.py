"""DWARF expressions: bytes, the operations they are, and their value."""

import pytest

from emu.cfi import CfiError, expression_text, parse_expression
from emu.unwind import MemoryFault, RegionMemory
from emu.unwind.expression import ExpressionError, evaluate_expression

REGISTERS = {6: 0x7000, 7: 0x6FF0, 16: 0x40102B, 40: 5}
MEMORY = RegionMemory([(0x7000, bytes(range(1, 33)))])


def value(code: str, start: int | None = None, bias: int = 0) -> int:
    def read(address: int, size: int) -> int:
        return int.from_bytes(MEMORY.read(address, size), "little")

    return evaluate_expression(
        bytes.fromhex(code), REGISTERS.__getitem__, read, start=start, bias=bias
    )


MINUS_ONE = (1 << 64) - 1


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        ("77 08", "rsp+8", 0x6FF8),
        ("76 78", "rbp-8", 0x6FF8),
        ("92 28 7f", "reg40-1", 4),
        ("76 00 06", "rbp+0, deref", 0x0807060504030201),
        ("76 00 94 02", "rbp+0, deref_size 2", 0x0201),
        ("08 ff", "const1u 255", 255),
        ("09 ff", "const1s -1", MINUS_ONE),
        ("0a 34 12", "const2u 4660", 0x1234),
        ("0b ff ff", "const2s -1", MINUS_ONE),
        ("0c 78 56 34 12", "const4u 305419896", 0x12345678),
        ("0d fe ff ff ff", "const4s -2", MINUS_ONE - 1),
        ("0e 08 07 06 05 04 03 02 01", "const8u 72623859790382856", 0x0102030405060708),
        ("0f ff ff ff ff ff ff ff ff", "const8s -1", MINUS_ONE),
        ("10 80 01", "constu 128", 128),
        ("11 80 7f", "consts -128", MINUS_ONE - 127),
        ("31 32 12 22 22", "lit1, lit2, dup, plus, plus", 5),
        ("31 32 13", "lit1, lit2, drop", 1),
        ("31 32 14 1c 1c", "lit1, lit2, over, minus, minus", 0),
        ("31 32 33 15 02", "lit1, lit2, lit3, pick 2", 1),
        ("31 32 16 1c", "lit1, lit2, swap, minus", 1),
        ("31 32 33 17 13", "lit1, lit2, lit3, rot, drop", 1),
        ("09 80 19", "const1s -128, abs", 128),
        ("3c 3a 1a", "lit12, lit10, and", 8),
        ("09 f9 32 1b", "const1s -7, lit2, div", MINUS_ONE - 2),
        ("37 33 1d", "lit7, lit3, mod", 1),
        ("37 33 1e", "lit7, lit3, mul", 21),
        ("31 1f", "lit1, neg", MINUS_ONE),
        ("30 20", "lit0, not", MINUS_ONE),
        ("3c 33 21", "lit12, lit3, or", 15),
        ("31 23 81 01", "lit1, plus_uconst 129", 130),
        ("31 33 24", "lit1, lit3, shl", 8),
        ("31 08 40 24", "lit1, const1u 64, shl", 0),
        ("09 ff 08 3f 25", "const1s -1, const1u 63, shr", 1),
        ("09 fe 31 26", "const1s -2, lit1, shra", MINUS_ONE),
        ("09 fe 08 ff 26", "const1s -2, const1u 255, shra", MINUS_ONE),
        ("3c 3a 27", "lit12, lit10, xor", 6),
        ("09 ff 31 2a", "const1s -1, lit1, ge", 0),
        ("31 09 ff 2b", "lit1, const1s -1, gt", 1),
        ("31 31 2c", "lit1, lit1, le", 1),
        ("31 31 2d", "lit1, lit1, lt", 0),
        ("31 31 29", "lit1, lit1, eq", 1),
        ("31 31 2e", "lit1, lit1, ne", 0),
        ("96 35", "nop, lit5", 5),
        ("2f 01 00 96 35", "skip 4, nop, lit5", 5),
        ("32 31 28 01 00 13 35", "lit2, lit1, bra 6, drop, lit5", 5),
        # The CFA in a lazy PLT entry: 8 more from its 11th byte on.
        (
            "77 08 80 00 3f 1a 3b 2a 33 24 22",
            "rsp+8, rip+0, lit15, and, lit11, ge, lit3, shl, plus",
            0x6FF0 + 16,
        ),
    ],
)
def test_value(code: str, text: str, expected: int) -> None:
    assert expression_text(bytes.fromhex(code)) == text
    assert value(code) == expected


def test_addresses_move_with_the_module() -> None:
    assert value("03 00 10 40 00 00 00 00 00", bias=0x1000) == 0x402000


def test_register_rules_begin_with_the_cfa() -> None:
    assert value("23 08", start=0x100) == 0x108


def test_loops_end() -> None:
    # lit31, then: lit1, minus, dup, bra back to lit1 while it is not 0.
    assert value("4f 31 1c 12 28 fa ff") == 0


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("2f fd ff", "not ended after 10000"),
        ("30 2f fc ff", "more than 256 values"),
        ("", "empty stack"),
        ("22", "empty stack"),
        ("31 17", "rotates 3 of 1"),
        ("31 15 07", "picks value 7 of 1"),
        ("31 30 1b", "divides by zero"),
        ("31 30 1d", "divides by zero"),
        ("2f 01 00 08 08", "goes on at 0x4, within an operation"),
        ("2f ff 7f", "goes on at 0x8002"),
        ("76 00 94 09", "loads 9 bytes"),
    ],
)
def test_no_value(code: str, reason: str) -> None:
    with pytest.raises(ExpressionError, match=reason):
        value(code)


@pytest.mark.parametrize("code", ["50", "91 00", "93 08", "97", "9c", "9f", "e0", "00", "0c 01"])
def test_what_may_not_stand_in_cfi(code: str) -> None:
    with pytest.raises(CfiError, match="expression"):
        parse_expression(bytes.fromhex(code))
    assert expression_text(bytes.fromhex(code)) == f"bytes {code}"
    with pytest.raises(ExpressionError):
        value(code)


def test_unreadable_memory_is_the_callers_business() -> None:
    with pytest.raises(MemoryFault):
        value("30 06")
