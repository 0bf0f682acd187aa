"""`emu check` from outside: exit statuses, where output goes, bad input, reports."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from emu.asm import assemble
from emu.sframe import Section

CASES = Path(__file__).parent.parent.parent / "asm_cases"

HELLO = """\
#@ title: Writes a line and reads one
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call hello
        xor eax, eax
        xor edi, edi
        lea rsi, [rip+buffer]
        mov edx, 64
        syscall
        mov edi, eax
        mov eax, 60
        syscall
        .cfi_endproc
hello:  .cfi_startproc
        mov eax, 1
        mov edi, 1
        lea rsi, [rip+text]
        mov edx, 6
        syscall
        ret
        .cfi_endproc
        .section .rodata
text:   .ascii "hello\\n"
        .bss
buffer: .skip 64
"""

LOOP = """\
#@ title: Writes a line and never ends
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov eax, 1
        mov edi, 1
        lea rsi, [rip+text]
        mov edx, 6
        syscall
1:      inc rax
        jmp 1b
        .cfi_endproc
        .section .rodata
text:   .ascii "begun\\n"
"""


def build(source: str | Path, path: Path) -> Path:
    path.write_bytes(assemble(source).elf)
    path.chmod(0o755)
    return path


@pytest.fixture
def hello(tmp_path: Path) -> Path:
    return build(HELLO, tmp_path / "hello")


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    return build(CASES / "wrong_cfa.s", tmp_path / "wrong")


def emu(*arguments: object, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "emu", "check", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, check=False)


def one_line(result: subprocess.CompletedProcess[bytes]) -> str:
    """The message of a run that could not start."""
    assert result.returncode == 2, result.stderr.decode()
    assert result.stdout == b""
    text = result.stderr.decode()
    assert text.startswith("emu: ")
    assert text.count("\n") == 1
    return text


def test_output_is_the_guest_s_and_the_report_goes_to_stderr(hello: Path) -> None:
    result = emu(hello)
    assert result.returncode == 0
    assert result.stdout == b"hello\n"
    assert b"nothing wrong" in result.stderr
    assert b"exit status 0" in result.stderr


def test_findings_are_exit_status_1_with_code_rows_and_a_sentence(wrong: Path) -> None:
    result = emu(wrong)
    assert result.returncode == 1
    text = result.stderr.decode()
    assert "row says CFA = rsp+" in text
    assert "but the return address is at rsp+" in text
    assert "→" in text


def test_json_on_stdout_sends_the_guest_s_output_to_stderr(hello: Path) -> None:
    result = emu("--json", "-", hello)
    document = json.loads(result.stdout)
    assert result.stderr.startswith(b"hello\n")
    assert document["schema"] == 1
    assert document["engine"] == "fast"
    assert document["policy"] == "kernel-v15"
    assert document["ended"] == "exit"
    assert document["exit_code"] == 0
    assert document["instructions"] == document["checked"] > 0
    assert document["frames"] == sum(document["steps"].values())
    assert document["walks"]["ok"] == document["checked"]
    assert document["truth"]["returns"] == document["truth"]["returns_verified"] == 1
    assert document["system_calls"]["write"] == {"count": 1, "unsupported": False}
    assert document["coverage"]["rows"] == document["coverage"]["rows_hit"]
    assert [module["sframe"] for module in document["modules"]] == ["present"]


def test_a_finding_in_json(wrong: Path) -> None:
    finding = json.loads(emu("--json", "-", wrong).stdout)["findings"][0]
    assert set(finding) == {
        "check", "verdict", "field", "module", "function", "pc", "snapshot_pc", "frame",
        "row_pc", "row", "expected", "got", "count", "blame", "reason", "source",
    }  # fmt: skip
    assert finding["check"] == "step"
    assert finding["verdict"] == "wrong"
    for key in ("pc", "snapshot_pc", "row_pc", "expected", "got"):
        assert finding[key].startswith("0x")


def test_junit_has_a_failure_for_each_finding(wrong: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    result = emu("--junit", report, "--json", "-", wrong)
    suite = ET.parse(report).getroot()[0]
    findings = json.loads(result.stdout)["findings"]
    assert int(suite.get("failures", "0")) == len(findings) > 0
    failures = suite.findall("testcase/failure")
    assert len(failures) == len(findings)
    assert all("blame: compiler" in (failure.text or "") for failure in failures)


def test_junit_of_a_good_program(hello: Path) -> None:
    suite = ET.fromstring(emu("--junit", "-", hello).stdout)[0]
    assert (suite.get("tests"), suite.get("failures")) == ("1", "0")


def test_stdin_env_and_arguments(hello: Path, tmp_path: Path) -> None:
    given = tmp_path / "input"
    given.write_bytes(b"abc")
    assert b"exit status 3" in emu("--stdin", given, hello).stderr
    assert b"exit status 4" in emu("--stdin", "-", hello, stdin=b"abcd").stderr
    assert b"exit status 0" in emu(hello, stdin=b"abcd").stderr
    assert emu("--env", "A=b", hello, "--", "-x", "--json").returncode == 0
    assert b"exit status 3" in emu(hello, "--stdin", given, "--", "x", "y").stderr
    assert emu(hello, "x").returncode == 2


def test_program_on_stdin(hello: Path) -> None:
    result = emu("-", stdin=hello.read_bytes())
    assert result.returncode == 0
    assert result.stdout == b"hello\n"
    assert "both" in one_line(emu("-", "--stdin", "-", stdin=hello.read_bytes()))


def test_report_to_a_file(hello: Path, tmp_path: Path) -> None:
    report = tmp_path / "report"
    result = emu("--output", report, hello)
    assert result.stderr == b""
    assert "nothing wrong" in report.read_text()


def test_at_checks_there_only(hello: Path) -> None:
    document = json.loads(emu("--json", "-", "--at", "hello", "--at", "hello+5", hello).stdout)
    assert document["checked"] == 2
    assert document["instructions"] > 2
    whole = json.loads(emu("--json", "-", "--at", "hello+*", hello).stdout)
    assert whole["checked"] == 6
    assert "no such symbol" in one_line(emu("--at", "nowhere", hello))
    assert "not SYMBOL" in one_line(emu("--at", "a+b", hello))


def test_limit_ends_an_endless_program(tmp_path: Path) -> None:
    loop = build(LOOP, tmp_path / "loop")
    document = json.loads(emu("--json", "-", "--max-instructions", 1000, loop).stdout)
    assert document["ended"] == "limit"
    assert document["instructions"] == 1000


def test_interrupt_reports_what_was_done(tmp_path: Path) -> None:
    loop = build(LOOP, tmp_path / "loop")
    report = tmp_path / "report.json"
    process = subprocess.Popen(
        [sys.executable, "-m", "emu", "check", "--json", str(report), str(loop)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.read(6) == b"begun\n"
        os.kill(process.pid, signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert b"interrupted" in stderr
    assert json.loads(report.read_text())["instructions"] > 0


@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_a_terminal_shows_how_far_it_is(engine: str, tmp_path: Path) -> None:
    loop = build(LOOP, tmp_path / "loop")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "emu", "check", "--engine", engine, str(loop)],
        stdout=subprocess.DEVNULL, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    try:
        while shown.count(b" findings") < 2:
            shown += os.read(ours, 1000)
        os.kill(process.pid, signal.SIGINT)
        while data := os.read(ours, 1000):
            shown += data
    except OSError:  # what Linux says when the last writer has closed a terminal
        assert process.wait(timeout=60) == 130
    finally:
        process.kill()
        os.close(ours)
    assert shown.startswith(b"\r\x1b[Kpreparing the engine")
    lines = re.findall(
        r"\r\x1b\[K([0-9,]+) instructions, ([0-9,]+)/s, 0 findings\r", shown.decode()
    )
    counts = [int(instructions.replace(",", "")) for instructions, _ in lines]
    assert counts == sorted(set(counts))
    assert counts[0] > 0
    assert "\r\x1b[Kprogram" in shown.decode().replace("\x1b[1m", "")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no ELF at all", "not an ELF file"),
        (b"", "not an ELF file"),
        (b"\x7fELF\x02\x01", "truncated"),
    ],
)
def test_files_that_are_no_programs(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert said in one_line(emu(path))


def test_other_machines_and_directories(hello: Path, tmp_path: Path) -> None:
    data = hello.read_bytes()
    other = tmp_path / "other"
    other.write_bytes(data[:4] + b"\x01" + data[5:])
    assert "32-bit" in one_line(emu(other))
    other.write_bytes(data[:18] + (183).to_bytes(2, "little") + data[20:])
    assert "AArch64" in one_line(emu(other))
    other.write_bytes(data[: len(data) // 4])
    assert "truncated" in one_line(emu(other))
    assert one_line(emu(tmp_path))
    assert one_line(emu(tmp_path / "nothing"))


def test_usage_errors(hello: Path, tmp_path: Path) -> None:
    assert "unknown policy" in one_line(emu("--policy", "linux", hello))
    assert "--env" in one_line(emu("--env", "novalue", hello))
    assert one_line(emu("--json", tmp_path / "no" / "file", hello))
    assert one_line(emu("--output", tmp_path / "no" / "file", hello))
    assert one_line(emu("--stdin", tmp_path / "nothing", hello))
    assert "only one" in one_line(emu("--json", "-", "--junit", "-", hello))
    assert emu("--max-instructions", "0", hello).returncode == 2
    assert emu().returncode == 2


def test_a_program_without_a_table_runs(hello: Path, tmp_path: Path) -> None:
    data = hello.read_bytes()
    start = Section.from_elf(data).file_offset
    for version, said in ((2, "rejected"), (1, "rejected")):
        path = tmp_path / f"v{version}"
        path.write_bytes(data[: start + 2] + bytes([version]) + data[start + 3 :])
        result = emu("--json", "-", path)
        document = json.loads(result.stdout)
        assert result.returncode == 0
        assert document["modules"][0]["sframe"].startswith(said)
        assert document["steps"]["gap"] == document["frames"]
        assert document["ended"] == "exit"
        assert b"rejected" in result.stderr


def test_strict_makes_gaps_findings(tmp_path: Path) -> None:
    program = build(CASES / "no_fde.s", tmp_path / "program")
    assert emu(program).returncode == 0
    result = emu("--strict", "--json", "-", program)
    assert result.returncode == 1
    assert {finding["verdict"] for finding in json.loads(result.stdout)["findings"]} == {"gap"}


def test_a_guest_s_fault_is_told(tmp_path: Path) -> None:
    source = LOOP.replace("inc rax", "mov rax, [rax]")
    result = emu("--json", "-", build(source, tmp_path / "fault"))
    document = json.loads(result.stdout)
    assert result.returncode == 0
    assert (document["ended"], document["signal"]) == ("signal", "SIGSEGV")
    assert "_start" in document["message"]


def test_system_calls_are_printed(hello: Path) -> None:
    lines = emu("--strace", hello).stderr.decode().splitlines()
    assert lines[0].startswith("write(1, 0x")
    assert lines[0].endswith(", 6) = 6")
    assert lines[1].startswith("read(0, ")
    assert lines[2].startswith("exit(0)")


def test_an_unsupported_instruction_is_told(tmp_path: Path) -> None:
    source = LOOP.replace("inc rax", ".byte 0xc5, 0xfd, 0xfe, 0xc0  # vpaddd ymm0, ymm0, ymm0")
    document = json.loads(emu("--json", "-", build(source, tmp_path / "avx")).stdout)
    assert document["ended"] == "unsupported"
    assert "vpaddd" in document["message"]


def test_an_older_report_stays_until_there_is_a_new_one(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text("older" * 10_000)
    assert emu("--json", str(report), str(tmp_path / "absent")).returncode == 2
    assert report.read_text() == "older" * 10_000
    loop = build(LOOP, tmp_path / "loop")
    emu("--json", str(report), "--max-instructions", "100", str(loop))
    assert json.loads(report.read_text())["instructions"] == 100


@pytest.mark.parametrize("to", ["file", "stdout"])
def test_a_full_disk_is_one_line(to: str, tmp_path: Path) -> None:
    loop = build(LOOP, tmp_path / "loop")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "emu", "check", "--max-instructions", "100",
             "--json", "/dev/full" if to == "file" else "-", str(loop)],
            stdout=full if to == "stdout" else subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    place = "/dev/full" if to == "file" else "standard output"
    assert f"emu: {place}: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
