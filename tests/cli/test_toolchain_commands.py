"""`emu toolchain` and `emu cc`, run as a user runs them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from emu.toolchain import Toolchain
from emu.toolchain.probe import sframe_version


def emu(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "emu", *words],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_json_says_what_was_found(toolchain: Toolchain) -> None:
    result = emu("toolchain", "--json")
    assert (result.returncode, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert list(found) == ["as", "ld", "readelf", "objdump", "compilers"]
    assert toolchain.as_ is not None
    assert found["as"] == {
        "path": str(toolchain.as_.path),
        "version": toolchain.as_.version,
        "sframe": list(toolchain.as_.sframe),
        "origin": toolchain.as_.origin.value,
    }
    assert 3 in found["compilers"]["gcc"]["sframe"]


def test_report(toolchain: Toolchain) -> None:
    assert toolchain.ld is not None
    lines = emu("toolchain").stdout.splitlines()
    assert lines[0].split() == ["tool", "version", "SFrame", "path"]
    assert any(line.startswith("ld ") and str(toolchain.ld.path) in line for line in lines)


def test_machine_with_nothing(tmp_path: Path) -> None:
    nothing = {"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    result = emu("toolchain", **nothing)
    assert result.returncode == 0
    assert result.stdout.endswith("run `emu toolchain install`.\n")
    found = json.loads(emu("toolchain", "--json", **nothing).stdout)
    assert found == {"as": None, "ld": None, "readelf": None, "objdump": None, "compilers": {}}


def test_install_without_apt(tmp_path: Path) -> None:
    result = emu("toolchain", "install", PATH=str(tmp_path), XDG_CACHE_HOME=str(tmp_path))
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr == (
        "emu: toolchain: apt-get is not here; install GNU binutils >= 2.46 (as and ld on PATH)\n"
    )


def test_with_needs_install() -> None:
    result = emu("toolchain", "--with", "gcc-16")
    assert result.returncode == 2
    assert "--with goes with install" in result.stderr


def test_cc_builds(toolchain: Toolchain, tmp_path: Path) -> None:
    source = tmp_path / "one.c"
    source.write_text("int main(void) { return 5; }\n")
    program = tmp_path / "one"
    result = emu("cc", "-O2", "-g", str(source), "-o", str(program))
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert sframe_version(program) == 3
    assert subprocess.run([program], check=False).returncode == 5


def test_cc_passes_everything_on(toolchain: Toolchain, tmp_path: Path) -> None:
    assert emu("cc", "--compiler", "g++", "-dumpversion").stdout.strip()
    assert emu("cc", "--compiler=gcc", "--version").stdout.startswith("gcc")
    missing = emu("cc", "-c", str(tmp_path / "none.c"))
    assert missing.returncode == 1
    assert "none.c" in missing.stderr
    preprocessed = subprocess.run(
        [sys.executable, "-m", "emu", "cc", "-E", "-x", "c", "-"],
        input="THREE\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert "THREE" in preprocessed.stdout


def test_cc_help() -> None:
    result = emu("cc", "--help")
    assert result.returncode == 0
    assert "emu cc -O2 -g prog.c -o prog" in result.stdout


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "nothing to compile"),
        (["--compiler"], "--compiler needs the name of one"),
        (["--compiler", "nocc", "a.c"], "nocc is not on PATH"),
    ],
)
def test_cc_usage(toolchain: Toolchain, words: list[str], complaint: str) -> None:
    result = emu("cc", *words)
    assert result.returncode == 2
    assert complaint in result.stderr
    assert result.stderr.count("\n") == 1


def test_cc_without_toolchain(tmp_path: Path) -> None:
    result = emu("cc", "a.c", PATH=str(tmp_path), XDG_CACHE_HOME=str(tmp_path))
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "run `emu toolchain install`" in result.stderr
