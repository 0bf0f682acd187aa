"""`emu check` of several programs: order, combined reports and statuses, bad ends, Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from emu.asm import assemble

WRONG = Path(__file__).parent.parent.parent / "asm_cases" / "wrong_cfa.s"

SAYS = """\
#@ title: Counts for a while, then writes its first argument, or its name without one
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov ecx, {rounds}
again:  dec ecx
        jnz again
        mov rsi, [rsp+16]
        test rsi, rsi
        jnz write
        mov rsi, [rsp+8]
write:  mov eax, 1
        mov edi, 1
        mov edx, 5
        syscall
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc
"""
ENDLESS = """\
#@ title: Writes its name and goes on for ever
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov rsi, [rsp+8]
        mov eax, 1
        mov edi, 1
        mov edx, 5
        syscall
again:  inc rax
        jmp again
        .cfi_endproc
"""


def build(source: str | Path, path: Path) -> str:
    path.write_bytes(assemble(source).elf)
    path.chmod(0o755)
    return str(path)


def emu(*words: str, directory: Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "emu", "check", *words],
        input=stdin, capture_output=True, check=False, cwd=directory,
    )  # fmt: skip


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A directory with `slow`, `quick`, `wrong` and `endless`."""
    build(SAYS.format(rounds=3_000_000), tmp_path / "slow")
    build(SAYS.format(rounds=1), tmp_path / "quick")
    build(WRONG, tmp_path / "wrong")
    build(ENDLESS, tmp_path / "endless")
    return tmp_path


def test_reports_and_output_are_in_order_and_the_worst_status_is_the_command_s(
    programs: Path,
) -> None:
    words = ["./slow", "./quick", "./wrong", "./quick", "--jobs", "3"]
    result = emu(*words, "--json", "all.json", "--junit", "all.xml", directory=programs)
    text = result.stderr.decode()
    assert result.returncode == 1, text
    assert result.stdout == b"./slo./qui./qui"
    shown = [line.split()[1] for line in text.splitlines() if line.startswith("program ")]
    assert shown == ["./slow:", "./quick:", "./wrong:", "./quick:"]
    assert text.endswith("4 programs: 3 with nothing wrong, 1 with findings\n")
    documents = [json.loads(line) for line in (programs / "all.json").read_text().splitlines()]
    assert [document["program"] for document in documents] == words[:4]
    assert [len(document["findings"]) > 0 for document in documents] == [False, False, True, False]
    assert documents[0]["instructions"] == documents[0]["checked"] > 6_000_000
    suites = ET.parse(programs / "all.xml").getroot().findall("testsuite")
    assert [suite.get("name") for suite in suites] == [f"emu check {name}" for name in words[:4]]
    assert [int(suite.get("failures", "")) > 0 for suite in suites] == [False, False, True, False]


def test_each_document_is_that_of_a_run_by_itself(programs: Path) -> None:
    both = emu("./wrong", "./quick", "--json", "-", directory=programs)
    assert b"./qui" in both.stderr
    for name, line in zip(["./wrong", "./quick"], both.stdout.splitlines(), strict=True):
        alone = json.loads(emu(name, "--json", "-", directory=programs).stdout)
        document = json.loads(line)
        for key in ("seconds", "instructions_per_second"):
            del alone[key], document[key]
        assert document == alone


def test_arguments_are_given_to_each_and_a_list_has_its_own(programs: Path) -> None:
    lines = "./quick 'a b c'  # says a b c\n\n# nothing\n./quick\n"
    result = emu("./quick", "--list", "-", "--", "first", directory=programs, stdin=lines.encode())
    assert result.returncode == 0, result.stderr
    assert result.stdout == b"first" + b"a b c" + b"./qui"
    alone = emu("--list", "-", "--json", "-", directory=programs, stdin=b"./quick\n")
    assert alone.stdout.count(b"\n") == 1


