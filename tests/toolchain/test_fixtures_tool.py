"""The prebuilt programs are what the C cases give today, byte for byte."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from emu.toolchain import Toolchain

REPOSITORY = Path(__file__).parent.parent.parent


def check(repository: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(repository / "tools/fixtures.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )


def copied(tmp_path: Path) -> Path:
    (tmp_path / "tools").mkdir()
    shutil.copy(REPOSITORY / "tools/fixtures.py", tmp_path / "tools")
    shutil.copytree(REPOSITORY / "c_cases", tmp_path / "c_cases")
    return tmp_path


def test_prebuilt_programs_are_up_to_date(toolchain: Toolchain) -> None:
    result = check(REPOSITORY)
    assert result.returncode == 0, result.stdout + result.stderr
    last = result.stdout.splitlines()[-1]
    assert last.endswith(", 0 differ") or last.startswith("not compared: other tools")


def test_other_tools_are_named_and_nothing_is_compared(
    toolchain: Toolchain, tmp_path: Path
) -> None:
    repository = copied(tmp_path)
    path = repository / "c_cases/prebuilt/manifest.json"
    manifest = json.loads(path.read_text())
    manifest["tools"]["gcc"] = "gcc 1.0"
    path.write_text(json.dumps(manifest))
    result = check(repository)
    assert result.returncode == 0
    assert "gcc: built with gcc 1.0, here is gcc" in result.stdout
    assert result.stdout.endswith("not compared: other tools make other bytes\n")


def test_changed_case_is_noticed(toolchain: Toolchain, tmp_path: Path) -> None:
    repository = copied(tmp_path)
    for path in (repository / "c_cases").glob("*.c"):
        if path.stem not in {"big_frames", "tail_calls"}:
            path.unlink()
    # By this machine's tools, so that programs are compared wherever this runs.
    command = [sys.executable, str(repository / "tools/fixtures.py"), "--rebuild"]
    subprocess.run(command, check=True)
    assert check(repository).stdout.endswith("6 programs built anew, 0 differ\n")
    case = repository / "c_cases/big_frames.c"
    case.write_text(case.read_text().replace("4000", "4008"))
    result = check(repository)
    assert result.returncode == 1
    assert result.stdout.splitlines()[1:] == [
        "big_frames-O0: differs from what is stored",
        "big_frames-O2: differs from what is stored",
        "big_frames-Os: differs from what is stored",
        "6 programs built anew, 3 differ",
    ]
