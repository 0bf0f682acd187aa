"""`emu assemble`."""

import subprocess
import sys
from pathlib import Path

import pytest

from emu.asm import assemble
from emu.cli.main import main

LEAF = Path(__file__).parents[2] / "asm_cases" / "leaf.s"
EMU = [sys.executable, "-m", "emu", "assemble"]


def test_writes_an_executable(tmp_path: Path) -> None:
    output = tmp_path / "leaf"
    assert main(["assemble", str(LEAF), "-o", str(output)]) == 0
    assert output.read_bytes() == assemble(LEAF).elf
    assert output.stat().st_mode & 0o111


def test_standard_input_and_output() -> None:
    result = subprocess.run(
        [*EMU, "-", "-o", "-"], input=LEAF.read_bytes(), capture_output=True, check=True
    )
    assert result.stdout == assemble(LEAF).elf
    assert result.stderr == b""


def test_one_line_and_exit_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.s"
    bad.write_text("#@ title: t\n.intel_syntax noprefix\n_start: mov eax, rbx\n")
    assert main(["assemble", str(bad), "-o", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"emu: {bad}:3: Keystone rejects")
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()
    assert main(["assemble", str(LEAF), "-o", str(tmp_path)]) == 2
    assert "Is a directory" in capsys.readouterr().err


def test_names_procedures_without_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "one.s"
    source.write_text(
        "#@ title: t\n.intel_syntax noprefix\n_start: .cfi_startproc\n.cfi_undefined rbp\nret\n"
        ".cfi_endproc\n"
    )
    assert main(["assemble", str(source), "-o", str(tmp_path / "one")]) == 0
    said = capsys.readouterr().err
    assert said == f"{source}:3: no SFrame FDE emitted; FP reg 6 in .cfi_undefined\n"
