"""The page of `emu check --html` in a browser: quiet, accessible, and fit for paper and a phone."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from emu.asm import assemble
from emu.check import Result, run
from emu.machine import Image
from emu.report import html_document, html_error, html_part

CASES = Path(__file__).parent.parent.parent / "asm_cases"
LONG = "a_rather_long_name_" * 30
RUN = """() => axe.run(document, { resultTypes: ["violations"] }).then((found) =>
  found.violations.map((one) => `${one.id}: ${one.nodes[0].html}`))"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of four programs: wrong twice, with names that are too long, and not checked."""

    def checked(case: str) -> Result:
        return run(Image.from_bytes(assemble(CASES / case).elf, f"./{case}"), strict=True)

    wrong = checked("wrong_cfa.s")
    long = checked("no_fde.s")
    findings = tuple(
        replace(one, key=one.key._replace(function=LONG, module=LONG)) for one in long.findings
    )
    long = replace(long, program=LONG, findings=findings, remarks=(LONG,))
    path = tmp_path_factory.mktemp("report") / "report.html"
    parts = [html_part(one) for one in (wrong, wrong, long)]
    path.write_bytes(html_document([*parts, html_error(f"./{LONG}", f"{LONG}: no such file")]))
    return path


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that must neither complain nor ask for anything but one file."""
    context = browser.new_context()
    opened = context.new_page()
    complaints: list[str] = []
    requests: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("request", lambda request: requests.append(request.url))
    yield opened
    context.close()
    assert complaints == []
    assert len({url.partition("#")[0] for url in requests}) == 1


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_no_violation_and_nothing_cut(
    scheme: str, width: int, report: Path, page: Page, axe: str
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(report.as_uri())
    page.evaluate(axe)
    assert page.evaluate(RUN) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, background[4:-1].split(","))) < 200) == (scheme == "dark")
    # The style sheet is the one that the page's policy names.
    assert page.evaluate("document.styleSheets.length") == 1


def test_links_and_details_need_no_script(report: Path, page: Page) -> None:
    page.goto(report.as_uri())
    page.locator("a", has_text="./wrong_cfa.s").nth(1).click()
    assert page.evaluate("location.hash") == "#program-2"
    meaning = page.locator("details").first
    assert not meaning.locator("p").is_visible()
    meaning.locator("summary").press("Enter")
    assert meaning.locator("p").is_visible()


def test_paper_shows_what_a_screen_unfolds(report: Path, page: Page) -> None:
    page.goto(report.as_uri())
    page.emulate_media(media="print")
    heights = "[...document.querySelectorAll('details p')].map((one) => one.offsetHeight)"
    assert min(page.evaluate(heights)) > 10
    assert len(page.pdf()) > 10_000