def test_a_program_that_cannot_be_started_does_not_stop_the_others(programs: Path) -> None:
    result = emu("./none", "./wrong", "./quick", "--junit", "all.xml", directory=programs)
    assert result.returncode == 2
    text = result.stderr.decode()
    assert text.startswith("emu: ./none: No such file or directory\n")
    assert text.endswith("3 programs: 1 with nothing wrong, 1 with findings, 1 not checked\n")
    none, *others = ET.parse(programs / "all.xml").getroot()
    assert (none.get("errors"), none.find("testcase/error") is not None) == ("1", True)
    assert [suite.get("errors") for suite in others] == ["0", "0"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "no PROGRAM"),
        (["--list", "nothing"], "nothing: No such file"),
        (["--list", "open"], "open:2: No closing quotation"),
        (["./quick", "./wrong", "--stdin", "-"], "cannot be shared"),
        (["-", "./wrong"], "cannot be shared"),
        (["--list", "-", "--stdin", "-", "./quick"], "cannot be shared"),
    ],
)
def test_what_cannot_be_meant(words: list[str], said: str, programs: Path) -> None:
    (programs / "open").write_text("./quick\n./quick 'a\n")
    result = emu(*words, directory=programs, stdin=b"./quick\n")
    assert result.returncode == 2
    assert result.stdout == b""
    text = result.stderr.decode()
    assert said in text
    assert text.count("\n") == 1


def begin(directory: Path, *words: str) -> tuple[subprocess.Popen[bytes], int]:
    """The command, and the process that checks `./endless`, once that has written its name."""
    command = subprocess.Popen(
        [sys.executable, "-m", "emu", "check", "--jobs", "1", *words],
        cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        children = Path(f"/proc/{command.pid}/task/{command.pid}/children").read_text().split()
        for child in children:
            # Its output goes to a file that is named by the number of the program.
            output = Path(f"/proc/{child}/fd/1")
            try:
                if output.readlink().name == "1.out" and output.stat().st_size:
                    return command, int(child)
            except FileNotFoundError:
                continue  # it has ended meanwhile
        time.sleep(0.05)
    command.kill()
    raise AssertionError("no process checks ./endless")


def test_a_process_that_dies_is_one_line(programs: Path) -> None:
    command, worker = begin(programs, "./quick", "./endless", "./wrong")
    os.kill(worker, signal.SIGSEGV)
    stdout, stderr = command.communicate(timeout=60)
    text = stderr.decode()
    assert command.returncode == 2
    assert stdout == b"./qui./end"
    line = "emu: ./endless: the process that checked it was ended by SIGSEGV\n"
    assert line in text
    assert "Traceback" not in text
    assert text.endswith("3 programs: 1 with nothing wrong, 1 with findings, 1 not checked\n")


def test_an_error_in_a_process_is_one_line(programs: Path) -> None:
    script = (
        "import sys; from emu.cli import check_worker, main\n"
        "def check(guest): raise ValueError('not thought of')\n"
        "check_worker._check = check\n"
        "sys.exit(main.main(['check', './quick', './wrong']))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=False, cwd=programs
    )
    assert result.returncode == 2
    failed = "the process that checked it failed: ValueError: not thought of\n"
    assert result.stderr.decode() == (
        f"emu: ./quick: {failed}emu: ./wrong: {failed}2 programs: 2 not checked\n"
    )


def test_an_interrupt_ends_with_what_was_done(programs: Path) -> None:
    words = ["./wrong", "./endless", "./quick", "--json", "all.json", "--junit", "all.xml"]
    command, worker = begin(programs, *words)
    os.kill(command.pid, signal.SIGINT)
    _, stderr = command.communicate(timeout=60)
    text = stderr.decode()
    assert command.returncode == 130
    assert "Traceback" not in text
    assert text.endswith("3 programs: 1 with findings, 1 interrupted, 1 not begun\n")
    documents = [json.loads(line) for line in (programs / "all.json").read_text().splitlines()]
    assert [document["ended"] for document in documents] == ["exit", "interrupted"]
    assert documents[1]["checked"] > 0
    assert len(ET.parse(programs / "all.xml").getroot()) == 2
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)


def test_no_process_outlives_the_command(programs: Path) -> None:
    command, worker = begin(programs, "./quick", "./endless")
    command.kill()
    command.communicate(timeout=60)
    for _ in range(200):
        try:
            state = Path(f"/proc/{worker}/stat").read_text().rpartition(") ")[2][0]
        except (FileNotFoundError, ProcessLookupError):
            return
        if state in "ZX":
            return  # ended, but where process 1 is no init nobody asks for its status
        time.sleep(0.05)
    raise AssertionError("it goes on")
