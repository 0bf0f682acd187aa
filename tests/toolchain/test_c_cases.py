"""The C cases and the prebuilt set: they say what they are, and they run."""

import hashlib
import lzma
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from emu.toolchain import Toolchain, ToolchainError
from emu.toolchain.c_case import LEVELS, CCase, build_case, read_c_case, read_c_cases
from emu.toolchain.prebuilt import ARCHIVE, MANIFEST, read_manifest, unpack_programs
from emu.toolchain.probe import sframe_version

DIRECTORY = Path(__file__).parent.parent.parent / "c_cases"
PREBUILT = DIRECTORY / "prebuilt"
CASES = read_c_cases(DIRECTORY)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case_runs_natively(toolchain: Toolchain, tmp_path: Path, case: CCase, level: str) -> None:
    program = build_case(toolchain, case, level, tmp_path / "program", ["-Wall", "-Werror"])
    assert sframe_version(program) == 3
    runs = [subprocess.run([program], capture_output=True, check=False) for _ in range(2)]
    assert [run.returncode for run in runs] == [case.exit_status] * 2
    assert runs[0].stdout == runs[1].stdout != b""
    assert runs[0].stderr == b""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_function_has_its_rows(toolchain: Toolchain, tmp_path: Path, case: CCase) -> None:
    assert toolchain.readelf is not None
    # An object file, so that libc's functions are not in it.
    made = build_case(toolchain, case, "-O0", tmp_path / "case.o", ["-c"])
    dump, symbols = (
        subprocess.run(
            [toolchain.readelf.path, *option, made], capture_output=True, text=True, check=True
        ).stdout
        for option in (["--sframe"], ["-sW"])
    )
    functions = re.findall(r"\bFUNC\s+(?:LOCAL|GLOBAL)\s+DEFAULT\s+\d+\s+(\S+)", symbols)
    assert "main" in functions
    assert dump.count("func idx") == len(functions)


def test_prebuilt_programs_are_the_cases_at_every_level(tmp_path: Path) -> None:
    manifest = read_manifest(PREBUILT)
    expected = {case.program_name(level): case for case in CASES for level in LEVELS}
    assert {program.name for program in manifest.programs} == set(expected)
    written = unpack_programs(PREBUILT, tmp_path)
    assert {path.name for path in written} == set(expected)
    for program in manifest.programs:
        path, case = tmp_path / program.name, expected[program.name]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == program.sha256
        assert sframe_version(path) == 3
        assert subprocess.run([path], capture_output=True, check=False).returncode == (
            case.exit_status
        )
        assert program.source == case.path.name
    assert sum(path.stat().st_size for path in PREBUILT.iterdir()) < 3 << 20


def test_damaged_set(tmp_path: Path) -> None:
    (tmp_path / "into").mkdir()
    copy = tmp_path / "copy"
    shutil.copytree(PREBUILT, copy)
    packed = (copy / ARCHIVE).read_bytes()
    plain = lzma.decompress(packed)

    (copy / ARCHIVE).write_bytes(packed[: len(packed) // 2])
    with pytest.raises(ToolchainError, match=ARCHIVE):
        unpack_programs(copy, tmp_path / "into")

    changed = bytearray(plain)
    changed[200_000] ^= 1
    (copy / ARCHIVE).write_bytes(lzma.compress(bytes(changed), preset=0))
    with pytest.raises(ToolchainError, match="is not what was built"):
        unpack_programs(copy, tmp_path / "into")

    (copy / MANIFEST).write_text('{"tools": {}, "programs": [{}]}')
    with pytest.raises(ToolchainError, match="not a manifest"):
        unpack_programs(copy, tmp_path / "into")

    (copy / MANIFEST).unlink()
    with pytest.raises(ToolchainError, match="No such file"):
        unpack_programs(copy, tmp_path / "into")


@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        ("int main;", "says no 'title'"),
        ("/* title: T\n * shows: S\n */", "says no 'exit'"),
        ("/* title: T\n * shows: S\n * exit: many\n */", "'many' is no exit status"),
        ("/* title: T\n * colour: red\n */", "'colour' is no key"),
    ],
)
def test_header_that_says_too_little(tmp_path: Path, header: str, complaint: str) -> None:
    path = tmp_path / "case.c"
    path.write_text(header)
    with pytest.raises(ToolchainError, match=complaint):
        read_c_case(path)


def test_header(tmp_path: Path) -> None:
    path = tmp_path / "case.c"
    lines = ["title: T", "shows: one", "       two", "exit: 3", "flags: -a -b", "", "More."]
    path.write_text("/* " + "\n * ".join(lines) + "\n */\n")
    assert read_c_case(path) == CCase(path, "T", "one two", 3, ("-a", "-b"))
