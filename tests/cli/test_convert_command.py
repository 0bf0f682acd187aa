"""`emu convert`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from emu.cfi import convert
from emu.cli.main import main
from emu.sframe import Section
from emu.toolchain import Toolchain

EMU = [sys.executable, "-m", "emu", "convert"]
ASSEMBLY = """\
        .text
        .globl good, bad, worse, restored, main
good:   .cfi_startproc
        push %rbp
        .cfi_def_cfa_offset 16
        .cfi_offset %rbp, -16
        pop %rbp
        .cfi_def_cfa_offset 8
        .cfi_restore %rbp
        ret
        .cfi_endproc
bad:    .cfi_startproc
        nop
        .cfi_undefined %rbp
        ret
        .cfi_endproc
worse:  .cfi_startproc
        .cfi_signal_frame
        nop
        .cfi_escape 0x0f, 2, 0x77, 8, 0
        ret
        .cfi_endproc
restored:
        .cfi_startproc
        .cfi_offset %rbp, -24
        nop
        .cfi_restore %rbp
        ret
        .cfi_endproc
main:   .cfi_startproc
        nop
        .cfi_offset %rsp, -16
        xor %eax, %eax
        ret
        .cfi_endproc
        .section .note.GNU-stack
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory, toolchain: Toolchain) -> Path:
    directory = tmp_path_factory.mktemp("convert")
    source = directory / "prog.s"
    source.write_text(ASSEMBLY)
    compiler = toolchain.compilers["gcc"].path
    output = directory / "prog"
    subprocess.run([compiler, source, "-o", output], check=True)
    return output


def test_report(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", str(program)]) == 0
    lines = capsys.readouterr().out.splitlines()
    made = convert(program)
    assert lines[0] == (
        f"{program}: {made.fdes} FDEs, {made.fdes - 3} converted, 3 not; {made.rows} rows"
    )
    assert lines[1] == (
        f"  .sframe {len(made.data)} bytes at {made.address:#x},"
        f" .eh_frame {made.eh_frame_size} bytes"
    )
    text = "\n".join(lines[2:])
    assert "not converted: FP reg 6 in .cfi_undefined\n  0x" in text
    assert " bad, 2 bytes\n" in text
    assert "not converted: .cfi_escape with op (0xf)\n" in text
    assert " worse, 2 bytes, signal frame: FDE without rows\n" in text
    assert "rsp = *(CFA-16), and SFrame takes the CFA for it (as would not refuse it)\n" in text
    assert (
        "restored, 2 bytes, +0x1: CFA = rsp+8, RA = *(CFA-8);"
        " as: CFA = rsp+8, RA = *(CFA-8), FP = *(CFA-24)"
    ) in text


def test_with_the_defects_of_as(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", "--as-gnu", str(program)]) == 0
    text = capsys.readouterr().out
    assert "restored" not in text
    assert "takes the CFA" not in text
    assert "2 not" in text


def test_json(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", "--json", str(program)]) == 0
    report = json.loads(capsys.readouterr().out)
    made = convert(program)
    assert report["sframe_size"] == len(made.data)
    assert report["address"] == hex(made.address)
    refused = {one["function"]: one for one in report["refused"]}
    assert set(refused) == {"bad", "worse", "main"}
    assert refused["bad"] | {"start": ""} == {
        "function": "bad",
        "start": "",
        "size": 2,
        "section": None,
        "reason": "FP reg 6 in .cfi_undefined",
        "as_refuses": True,
        "kept_without_rows": False,
    }
    assert not refused["main"]["as_refuses"]
    assert refused["worse"]["kept_without_rows"]
    (corrected,) = report["corrected"]
    assert (corrected["function"], corrected["offset"]) == ("restored", 1)


def test_the_section_and_a_copy_with_it(program: Path, tmp_path: Path) -> None:
    made = convert(program)
    assert main(["convert", str(program), "-o", str(tmp_path / "section")]) == 0
    assert (tmp_path / "section").read_bytes() == made.data
    copy = tmp_path / "copy"
    assert main(["convert", str(program), "--attach", str(copy)]) == 0
    assert bytes(Section.from_elf(copy).data) == made.data
    assert copy.stat().st_mode & 0o777 == program.stat().st_mode & 0o777
    assert subprocess.run([copy], check=False).returncode == 0


def test_standard_input_and_output(program: Path) -> None:
    result = subprocess.run(
        [*EMU, "-", "-o", "-"], input=program.read_bytes(), capture_output=True, check=True
    )
    assert result.stdout == convert(program).data
    assert result.stderr.startswith(b"-: ")


def test_all_functions_are_named_if_asked_for(
    toolchain: Toolchain, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert toolchain.as_ is not None
    source = tmp_path / "many.s"
    source.write_text(
        "".join(
            f"f{n}: .cfi_startproc\n nop\n .cfi_undefined 6\n nop\n .cfi_endproc\n"
            for n in range(20)
        )
    )
    subprocess.run([toolchain.as_.path, source, "-o", tmp_path / "o"], check=True)
    assert main(["convert", str(tmp_path / "o")]) == 0
    assert "  and 12 more\n" in capsys.readouterr().out
    assert main(["convert", "--all", str(tmp_path / "o")]) == 0
    text = capsys.readouterr().out
    assert "more" not in text
    assert " f19, 2 bytes\n" in text


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not an ELF file"),
        (b"\x7fELF" + bytes(60), "neither 32-bit nor 64-bit"),
    ],
)
def test_one_line_and_exit_status_2(
    data: bytes, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.write_bytes(data)
    assert main(["convert", str(file)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"emu: {file}: ")
    assert reason in said
    assert said.count("\n") == 1


def test_files_that_cannot_be_written(
    program: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["convert", str(program), "-o", str(tmp_path)]) == 2
    assert "Is a directory" in capsys.readouterr().err
    assert main(["convert", str(tmp_path / "none")]) == 2
    assert "No such file" in capsys.readouterr().err
