"""Walks of compiled programs: what compilers, the linker and signals do to them."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from emu.asm import assemble
from emu.check import GuestOptions, Verdict
from emu.check.guest_options import start_guest
from emu.check.walk import KERNEL_LIMIT
from emu.cli.main import main
from emu.lesson import Explanation, Unwinder
from emu.lesson.arrival import Arrival, Destination
from emu.lesson.error import LessonError
from emu.lesson.explanation import EndKind, Method, Relation
from emu.lesson.plain import plain_lines
from emu.lesson.recording import record
from emu.lesson.selection import shown_frames
from emu.lesson.subject import open_subject
from emu.machine import Image
from emu.toolchain import Toolchain
from emu.toolchain.prebuilt import unpack_programs
from emu.unwind import policy

ROOT = Path(__file__).parent.parent.parent
CASES = ROOT / "c_cases"
ASM_CASES = ROOT / "asm_cases"


@pytest.fixture(scope="module")
def prebuilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("prebuilt")
    unpack_programs(CASES / "prebuilt", directory)
    return directory


def arrival(
    program: Path | Image, destination: Destination, consumer: str, convert: str
) -> Arrival:
    process = start_guest(
        program,
        args=(),
        env=None,
        stdin=None,
        stdout=None,
        stderr=None,
        root="/",
        options=GuestOptions(),
    )
    return Arrival(process, policy(consumer), destination, convert=[convert] if convert else [])


def walk(
    program: Path,
    at: str,
    *,
    hit: int = 1,
    unwinder: Unwinder = Unwinder.SFRAME,
    consumer: str = "kernel-v15",
    convert: str = "",
) -> Explanation:
    (explanation,) = arrival(program, Destination(at, hit), consumer, convert).explain([unwinder])
    return explanation


@pytest.mark.parametrize(
    "name", ["retpoline", "calls_on_another_stack_rbp", "setjmp_at_another_depth"]
)
def test_what_only_the_following_instructions_tell(name: str) -> None:
    """A call that is none, a switch that is none: the recording has seen how it went on."""
    image = Image.from_bytes(assemble(ASM_CASES / f"{name}.s").elf, name)
    recording = record(image)
    doubtful = []
    for step in range(len(recording)):
        there = arrival(image, Destination(step=step), "kernel-v15", "")
        explanations = there.explain(list(Unwinder))
        for explanation in explanations:
            departure = explanation.departure
            number = None if departure is None else departure.number
            assert number == recording.walk(explanation.unwinder, step).departs
        ips = [frame.state.ip for frame in explanations[0].true_frames]
        assert ips == [frame.state.ip for frame in recording.frames(step)]
        if there.settlement is not None:
            doubtful.append(step)
    assert doubtful, "no instruction of the case is in doubt"


def test_realignment_below_the_top_is_refused(prebuilt: Path) -> None:
    """FP = *(rbp+0) is a register rule, which the kernel model allows in the topmost frame only."""
    explanation = walk(prebuilt / "realignment-O2", "fill")
    departure = explanation.departure
    assert departure is not None
    assert (departure.number, departure.verdict) == (1, Verdict.REFUSED)
    assert departure.location.function == "realigned"
    assert [equation.name for equation in departure.equations] == ["CFA", "RA", "FP"]
    assert departure.equations[2].value is None
    assert explanation.end.kind is EndKind.REFUSED
    # What the kernel does not allow is right.
    format_walk = walk(prebuilt / "realignment-O2", "fill", consumer="format")
    assert format_walk.frames[1].relation is Relation.TRUE
    assert walk(prebuilt / "realignment-O2", "fill", unwinder=Unwinder.DWARF).departure is None


def test_a_signal_handler_and_what_lies_below_it(prebuilt: Path) -> None:
    program = prebuilt / "signal_handlers-O0"
    by_kernel = walk(program, "on_user", convert="all")
    departure = by_kernel.departure
    assert departure is not None
    assert departure.true_caller is not None
    kinds = [frame.kind for frame in by_kernel.true_frames]
    assert kinds[:3] == ["", "handler", "signal"]
    by_glibc = walk(program, "on_user", consumer="glibc")
    restorer = by_glibc.frames[1]
    assert restorer.method is Method.SIGNAL
    assert restorer.relation is Relation.TRUE
    assert not restorer.equations
    interrupted = by_glibc.frames[2]
    assert not interrupted.return_address
    assert interrupted.state == by_glibc.true_frames[2].state
    by_dwarf = walk(program, "on_user", unwinder=Unwinder.DWARF)
    assert by_dwarf.departure is None
    assert by_dwarf.frames[1].cfi is not None
    assert by_dwarf.frames[1].cfi.signal
    assert not by_dwarf.frames[2].return_address


def test_a_return_address_that_belongs_to_the_next_function(prebuilt: Path) -> None:
    """-Os: `fail` ends with a call, so its return address is where `insist` begins."""
    explanation = walk(prebuilt / "noreturn_last-Os", "exit", convert="all")
    departure = explanation.departure
    assert departure is not None
    assert any("belongs to the next one" in remark for remark in departure.remarks)
    assert departure.location.function == "fail"
    assert departure.lookup is not None
    assert departure.lookup.fde is not None
    assert departure.lookup.fde.location.function != "fail"
    here = next(line for line in departure.code if line.here)
    assert here.foreign
    minus_one = walk(
        prebuilt / "noreturn_last-Os", "exit", convert="all", consumer="kernel-v15,+minus-one"
    )
    step = minus_one.frames[departure.number]
    assert step.relation is Relation.TRUE
    assert step.lookup is not None
    assert step.lookup.address == step.state.ip - 1
    assert any("one byte earlier" in remark for remark in step.remarks)


def test_a_walk_that_is_cut_off(tmp_path: Path) -> None:
    """A walk records 510 frames, however deep the stack is."""
    program = tmp_path / "deep"
    program.write_bytes(assemble(ASM_CASES / "deep_recursion.s").elf)
    explanation = walk(program, "sink", hit=600)
    assert len(explanation.frames) == KERNEL_LIMIT
    assert explanation.end.kind is EndKind.LIMIT
    assert not explanation.right
    assert explanation.departure is None
    shown = list(shown_frames(explanation, 4))
    assert [None if step is None else step.number for step in shown] == [0, 1, 2, 3, None, 509]
    text = "\n".join(plain_lines(explanation, frames=4))
    assert "end  limit at frame 509: a walk records no more than 510 frames" in text
    assert text.count("\nframe ") == 5


def test_an_interrupt_on_the_way() -> None:
    case = assemble("#@ title: A loop\n.intel_syntax noprefix\n.text\n_start: jmp _start\n")
    there = arrival(Image.from_bytes(case.elf), Destination(step=10**9), "kernel-v15", "")
    there.progress = lambda *_: signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        there.explain([Unwinder.SFRAME])


def test_a_c_case_is_built_or_taken_as_it_lies(tmp_path: Path, prebuilt: Path) -> None:
    subject = open_subject(str(CASES / "frame_pointers.c"), "-O2")
    assert subject.image.path == "frame_pointers-O2"
    assert subject.image.address_of("main") is not None
    with pytest.raises(LessonError, match="none of -O0, -O2, -Os"):
        open_subject(str(CASES / "frame_pointers.c"), "-O9")
    other = tmp_path / "other.c"
    other.write_text("int main(void) { return 0; }\n")
    with pytest.raises(LessonError, match="header says no 'title'"):
        open_subject(str(other))
    binary = tmp_path / "binary.c"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(LessonError, match="byte 0 is not UTF-8"):
        open_subject(str(binary))


def steady(line: str) -> str:
    """A line without what depends on the run's surroundings: stack addresses, counts."""
    return re.sub(r"0x0*7ff[0-9a-f]{9}|instruction [0-9,]+", "...", " ".join(line.split()))


