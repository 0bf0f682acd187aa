"""Walks and recordings of what a program forks, and where a page says that it went."""

import json
import re
from pathlib import Path

import pytest

from emu.asm import assemble
from emu.check import CheckError, run
from emu.cli.main import main
from emu.lesson.explanation import Unwinder
from emu.lesson.page import page
from emu.lesson.recording import Recording, record
from emu.machine import Image

SOURCE = """#@ title: A program that forks
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call twice
        mov edi, 0
        jmp finish
        .cfi_endproc

twice:  .cfi_startproc
        push rbx
        .cfi_def_cfa_offset 16
        mov eax, 57
        syscall
        test eax, eax
        jz first
        mov eax, 57
        syscall
        test eax, eax
        jz second
        mov ebx, 400
more:   dec ebx
        jnz more
        call wait_for_one
        call wait_for_one
        pop rbx
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc

wait_for_one: .cfi_startproc
        mov eax, 61
        mov rdi, -1
        xor esi, esi
        xor edx, edx
        xor r10d, r10d
        syscall
        ret
        .cfi_endproc

first:  .cfi_startproc
        .cfi_def_cfa_offset 16
        call shared
        mov eax, 57
        syscall
        test eax, eax
        jz grandchild
        call wait_for_one
        mov edi, 3
        jmp finish
        .cfi_endproc

second: .cfi_startproc
        .cfi_def_cfa_offset 16
        call shared
        mov rax, 0
        mov [rax], rax
        .cfi_endproc

grandchild: .cfi_startproc
        .cfi_def_cfa_offset 16
        call shared
        call only_grandchild
        mov edi, 5
        jmp finish
        .cfi_endproc

only_grandchild: .cfi_startproc
        nop
        ret
        .cfi_endproc

shared: .cfi_startproc
        nop
        ret
        .cfi_endproc

finish: .cfi_startproc
        mov eax, 60
        syscall
        .cfi_endproc
"""
CHILDREN = (1, 2, 3)


@pytest.fixture(scope="module")
def elf() -> bytes:
    """Forks two processes, one of which dies of a fault; the other one forks a grandchild."""
    return assemble(SOURCE).elf


@pytest.fixture(scope="module")
def image(elf: bytes) -> Image:
    return Image.from_bytes(elf, "forking")


@pytest.fixture
def program(elf: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "forking"
    path.write_bytes(elf)
    path.chmod(0o755)
    return path


def functions(recording: Recording) -> set[str]:
    return {recording.function_name(recording.pc(step)) for step in range(len(recording))}


def test_every_process_can_be_recorded(image: Image) -> None:
    """Together they are what a check counts, instruction by instruction."""
    recordings = [record(image, process=number) for number in (0, *CHILDREN)]
    assert [one.process for one in recordings] == [0, 1, 2, 3]
    assert len({one.pid for one in recordings}) == 4
    assert all(one.complete for one in recordings)
    result = run(image, engine="reference")
    assert sum(len(one) for one in recordings) == result.instructions
    for verdict, count in result.tally.walks.items():
        walks = [one.walks[Unwinder.SFRAME].verdicts.count(verdict) for one in recordings]
        assert sum(walks) == count, verdict
    assert [one.ended.removeprefix("the program ") for one in recordings] == [
        "exits with status 0", "exits with status 3", "exits with status 5", "is killed by SIGSEGV",
    ]  # fmt: skip
    assert "only_grandchild" in functions(recordings[2])
    assert "only_grandchild" not in functions(recordings[1]) | functions(recordings[0])
    # A child's stack is its parent's.
    inside = next(
        step for step in range(len(recordings[2]))
        if recordings[2].function_name(recordings[2].pc(step)) == "only_grandchild"
    )  # fmt: skip
    assert [frame.function for frame in recordings[2].frames(inside)] == [
        "only_grandchild", "grandchild", "_start",
    ]  # fmt: skip


def test_a_recording_says_where_children_went(image: Image) -> None:
    first = record(image)
    assert [(one.number, one.ended) for one in first.forks] == [
        (1, "it exits with status 3"),
        (3, "it is killed by SIGSEGV"),
    ]
    for fork in first.forks:
        instruction = first.registers_at(fork.step)
        assert instruction[0] == 57, "the step whose system call it was"
        assert first.registers_at(fork.step + 1)[0] == fork.pid
        assert record(image, process=fork.number).pid == fork.pid
    (grandchild,) = record(image, process=1).forks
    assert grandchild.number == 2
    assert record(image, process=3).forks == ()


def test_a_window_is_one_of_the_process(image: Image) -> None:
    """The instructions of others do not count."""
    whole = record(image)
    last = len(whole) - 1
    part = record(image, step=last, window=50)
    assert (part.first + part.opening, part.pc(part.opening)) == (last, whole.pc(last))
    assert not part.complete
    assert all(one.step < 0 for one in part.forks)
    cut = record(image, step=0, window=20)
    assert (len(cut), cut.complete) == (20, False)
    assert cut.forks[0].ended == ""
    with pytest.raises(CheckError, match="executes fewer instructions"):
        record(image, step=len(whole))
    with pytest.raises(CheckError, match="--process 4: the program forks only 3 processes"):
        record(image, process=4)


def test_a_place_is_found_in_whichever_process(
    program: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def walk(*arguments: str) -> tuple[int, dict[str, object]]:
        status = main(["walk", str(program), "--json", "-", *arguments])
        out, err = capsys.readouterr()
        if status:
            return status, {"error": err}
        (explained,) = json.loads(out)["walks"]
        return status, explained

    status, found = walk("--at", "only_grandchild")
    assert (status, found["process"]) == (0, 2)
    assert isinstance(found["true_frames"], list)
    assert [one["location"]["function"] for one in found["true_frames"]][-1] == "_start"
    here = []
    for hit in ("1", "2", "3"):
        status, found = walk("--at", "shared", "--hit", hit)
        here.append(found["process"])
    assert sorted(here) == [1, 2, 3]
    status, found = walk("--at", "shared", "--process", "2")
    assert (status, found["process"]) == (0, 2)
    status, found = walk("--step", "2", "--process", "1")
    assert (status, found["instruction"], found["process"]) == (0, 2, 1)
    for arguments, said in (
        (
            ("--at", "only_grandchild", "--process", "1"),
            "--at only_grandchild --process 1: never reached in",
        ),
        (("--at", "shared", "--hit", "4"), "reached only 3 times in"),
        (("--step", "3000", "--process", "3"), "process 3 executes only"),
        (("--step", "1", "--process", "7"), "--process 7: the program forks only 3 processes"),
        (("--step", "3000"), "--step 3000: the program executes only"),
    ):
        status, found = walk(*arguments)
        assert status == 2
        assert said in str(found["error"])


def test_text_and_page_name_the_process(
    program: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["walk", str(program), "--plain", "--at", "only_grandchild"]) == 0
    assert re.search(r"before instruction \d+ of process 2$", capsys.readouterr().out, re.MULTILINE)
    html = tmp_path / "walk.html"
    assert main(["walk", str(program), "--html", str(html), "--at", "only_grandchild"]) == 0
    recording = record(program, at="only_grandchild")
    assert recording.process == 2
    assert html.read_text() == page(recording)


def test_a_loop_in_a_child_does_not_hide_a_later_step(image: Image) -> None:
    """What children execute does not count against the step that was asked for."""
    recording = record(image)
    last = len(recording) - 1
    assert record(image, step=last, max_instructions=10_000).opening == last
