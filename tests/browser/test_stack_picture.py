"""The picture of the stack as it is seen: where things are and how they look, not what they say."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}

ENDS = """(kind) => {
  const holder = document.querySelector("#stack").getBoundingClientRect();
  const scrolled = document.querySelector("#stack").scrollTop;
  return [...document.querySelectorAll(`#stack .arrows .${kind}`)].map((path) => {
    const length = path.getTotalLength();
    return [0, length].map((at) => {
      const point = path.getPointAtLength(at);
      return [point.x + holder.left, point.y + holder.top - scrolled];
    });
  });
}"""
"""Both ends of each arrow, in the window's coordinates."""

CLIPPED = """() => [...document.querySelectorAll(
    "#stack .pointers, #stack .address, #stack .kind, #stack .note, #stack .frame-head, .card")]
  .filter((one) => one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1)
  .filter((one) => getComputedStyle(one).display !== "inline")
  .map((one) => `${one.className}: ${one.textContent}`)"""

COLOURS = """(selector) => [...document.querySelectorAll(selector)].map((one) => {
  const style = getComputedStyle(one);
  return [style.color, style.stroke, style.strokeDasharray, style.textDecorationLine];
})"""


def settled(page: Page) -> None:
    page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )


def box(page: Page, selector: str) -> dict[str, float]:
    found = page.locator(selector).bounding_box()
    assert found is not None, selector
    return dict(found)


def reddish(colour: str) -> bool:
    red, green, blue = (int(part) for part in colour[4:-1].split(",")[:3])
    return red > 1.4 * max(green, blue)


def greenish(colour: str) -> bool:
    red, green, blue = (int(part) for part in colour[4:-1].split(",")[:3])
    return green > 1.2 * max(red, blue)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_wrong_rbp_looks_wrong(
    walkthrough: Callable[[str], Any], opened: Callable[..., Page], scheme: str
) -> None:
    """At a glance: of three values one is red, and two arrows begin together and part."""
    made = walkthrough("realignment-O2")
    page = opened(made.path, viewport=DESKTOP, scheme=scheme)
    true = made.recording.step(made.recording.opening).frames[1].state.fp
    chips = page.evaluate(COLOURS, "#handed .chip")
    assert [greenish(colour) for colour, *_ in chips] == [True, True, False]
    assert [reddish(colour) for colour, *_ in chips] == [False, False, True]
    ((_, good, dashes, _),) = page.evaluate(COLOURS, "#stack .handed-arrow.good")
    assert greenish(good)
    assert dashes == "none"
    ((_, bad, dashes, _),) = page.evaluate(COLOURS, "#stack .handed-arrow.bad")
    assert reddish(bad)
    assert dashes != "none"
    ((good_begin, good_end),) = page.evaluate(ENDS, "handed-arrow.good")
    ((bad_begin, bad_end),) = page.evaluate(ENDS, "handed-arrow.bad")
    frame = box(page, "#stack .frame.selected .frame-head")
    for x, y in (good_begin, bad_begin):
        assert abs(x - frame["x"] - frame["width"]) < 20, "both begin at the frame"
        assert frame["y"] - 10 < y < frame["y"] + frame["height"] + 10
    target = box(page, f'#stack .word:has(.address[title="{true:#x}"])')
    assert abs(good_end[1] - target["y"] - target["height"] / 2) < 5, "leads to the true rbp"
    assert abs(good_end[0] - target["x"] - target["width"]) < 12
    assert bad_end[0] > frame["x"] + frame["width"] + 40, "leads away from the stack"
    cross = box(page, "#stack .cross")
    assert abs(cross["x"] + cross["width"] / 2 - bad_end[0]) < 12, "and is crossed out"
    assert abs(cross["y"] + cross["height"] / 2 - bad_end[1]) < 3
    assert cross["width"] >= 18
    ((*_, line),) = page.evaluate(COLOURS, ".next tr.wrong td:nth-child(2)")
    assert line == "line-through"
    for selector in ("#handed", "#stack .frame.selected", "#stack .cross", ".next tr.wrong"):
        seen = box(page, selector)
        assert 0 <= seen["y"] < seen["y"] + seen["height"] <= DESKTOP["height"], selector


def test_a_right_step_shows_no_red(
    walkthrough: Callable[[str], Any], opened: Callable[..., Page]
) -> None:
    page = opened(walkthrough("pushes.s").path, "#step=5&frame=0&unwinder=sframe")
    assert page.locator("#stack .cross").count() == 0
    assert page.locator("#stack .handed-arrow.bad").count() == 0
    assert page.locator("#handed .chip.bad").count() == 0
    assert page.locator("#handed .chip.good").count() == 3


