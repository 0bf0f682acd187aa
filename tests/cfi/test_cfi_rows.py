"""Directives to rows: each test gives the CFI of a procedure and the rows it must have."""

import pytest

from emu.cfi import CfiError, DirectiveReader, Procedure, Translation, translate
from emu.sframe import UNDEFINED, Rules

START = 0x401000


def procedure(text: str, size: int = 8, kind: str = "") -> Procedure:
    """`OFFSET directive operands; ...` as one procedure; the offset may be left out."""
    reader = DirectiveReader(lambda number: int(number, 0))
    reader.read("startproc", [kind] if kind else [], START, 1)
    offset = 0
    for line, part in enumerate(filter(None, map(str.strip, text.split(";"))), start=2):
        words = part.split(maxsplit=1)
        if words[0].isdecimal():
            offset = int(words[0])
            words = words[1].split(maxsplit=1)
        operands = words[1].split(",") if len(words) > 1 else []
        reader.read(words[0], [one.strip() for one in operands], START + offset, line)
    reader.read("endproc", [], START + size, 99)
    (only,) = reader.finish()
    return only


def rows(text: str, size: int = 8, kind: str = "") -> dict[int, str]:
    translation = translate(procedure(text, size, kind))
    assert translation.dropped is None
    return {start: str(rules) for start, rules in translation.rows}


def test_frame_pointer_prologue_and_epilogue() -> None:
    assert rows(
        "1 def_cfa_offset 16; offset rbp, -16; 4 def_cfa_register rbp; 7 def_cfa rsp, 8"
    ) == {
        0: "CFA = rsp+8, RA = *(CFA-8)",
        1: "CFA = rsp+16, RA = *(CFA-8), FP = *(CFA-16)",
        4: "CFA = rbp+16, RA = *(CFA-8), FP = *(CFA-16)",
        7: "CFA = rsp+8, RA = *(CFA-8), FP = *(CFA-16)",
    }


def test_relative_directives_follow_remember_and_restore() -> None:
    assert rows(
        "1 adjust_cfa_offset 8; rel_offset rbp, 0; 2 remember_state; adjust_cfa_offset 8;"
        "3 remember_state; adjust_cfa_offset 8; 4 restore_state; 5 adjust_cfa_offset 4"
    ) == {
        0: "CFA = rsp+8, RA = *(CFA-8)",
        1: "CFA = rsp+16, RA = *(CFA-8), FP = *(CFA-16)",
        2: "CFA = rsp+24, RA = *(CFA-8), FP = *(CFA-16)",
        3: "CFA = rsp+32, RA = *(CFA-8), FP = *(CFA-16)",
        4: "CFA = rsp+24, RA = *(CFA-8), FP = *(CFA-16)",
        5: "CFA = rsp+28, RA = *(CFA-8), FP = *(CFA-16)",
    }


def test_only_one_state_is_remembered() -> None:
    """DWARF nests; the second restore of an SFrame row gives the same state again."""
    both = rows(
        "1 def_cfa_offset 16; 2 remember_state; def_cfa_offset 24; 3 remember_state;"
        "def_cfa_offset 32; 4 restore_state; 5 restore_state"
    )
    assert both[4] == both[5] == "CFA = rsp+24, RA = *(CFA-8)"


def test_a_row_without_change_is_merged_unless_it_is_the_last() -> None:
    assert list(rows("1 offset rbx, -16; 2 offset r12, -24; 3 offset r13, -32")) == [0, 3]


def test_the_same_rule_again_is_a_row() -> None:
    assert list(rows("1 def_cfa_offset 8; 2 same_value rbp; 3 offset rip, -8")) == [
        0,
        1,
        2,
        3,
    ]


def test_undefined_return_address_stays_undefined() -> None:
    translation = translate(
        procedure("1 undefined rip; 2 restore rip; 3 offset rip, -8; 4 def_cfa_offset 16")
    )
    assert [rules for _, rules in translation.rows][1:] == [UNDEFINED] * 3
    assert not translation.flexible


def test_another_slot_or_a_register_defines_it_again() -> None:
    assert rows("1 undefined rip; 2 offset rip, -16; 3 undefined rip; 4 register rip, rcx") == {
        0: "CFA = rsp+8, RA = *(CFA-8)",
        1: "RA undefined",
        2: "CFA = rsp+8, RA = *(CFA-16)",
        3: "RA undefined",
        4: "CFA = rsp+8, RA = rcx+0",
    }


def test_restored_rbp_is_that_of_the_first_row() -> None:
    assert rows("offset rbp, -16; 1 offset rbp, -24; 2 restore rbp")[2].endswith("FP = *(CFA-16)")


def test_realigned_stack() -> None:
    """The prologue of SFrame specification, 'Worked examples': stack realignment."""
    assert rows(
        "5 def_cfa r10, 0; 17 escape 0x10, 6, 2, 0x76, 0; 19 escape 0x0f, 3, 0x76, 0x78, 6;"
        "28 def_cfa r10, 0; 33 def_cfa rsp, 8",
        34,
    ) == {
        0: "CFA = rsp+8, RA = *(CFA-8)",
        5: "CFA = r10+0, RA = *(CFA-8)",
        17: "CFA = r10+0, RA = *(CFA-8), FP = *(rbp+0)",
        19: "CFA = *(rbp-8), RA = *(CFA-8), FP = *(rbp+0)",
        28: "CFA = r10+0, RA = *(CFA-8), FP = *(rbp+0)",
        33: "CFA = rsp+8, RA = *(CFA-8), FP = *(rbp+0)",
    }


