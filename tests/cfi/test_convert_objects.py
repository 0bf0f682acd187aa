"""`.eh_frame` converted beside the .sframe that GNU as made of the same directives."""

import subprocess
from pathlib import Path

import pytest

from emu.cfi import Conversion, convert
from emu.sframe import Elf, Section, find_section
from emu.toolchain import Toolchain

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
C_CASES = sorted((ROOT / "c_cases").glob("*.c"))
SITUATIONS = [
    *sorted((ROOT / "asm_cases").glob("*.s")),
    *sorted((ROOT / "tests" / "sframe" / "forms").glob("*.s")),
]
FLAGS = ("-O0", "-O2", "-Os", "-O2 -mstackrealign", "-O2 -fcf-protection -fno-plt -fPIC")

ESCAPED_DIRECTIVES = {
    "esc_nopx": "0, 0x0e, 16 is a nop and DW_CFA_def_cfa_offset",
    "esc_off": "0x0e, 16 is DW_CFA_def_cfa_offset",
    "esc_remember": "0x0a is DW_CFA_remember_state",
    "esc_two": "two DW_CFA_expression of registers that do not matter",
    "esc_two_ign": "DW_CFA_GNU_args_size 0 and a nop",
    "r_a1": "DW_CFA_GNU_args_size 16 and a nop, with an FP-based CFA",
    "r_a2": "DW_CFA_GNU_args_size whose operand is the next byte, a nop",
    "r_o5": "DW_CFA_val_offset of rbx with a number of two bytes",
    "r_o6": "DW_CFA_val_offset with a register number of two bytes",
    "r_o7": "DW_CFA_val_offset_sf of rbx",
    "r_w2": "DW_CFA_offset_extended of rbp",
    "r_w3": "DW_CFA_offset of rbp",
    "r_w4": "DW_CFA_restore of register 63, and a nop",
}
"""docs/as-differences.md, 'Escapes': as judges the bytes of one `.cfi_escape` as a whole and drops
the function; in .eh_frame nothing tells them from other instructions."""


def own_section(data: bytes) -> bytes:
    """The .sframe of an object as the assembler wrote it, before any relocation."""
    elf = Elf(data)
    section = find_section(elf)
    assert section is not None
    return bytes(elf.contents(section))


def explain(theirs: bytes, made: Conversion) -> str:
    """What differs, function by function, for the message of a failing test."""
    lines = []
    ours = list(Section(made.data).fdes)
    for one, other in zip(Section(theirs).fdes, ours, strict=False):
        rows = [[(row.start, str(row.rules)) for row in fde.rows] for fde in (one, other)]
        if rows[0] != rows[1] or one.attributes != other.attributes:
            lines.append(f"as: {one.attributes} {rows[0]}\nwe: {other.attributes} {rows[1]}")
    return "\n".join([f"{len(ours)} functions here", *lines])


def hold(data: bytes) -> Conversion:
    """The whole section, byte for byte."""
    theirs = own_section(data)
    made = convert(data, as_gnu=True)
    assert made.data == theirs, explain(theirs, made)
    return made


@pytest.mark.parametrize("compiler", ["gcc", "gcc-16"])
@pytest.mark.parametrize("flags", FLAGS)
def test_compiled_objects(
    flags: str, compiler: str, toolchain_with_gcc_16: Toolchain, tmp_path: Path
) -> None:
    toolchain = toolchain_with_gcc_16
    functions = 0
    for case in C_CASES:
        made = toolchain.compile([case], tmp_path / "o", ["-c", *flags.split()], compiler)
        functions += hold(made.read_bytes()).converted
    assert functions > 50


def test_rows_by_the_cfi_are_those_of_the_assembler(toolchain: Toolchain, tmp_path: Path) -> None:
    """In compilers' output for the C cases the assembler's defects do not show."""
    for case in C_CASES:
        made = toolchain.compile([case], tmp_path / "o", ["-c", "-O2"])
        assert convert(made).data == hold(made.read_bytes()).data


def assembled(source: Path, toolchain: Toolchain, output: Path) -> tuple[bytes, list[str]]:
    """The object of a source file, and why as left out functions."""
    assert toolchain.as_ is not None
    result = subprocess.run(
        [toolchain.as_.path, "--gsframe-3", source, "-o", output],
        capture_output=True,
        text=True,
        check=True,
    )
    said = [line.partition("no SFrame FDE emitted; ")[2] for line in result.stderr.splitlines()]
    return output.read_bytes(), [reason for reason in said if reason]


@pytest.mark.parametrize("source", SITUATIONS, ids=lambda path: path.stem)
def test_written_by_hand(source: Path, toolchain: Toolchain, tmp_path: Path) -> None:
    data, reasons = assembled(source, toolchain, tmp_path / "o")
    if source.stem == "words_by_cfa_offset":
        # docs/as-differences.md, 'Offsets': .eh_frame holds multiples of 8 if they are negative.
        theirs = Section(own_section(data)).fdes[0].rows
        ours = Section(convert(data).data).fdes[0].rows
        assert [
            (str(row.rules.cfa), str(other.rules.cfa))
            for row, other in zip(theirs, ours, strict=True)
            if row.rules != other.rules
        ] == [("rsp-129", "rsp-128"), ("rsp-32769", "rsp-32768")]
        return
    made = hold(data)
    assert [one.reason for one in made.refused] == reasons


def procedures() -> dict[str, str]:
    lines = (HERE / "procedures.txt").read_text().splitlines()
    pairs = (line.partition(":") for line in lines if line and not line.startswith("#"))
    return {name.strip(): body.strip() for name, _, body in pairs}


