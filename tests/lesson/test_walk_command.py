"""`emu walk`: its text, its JSON, its errors."""

import argparse
import json
import re
from io import StringIO
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from emu.asm import assemble
from emu.check import snapshots
from emu.cli.main import main
from emu.cli.walk import configure
from emu.lesson import explain
from emu.lesson.plain import plain_lines
from emu.lesson.terminal import write_walk
from emu.machine import Image

ROOT = Path(__file__).parent.parent.parent
CASES = ROOT / "asm_cases"


def walk(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["walk", *words]) == 0
    return capsys.readouterr().out


def test_a_plain_walkthrough(capsys: pytest.CaptureFixture[str]) -> None:
    """The row by rbp, its bytes, its equations, the stack words, the end."""
    case = str(CASES / "frame_pointer.s")
    text = walk(capsys, "--plain", "--at", "framed+0x4", case)
    lines = [line.strip() for line in text.splitlines()]
    assert lines[:3] == [
        "frame_pointer.s: walk by .sframe, policy kernel-v15",
        "from framed+0x4 (frame_pointer.s), before instruction 4",
        "true stack: framed+0x4, _start+0xa",
    ]
    assert "0x0061  10  CFA offset    CFA = rbp+16" in lines
    # Where the stack lies depends on the length of the program's path.
    found = re.search(r"CFA = rbp\+16 = (0x[0-9a-f]+)\+16 = (0x[0-9a-f]+)\n", text)
    assert found is not None
    rbp, cfa = (int(number, 16) for number in found.groups())
    assert cfa == rbp + 16
    slot = f"*({cfa - 8:#x})"
    assert f"RA = *(CFA-8) = *({cfa:#x}-8) = {slot} = 0x40100a in _start+0xa" in lines
    assert f"rsp+8   {cfa - 8:#x}  0x000000000040100a _start+0xa" in text
    assert "pc  0x40100a        same as the truth" in lines
    assert any(line.startswith("end  outermost at frame 1: ") for line in lines)
    assert "all 2 frames are right" in lines
    # Plain is plain: no escape sequences, no boxes.
    assert text.isascii()
    assert "\x1b" not in text


def test_three_unwinders(capsys: pytest.CaptureFixture[str]) -> None:
    case = str(CASES / "drap_topmost.s")
    text = walk(capsys, "--plain", "--unwinder", "all", "--at", "realign+0x1c", case)
    assert text.count("HERE THE WALK AND THE TRUTH PART") == 3
    assert "walk by frame pointers" in text
    assert "walk by .eh_frame" in text
    assert "fp  0x5555          DIFFERS: the true one is 0x402000" in text


def test_boxes_without_plain(capsys: pytest.CaptureFixture[str]) -> None:
    text = walk(capsys, "--at", "leaf", str(CASES / "leaf.s"))
    assert "╭─ frame 0  leaf" in text


@pytest.mark.parametrize("width", [40, 80, 200])
def test_boxes_fit_the_terminal(width: int) -> None:
    image = Image.from_bytes(assemble(CASES / "drap_topmost.s").elf, "drap_topmost.s")
    explanation = explain(next(iter(snapshots(image, at="realign+0x1c"))))
    paper = StringIO()
    write_walk(explanation, Console(file=paper, width=width))
    lines = paper.getvalue().splitlines()
    assert all(cell_len(line) <= width for line in lines)
    # Words are kept whole, and nothing is cut off.
    text = " ".join(" ".join(line.strip("│╭╮╰╯─ ") for line in lines).split())
    assert "HERE THE WALK AND THE TRUTH PART" in text
    assert "FP = *(rbp+0) = *(0x402000+0) = *(0x402000) = 0x5555" in text
    plain = " ".join(" ".join(plain_lines(explanation)).split())
    for phrase in ("DIFFERS: the true one is 0x402000", "base is register 10 (r10), no load"):
        assert phrase in plain
        assert phrase in text


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    case = str(CASES / "drap_topmost.s")
    found = json.loads(walk(capsys, "--json", "-", "--at", "realign+0x1c", case))
    assert found["schema"] == 1
    (one,) = found["walks"]
    assert (one["unwinder"], one["right"], one["departs_at"]) == ("sframe", False, 0)
    frame = one["frames"][0]
    assert frame["relation"] == "departs"
    assert frame["state"]["ip"] == "0x401031"
    assert [field["raw"] for field in frame["lookup"]["row"]["fields"]] == [
        "1b", "0a", "51", "00", "00", "33", "00",
    ]  # fmt: skip
    assert [compared["same"] for compared in frame["compared"]] == [True, True, False]
    assert frame["compared"][2] == {
        "field": "fp", "got": "0x5555", "expected": "0x402000", "same": False,
    }  # fmt: skip
    # Numbers that are no addresses stay numbers.
    assert frame["lookup"]["fde"]["size"] == 33
    assert frame["equations"][0]["offset"] == 0


