"""Whatever the file: a case or one line, soon."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emu.asm import AsmError, assemble

CASES = sorted((Path(__file__).parents[2] / "asm_cases").glob("*.s"))
LANGUAGE = """
.byte .word .long .quad .ascii .zero .skip .fill .org .p2align .balign .set .section .text .data
.bss .cfi_startproc .cfi_endproc .cfi_def_cfa .cfi_offset .cfi_escape .cfi_restore .size .type
.intel_syntax noprefix mov lea push jmp call jne rax rsp [rax] [rip+a] fs:[8] qword ptr dword
offset a b: a: 1: 1f 1b . , , , + - * / % ( ) 0x10 5 -1 99999999999 'a' "x" #@ stack: row: _start*
"""
WORDS = st.sampled_from(LANGUAGE.split())


def attempt(source: str) -> None:
    message = ""
    try:
        assemble(source)
    except AsmError as error:
        message = str(error)
    assert "\n" not in message


@given(st.lists(WORDS | st.just("\n"), max_size=40).map(" ".join))
@settings(max_examples=300, deadline=None)
def test_words_of_the_language_in_any_order(body: str) -> None:
    attempt(f"#@ title: t\n.intel_syntax noprefix\n_start: nop\n{body}\n")


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_cases_with_a_line_lost_or_doubled(data: st.DataObject) -> None:
    lines = data.draw(st.sampled_from(CASES)).read_text().splitlines()
    at = data.draw(st.integers(0, len(lines) - 1))
    line = data.draw(st.sampled_from(["", lines[at] * 2, lines[at][:-1], lines[at][1:] + ","]))
    attempt("\n".join([*lines[:at], line, *lines[at + 1 :]]) + "\n")


@given(st.text(max_size=60))
@settings(max_examples=150, deadline=None)
def test_any_text(text: str) -> None:
    attempt(text)
    attempt(f"#@ title: t\n.intel_syntax noprefix\n_start: {text}\n")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe", "byte 0 is not UTF-8"),
        (b"a" * ((4 << 20) + 1), "larger than 4 MiB"),
        (b"", "the case has no `#@ title:`"),
    ],
)
def test_files_that_are_no_source(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "case.s"
    path.write_bytes(content)
    with pytest.raises(AsmError) as caught:
        assemble(path)
    assert str(caught.value) == f"{path}: {message}"


@pytest.mark.timeout(60)
@pytest.mark.parametrize("first", ["1", "_start", "later"])
def test_definitions_that_double_thirty_times(first: str) -> None:
    chain = "".join(f"x{n + 1} = x{n} - x{n}\n" for n in range(30))
    use = ".quad x30\nlea rax, [rip+x30]\nmov eax, offset x30\nlater:\n"
    attempt(f"#@ title: t\n.intel_syntax noprefix\n_start: nop\nx0 = {first}\n{chain}{use}")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(AsmError, match="cannot read: No such file or directory"):
        assemble(tmp_path / "nothing.s")
    with pytest.raises(AsmError, match="cannot read: Is a directory"):
        assemble(tmp_path)
