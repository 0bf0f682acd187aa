"""The interactive stepper: what it shows is what an independent run of the program has."""

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Static

from emu.asm import assemble
from emu.check import Snapshot, snapshots
from emu.cli.main import main
from emu.lesson import Unwinder, explain
from emu.lesson.error import LessonError
from emu.lesson.recording import Recording, record
from emu.lesson.replay import Replay
from emu.lesson.stepper import Stepper
from emu.lesson.stepper_app import HELP, MARGIN, StepperApp
from emu.machine import Image
from emu.toolchain.prebuilt import unpack_programs
from emu.truth import EntryKind
from emu.unwind import DWARF_NAMES

ROOT = Path(__file__).parent.parent.parent
SMALL = (80, 24)


def image(name: str) -> Image:
    return Image.from_bytes(assemble(ROOT / "asm_cases" / f"{name}.s").elf, f"{name}.s")


@pytest.fixture(scope="module")
def realignment(tmp_path_factory: pytest.TempPathFactory) -> Image:
    directory = tmp_path_factory.mktemp("prebuilt")
    unpack_programs(ROOT / "c_cases" / "prebuilt", directory)
    return Image.from_file(directory / "realignment-O2", "realignment-O2")


@pytest.fixture(scope="module")
def realigned(realignment: Image) -> Recording:
    return record(realignment)


def drive(
    stepper: Stepper,
    script: Callable[[StepperApp, Pilot[None]], Awaitable[None]],
    size: tuple[int, int] = SMALL,
) -> None:
    """Run `script` against the application on a terminal of this size."""

    async def session() -> None:
        app = StepperApp(stepper)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await script(app, pilot)

    asyncio.run(session())


def shown(widget: Widget) -> list[str]:
    """The lines of a widget's content, as wide and as many as the screen has."""
    return [widget.render_line(line).text.rstrip() for line in range(widget.size.height)]


def pane(app: StepperApp, name: str) -> list[str]:
    return [line for line in shown(app.screen.query_one(f"#{name}")) if line]


def check_against(app: StepperApp, snapshot: Snapshot) -> None:
    """Title, code, registers, stack and frames against a snapshot of another run."""
    title = shown(app.query_one("#title", Static))[0]
    assert f"instruction {snapshot.instruction:,} of" in title
    here = [line for line in pane(app, "code") if line.startswith(">")]
    assert [int(line.split()[1], 16) for line in here] == [snapshot.pc]
    registers = dict(re.findall(r"(r\w+) *\*? *(0x[0-9a-f]+)", "\n".join(pane(app, "registers"))))
    assert {name: int(value, 16) for name, value in registers.items()} == {
        DWARF_NAMES[number]: snapshot.registers[number] for number in range(16)
    }
    words = [line.split() for line in pane(app, "stack")]
    assert len(words) == 6
    stack = {int(word[0], 16): int(word[1], 16) for word in words if word != ["..."]}
    assert stack == {address: snapshot.memory.word(address) for address in stack}
    assert snapshot.registers[7] in stack
    caller = next(iter(reversed(snapshot.entries)), None)
    if caller is not None and caller.kind is not EntryKind.SIGNAL:
        assert stack[caller.slot] == caller.return_address
    explanation = explain(snapshot)
    frames = pane(app, "frames")
    for step, line in zip(explanation.frames, frames, strict=False):
        number, status, *rest = line.removeprefix(">").split()
        assert int(number) == step.number
        assert status == {"true": "true", "departs": "PARTS", "astray": "astray"}[step.relation]
        name = rest[-1]
        assert str(step.location).startswith(name.removesuffix("…"))
    rules, top = pane(app, "equations")[0], explanation.frames[0]
    assert top.lookup is not None
    if top.lookup.errno:
        assert rules.startswith(f"{top.lookup.errno}: {top.lookup.reason}"[:79])
    else:
        assert rules.endswith(top.rules)


@pytest.mark.parametrize("name", ["drap_topmost", "hole"])
def test_forward_and_backward_through_a_case(name: str) -> None:
    stepper = Stepper(record(image(name)))
    count = len(stepper.recording)

    async def script(app: StepperApp, pilot: Pilot[None]) -> None:
        await pilot.press("home")
        for snapshot in snapshots(image(name)):
            check_against(app, snapshot)
            await pilot.press("right")
        assert stepper.step == count - 1
        for step in range(count - 2, count - 6, -1):
            await pilot.press("left")
            assert f"instruction {step} of 0-{count - 1}" in shown(app.query_one("#title"))[0]
        await pilot.press("home")
        check_against(app, next(iter(snapshots(image(name)))))

    drive(stepper, script)


