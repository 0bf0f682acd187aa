"""The executables: they run, and the usual tools like them."""

import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from emu.asm import AssembledCase, assemble
from emu.sframe import Elf, Section
from emu.toolchain import Toolchain

CASES = sorted((Path(__file__).parents[2] / "asm_cases").glob("*.s"))
ON_X86_64_LINUX = sys.platform == "linux" and platform.machine() == "x86_64"

SOURCE = """\
#@ title: All kinds of sections
        .intel_syntax noprefix
        .text
        .globl _start
        .type _start, @function
_start: .cfi_startproc
        .cfi_undefined rip
        call framed
        mov rax, [rip+pointer]
        mov eax, [rax]
        mov [rip+room+8], eax
        mov edi, [rip+room+8]
        mov eax, 60
        syscall
        .cfi_endproc
        .size _start, .-_start
framed: .cfi_startproc
        push rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov rbp, rsp
        .cfi_def_cfa_register rbp
        nop
        pop rbp
        .cfi_def_cfa rsp, 8
        ret
        .cfi_endproc
bare:   ret
.Linner: ret
        .section .rodata
        .balign 8
answer: .long 42
        .data
        .type pointer, @object
        .size pointer, 8
pointer: .quad answer
        .bss
        .balign 16
room:   .skip 64
"""


def written(case: AssembledCase, directory: Path) -> Path:
    path = directory / "program"
    path.write_bytes(case.elf)
    path.chmod(0o755)
    return path


@pytest.mark.skipif(not ON_X86_64_LINUX, reason="the executables are for x86-64 Linux")
@pytest.mark.parametrize("source", CASES, ids=lambda path: path.stem)
def test_case_runs_natively(source: Path, tmp_path: Path) -> None:
    case = assemble(source)
    header = case.expectations.header
    result = subprocess.run([written(case, tmp_path)], capture_output=True, timeout=20, check=False)
    if header.signal is None:
        assert result.returncode == header.exit_status
    if header.stdout is not None:
        assert result.stdout == header.stdout


@pytest.mark.skipif(not ON_X86_64_LINUX, reason="the executables are for x86-64 Linux")
def test_sections_have_their_contents_at_run_time(tmp_path: Path) -> None:
    result = subprocess.run([written(assemble(SOURCE), tmp_path)], check=False)
    assert result.returncode == 42


def test_readelf_has_no_complaint(tmp_path: Path, toolchain: Toolchain) -> None:
    assert toolchain.readelf is not None
    program = written(assemble(SOURCE), tmp_path)
    result = subprocess.run(
        [toolchain.readelf.path, "-a", "-W", program], capture_output=True, text=True, check=True
    )
    assert result.stderr == ""
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    loads = [line.split()[6:-1] for line in lines if line.startswith("LOAD")]
    assert ["".join(flags) for flags in loads] == ["R", "RE", "R", "RW"]
    assert any(line.startswith("GNU_SFRAME") for line in lines)
    assert any(line.startswith("GNU_STACK") and " RW 0x10" in line for line in lines)
    assert any(re.search(r"\.sframe GNU_SFRAME .* A 0 0 8$", line) for line in lines)
    assert any(line.endswith("FUNC GLOBAL DEFAULT 1 _start") for line in lines)
    assert any(line.endswith("OBJECT LOCAL DEFAULT 5 pointer") for line in lines)


def test_symbols_have_the_extent_of_their_code() -> None:
    case = assemble(SOURCE)
    sizes = {name: symbol.size for name, symbol in case.symbols.items()}
    assert sizes == {"_start": 33, "framed": 7, "bare": 2, "answer": 0, "pointer": 8, "room": 0}
    assert {one.name: one.size for one in Elf(case.elf).symbols() if one.name} == sizes
    assert [name for name, symbol in case.symbols.items() if symbol.is_function] == [
        "_start",
        "framed",
        "bare",
    ]


def test_lines_of_instructions() -> None:
    case = assemble(SOURCE)
    text = SOURCE.splitlines()
    at = case.symbols["framed"].address
    assert [text[case.lines[at + offset] - 1].strip() for offset in (0, 1, 4, 5, 6)] == [
        "push rbp",
        "mov rbp, rsp",
        "nop",
        "pop rbp",
        "ret",
    ]


def test_sframe_segment_and_section_agree() -> None:
    case = assemble(SOURCE)
    section = Section.from_elf(case.elf)
    assert section.address == case.section_addresses[".sframe"]
    assert [fde.start for fde in section.fdes] == [
        case.symbols["_start"].address,
        case.symbols["framed"].address,
    ]


@pytest.mark.skipif(not ON_X86_64_LINUX, reason="the executables are for x86-64 Linux")
@pytest.mark.skipif(shutil.which("gdb") is None, reason="no gdb on this machine")
def test_gdb_unwinds_with_eh_frame(tmp_path: Path) -> None:
    program = written(assemble(SOURCE), tmp_path)
    result = subprocess.run(
        ["gdb", "-nx", "-batch", "-ex", "break *framed+4", "-ex", "run", "-ex", "bt", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    frames = re.findall(r"^#\d+ .* in (\w+) \(\)$", result.stdout, re.MULTILINE)
    if "ptrace" in result.stderr:
        pytest.skip("gdb may not trace here")
    assert frames == ["framed", "_start"]


def test_no_tables_without_cfi() -> None:
    case = assemble("#@ title: t\n.intel_syntax noprefix\n_start: ret\n")
    assert ".sframe" not in case.section_addresses
    assert ".eh_frame" not in case.section_addresses
