"""Files that reports are written to, and standard output: whole or not at all, told by name."""

import json
import os
import resource
import subprocess
import sys
import threading
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from emu.asm import assemble
from emu.cli.report_file import ReportFile
from emu.cli.usage import UsageError

CASES = Path(__file__).parent.parent.parent / "asm_cases"


SAYS = """\
#@ title: Says hello
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        push 0x6f
        mov rax, 0x6c6c6568
        shl qword ptr [rsp], 32
        or [rsp], rax
        mov rsi, rsp
        mov eax, 1
        mov edi, 1
        mov edx, 5
        syscall
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """One with two findings, which writes nothing."""
    path = tmp_path / "wrong"
    path.write_bytes(assemble(CASES / "wrong_cfa.s").elf)
    path.chmod(0o755)
    return path


@pytest.fixture
def says(tmp_path: Path) -> Path:
    """One that writes `hello` to its standard output."""
    path = tmp_path / "says"
    path.write_bytes(assemble(SAYS).elf)
    path.chmod(0o755)
    return path


def emu(*words: str | Path, directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "emu", *map(str, words)],
        capture_output=True, text=True, check=False, cwd=directory,
    )  # fmt: skip


def test_a_file_is_replaced_and_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "report"
    ReportFile(str(path)).write(b"first")
    assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()
    path.chmod(0o640)
    old = path.open("rb")
    ReportFile(str(path)).write(b"second")
    assert path.read_bytes() == b"second"
    assert path.stat().st_mode & 0o777 == 0o640
    # Whoever has the older one open reads it to its end.
    assert old.read() == b"first"
    old.close()
    assert [file.name for file in tmp_path.iterdir()] == ["report"]


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_links_lead_to_the_file_and_stay(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target = tmp_path / "real" / "report"
    link, twin = tmp_path / "link", tmp_path / "twin"
    link.symlink_to(target)
    ReportFile(str(link)).write(b"made through the link")
    assert link.is_symlink()
    assert target.read_bytes() == b"made through the link"
    twin.hardlink_to(target)
    ReportFile(str(twin)).write(b"both names")
    assert target.read_bytes() == b"both names"


def test_a_file_that_cannot_be_completed_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "report"
    path.write_bytes(b"older")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(UsageError, match=f"{path}: File too large"):
            ReportFile(str(path)).write(bytes(5000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == b"older"
    assert [file.name for file in tmp_path.iterdir()] == ["report"]


def test_a_pipe_is_written_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(path.read_bytes()))
    reader.start()
    ReportFile(str(path)).write(b"report")
    reader.join(timeout=60)
    assert read == [b"report"]


def test_what_is_appended_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "report"
    path.write_bytes(b"older")
    file = ReportFile(str(path))
    assert path.read_bytes() == b"older"
    file.append(b"one\n")
    file.append(b"two\n")
    file.flush()
    assert path.read_bytes() == b"one\ntwo\n"
    file.finish()
    ReportFile(str(path)).finish()
    assert path.read_bytes() == b""


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("absent/report", "No such file or directory"),
        (".", "Is a directory"),
        ("file/report", "No such file or directory"),
        ("loop", "Symlink loop|Too many levels"),
        ("a\0b", "null byte|null character"),
        ("a" * 300, "File name too long"),
    ],
)
def test_what_cannot_be_written_is_told_before_the_run(
    name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(UsageError, match=said):
        ReportFile(name)


@pytest.mark.parametrize("option", ["output", "json", "junit", "sarif", "html"])
def test_every_report_goes_to_standard_output(option: str, says: Path, tmp_path: Path) -> None:
    done = emu("check", f"--{option}", "-", says, directory=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "hello" in done.stderr
    assert "hello" not in done.stdout
    assert ("nothing wrong" in done.stderr) == (option != "output")
    match option:
        case "output":
            assert done.stdout.endswith("nothing wrong\n")
        case "json":
            assert json.loads(done.stdout)["ended"] == "exit"
        case "junit":
            assert ET.fromstring(done.stdout).find("testsuite") is not None
        case "sarif":
            assert json.loads(done.stdout)["version"] == "2.1.0"
        case "html":
            assert done.stdout.startswith("<!DOCTYPE html>")
            assert done.stdout.endswith("</html>\n")


def test_files_are_of_the_run_and_one_that_fails_leaves_older_ones(
    program: Path, tmp_path: Path
) -> None:
    names = {f"--{name}": tmp_path / name for name in ("sarif", "html", "junit", "json", "output")}
    words = [str(word) for pair in names.items() for word in pair]
    assert emu("check", *words, tmp_path / "absent", directory=tmp_path).returncode == 2
    assert not [path for path in names.values() if path.exists()]
    for path in names.values():
        path.write_text("older")
    assert emu("check", *words, tmp_path / "absent", directory=tmp_path).returncode == 2
    assert {path.read_text() for path in names.values()} == {"older"}
    assert emu("check", *words, program, directory=tmp_path).returncode == 1
    sarif = json.loads((tmp_path / "sarif").read_text())
    assert [one["ruleId"] for one in sarif["runs"][0]["results"]] == ["wrong-pc", "wrong-sp"]
    assert (tmp_path / "html").read_text().count("<article") == 2
    assert (tmp_path / "output").read_text().endswith("2 findings\n")


def test_documents_of_several_programs(program: Path, says: Path, tmp_path: Path) -> None:
    words = ["--jobs", "2", "--sarif", "all.sarif", "--html", "all.html"]
    done = emu("check", *words, program, "./absent", says, directory=tmp_path)
    assert done.returncode == 2
    runs = json.loads((tmp_path / "all.sarif").read_text())["runs"]
    assert [len(run["results"]) for run in runs] == [2, 0, 0]
    codes = [run["invocations"][0]["exitCode"] for run in runs]
    assert codes == [1, 2, 0]
    alone = emu("check", "--sarif", "-", program, directory=tmp_path)
    (run,) = json.loads(alone.stdout)["runs"]
    for one in (run, runs[0]):
        for differing in ("seconds", "instructions_per_second"):
            del one["properties"][differing]
    assert run == runs[0]
    page = (tmp_path / "all.html").read_text()
    assert page.count('<section class="program"') == 3
    assert "./absent: No such file or directory" in page


@pytest.mark.parametrize("words", [["--sarif", "-", "--html", "-"], ["--json", "a", "--html", "a"]])
def test_two_reports_cannot_have_one_place(words: list[str], program: Path, tmp_path: Path) -> None:
    done = emu("check", *words, program, directory=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("emu: only one of --")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "a").exists()


def test_a_name_of_convert_that_no_module_has_is_told(program: Path, tmp_path: Path) -> None:
    done = emu("check", "--convert", "wrong", "--convert", "libx", program, directory=tmp_path)
    assert "note      --convert: no module is called libx\n" in done.stderr
    done = emu("check", "--convert", "all", program, directory=tmp_path)
    assert "--convert" not in done.stderr
    done = emu("profile", "--convert", "libx", "--output", "p", program, directory=tmp_path)
    assert done.returncode == 0
    assert "emu: --convert: no module is called libx\n" in done.stderr


def test_a_profile_that_cannot_begin_leaves_an_older_one(program: Path, tmp_path: Path) -> None:
    older = tmp_path / "profile"
    older.write_text("older")
    words = ["profile", "--output", "profile", "--every", "1"]
    assert emu(*words, tmp_path / "absent", directory=tmp_path).returncode == 2
    assert older.read_text() == "older"
    assert emu(*words, program, directory=tmp_path).returncode == 0
    assert "instructions:u" in older.read_text()
    never = ["profile", "--output", "profile", "--every", "1000000"]
    assert emu(*never, program, directory=tmp_path).returncode == 0
    assert older.read_text() == ""
