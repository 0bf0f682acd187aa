"""Compiling so that SFrame V3 comes out, whatever the language."""

from pathlib import Path

import pytest

from emu.toolchain import Toolchain, ToolchainError, compiler_command
from emu.toolchain.probe import sframe_version
from emu.toolchain.toolchain import driver_for


@pytest.mark.parametrize(
    ("arguments", "compiler", "driver"),
    [
        (["a.c"], "gcc", "gcc"),
        (["-O2", "a.cpp", "b.c"], "gcc", "g++"),
        (["-c", "a.C"], "gcc", "g++"),
        (["-x", "c++", "a.txt"], "gcc", "g++"),
        (["-xc++", "-"], "gcc", "g++"),
        (["-x", "c", "a.cc"], "gcc", "gcc"),
        (["a.cc"], "gcc-16", "g++-16"),
        (["a.cc"], "clang", "clang++"),
        (["a.cc"], "clang-19", "clang++-19"),
        (["a.c"], "g++", "g++"),
        (["-Idir.cc", "a.c"], "gcc", "gcc"),
        (["a.cc"], "/opt/bin/gcc", "/opt/bin/gcc"),
    ],
)
def test_driver(arguments: list[str], compiler: str, driver: str) -> None:
    assert driver_for(arguments, compiler) == driver


def test_command(toolchain: Toolchain) -> None:
    assert toolchain.as_ is not None
    command = compiler_command(["-O2", "a.c"])
    assert command[0] == str(toolchain.compilers["gcc"].path)
    assert f"-B{toolchain.as_.path.parent}/" in command
    assert command[-3:] == ["-Wa,--gsframe-3", "-O2", "a.c"]


def test_c_and_cxx(toolchain: Toolchain, tmp_path: Path) -> None:
    c, cxx = tmp_path / "half.c", tmp_path / "half.cc"
    c.write_text("int half(int x) { return x / 2; }\n")
    cxx.write_text('extern "C" int half(int);\nint main() { return half(8); }\n')
    part = toolchain.compile([c], tmp_path / "half.o", ["-c"])
    whole = toolchain.compile([cxx, part], tmp_path / "half")
    assert sframe_version(part) == sframe_version(whole) == 3


def test_message_of_the_compiler(toolchain: Toolchain, tmp_path: Path) -> None:
    source = tmp_path / "bad.c"
    source.write_text("int main(void) { return missing; }\n")
    with pytest.raises(ToolchainError, match=r"missing\W undeclared"):
        toolchain.compile([source], tmp_path / "bad")


def test_compiler_that_is_not_there(toolchain: Toolchain) -> None:
    with pytest.raises(ToolchainError, match="nocc is not on PATH"):
        toolchain.compile(["a.c"], "a", compiler="nocc")


def test_nothing_that_writes_the_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolchainError, match="run `emu toolchain install`"):
        compiler_command(["a.c"])
