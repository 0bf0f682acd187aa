"""Where the compiled hook is kept: beside the package, for the user, or nowhere."""

import importlib
import os
import shutil
import subprocess
import sys
from ctypes import CFUNCTYPE, c_int64
from pathlib import Path

import pytest
from numba import types

import emu
from emu.asm import assemble
from emu.check.fast.compile import _compile

CASE = Path(__file__).parent.parent.parent / "asm_cases" / "leaf.s"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A copy of the package in whose directories nothing can be kept, not even by root."""
    package = tmp_path / "site" / "emu"
    assert emu.__file__ is not None
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(emu.__file__).parent, package, ignore=ignored)
    for directory in (package, *filter(Path.is_dir, list(package.rglob("*")))):
        (directory / "__pycache__").write_text("a file where a directory would have to be")
    return package.parent


def check(installed: Path, home: Path) -> None:
    program = installed.parent / "program"
    program.write_bytes(assemble(CASE).elf)
    program.chmod(0o755)
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("NUMBA", "XDG", "PYTHON"))
    }
    environment |= {"HOME": str(home), "PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, "-m", "emu", "check", str(program)],
        env=environment, capture_output=True, check=False, text=True, cwd=installed,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "fast engine" in done.stderr
    assert "Warning" not in done.stderr


def kept(directory: Path) -> dict[Path, int]:
    """The files of compiled code, and when they were written."""
    return {file: file.stat().st_mtime_ns for file in directory.rglob("*.nb[ci]")}


def test_it_is_kept_for_the_user_where_the_package_is_read_only(
    installed: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    check(installed, home)
    first = kept(home)
    assert len(first) >= 2, "code and its index"
    check(installed, home)
    assert kept(home) == first, "the second run has compiled nothing"
    assert not kept(installed)


def test_without_a_place_to_keep_it_every_run_compiles(installed: Path) -> None:
    check(installed, Path("/dev/null"))
    assert not kept(installed)


FUNCTION = "def answer(number):\n    return number * 6\n"


@pytest.mark.parametrize("ending", [".nbi", ".nbc"])
@pytest.mark.parametrize("spoil", [b"", b"\x80\x05", b"no pickle at all"])
def test_a_kept_file_that_cannot_be_read_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str, spoil: bytes
) -> None:
    (tmp_path / f"spoiled{ending[1:]}{len(spoil)}.py").write_text(FUNCTION)
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module(f"spoiled{ending[1:]}{len(spoil)}")
    signature = types.int64(types.int64)
    for _ in range(2):
        address = _compile(module.answer, signature)
        assert CFUNCTYPE(c_int64, c_int64)(address)(7) == 42
        files = [file for file in tmp_path.rglob("*.nb?") if file.suffix == ending]
        assert files, "it is kept"
        for file in files:
            file.write_bytes(spoil)
    assert _compile(module.answer, signature)
    assert all(file.read_bytes() != spoil for file in files)