def test_a_window_of_a_c_program(realignment: Image) -> None:
    """The recording begins in the middle of the run; numbers are the program's all the same."""
    stepper = Stepper(record(realignment, step=11_500, window=200))
    assert not stepper.recording.complete

    async def script(app: StepperApp, pilot: Pilot[None]) -> None:
        assert " recorded" in shown(app.query_one("#title"))[0]
        for snapshot in near(realignment, stepper.instruction, 8):
            check_against(app, snapshot)
            await pilot.press("right")

    drive(stepper, script)


def near(program: Image, first: int, count: int) -> Iterator[Snapshot]:
    return islice(iter(snapshots(program, max_instructions=first + count)), first, None)


def test_through_the_unwind() -> None:
    stepper = Stepper(record(image("recursion"), at="fact+0x1"))
    snapshot = next(iter(snapshots(image("recursion"), at="fact+0x1")))

    async def script(app: StepperApp, pilot: Pilot[None]) -> None:
        for number, state in enumerate(snapshot.frames):
            if number:
                await pilot.press("down")
                registers = pane(app, "registers")
                values = [int(line.split()[1], 16) for line in registers[:3]]
                assert values == [state.ip, state.sp, state.fp]
                assert all(line.endswith("true") for line in registers[:3])
            assert any(line.startswith(f"> {number}  ") for line in pane(app, "frames"))
            here = next(line for line in pane(app, "code") if line.startswith(">"))
            assert int(here.split()[1], 16) == state.ip
        assert pane(app, "equations")[-1] == "the walk ends where the stack began"
        await pilot.press("down")
        assert stepper.frame == len(snapshot.frames) - 1
        for _ in snapshot.frames[1:]:
            await pilot.press("up")
        check_against(app, snapshot)

    drive(stepper, script)


def test_the_place_where_realignment_goes_wrong(realigned: Recording) -> None:
    """Opened without a place, the stepper stands where the first row is wrong."""
    stepper = Stepper(realigned)

    async def script(app: StepperApp, pilot: Pilot[None]) -> None:
        assert pane(app, "frames")[0].startswith("> 0  PARTS wrong fp  realigned")
        equations = pane(app, "equations")
        true = stepper.true_frames[1].state.fp
        assert any(line.startswith("FP = ") and f"TRUE: {true:#x}" in line for line in equations)
        assert "rbp already holds the caller's" in equations[-1]
        step = stepper.step
        await pilot.press("w")
        assert stepper.step > step
        await pilot.press("W")
        assert stepper.step == step
        verdicts = stepper.recording.walks[Unwinder.SFRAME].verdicts
        first = next(index for index, verdict in enumerate(verdicts) if verdict.defect)
        stepper.go(first)
        await pilot.press("W")
        assert stepper.step == first, "there is none before"

    drive(stepper, script)


def test_three_unwinders() -> None:
    stepper = Stepper(record(image("frame_pointer"), at="framed"))

    async def script(app: StepperApp, pilot: Pilot[None]) -> None:
        titles, statuses = [], []
        for _ in range(4):
            titles.append(shown(app.query_one("#title"))[0].split("walk by ")[1])
            statuses.append(pane(app, "frames")[0].split()[2])
            await pilot.press("u")
        assert titles == ["sframe, kernel-v15", "frame pointers", "dwarf", "sframe, kernel-v15"]
        # At a function's entry rbp is still the caller's: the chain misses a frame.
        assert statuses == ["true", "PARTS", "true", "true"]

    drive(stepper, script)


def test_over_and_out_of_calls() -> None:
    stepper = Stepper(record(image("frame_pointer"), at="framed"))
    depth = len(stepper.true_frames)

    async def script(app: StepperApp, pilot: Pilot[None]) -> None:
        before = stepper.step
        for _ in range(20):
            await pilot.press("o")
            if len(stepper.true_frames) < depth:
                break
            assert len(stepper.true_frames) == depth
        assert stepper.recording.function_name(stepper.state.ip) == "_start"
        await pilot.press("left")
        inside = stepper.step
        await pilot.press("R")
        assert stepper.step < before
        stepper.go(inside)
        await pilot.press("r")
        assert stepper.step == inside + 1

    drive(stepper, script)


def test_details_help_and_places() -> None:
    stepper = Stepper(record(image("drap_topmost")))

    async def script(app: StepperApp, pilot: Pilot[None]) -> None:
        await pilot.press("enter")
        text = "\n".join(shown(app.screen.query_one("#details-text")))
        assert "CFA control   base is register 10 (r10), no load" in text
        assert "DIFFERS: the true one is 0x402000" in text
        await pilot.press("pagedown")
        await pilot.pause()
        assert app.screen.query_one("#details").scroll_target_y > 0
        await pilot.press("escape", "question_mark")
        assert "\n".join(shown(app.screen.query_one("#details-text"))).strip() == HELP.strip()
        await pilot.press("escape", "g", *"realign", "enter")
        await pilot.pause()
        assert pane(app, "frames")[0].split()[-1] == "realign"
        await pilot.press("g", *"nowhere", "enter")
        await pilot.pause()
        assert [note.message for note in app._notifications] == [
            "nowhere: no instruction number, address or known symbol"
        ]
        await pilot.press("g", "escape", "q")

    drive(stepper, script)


