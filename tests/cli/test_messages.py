"""What the command line says where something is amiss: one line, whatever the names are."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from emu.asm import assemble
from emu.cli.main import COMMANDS, main

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "the following arguments are required: COMMAND (see emu --help)"),
        (["chek"], "invalid choice: 'chek'"),
        (["check"], "no PROGRAM to check (see emu check --help)"),
        (["check", "--no", "x"], "unrecognized arguments: --no (see emu check --help)"),
        (["check", "--jobs", "0", "x"], "must be at least 1 (see emu check --help)"),
        (["check", "--max-instructions", "9" * 20, "x"], "must be less than 2^63"),
        (["check", "--engine", "slow", "x"], "invalid choice: 'slow'"),
        (["profile", "--every"], "expected one argument (see emu profile --help)"),
        (["profile", "--every", "0", "x"], "--every 0 samples nothing"),
        (["dump"], "required: FILE (see emu dump --help)"),
        (["dump", ""], "'': No such file or directory"),
        (["lookup", "x", "y\x1b"], "'y\\x1b' is no address"),
        (["lint", "a\nb"], "a\\nb: No such file or directory"),
        (["convert", "x", "-o", "-", "--attach", "-"], "only one of --output and --attach"),
        (["convert", "x", "-o", "/nowhere/x"], "/nowhere/x: No such file or directory"),
        (["assemble", "x"], "required: -o/--output (see emu assemble --help)"),
        (["toolchain", "remove"], "invalid choice: 'remove'"),
        (["toolchain", "--with", "gcc-16"], "--with goes with install"),
        (["cc"], "nothing to compile"),
    ],
)
def test_usage_is_one_line(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        status = main(words)
    except SystemExit as end:
        status = int(end.code or 0)
    output = capsys.readouterr()
    assert status == 2
    assert output.out == ""
    assert said in output.err
    assert output.err.startswith("emu: ")
    assert output.err.count("\n") == 1
    assert output.err.strip().isprintable()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    if command == "cc":  # the word is the compiler's to read
        assert main([command, "--help"]) == 0
    else:
        with pytest.raises(SystemExit) as end:
            main([command, "--help"])
        assert end.value.code == 0
    text = capsys.readouterr().out
    assert f"  emu {command} " in text.partition("example")[2]
    assert max(map(len, text.splitlines()[3:])) <= 200


def test_the_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"emu {version('sframe-testbed')}\n"


@pytest.fixture
def wicked(tmp_path: Path) -> Path:
    """A program with a control sequence in the name of its function."""
    elf = assemble(ROOT / "asm_cases" / "leaf.s").elf
    old, new = b"\0_start\0", b"\0\x1b[31m!\0"
    assert len(old) == len(new)
    assert elf.count(old) == 1
    path = tmp_path / "wicked"
    path.write_bytes(elf.replace(old, new))
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    "words",
    [
        ["lookup", "{}", "0x401000"],
        ["convert", "{}", "--all"],
        ["lint", "{}"],
        ["profile", "--every", "1", "--output", "-", "{}"],
        ["profile", "--every", "1", "--folded", "--output", "-", "{}"],
        ["check", "--strict", "--output", "-", "{}"],
    ],
)
def test_a_symbol_cannot_command_the_terminal(words: list[str], wicked: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "emu", *[word.format(wicked) for word in words]],
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode in {0, 1}, done.stderr
    assert b"\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "closed"),
    [
        (["dump", "{}"], ">&-"),
        (["lint", "{}"], ">&- 2>&-"),
        (["check", "{}"], ">&- 2>&- <&-"),
        (["profile", "--output", "p", "{}"], ">&- <&-"),
        (["convert", "{}", "-o", "-"], ">&-"),
    ],
)
def test_without_standard_streams(words: list[str], closed: str, tmp_path: Path) -> None:
    """They are closed when the command begins; nothing else may be written in their place."""
    elf = assemble(ROOT / "asm_cases" / "leaf.s").elf
    program = tmp_path / "program"
    program.write_bytes(elf)
    program.chmod(0o755)
    script = f'exec "$@" {closed}'
    command = [sys.executable, "-m", "emu", *[word.format(program) for word in words]]
    done = subprocess.run(
        ["/bin/sh", "-c", script, "sh", *command],
        capture_output=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    assert program.read_bytes() == elf


@pytest.mark.parametrize("words", [["--version"], ["dump", "{}"], ["convert", "{}"]])
def test_a_full_standard_output_is_one_line(words: list[str], wicked: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "emu", *[word.format(wicked) for word in words]],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == "emu: standard output: No space left on device\n"