@pytest.mark.parametrize(
    ("text", "flexible"),
    [
        ("1 def_cfa rbp, 16", False),
        ("1 offset rbp, -16; 2 same_value rbp", False),
        ("1 def_cfa r10, 0; def_cfa rsp, 8", True),
        ("1 register rbp, rcx", True),
        ("1 offset rip, -8", False),
        ("1 offset rip, -16", True),
    ],
)
def test_what_makes_an_fde_flexible(text: str, flexible: bool) -> None:
    assert translate(procedure(text)).flexible is flexible


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1 def_cfa rsp, 0x80000000", ".cfi_def_cfa with unsupported offset value"),
        ("1 def_cfa_offset 0x80000000", ".cfi_def_cfa_offset with unsupported offset value"),
        ("1 val_offset rbp, -16", ".cfi_val_offset with FP reg 6"),
        ("1 val_offset rsp, 8", ".cfi_val_offset with SP reg 7"),
        ("1 register rsp, rcx", "SP register 7 in .cfi_register"),
        ("1 undefined rbp", "FP reg 6 in .cfi_undefined"),
        ("1 undefined rsp", "SP reg 7 in .cfi_undefined"),
        ("1 escape 0x10, 7, 2, 0x76, 0", ".cfi_escape DW_CFA_expression with SP reg 7"),
        ("1 escape 0x14, 6, 2", ".cfi_escape DW_CFA_val_offset with FP reg 6"),
        ("1 escape 0x2e, 16", ".cfi_escape with op (0x2e)"),
        ("1 escape 0x16, 3, 2, 0x76, 8", ".cfi_escape with op (0x16)"),
        ("1 escape 0, 0x0e, 16", ".cfi_escape with op (0)"),
        ("return_column rbx", "non-default RA register 3"),
    ],
)
def test_dropped_with_the_assemblers_words(text: str, reason: str) -> None:
    one = procedure(text)
    assert translate(one) == Translation((), dropped=reason)
    assert not translate(one).emitted(one)


def test_simple_procedures() -> None:
    assert rows("", kind="simple") == {}
    assert rows("1 def_cfa rsp, 8", kind="simple") == {1: "CFA = rsp+8, RA = *(CFA-8)"}
    without_base = translate(procedure("1 def_cfa_offset 16", kind="simple"))
    assert without_base.dropped == ".cfi_def_cfa_offset without CFA base register in effect"
    early = translate(procedure("remember_state", kind="simple"))
    assert early.dropped == ".cfi_remember_state without prior SFrame FRE state"


def test_a_signal_frame_keeps_its_fde() -> None:
    one = procedure("signal_frame; 1 undefined rbp")
    assert translate(one).rows == ()
    assert translate(one).emitted(one)


def test_more_rows_than_the_count_holds() -> None:
    many = "; ".join(f"{offset} def_cfa_offset 8" for offset in range(1, 0x10000))
    assert translate(procedure(many, 0x10000)).dropped == "Number of FREs exceeds UINT16_MAX"
    assert len(translate(procedure(many[: many.rindex(";")], 0x10000)).rows) == 0xFFFF


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("offset nosuch, 8", "line 2: no register 'nosuch'"),
        ("def_cfa rsp", "line 2: .cfi_def_cfa: wrong number of operands"),
        ("restore_state", "line 2: .cfi_restore_state without .cfi_remember_state"),
        ("escape 256", "line 2: .cfi_escape takes bytes"),
        ("window_save", "line 2: .cfi_window_save is not supported"),
        ("startproc", "line 2: previous procedure has no .cfi_endproc"),
        ("undefined", "line 2: .cfi_undefined: wrong number of operands"),
    ],
)
def test_errors_name_the_line(text: str, message: str) -> None:
    with pytest.raises(CfiError) as caught:
        procedure(text)
    assert str(caught.value) == message


def test_outside_of_a_procedure() -> None:
    reader = DirectiveReader(int)
    with pytest.raises(CfiError, match=r"line 7: \.cfi_def_cfa_offset outside"):
        reader.read("def_cfa_offset", ["16"], START, 7)
    reader.read("sections", [".sframe"], START, 8)
    reader.read("startproc", [], START, 9)
    with pytest.raises(CfiError, match=r"line 9: procedure without \.cfi_endproc"):
        reader.finish()


def test_register_names_and_numbers() -> None:
    assert rows("1 def_cfa 6, 16; 2 def_cfa %rsp, 8; 3 def_cfa xmm15, 8") == {
        0: "CFA = rsp+8, RA = *(CFA-8)",
        1: "CFA = rbp+16, RA = *(CFA-8)",
        2: "CFA = rsp+8, RA = *(CFA-8)",
        3: "CFA = xmm15+8, RA = *(CFA-8)",
    }
    assert Rules.parse(rows("")[0]) == translate(procedure("")).rows[0][1]