def test_the_document_shows_what_is_printed(
    prebuilt: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(prebuilt)
    assert main(["walk", "--plain", "--at", "realigned+0x64", "./realignment-O2"]) == 0
    printed = {steady(line) for line in capsys.readouterr().out.splitlines()}
    document = (ROOT / "docs" / "walk.md").read_text().split("## Reading a walkthrough\n")[1]
    example = document.split("The program is one of")[0].strip().splitlines()[1:]
    shown = [line for line in example if line.strip() and not line.endswith("...")]
    assert len(shown) > 50
    # Registers and words left over on the stack are the C library's start-up.
    compared = [line for line in shown if "rsp+" not in line and "  r" not in line]
    assert {steady(line) for line in compared} <= printed


PLT = r"""
#include <stdlib.h>
static long (*volatile pointer)(long);
int main(void)
{
	pointer = labs;
	return (int)(labs(-2) + rand() - pointer(5));
}
"""


@pytest.fixture(scope="module")
def lazy(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program with lazy binding, and stubs of both kinds."""
    directory = tmp_path_factory.mktemp("plt")
    source = directory / "plt.c"
    source.write_text(PLT)
    flags = ["-O1", "-fno-builtin", "-fcf-protection=none", "-Wl,-z,lazy"]
    return toolchain.compile([source], directory / "plt", flags)


def test_names_that_the_output_cannot_spell(toolchain: Toolchain, tmp_path: Path) -> None:
    source = tmp_path / "name.c"
    source.write_text(
        '__attribute__((noinline)) int gr\u00f6\u00dfe(int a) { __asm__(""); return a + 1; }\n'
        "int main(void) { return gr\u00f6\u00dfe(1); }\n"
    )
    program = toolchain.compile([source], tmp_path / "name", ["-O1", "-static"])
    for words in (["--plain"], []):
        shown = subprocess.run(
            [sys.executable, "-m", "emu", "walk", *words, "--at", "gr\u00f6\u00dfe", program],
            env={**os.environ, "PYTHONIOENCODING": "ascii"},
            capture_output=True,
            check=True,
        )
        assert b"frame 0  gr\\xf6\\xdfe" in shown.stdout


def test_a_stub_of_the_lazy_plt(lazy: Path) -> None:
    """One FDE for all entries: the row is looked up modulo the size of an entry."""
    for offset, row in ((0, 0), (6, 0), (11, 1)):
        explanation = walk(lazy, f"rand@plt+{offset}")
        step = explanation.frames[0]
        lookup = step.lookup
        assert lookup is not None
        assert lookup.fde is not None
        assert lookup.row is not None
        assert (lookup.fde.masked, lookup.fde.repetition) == (True, 16)
        assert (lookup.distance, lookup.row.index) == (offset, row)
        # The bytes of the row cover this entry, whichever it is.
        assert lookup.row.address == step.state.ip - offset + lookup.row.start
        assert step.relation is Relation.TRUE
        text = "\n".join(plain_lines(explanation))
        assert f"modulo 16 = {offset}: " in text
        assert "PC type MASK" in text
        assert "rows apply to the offset modulo 16" in text


def test_the_stub_whose_row_is_wrong(lazy: Path) -> None:
    """ld writes CFA = rsp+16 for `.plt.got`, where nothing was pushed."""
    explanation = walk(lazy, "__cxa_finalize@plt")
    departure = explanation.departure
    assert departure is not None
    assert (departure.number, departure.verdict) == (0, Verdict.WRONG)
    assert departure.contradiction == (
        "the row says CFA = rsp+16, but the return address is at rsp+0"
    )
    marks = {word.offset: (word.read_as, word.marks) for word in departure.stack}
    assert marks[8][0] == ("RA",)
    assert "true return address" in marks[0][1]
    assert "true CFA" in marks[8][1]
    assert "CFA" in marks[16][1]


def test_a_program_without_tables(lazy: Path) -> None:
    """Every lookup outside the program is ENOENT; with --convert the loader has rows."""
    plain = walk(lazy, "rand")
    top = plain.frames[0]
    assert top.lookup is not None
    assert top.lookup.section is None
    assert top.lookup.errno == "ENOENT"
    assert top.rules
    converted = walk(lazy, "rand", convert="all")
    assert converted.frames[0].method is Method.SFRAME
    assert converted.frames[0].relation is Relation.TRUE
