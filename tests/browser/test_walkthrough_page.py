"""Walkthroughs in Chromium, stepped through by keyboard, against snapshots of another run."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from emu.check import Snapshot, snapshots
from emu.unwind import DWARF_NAMES, SectionStore, unwind_user

SHOWN = """() => {
  const text = (node) => node.textContent.trim();
  const rows = {};
  for (const row of document.querySelectorAll("#registers tbody tr")) {
    rows[text(row.querySelector("th"))] =
      [text(row.querySelector(".value")), row.classList.contains("changed")];
  }
  const words = {};
  for (const word of document.querySelectorAll("#stack .word")) {
    words[word.querySelector(".address").title] =
      [text(word.querySelector(".value")), text(word.querySelector(".kind"))];
  }
  return {
    registers: rows,
    words,
    frames: [...document.querySelectorAll("#stack .frame[data-frame]")].map((frame) =>
      [Number(frame.dataset.frame), text(frame.querySelector(".frame-name"))]),
    verdicts: [...document.querySelectorAll("#verdicts .card-word")].map(text),
    truth: [...document.querySelectorAll("#compare tbody tr")].map((row) => text(row.cells[1])),
    place: text(document.querySelector("#place")),
    position: text(document.querySelector("#position")),
    code: text(document.querySelector("#code .here .text")),
  };
}"""


DESKTOP = {"width": 1440, "height": 900}


def settled(page: Page) -> None:
    page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)
    settled(page)


def shown(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(SHOWN)
    return found


def right(snapshot: Snapshot, store: SectionStore) -> bool:
    """Whether a walk of the kernel's is the true stack, state by state."""
    trace = unwind_user(store, snapshot.memory, snapshot.registers, 510)
    walked = [(state.ip, state.sp, state.fp) for state in trace.frames]
    return walked == [(state.ip, state.sp, state.fp) for state in snapshot.frames]


def agrees(seen: dict[str, Any], snapshot: Snapshot) -> None:
    """What is on the page is what the snapshot holds."""
    registers = snapshot.registers
    names = [*DWARF_NAMES[:16], "rip"]
    for number, name in enumerate(names):
        assert seen["registers"][name][0] == hex(registers.values[number]), name
    assert f"0x{snapshot.pc:x}" in seen["position"]
    for number, name in seen["frames"]:
        assert name == snapshot.functions[number] or name.startswith("0x")
    assert {0} <= {number for number, _ in seen["frames"]}
    for address, (value, kind) in seen["words"].items():
        assert value == hex(snapshot.memory.word(int(address, 16))), address
        if kind == "RA":
            assert int(value, 16) in [state.ip for state in snapshot.frames[1:]]
            assert int(address, 16) in [entry.slot for entry in snapshot.entries]
        if kind == "FP":
            assert int(value, 16) in [state.fp for state in snapshot.frames[1:]]
    slots = {entry.slot for entry in snapshot.entries[-3:] if entry.kind.value == "call"}
    assert {hex(slot) for slot in slots} <= set(seen["words"])
    assert len(seen["truth"]) >= min(len(snapshot.frames), 40)
    inner = snapshot.functions[0]
    assert seen["truth"][0] == seen["place"]
    assert seen["place"].startswith((inner, "0x"))
    assert (seen["verdicts"][0] == "right") == right(snapshot, snapshot.store)
    nothing = SectionStore(snapshot.memory, snapshot.memory)  # type: ignore[arg-type]  # the memory of a process has mappings
    assert (seen["verdicts"][1] == "right") == right(snapshot, nothing)


def at_steps(made: Any, wanted: Iterable[int]) -> Iterator[Snapshot]:
    """Snapshots of another run, at these instructions only."""
    steps = set(wanted)
    places = {hex(made.recording.pc(step)) for step in steps}
    for snapshot in snapshots(made.program, at=places, max_instructions=max(steps) + 1):
        if snapshot.instruction in steps:
            yield snapshot


@pytest.mark.parametrize(
    "name", ["pushes.s", "drap_topmost.s", "signal_handler.s", "three_coroutines.s", "wrong_cfa.s"]
)
def test_every_step_of_a_case(
    walkthrough: Callable[[str], Any], opened: Callable[..., Page], name: str
) -> None:
    made = walkthrough(name)
    page = opened(made.path)
    press(page, "Home")
    for snapshot in snapshots(made.program):
        agrees(shown(page), snapshot)
        press(page, "ArrowRight")
    assert page.locator("#step").input_value() == str(len(made.recording) - 1)


