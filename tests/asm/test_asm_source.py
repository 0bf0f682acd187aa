"""Source text to statements, expressions and operands to values."""

import pytest

from emu.asm import AsmError
from emu.asm.expressions import parse as expression
from emu.asm.literals import parse_string
from emu.asm.operands import Immediate, Memory, Register
from emu.asm.operands import parse as operand
from emu.asm.source import Directive, Expectation, Instruction, Label, parse

SYMBOLS = {"size": 24, "table": 0x402000}


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("a: b: nop", [Label(1, "a"), Label(1, "b"), Instruction(1, "nop")]),
        ("nop # comment", [Instruction(1, "nop")]),
        ("  // a line\n/ another\nnop", [Instruction(3, "nop")]),
        ("mov  eax ,/* one */ 2", [Instruction(1, "mov eax , 2")]),
        ("/* over\nlines */ nop", [Instruction(2, "nop")]),
        ("nop; ret", [Instruction(1, "nop"), Instruction(1, "ret")]),
        ("x = 5 + 1", [Directive(1, "set", ("x", "5 + 1"))]),
        ("1: jmp 1b", [Label(1, "1"), Instruction(1, "jmp 1b")]),
        ('.ascii "a;b # c", "d"', [Directive(1, "ascii", ('"a;b # c"', '"d"'))]),
        (".byte ',', '#', ';'", [Directive(1, "byte", ("','", "'#'", "';'"))]),
        (".Text", [Directive(1, "text", ())]),
        ("#@ stack: a b*", [Expectation(1, "stack", "a b*")]),
        ("mov rax, fs:[0]", [Instruction(1, "mov rax, fs:[0]")]),
    ],
)
def test_statements(text: str, statements: list[object]) -> None:
    assert parse(text) == statements


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("1 | 2 + 4", 7),  # | binds more strongly than +
        ("7 - 2 - 1", 4),
        ("-7 / 2", -3),
        ("-7 % 2", -1),
        ("~63", -64),
        ("(1 << 12) >> 4", 256),
        ("0x10 + 010 + 0b11", 27),
        ("'A' + '\\n'", 75),
        ("size * 2", 48),
        ("table + size - 1", 0x402017),
        ("0xffffffffffffffff", 0xFFFFFFFFFFFFFFFF),
    ],
)
def test_expressions(text: str, value: int) -> None:
    assert expression(text).value(SYMBOLS.__getitem__) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1 +", "expression expected"),
        ("(1", "missing )"),
        ("1 2", "unexpected '2' after an expression"),
        ("1 / 0", "division by zero"),
        ("1 << 64", "cannot shift by 64"),
        ("08", "bad number '08'"),
        ("(" * 60 + "1" + ")" * 60, "expression nested too deeply"),
        ("+".join(["1"] * 200), "expression of more than 200 tokens"),
        ("*".join(["0xffffffffffffffff"] * 50), "does not fit in 64 bits"),
        ("é", "cannot read"),
    ],
)
def test_expressions_that_are_none(text: str, reason: str) -> None:
    with pytest.raises(AsmError, match=reason.replace("(", r"\(").replace(")", r"\)")):
        expression(text).value(SYMBOLS.__getitem__)


def shown(text: str) -> object:
    match operand(text):
        case Register(name):
            return name
        case Immediate(value, bare):
            return (value.value(SYMBOLS.__getitem__), bare)
        case Memory(size, segment, base, index, scale, displacement):
            number = None if displacement is None else displacement.value(SYMBOLS.__getitem__)
            return (size, segment, base, index, scale, number)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("RAX", "rax"),
        ("5", (5, True)),
        ("offset table + 8", (0x402008, False)),
        ("[rax]", (None, None, "rax", None, 1, None)),
        ("qword ptr [rsp-8]", (8, None, "rsp", None, 1, -8)),
        ("[rbx+rcx*4+8]", (None, None, "rbx", "rcx", 4, 8)),
        ("[8*rcx+rbx]", (None, None, "rbx", "rcx", 8, None)),
        ("table[rax*8]", (None, None, None, "rax", 8, 0x402000)),
        ("table[rip]", (None, None, "rip", None, 1, 0x402000)),
        ("[rip+table+size]", (None, None, "rip", None, 1, 0x402018)),
        ("[rbp][rcx*2]-size", (None, None, "rbp", "rcx", 2, -24)),
        ("fs:[0x28]", (None, "fs", None, None, 1, 0x28)),
        ("dword ptr gs:[rax]", (4, "gs", "rax", None, 1, None)),
        ("[rax+rsp]", (None, None, "rsp", "rax", 1, None)),
        ("byte ptr [table]", (1, None, None, None, 1, 0x402000)),
        ("[rax + -8]", (None, None, "rax", None, 1, -8)),
    ],
)
def test_operands(text: str, meaning: object) -> None:
    assert shown(text) == meaning


@pytest.mark.parametrize(
    "text",
    [
        "[rax",
        "rax]",
        "[[rax]]",
        "[rax+rbx+rcx]",
        "[rax*3]",
        "[rsp*2]",
        "[-rax]",
        "[al]",
        "[rax*rbx]",
        "[rip+rax]",
        "zs:[rax]",
        "[]",
        "",
        "[rax+]",
        "qword ptr",
        "[(rax)]",
        "[rax*2+rbx*2]",
    ],
)
def test_operands_that_are_none(text: str) -> None:
    with pytest.raises(AsmError):
        operand(text)


def test_strings() -> None:
    assert parse_string(r'"a\n\t\\\"\101\x41\0"') == b'a\n\t\\"AA\0'
    assert parse_string('"é"') == b"\xc3\xa9"
    for wrong in ("abc", '"abc', r'"\q"', '"a" "b"'):
        with pytest.raises(AsmError):
            parse_string(wrong)
