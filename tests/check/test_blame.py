"""Whose fault a finding is: .eh_frame is asked for the same frame."""

import shutil
from pathlib import Path

import pytest

from emu.asm import assemble
from emu.check import Blame, Result, Verdict, run
from emu.machine import Image
from emu.toolchain import Toolchain
from emu.toolchain.c_case import build_case, read_c_case

ROOT = Path(__file__).parent.parent.parent
ASM, C = ROOT / "asm_cases", ROOT / "c_cases"


def check_case(name: str, *, strict: bool = False, policy: str = "kernel-v15") -> Result:
    image = Image.from_bytes(assemble(ASM / f"{name}.s").elf, name)
    return run(image, strict=strict, policy=policy)


def blames(result: Result) -> set[Blame]:
    return {finding.witness.blame for finding in result.findings}


@pytest.mark.parametrize(
    "name",
    [
        "noreturn_call_at_end",
        "signal_fde_without_rows",
        "startproc_simple",
        "row_at_end",
        "drap_deeper",
        "cfa_equals_sp_deeper",
        "ret_n",
    ],
)
def test_what_the_kernel_model_cannot_use_is_the_consumer_s(name: str) -> None:
    assert blames(check_case(name)) == {Blame.CONSUMER}


@pytest.mark.parametrize("name", ["noreturn_call_at_end", "ret_n"])
def test_looking_up_the_call_instead_walks_it(name: str) -> None:
    assert check_case(name, policy="kernel-v15,+minus-one").findings == ()


def test_row_at_end_and_drap_walk_under_the_document_s_rules() -> None:
    assert check_case("row_at_end", policy="format").findings == ()
    assert check_case("drap_deeper", policy="format").findings == ()


@pytest.mark.parametrize("name", ["wrong_cfa", "wrong_fp_slot"])
def test_wrong_directives_make_both_tables_wrong(name: str) -> None:
    result = check_case(name)
    assert result.findings
    assert blames(result) == {Blame.COMPILER}


def test_code_without_any_directive_has_no_cfi() -> None:
    result = check_case("no_fde", strict=True)
    gaps = {f.witness.blame for f in result.findings if f.key.verdict is Verdict.GAP}
    assert gaps == {Blame.NO_CFI}


def test_the_realigning_epilogue_is_the_compiler_s(toolchain: Toolchain, tmp_path: Path) -> None:
    case = read_c_case(C / "realignment.c")
    result = run(build_case(toolchain, case, "-O2", tmp_path / "program"))
    wrong = [f for f in result.findings if f.key.verdict is Verdict.WRONG]
    refused = [f for f in result.findings if f.key.verdict is Verdict.REFUSED]
    assert {f.witness.blame for f in wrong} == {Blame.COMPILER}
    assert {f.witness.blame for f in refused} == {Blame.CONSUMER}


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs a compiler")
def test_the_row_of_plt_got_is_the_linker_s(toolchain: Toolchain, tmp_path: Path) -> None:
    source = tmp_path / "program.c"
    source.write_text("int main(void) { return 0; }\n")
    program = toolchain.compile([source], tmp_path / "program", ["-O2", "-pie", "-fPIE"])
    result = run(program)
    assert {f.key.function for f in result.findings} == {"__cxa_finalize@plt"}
    assert {f.key.field for f in result.findings} == {"pc", "sp"}
    assert blames(result) == {Blame.LINKER}


DROPPED = """\
#@ title: A function whose CFI as drops
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call odd
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc
odd:    .cfi_startproc
        .cfi_val_offset rbp, -8
        nop
        ret
        .cfi_endproc
"""


def test_a_rule_that_sframe_has_no_form_for_is_not_representable() -> None:
    image = Image.from_bytes(assemble(DROPPED).elf, "dropped")
    result = run(image, strict=True)
    gaps = {f.key.function: f.witness.blame for f in result.findings}
    assert gaps == {"odd": Blame.NOT_REPRESENTABLE}


def test_a_function_left_out_of_the_table_is_not_generated(
    toolchain: Toolchain, tmp_path: Path
) -> None:
    source = tmp_path / "program.c"
    source.write_text("int main(void) { return 0; }\n")
    # crt1.o and libc come without .sframe; their .eh_frame is all there.
    program = toolchain.compile([source], tmp_path / "program", ["-O2", "-static"])
    result = run(program, strict=True)
    by_function = {f.key.function: f.witness.blame for f in result.findings}
    assert by_function["__libc_start_main"] is Blame.NOT_GENERATED


@pytest.mark.parametrize(
    "name",
    [
        "noreturn_call_at_end",
        "signal_fde_without_rows",
        "row_at_end",
        "drap_deeper",
        "ra_in_register",
        "ret_n",
    ],
)
def test_the_dwarf_policy_walks_what_the_kernel_model_cannot(name: str) -> None:
    result = check_case(name, policy="dwarf")
    assert result.policy == "dwarf"
    assert result.findings == ()
    assert result.tally.walks[Verdict.OK] == result.tally.checked


def test_the_dwarf_policy_finds_what_the_directives_got_wrong() -> None:
    result = check_case("wrong_cfa", policy="dwarf")
    assert blames(result) == {Blame.COMPILER}
    finding = result.findings[0]
    assert finding.key.verdict is Verdict.WRONG
    assert finding.key.row_pc is not None
    assert finding.witness.row is not None
    assert "row says" in finding.witness.reason
    gaps = check_case("no_fde", policy="dwarf", strict=True)
    assert blames(gaps) == {Blame.NO_CFI}
