"""`emu profile` from outside: where output goes, exit statuses, bad input."""

import subprocess
import sys
from pathlib import Path

import pytest

from emu.asm import assemble

CASES = Path(__file__).parent.parent.parent / "asm_cases"

HELLO = """\
#@ title: Writes a line
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call hello
        mov eax, 60
        xor edi, edi
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
"""

LOOP = """\
#@ title: Never ends
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
.Lmore: jmp .Lmore
        .cfi_endproc
"""


def build(source: str | Path, path: Path) -> Path:
    path.write_bytes(assemble(source).elf)
    path.chmod(0o755)
    return path


@pytest.fixture
def hello(tmp_path: Path) -> Path:
    return build(HELLO, tmp_path / "hello")


def profile(*arguments: object, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "emu", "profile", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=60)


def test_the_profile_goes_to_standard_error_and_nothing_else_does(hello) -> None:
    done = profile("--every", 4, "--folded", hello)
    assert (done.returncode, done.stdout) == (0, b"hello\n")
    assert done.stderr == b"hello;_start 1\nhello;_start;hello 1\n"


def test_a_profile_on_standard_output_displaces_the_guests(hello) -> None:
    done = profile("--every", 4, "--folded", "--output", "-", hello)
    assert done.stdout == b"hello;_start 1\nhello;_start;hello 1\n"
    assert done.stderr == b"hello\nemu: 2 samples, 2 walks, 10 instructions\n"


def test_a_profile_in_a_file(hello, tmp_path) -> None:
    out = tmp_path / "profile.txt"
    done = profile(hello, "--every", 4, "--output", out, "--", "argument")
    assert (done.returncode, done.stdout) == (0, b"hello\n")
    assert out.read_text().startswith("hello    1000     0.000000:          4 instructions:u: \n")
    assert out.read_text().count("instructions:u") == 2


def test_samples_and_callchains_apart(hello) -> None:
    done = profile("--every", 0, "--on-system-call", "--no-merge", hello)
    assert done.stderr.count(b"(cookie) ([unknown])") == 1
    assert done.stderr.count(b"DEFERRED CALLCHAIN [cookie: 300000001]") == 1


def test_the_program_through_standard_input(hello) -> None:
    done = profile("--every", 4, "--folded", "-", stdin=hello.read_bytes())
    assert done.stdout == b"hello\n"
    assert done.stderr.splitlines()[1].endswith(b";_start;hello 1")


def test_verified_walks_decide_the_exit_status(hello, tmp_path) -> None:
    done = profile("--every", 1, "--verify", hello)
    assert done.returncode == 0
    assert done.stderr.endswith(b"emu: 9 walks verified: 9 right\n")
    wrong = build(CASES / "wrong_cfa.s", tmp_path / "wrong")
    assert profile("--every", 1, wrong).returncode == 0
    done = profile("--every", 1, "--verify", wrong)
    assert done.returncode == 1
    assert b" wrong" in done.stderr.splitlines()[-1]


def test_a_limit_ends_an_endless_program(tmp_path) -> None:
    loop = build(LOOP, tmp_path / "loop")
    done = profile("--max-instructions", 100_000, "--folded", loop)
    assert done.returncode == 0
    assert done.stderr == b"loop;_start 99\nemu: stopped after 100000 instructions\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--every", "fast"], b"emu: --every: 'fast' is no period"),
        (["--every", "0"], b"emu: --every 0 samples nothing without --on-system-call"),
        (["--policy", "best"], b"emu: unknown policy 'best'"),
        (["--output", "/nowhere/file"], b"emu: /nowhere/file: No such file or directory"),
        (["--env", "broken"], b"emu: --env broken: not of the form K=V"),
        (["--stdin", "/nowhere/file"], b"emu: /nowhere/file: No such file or directory"),
    ],
)
def test_usage(hello, arguments, message) -> None:
    done = profile(*arguments, hello)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(message)
    assert done.stderr.count(b"\n") == 1


def test_what_is_no_program(tmp_path) -> None:
    text = tmp_path / "text"
    text.write_text("#!/bin/sh\n")
    for name in (text, tmp_path / "missing", tmp_path):
        done = profile(name)
        assert done.returncode == 2
        assert done.stderr.startswith(b"emu: ")
        assert done.stderr.count(b"\n") == 1


def test_folded_or_apart_not_both(hello) -> None:
    assert profile("--folded", "--no-merge", hello).returncode == 2


def test_the_help_has_an_example() -> None:
    done = profile("--help")
    assert done.returncode == 0
    assert b"emu profile --every 1000 ./prog" in done.stdout