def test_it_fits_a_small_terminal(realigned: Recording) -> None:
    stepper = Stepper(realigned)

    async def script(app: StepperApp, pilot: Pilot[None]) -> None:
        assert app.size == SMALL
        for name, width, height in (
            ("code", 36, 8), ("registers", 44, 8), ("stack", 44, 6), ("frames", 36, 6),
            ("equations", 80, 5),
        ):  # fmt: skip
            widget = app.query_one(f"#{name}")
            region = widget.region
            assert region.right <= 80
            assert region.bottom <= 23
            assert (region.width, widget.size.height) == (width, height)
            assert pane(app, name)
        footer = shown(app.query_one("Footer"))
        assert footer is not None
        keys = " ".join(
            f"{binding.key_display} {binding.description}"
            for _, binding, enabled, _ in app.screen.active_bindings.values()
            if enabled and binding.show
        )
        assert "? help" in keys
        assert "q quit" in keys or "quit" in keys

    drive(stepper, script)


def test_less_room_shows_what_matters(
    realigned: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal of 60 columns and 20 lines, without colour."""
    monkeypatch.setenv("NO_COLOR", "1")
    stepper = Stepper(realigned)

    async def script(app: StepperApp, pilot: Pilot[None]) -> None:
        here = next(line for line in pane(app, "code") if line.startswith(">"))
        assert here.split(maxsplit=2)[2].startswith("xor eax"), "the instruction is seen"
        names = {re.split(r"[* ]", line.strip())[0] for line in pane(app, "registers")}
        assert {"rbp", "rsp"} <= names
        keys = [key for key in app.query("FooterKey") if key.region.right <= 60]
        assert {"help", "quit"} <= {getattr(key, "description", "") for key in keys}
        strip = app.query_one("#frames").render_line(0)
        (wrong,) = (one for one in strip if "PARTS" in one.text)
        assert wrong.style is not None
        assert wrong.style.color is not None
        assert wrong.style.bgcolor is not None
        ink, paper = (
            sum(colour.get_truecolor()) for colour in (wrong.style.color, wrong.style.bgcolor)
        )
        assert abs(ink - paper) > 3 * 80, "in grey it is as easy to read as in red"
        await pilot.resize_terminal(100, 30)
        await pilot.pause()
        assert any("r15" in line for line in pane(app, "registers"))

    drive(stepper, script, (60, 20))


def test_the_help_fits() -> None:
    assert max(len(line) for line in HELP.splitlines()) <= 80 - MARGIN


def test_more_room_shows_more(realigned: Recording) -> None:
    stepper = Stepper(realigned)
    lines: list[int] = []

    async def script(app: StepperApp, _pilot: Pilot[None]) -> None:
        lines.append(len(pane(app, "stack")))

    for size in (SMALL, (160, 60)):
        drive(stepper, script, size)
    assert lines[0] == 6
    assert lines[1] > 30


@pytest.mark.parametrize("name", ["drap_topmost", "startproc_simple", "coroutine", "rbp_in_xmm"])
def test_explanations_from_a_recording_are_those_of_the_run(name: str) -> None:
    replay = Replay(record(image(name)))
    for number, snapshot in enumerate(snapshots(image(name))):
        for unwinder in Unwinder:
            live = explain(snapshot, unwinder)
            replayed = replay.explain(number, unwinder, limit=510)
            assert replayed is not None
            assert [one.equations for one in replayed.frames] == [
                one.equations for one in live.frames
            ]
            assert [one.code for one in replayed.frames] == [one.code for one in live.frames]
            assert replayed.end == live.end


def test_places_that_are_not_recorded() -> None:
    stepper = Stepper(record(image("leaf")))
    for text, message in (
        ("99999", "instruction 99999 is not recorded"),
        ("0x1", "0x1: never reached"),
        ("leaf+0x100", "leaf+0x100: never reached"),
        ("a b", "a b: no instruction number"),
        ("", "no instruction number"),
    ):
        with pytest.raises(LessonError, match=re.escape(message)):
            stepper.find(text)


def test_without_textual(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "emu.lesson.stepper_app", raising=False)
    for name in [name for name in sys.modules if name.partition(".")[0] == "textual"]:
        monkeypatch.setitem(sys.modules, name, None)
    assert main(["walk", "-i", str(ROOT / "asm_cases" / "leaf.s")]) == 2
    assert capsys.readouterr().err == (
        "emu: walk: --interactive needs textual: pip install 'sframe-testbed[tui]'\n"
    )


def test_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["walk", "-i", str(ROOT / "asm_cases" / "leaf.s")]) == 2
    assert capsys.readouterr().err == "emu: walk: --interactive needs a terminal\n"