def arcs_fit(page: Page) -> None:
    """Every arrow of a return address begins at its word and ends at the head of a frame."""
    arcs = page.evaluate(ENDS, "arc.ra")
    assert arcs
    middles = {
        kind: page.locator(f"#stack {kind}").evaluate_all(
            "(all) => all.map((one) => one.getBoundingClientRect())"
            ".map((one) => one.top + one.height / 2)"
        )
        for kind in (".word.ra", ".frame-head")
    }
    edge = box(page, "#stack .frame.selected")
    for (x, begin), (_, end) in arcs:
        assert min(abs(begin - middle) for middle in middles[".word.ra"]) < 2
        assert min(abs(end - middle) for middle in middles[".frame-head"]) < 2
        assert abs(x - edge["x"] - edge["width"]) < 3


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("name", ["realignment-O2", "signal_handler.s", "deep_recursion.s"])
def test_arrows_begin_and_end_where_they_should(
    walkthrough: Callable[[str], Any],
    opened: Callable[..., Page],
    name: str,
    viewport: dict[str, int],
) -> None:
    made = walkthrough(name)
    deepest = max(range(len(made.recording)), key=made.recording.depth)
    page = opened(made.path, f"#step={deepest}", viewport=viewport)
    arcs_fit(page)
    assert page.evaluate(CLIPPED) == []


def test_on_paper_too(walkthrough: Callable[[str], Any], opened: Callable[..., Page]) -> None:
    """A printer gets another layout, without another chance for the script to draw."""
    page = opened(walkthrough("realignment-O2").path)
    page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
    drawn = page.evaluate(ENDS, "arc.ra")
    # A browser that only shows what would be printed tells of the new size: paper does not.
    page.evaluate("() => { walkthrough.stack.arrows = () => null }")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 703, "height": 1032})
    assert len(page.evaluate(ENDS, "arc.ra")) == len(drawn)
    arcs_fit(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 703
    assert not page.locator(".drive").is_visible()
    cursor = box(page, ".cursor")
    strip = box(page, ".strip-row.sframe canvas")
    part = int(page.locator("#step").input_value()) / int(
        page.locator("#step").get_attribute("max") or 0
    )
    assert abs(cursor["x"] + 1 - strip["x"] - part * strip["width"]) < 2
    page.emulate_media(media="screen")
    page.set_viewport_size(DESKTOP)
    page.evaluate("() => { delete walkthrough.stack.arrows }")
    page.evaluate("() => window.dispatchEvent(new Event('afterprint'))")
    settled(page)
    assert page.locator("#stack .frame[data-frame]").count() > 4
    arcs_fit(page)


def test_frames_say_how_they_were_left(
    walkthrough: Callable[[str], Any], opened: Callable[..., Page]
) -> None:
    def notes(name: str, address: str) -> dict[str, str]:
        page = opened(walkthrough(name).path, address)
        return dict(
            zip(
                page.locator("#stack [data-frame] .frame-name").all_inner_texts(),
                page.locator("#stack [data-frame] .frame-note").all_inner_texts(),
                strict=True,
            )
        )

    said = notes("signal_handler.s", f"#step={in_handler(walkthrough('signal_handler.s'))}")
    assert list(said.values())[-1].startswith("runs at +0x")
    assert any(text.startswith("interrupted at +0x") for text in said.values())
    assert any(text.startswith("the handler returns to") for text in said.values())
    # `lea rax, .Lback; push rax; ..; jmp work` is a call without the instruction.
    made = walkthrough("call_by_push_and_jump.s")
    deepest = max(range(len(made.recording)), key=made.recording.depth)
    said = notes("call_by_push_and_jump.s", f"#step={deepest}")
    assert said["work"].startswith("calls at +0x")
    assert said["caller"].startswith("left at +0x")
    assert said["_start"].startswith("calls at +0x")


def in_handler(made: Any) -> int:
    """A step inside a signal handler."""
    recording = made.recording
    return next(
        step
        for step in range(len(recording))
        if any(
            frame.kind is not None and frame.kind.value == "signal"
            for frame in recording.frames(step)
        )
    )


def test_a_thumb_can_step(walkthrough: Callable[[str], Any], opened: Callable[..., Page]) -> None:
    """On a phone what moves through the run stays in sight, and single steps can be taken."""
    made = walkthrough("realignment-O2")
    page = opened(made.path, viewport=PHONE)
    page.mouse.wheel(0, 900)
    page.wait_for_function("() => scrollY > 500")
    page.get_by_role("button", name="step →").click()
    settled(page)
    assert page.locator("#step").input_value() == str(made.recording.opening + 1)
    page.get_by_role("button", name="← step").click(click_count=2)
    settled(page)
    assert page.locator("#step").input_value() == str(made.recording.opening - 1)
    page.locator("#stack [data-frame='1'] .frame-name").click()
    settled(page)
    assert page.locator("#stack .frame.selected").get_attribute("data-frame") == "1"
    assert page.locator("#frame").input_value() == "1"
    drive = box(page, ".drive")
    assert drive["y"] + drive["height"] == PHONE["height"]
    assert drive["height"] < 140
    widths = {
        one["width"]
        for one in page.locator(".board .panel").evaluate_all(
            "(all) => all.map((one) => one.getBoundingClientRect().toJSON())"
        )
    }
    assert len(widths) == 1
    assert box(page, "#stack")["height"] < 1100