def test_a_compiled_program_by_keyboard(
    walkthrough: Callable[[str], Any], opened: Callable[..., Page]
) -> None:
    """From the opening on and back, through calls, returns and the places where SFrame errs."""
    made = walkthrough("realignment-O2")
    recording = made.recording
    page = opened(made.path)
    seen: dict[int, dict[str, Any]] = {}

    def look() -> int:
        step = int(page.locator("#step").input_value())
        seen[step] = shown(page)
        return step

    assert look() == recording.opening
    for _ in range(12):
        before = look()
        press(page, "ArrowRight")
        assert look() == before + 1
    press(page, "ArrowLeft")
    here = look()
    depth = recording.depth
    press(page, "c")
    call = look()
    assert call == next(
        step for step in range(here + 1, len(recording)) if depth(step) > depth(step - 1)
    )
    press(page, "r")
    back = look()
    assert back == next(
        step for step in range(call + 1, len(recording)) if depth(step) < depth(step - 1)
    )
    press(page, "Shift+C")
    assert look() == next(step for step in range(back - 1, 0, -1) if depth(step) > depth(step - 1))
    press(page, "o")
    assert look() == recording.opening
    press(page, "e")
    after = look()
    verdicts = recording.walks["sframe"].verdicts
    assert after > recording.opening
    assert verdicts[after].defect
    press(page, "Shift+E")
    assert look() < after
    press(page, "End")
    assert look() == len(recording) - 1
    press(page, "PageUp")
    assert look() == len(recording) - 101
    press(page, "Home")
    assert look() == 0
    checked = 0
    for snapshot in at_steps(made, seen):
        agrees(seen[snapshot.instruction], snapshot)
        checked += 1
    assert checked == len(seen)


def test_the_recovered_rbp_is_seen_to_be_wrong(
    walkthrough: Callable[[str], Any], opened: Callable[..., Page]
) -> None:
    """gcc's DRAP epilogue: pc and sp right, rbp not the caller's."""
    made = walkthrough("realignment-O2")
    page = opened(made.path, viewport=DESKTOP)
    step = made.recording.step(made.recording.opening)
    true, got = step.frames[1].state, step.walks["sframe"].frames[0]
    assert (got.ip, got.sp) == (true.ip, true.sp)
    assert got.fp != true.fp
    assert page.locator(".place").inner_text().startswith("realigned+")
    assert page.locator("#handed .chip.good").all_inner_texts() == ["= pc", "= rsp"]
    assert page.locator("#handed .chip.bad").all_inner_texts() == ["≠ rbp"]
    assert "recovered rbp is not the caller" in page.locator(".shout").inner_text()
    good = page.locator(".arrows .handed-arrow.good").bounding_box()
    bad = page.locator(".arrows .handed-arrow.bad").bounding_box()
    target = page.locator(f'.word:has(.address[title="{true.fp:#x}"])').bounding_box()
    assert good is not None
    assert bad is not None
    assert target is not None
    middle = target["y"] + target["height"] / 2
    assert good["y"] - 8 <= middle <= good["y"] + good["height"] + 8, "leads to the true rbp"
    assert abs(good["y"] - bad["y"]) > 20, "they part"
    for box in (good, bad, target):
        assert box["y"] + box["height"] < DESKTOP["height"], "seen without scrolling"
    assert page.locator(".arrows .cross").count() == 1
    wrong = page.locator(".next tr.wrong")
    assert wrong.all_inner_texts() == [f"rbp\t{got.fp:#x}\t≠ wrong\t{true.fp:#x}"]


def test_the_walk_frame_by_frame(
    walkthrough: Callable[[str], Any], opened: Callable[..., Page]
) -> None:
    """The equations' results are the states of a walk on another run's memory."""
    made = walkthrough("pushes.s")
    deepest = max(range(len(made.recording)), key=made.recording.depth)
    snapshot = next(at_steps(made, [deepest]))
    trace = unwind_user(snapshot.store, snapshot.memory, snapshot.registers, 510)
    page = opened(made.path, f"#step={deepest}&frame=0&unwinder=sframe")
    for number, state in enumerate(trace.frames):
        said = page.locator("#unwind .facts code").inner_text()
        assert said == f"pc = {state.ip:#x}, rsp = {state.sp:#x}, rbp = {state.fp:#x}"
        if number + 1 < len(trace.frames):
            following = trace.frames[number + 1]
            results = page.locator("#unwind .equations .result").all_inner_texts()
            assert [text.strip(" =") for text in results] == [
                f"{following.sp:#x}",
                f"{following.ip:#x}",
                f"{following.fp:#x}",
            ]
            assert page.locator("#rows tr.here .mark").inner_text() == "▶ in force"
            assert page.locator("#way .fields tr").count() > 5
        press(page, "ArrowUp")
    assert "The walk ends here" in page.locator("#unwind .end").inner_text()
    assert page.locator("#unwind .end.right").count() == 1