def procedure_source(selected: dict[str, str]) -> str:
    parts = ["        .intel_syntax noprefix\n        .text\n"]
    for name, body in selected.items():
        simple = " simple" if name.startswith("simple") else ""
        parts.append(f"{name}: .cfi_startproc{simple}\n {body}\n .cfi_endproc\n nop\n")
    return "".join(parts)


def test_procedures(toolchain: Toolchain, tmp_path: Path) -> None:
    source = tmp_path / "procedures.s"
    known = {name: body for name, body in procedures().items() if name not in ESCAPED_DIRECTIVES}
    source.write_text(procedure_source(known))
    data, reasons = assembled(source, toolchain, tmp_path / "o")
    made = hold(data)
    # In .eh_frame .cfi_val_offset and .cfi_escape of it are the same bytes.
    expected = [reason.replace(".cfi_escape DW_CFA_val", ".cfi_val") for reason in reasons]
    assert [one.reason for one in made.refused] == expected


@pytest.mark.parametrize("name", ESCAPED_DIRECTIVES)
def test_escapes_that_are_directives(name: str, toolchain: Toolchain, tmp_path: Path) -> None:
    source = tmp_path / "escape.s"
    source.write_text(procedure_source({name: procedures()[name]}))
    data, reasons = assembled(source, toolchain, tmp_path / "o")
    (reason,) = reasons
    assert reason.startswith(".cfi_escape with op")
    assert own_section(data)[8:12] == bytes(4), "as makes no function"
    assert convert(data, as_gnu=True).converted == 1


DEFECTS = {
    "Restoring rbp": (
        ".cfi_offset rbp, -16; nop; .cfi_restore rbp; nop",
        "CFA = rsp+8, RA = *(CFA-8), FP = *(CFA-16)",
        "CFA = rsp+8, RA = *(CFA-8)",
    ),
    "Nested states": (
        ".cfi_remember_state; nop; .cfi_def_cfa_offset 16; .cfi_remember_state; nop;"
        ".cfi_restore_state; nop; .cfi_restore_state; nop",
        "CFA = rsp+16, RA = *(CFA-8)",
        "CFA = rsp+8, RA = *(CFA-8)",
    ),
    "Undefined return addresses": (
        "nop; .cfi_undefined rip; nop; .cfi_restore rip; nop",
        "RA undefined",
        "CFA = rsp+8, RA = *(CFA-8)",
    ),
    "Return addresses in a register": (
        "nop; .cfi_register rip, rcx; nop; .cfi_restore rip; nop",
        "CFA = rsp+8, RA = rcx+0",
        "CFA = rsp+8, RA = *(CFA-8)",
    ),
    "Return addresses by expression": (
        "nop; .cfi_escape 0x10, 16, 2, 0x76, 8; nop",
        "CFA = rsp+8, RA = *(CFA-8)",
        "CFA = rsp+8, RA = *(rbp+8)",
    ),
    "The stack pointer": (
        "nop; .cfi_offset rsp, -16; nop",
        "CFA = rsp+8, RA = *(CFA-8)",
        "rsp = *(CFA-16), and SFrame takes the CFA for it",
    ),
    "Return addresses that are addresses": (
        "nop; .cfi_val_offset rip, -8; nop",
        "CFA = rsp+8, RA = *(CFA-8)",
        "rip = CFA-8",
    ),
    "Return addresses nothing is said about": (
        "nop; .cfi_same_value rip; nop",
        "CFA = rsp+8, RA = *(CFA-8)",
        "the return address is not saved, and rip is not kept",
    ),
}
"""docs/as-differences.md, 'What the assembler gets wrong': directives, the row that as makes of
them last, and the row or refusal that is right."""


@pytest.mark.parametrize("heading", DEFECTS)
def test_the_assemblers_defects_are_not_followed(
    heading: str, toolchain: Toolchain, tmp_path: Path
) -> None:
    directives, wrong, right = DEFECTS[heading]
    source = tmp_path / "defect.s"
    # With a plain function before it, as does not move the first directives into a CIE.
    source.write_text(procedure_source({"plain": "nop", "f": directives}))
    data, reasons = assembled(source, toolchain, tmp_path / "o")
    assert not reasons
    _, theirs = Section(own_section(data)).fdes
    assert str(list(theirs.rows)[-1].rules) == wrong
    made = convert(data)
    converted = [list(fde.rows) for fde in Section(made.data).fdes][1:]
    said = [str(rows[-1].rules) for rows in converted]
    assert (said or [one.reason for one in made.refused]) == [right]
    assert f"### {heading}" in (ROOT / "docs" / "as-differences.md").read_text()


def test_every_escape_is_in_the_document() -> None:
    text = (ROOT / "docs" / "as-differences.md").read_text()
    assert [name for name in ESCAPED_DIRECTIVES if f"`{name}`" not in text] == []


def test_a_defect_of_the_assembler_in_compiled_code(
    toolchain_with_gcc_16: Toolchain, tmp_path: Path
) -> None:
    """See the comment in cold_restore.c."""
    flags = ["-c", "-O1", "-freorder-blocks-and-partition"]
    made = toolchain_with_gcc_16.compile([HERE / "cold_restore.c"], tmp_path / "o", flags, "gcc-16")
    hold(made.read_bytes())
    (corrected,) = convert(made).corrected
    assert corrected.of_as == "CFA = rsp+40, RA = *(CFA-8), FP = *(CFA-32)"
    assert corrected.of_cfi == "CFA = rsp+40, RA = *(CFA-8)"
