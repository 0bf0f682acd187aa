"""Tools are judged by what they make, not by what they say."""

import subprocess
from pathlib import Path
from shlex import quote

import pytest

from emu.toolchain import Toolchain
from emu.toolchain.probe import (
    kept_by_linker,
    read_by_dumper,
    sframe_version,
    version_of,
    written_by_assembler,
)


def script(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def test_real_assembler_and_linker(toolchain: Toolchain) -> None:
    assert toolchain.as_ is not None
    assert toolchain.ld is not None
    assert 3 in written_by_assembler(toolchain.as_.path)
    assert kept_by_linker(toolchain.ld.path, toolchain.as_.path, (3,)) == (3,)


def test_assembler_that_lies_about_its_version(tmp_path: Path) -> None:
    liar = script(tmp_path / "as", 'echo "GNU assembler (GNU Binutils) 2.99"; : > "${3-/dev/null}"')
    assert version_of(liar) == "2.99"
    assert written_by_assembler(liar) == ()


def test_assembler_that_ignores_the_option(toolchain: Toolchain, tmp_path: Path) -> None:
    assert toolchain.as_ is not None
    # Drops its first argument, --gsframe-N: no section comes out.
    deaf = script(tmp_path / "as", f'shift; exec {quote(str(toolchain.as_.path))} "$@"')
    assert written_by_assembler(deaf) == ()


def test_linker_that_drops_the_section(toolchain: Toolchain, tmp_path: Path) -> None:
    assert toolchain.as_ is not None
    assert toolchain.ld is not None
    # What a linker that does not know the section's version does, in one option.
    linker = quote(str(toolchain.ld.path))
    objcopy = quote(str(toolchain.ld.path.parent / "objcopy"))
    dropping = script(tmp_path / "ld", f'{linker} "$@" && {objcopy} -R .sframe "$2"')
    assert kept_by_linker(dropping, toolchain.as_.path, (3,)) == ()


@pytest.mark.parametrize(("name", "option"), [("readelf", "--sframe"), ("objdump", "--sframe")])
def test_dumpers(toolchain: Toolchain, name: str, option: str) -> None:
    assert toolchain.as_ is not None
    tool = toolchain.readelf if name == "readelf" else toolchain.objdump
    assert tool is not None
    assert 3 in read_by_dumper(tool.path, option, toolchain.as_.path)
    assert tool.sframe


def test_tool_that_does_not_start(tmp_path: Path) -> None:
    broken = script(tmp_path / "as", "exit 1")
    assert version_of(broken) == ""
    assert written_by_assembler(broken) == ()
    assert written_by_assembler(tmp_path / "absent") == ()


def test_version_byte(toolchain: Toolchain, tmp_path: Path) -> None:
    source = tmp_path / "one.c"
    source.write_text("int one(void) { return 1; }\n")
    made = toolchain.compile([source], tmp_path / "one.o", ["-c"])
    assert sframe_version(made) == 3
    without = tmp_path / "without.o"
    subprocess.run(["gcc", "-c", "-o", without, source], check=True)
    assert sframe_version(without) is None


@pytest.mark.parametrize(
    "content",
    [b"", b"\x7fELF", b"\x7fELF\x02\x01" + b"\xff" * 58, b"\x7fELF\x01\x01" + bytes(200)],
    ids=["empty", "magic only", "offsets out of range", "32-bit"],
)
def test_files_that_are_no_object(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert sframe_version(path) is None