def test_hits_and_steps(capsys: pytest.CaptureFixture[str]) -> None:
    case = str(CASES / "recursion.s")
    first = walk(capsys, "--plain", "--at", "fact", case)
    third = walk(capsys, "--plain", "--at", "fact", "--hit", "3", case)
    assert third.count("\nframe ") == first.count("\nframe ") + 2
    number = third.split("before instruction ")[1].split()[0]
    assert walk(capsys, "--plain", "--step", number, case) == third


def test_a_deep_walk_is_shown_in_part(capsys: pytest.CaptureFixture[str]) -> None:
    case = str(CASES / "recursion.s")
    whole = walk(capsys, "--plain", "--at", "fact", "--hit", "3", case)
    part = walk(capsys, "--plain", "--frames", "1", "--at", "fact", "--hit", "3", case)
    assert "\n...\n" in part
    assert part.count("\nframe ") == 2
    assert part.splitlines()[-1] == whole.splitlines()[-1]


def test_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, facts = tmp_path / "walk.txt", tmp_path / "walk.json"
    case = str(CASES / "leaf.s")
    shown = walk(
        capsys, "--plain", "--output", str(text), "--json", str(facts), "--at", "leaf", case
    )
    assert shown == ""
    assert text.read_text().startswith("leaf.s: walk by .sframe")
    assert json.loads(facts.read_text())["program"] == case


@pytest.mark.parametrize("option", ["--output", "--json", "--html"])
@pytest.mark.parametrize("place", [("--at", "nowhere"), ("--step", "5000")])
def test_a_failed_run_leaves_an_older_file_as_it_is(
    option: str, place: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    older, new = tmp_path / "older", tmp_path / "new"
    older.write_text("of the day before")
    for file in (older, new):
        assert main(["walk", *place, option, str(file), str(CASES / "leaf.s")]) == 2
    assert older.read_text() == "of the day before"
    assert not new.exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the device is Linux's")
@pytest.mark.parametrize("option", ["--output", "--json", "--html"])
def test_a_full_disk(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["walk", "--step", "1", option, "/dev/full", str(CASES / "leaf.s")]) == 2
    assert capsys.readouterr().err == "emu: /dev/full: No space left on device\n"


def test_every_option_is_described() -> None:
    parser = argparse.ArgumentParser()
    configure(parser)
    described = (ROOT / "docs" / "walk.md").read_text()
    options = {option for action in parser._actions for option in action.option_strings}
    missing = {option for option in options - {"-h", "--help"} if f"`{option}" not in described}
    assert not missing


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--at", "nowhere", "leaf.s"], "--at nowhere: no such symbol in the program"),
        (["--at", "leaf", "--hit", "3", "leaf.s"], "--at leaf --hit 3: reached only once in 6"),
        (["--step", "5000", "leaf.s"], "--step 5000: the program executes only 6 instructions"),
        (["--at", "a+b", "leaf.s"], "--at a+b: not SYMBOL"),
        (["leaf.s"], "either --at PLACE or --step N"),
        (["--step", "1", "--policy", "no", "leaf.s"], "unknown policy 'no'"),
        (["--step", "1", "--policy", "dwarf", "leaf.s"], "--policy dwarf is --unwinder dwarf"),
        (["--step", "1", "--hit", "2", "leaf.s"], "--hit goes with --at"),
        (["--step", "1", "--window", "2", "leaf.s"], "--window goes with --interactive or --html"),
        (["-i", "--json", "-", "leaf.s"], "--interactive goes without --json and --output"),
        (["-i", "--stdin", "-", "leaf.s"], "--interactive needs standard input itself"),
        (["-i", "--at", "leaf", "--step", "1", "leaf.s"], "either --at PLACE or --step N"),
        (["--step", "1", "no.s"], "no.s: cannot read: No such file or directory"),
        (["--step", "1", "no.c"], "no.c: No such file or directory"),
        (["--step", "1", "../README.md"], "README.md: not an ELF file"),
        (["--step", "1", "--output", "/nowhere/x", "leaf.s"], "/nowhere/x: No such file"),
        (["--step", "1", "--json", "/", "leaf.s"], "/: Is a directory"),
        (["--step", "1", "--html", "/nowhere/x", "leaf.s"], "/nowhere/x: No such file"),
        (["--step", "1", "--root", "/nowhere", "leaf.s"], "/nowhere: no such directory for the"),
    ],
)
def test_what_cannot_be_explained(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    *options, program = words
    assert main(["walk", *options, str(CASES / program)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("emu: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err


def test_a_c_program_that_is_no_case(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What to do about it is in the message."""
    program = tmp_path / "prog.c"
    program.write_text("int main(void) { return 0; }\n")
    assert main(["walk", "--at", "main", str(program)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"emu: {program}: the header says no 'title'")
    assert "emu cc" in error
