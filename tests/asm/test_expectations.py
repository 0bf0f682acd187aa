"""`#@` lines: parsed, bound to instructions, rewritten."""

import pytest

from emu.asm import (
    Anything,
    AsmError,
    AssembledCase,
    Defect,
    ExpectedStack,
    Frame,
    Header,
    assemble,
    rewrite,
)
from emu.sframe import UNDEFINED, Flag, Rules, Section, SFrameError

BODY = """\
        .intel_syntax noprefix
_start: .cfi_startproc
        #@ stack: _start*
        .cfi_undefined rip
1:      nop
        #@ stack: leaf ?hole _start*
        #@ row: CFA=rsp+8 RA=*(CFA-8)
        #@ verdict: 1 wrong fp
        #@ verdict: 0 refused
        .byte 0x90
        #@ stack: a b
        #@ stack: ...
        #@ row: none
        nop
        #@ row: RA undefined
        ret
        .cfi_endproc
"""


def case(header: str = "", body: str = BODY) -> AssembledCase:
    return assemble(f"#@ title: A title\n{header}{body}")


def error(header: str = "", body: str = BODY) -> str:
    with pytest.raises(AsmError) as caught:
        case(header, body)
    return str(caught.value).removeprefix("<source>:")


def test_each_line_belongs_to_the_next_instruction() -> None:
    one = case()
    start = one.symbols["_start"].address
    expected = one.expectations
    assert expected.stacks == (
        ExpectedStack(start, 4, (Frame("_start"),), whole=True),
        ExpectedStack(
            start + 1, 7, (Frame("leaf"), Frame("hole", has_row=False), Frame("_start")), whole=True
        ),
        ExpectedStack(start + 2, 12, (Frame("a"), Frame("b")), whole=False),
        Anything(start + 2, 13),
    )
    assert [str(stack) for stack in expected.stacks] == [
        "_start*",
        "leaf ?hole _start*",
        "a b",
        "...",
    ]
    assert [(row.address - start, row.rules) for row in expected.rows] == [
        (1, Rules.parse("CFA = rsp+8, RA = *(CFA-8)")),
        (2, None),
        (3, UNDEFINED),
    ]
    assert [(one.address - start, str(one)) for one in expected.verdicts] == [
        (1, "1 wrong fp"),
        (1, "0 refused"),
    ]


def test_stacks_in_order_of_execution() -> None:
    body = (
        ".intel_syntax noprefix\n_start:\n#@ stack: a*\n#@ stack: b*\nnop\n"
        "#@ stack: c*\n#@ stack: ...\nnop\nret\n"
    )
    expected = case(body=body).expectations
    first = expected.stacks[0].address
    assert [str(expected.stack_at(first, n)) for n in range(4)] == ["a*", "b*", "b*", "b*"]
    assert [str(expected.stack_at(first + 1, n)) for n in range(3)] == ["c*", "None", "None"]
    assert expected.stack_at(first + 2, 0) is None


def test_header() -> None:
    header = (
        '#@ exit: 3\n#@ stdout: "a\\n"\n#@ instructions: 500\n#@ policy: glibc\n#@ findings: 2\n'
        "#@ violations: 1\n#@ sframe: unsorted, trailing\n"
    )
    assert case(header).expectations.header == Header(
        "A title", 3, None, b"a\n", 500, "glibc", 2, 1, ("unsorted", "trailing")
    )
    assert case().expectations.header == Header("A title")
    assert case("#@ signal: SIGSEGV\n").expectations.header == Header(
        "A title", exit_status=None, signal="SIGSEGV"
    )


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("#@ titel: x\n", "2: unknown key 'titel' in an expectation"),
        ("#@ title: x\n", "2: title: given twice"),
        ("#@ exit: -1\n", "2: exit: a number expected, not '-1'"),
        ("#@ exit: 1\n#@ signal: SIGSEGV\n", "3: exit: and signal: exclude each other"),
        ("#@ stdout: a\n", "2: stdout: a string in double quotes expected, not 'a'"),
        ("#@ nonsense\n", "2: an expectation reads `#@ key: value`"),
    ],
)
def test_headers_that_are_wrong(header: str, message: str) -> None:
    assert error(header) == message


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("stack:", "stack: names of functions, innermost first, * after the last"),
        ("stack: a* b", "stack: names of functions, innermost first, * after the last"),
        ("stack: ...\n#@ stack: a*", "stack: nothing can follow `...`"),
        ("row: CFA=8", "row: no equation of CFA, RA or FP"),
        ("verdict: wrong", "verdict: FRAME VERDICT [FIELD]"),
        ("verdict: 0 bad", "verdict: one of ok, wrong, gap"),
        ("verdict: 0 wrong", "verdict: `wrong` and only `wrong` names one of pc, sp, fp"),
        ("verdict: 0 ok fp", "verdict: `wrong` and only `wrong` names one of pc, sp, fp"),
        ("verdict: 0 wrong ra", "verdict: `wrong` and only `wrong` names one of pc, sp, fp"),
        ("verdict: 0 wrong fp sp", "verdict: FRAME VERDICT [FIELD]"),
    ],
)
def test_body_lines_that_are_wrong(line: str, message: str) -> None:
    assert message in error(body=f".intel_syntax noprefix\n_start:\n#@ {line}\nret\n")


def test_an_unknown_defect_lists_the_known() -> None:
    message = error("#@ sframe: broken\n")
    assert message.startswith("2: sframe: 'broken' is not one of auxiliary-header, bad-magic")


@pytest.mark.parametrize("defect", Defect, ids=lambda defect: defect.value)
def test_every_defect_changes_the_section(defect: Defect) -> None:
    body = BODY + "two: .cfi_startproc\n nop\n .cfi_offset rip, -200\n ret\n.cfi_endproc\n"
    good, bad = case(body=body), case(f"#@ sframe: {defect.value}\n", body)
    assert good.elf != bad.elf
    if defect in {Defect.BAD_MAGIC, Defect.LONG_FRES, Defect.VERSION_2}:
        with pytest.raises(SFrameError):
            list(Section.from_elf(bad.elf).fdes)
        return
    section = Section.from_elf(bad.elf)
    starts = [fde.start for fde in section.fdes]
    order = -1 if defect is Defect.DISORDERED else 1
    assert starts == [one.start for one in good.procedures][::order]
    assert (section.header.flags & Flag.FDE_SORTED == 0) is (defect is Defect.UNSORTED)
    assert (section.header.flags & Flag.FDE_FUNC_START_PCREL == 0) is (defect is Defect.NOT_PCREL)


def test_rewrite_keeps_everything_else() -> None:
    source = "#@ title: t\r\n  #@ stack: a*\r\nnop\t# x\r\n#@stack:  b*\n\n#@ row: none"
    assert rewrite(source, {}) == source
    assert rewrite(source, {2: ["stack: c*"], 4: [], 6: ["row: RA undefined", "stack: d*"]}) == (
        "#@ title: t\r\n  #@ stack: c*\r\nnop\t# x\r\n\n#@ row: RA undefined\n#@ row: none"
    ).replace("#@ row: none", "#@ stack: d*")
    assert rewrite(source, {2: ["stack: c*", "stack: d*"]}).startswith(
        "#@ title: t\r\n  #@ stack: c*\r\n  #@ stack: d*\r\nnop"
    )
    for line in (0, 3, 7):
        with pytest.raises(ValueError, match="is no `#@` line"):
            rewrite(source, {line: ["stack: c*"]})
