"""Rules print as equations and read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emu.sframe import (
    UNDEFINED,
    Abi,
    Rule,
    Rules,
    SFrameError,
    register_name,
    register_number,
)

rules = st.builds(
    Rule,
    st.none() | st.integers(0, 40),
    st.integers(-(1 << 31), (1 << 31) - 1),
    st.booleans(),
)
"""Any rule a row can hold."""

register_rules = st.builds(
    Rule, st.integers(0, 40), st.integers(-(1 << 31), (1 << 31) - 1), st.booleans()
)
row_rules = st.just(UNDEFINED) | st.builds(
    Rules, register_rules, st.none() | rules, st.none() | rules, st.booleans()
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Rules(Rule(7, 16), Rule(None, -8, True), Rule(None, -16, True)),
         "CFA = rsp+16, RA = *(CFA-8), FP = *(CFA-16)"),
        (Rules(Rule(6, -8, True), Rule(None, -8, True), Rule(6, 0, True)),
         "CFA = *(rbp-8), RA = *(CFA-8), FP = *(rbp+0)"),
        (Rules(Rule(10, 0), Rule(2, 0)), "CFA = r10+0, RA = rcx+0"),
        (Rules(Rule(50, 1)), "CFA = reg50+1"),
        (UNDEFINED, "RA undefined"),
    ],
)  # fmt: skip
def test_text(value: Rules, text: str) -> None:
    assert str(value) == text
    assert Rules.parse(text) == value


@pytest.mark.parametrize(
    ("abi", "text"),
    [
        (Abi.AARCH64_LE, "CFA = x29+32, RA = *(CFA-24), FP = *(CFA-32), RA mangled"),
        (Abi.AARCH64_BE, "CFA = sp+0"),
        (Abi.S390X, "CFA = r15+160, RA = *(CFA-48), FP = reg16+0"),
    ],
)
def test_registers_have_the_names_of_the_abi(abi: Abi, text: str) -> None:
    assert Rules.parse(text, abi).text(abi) == text


@pytest.mark.parametrize(
    "text",
    [
        "CFA=rsp+8 RA=*(CFA-8)",
        "  RA=*(CFA-8),CFA=rsp+0x8 ",
        "CFA = rsp + 8 ,RA = * ( CFA - 8 )",
    ],
)
def test_compact_and_loose_forms(text: str) -> None:
    assert Rules.parse(text) == Rules(Rule(7, 8), Rule(None, -8, True))


@pytest.mark.parametrize("text", ["CFA=rsp RA=rbx", "CFA = rsp+0, RA = rbx+0"])
def test_an_offset_of_zero_may_be_left_out(text: str) -> None:
    assert Rules.parse(text) == Rules(Rule(7, 0), Rule(3, 0))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "undefined",
        "RA = *(CFA-8)",
        "CFA = CFA+8",
        "CFA = rsp+8 CFA = rsp+8",
        "CFA = rsp+8, RA = *(CFA-8",
        "CFA = rsp+8, RA = *CFA-8",
        "CFA = esp+8",
        "CFA = rsp+8, SP = rsp+8",
        "CFA = rsp+8x",
        "CFA = rsp+8 RA undefined",
        "CFA = rsp+8,",
        "CFA = rsp+" + "9" * 5000,
        "CFA = reg" + "9" * 5000,
    ],
)
def test_what_is_no_row(text: str) -> None:
    with pytest.raises(SFrameError):
        Rules.parse(text)


@given(row_rules, st.sampled_from(Abi))
def test_parse_is_the_inverse_of_text(value: Rules, abi: Abi) -> None:
    assert Rules.parse(value.text(abi), abi) == value
    assert Rules.parse(value.text(abi).replace(", ", " ").replace(" = ", "="), abi) == value


@given(st.integers(0, 200), st.sampled_from(Abi))
def test_register_names_are_distinct(number: int, abi: Abi) -> None:
    assert register_number(register_name(number, abi), abi) == number


@given(st.text(alphabet="CFARP=rspx29*()+- ,0mangled", max_size=60))
def test_any_text_is_rules_or_an_sframe_error(text: str) -> None:
    try:
        value = Rules.parse(text)
    except SFrameError:
        return
    assert Rules.parse(str(value)) == value
