"""Where the compiled hook is kept: beside the package, for the user, or nowhere."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import emu
from emu.asm import assemble

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