def test_links_to_steps(walkthrough: Callable[[str], Any], opened: Callable[..., Page]) -> None:
    made = walkthrough("pushes.s")
    page = opened(made.path, "#step=3&frame=1&unwinder=dwarf")
    assert page.locator("#step").input_value() == "3"
    assert page.locator("#frame").input_value() == "1"
    assert page.locator('.card[aria-checked="true"] .card-name').inner_text().startswith("DWARF")
    press(page, "ArrowRight", "1")
    page.wait_for_url("**#step=4&*&unwinder=sframe")
    for broken in ("#step=99999999&frame=77&unwinder=nobody", "#step=-1", "#step=x&frame=", "#"):
        page.evaluate("(hash) => { location.hash = hash }", broken)
        settled(page)
        assert 0 <= int(page.locator("#step").input_value()) < len(made.recording)


def test_both_scrubbers(walkthrough: Callable[[str], Any], opened: Callable[..., Page]) -> None:
    made = walkthrough("realignment-O2")
    page = opened(made.path)
    page.locator("#step").fill("15000")
    settled(page)
    assert made.recording.locations[made.recording.pc(15000)].function in shown(page)["place"]
    depth = made.recording.depth(15000)
    assert page.locator("#frame").get_attribute("max") == str(depth)
    page.locator("#frame").fill("1")
    settled(page)
    assert page.locator("#stack .frame.selected").get_attribute("data-frame") == "1"
    strip = page.locator(".strip-row.sframe canvas").bounding_box()
    assert strip is not None
    page.mouse.click(strip["x"] + strip["width"] / 2, strip["y"] + 3)
    settled(page)
    half = len(made.recording) // 2
    assert abs(int(page.locator("#step").input_value()) - half) < len(made.recording) / 100


def test_theme_help_and_print(
    walkthrough: Callable[[str], Any], opened: Callable[..., Page]
) -> None:
    page = opened(walkthrough("pushes.s").path)
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    press(page, "t")
    assert page.evaluate(background) != light
    assert page.locator("#theme").get_attribute("aria-pressed") == "true"
    press(page, "?")
    assert page.locator("#help").is_visible()
    assert page.locator("#keys tr").count() > 15
    press(page, "Escape")
    assert not page.locator("#help").is_visible()
    page.emulate_media(media="print")
    assert page.evaluate(background) == "rgb(255, 255, 255)"
    assert not page.locator("#moves").is_visible()
    assert page.locator("#stack .frame-name").first.is_visible()


@pytest.mark.parametrize("name", ["pushes.s", "realignment-O2", "signal_handler.s"])
def test_a_phone_needs_no_scrolling_sideways(
    walkthrough: Callable[[str], Any], opened: Callable[..., Page], name: str
) -> None:
    page = opened(walkthrough(name).path, viewport={"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    press(page, "End")
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_a_popped_return_address_is_no_switch_of_stacks(
    walkthrough: Callable[[str], Any], opened: Callable[..., Page]
) -> None:
    """The topmost frame has no word left; those above rsp are its caller's."""
    page = opened(walkthrough("ra_in_register.s").path, "#step=2&frame=0&unwinder=sframe")
    settled(page)
    assert shown(page)["place"].startswith("pops")
    frame = page.locator("#stack [data-frame='0']")
    assert frame.locator(".frame-end, .word").count() == 0
    assert frame.inner_text().count("0x") == 1, "its place only"


def test_rows_are_those_of_a_function_by_name(
    walkthrough: Callable[[str], Any], opened: Callable[..., Page]
) -> None:
    """A coroutine that is entered behind its first instruction."""
    made = walkthrough("three_coroutines.s")
    recording = made.recording
    starts = {function.start: function.name for function in recording.functions}
    entered = {recording.pc(step) for step in range(len(recording))}
    step = next(
        step
        for step in range(len(recording))
        if recording.function_name(recording.pc(step)) == "two"
    )
    assert next(start for start, name in starts.items() if name == "two") not in entered
    page = opened(made.path, f"#step={step}&unwinder=sframe")
    assert page.locator("#rows caption").inner_text().startswith(".sframe of two: ")
