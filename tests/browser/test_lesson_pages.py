"""Built lessons in a browser: accessible, quiet, searchable from a file, readable on a phone."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[2]
# Without preload: axe would fetch style sheets, which a page opened from a file may not.
RUN = """() => axe.run(document, { preload: false, resultTypes: ["violations"] }).then((found) =>
  found.violations.map((one) => `${one.id}: ${one.help}: ${
    one.nodes.slice(0, 3).map((node) => node.html).join(" | ")}`))"""
PAGES = sorted(
    path.relative_to(ROOT / "docs").with_suffix(".html").as_posix()
    for path in (ROOT / "docs").rglob("*.md")
)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documentation, built as `make docs` does."""
    directory = tmp_path_factory.mktemp("site")
    command = [sys.executable, str(ROOT / "tools" / "build_docs.py")]
    command += ["--output", str(directory / "site"), "--stage", str(directory / "docs")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return directory / "site"


@pytest.fixture
def visit(browser: Browser, site: Path) -> Iterator[Callable[..., Page]]:
    """Opens pages of the site; none may complain or load anything from elsewhere."""
    complaints: list[str] = []
    requests: list[str] = []
    contexts = []

    def open_page(name: str, width: int = 1280, scheme: str = "light") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto((site / name).as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints
    assert [url for url in requests if not url.startswith(("file:", "data:", "about:"))] == []


@pytest.mark.parametrize("name", PAGES)
def test_no_violation(visit: Callable[..., Page], axe: str, name: str) -> None:
    """Every page of the site, lessons on a phone by night too."""
    ways = [(1280, "light"), (390, "dark")]
    for width, scheme in ways if name.startswith("lessons/") else ways[:1]:
        page = visit(name, width, scheme)
        page.evaluate(
            "() => document.querySelectorAll('details').forEach((one) => one.open = true)"
        )
        page.evaluate(axe)
        assert page.evaluate(RUN) == [], (width, scheme)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (390, "light")])
def test_no_violation_in_figures(
    visit: Callable[..., Page], axe: str, width: int, scheme: str
) -> None:
    page = visit("lessons/07-realigned.html", width, scheme)
    page.evaluate(axe)
    assert page.evaluate(RUN) == []


def test_no_violation_where_there_is_no_page(browser: Browser, site: Path, axe: str) -> None:
    """Its links begin at the root: it is for a server."""
    handler = partial(Quiet, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{server.server_port}/404.html")
            page.evaluate(axe)
            assert page.evaluate(RUN) == []
            assert page.locator("h1").first.inner_text().startswith("404")
            page.close()
        finally:
            server.shutdown()
            thread.join()


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and does not say so."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name it has
        pass


def test_the_scheme_follows_the_system(visit: Callable[..., Page]) -> None:
    colours = {
        scheme: visit("lessons/01-calls.html", scheme=scheme).evaluate(
            "() => getComputedStyle(document.querySelector('.stack-picture .f0 .box')).fill"
        )
        for scheme in ("light", "dark")
    }
    assert colours["light"] != colours["dark"]


@pytest.mark.parametrize("width", [1280, 390])
def test_only_figures_scroll_sideways(visit: Callable[..., Page], width: int) -> None:
    page = visit("lessons/12-when-tables-lie.html", width)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    narrowest = page.evaluate(
        "() => Math.min(...[...document.querySelectorAll('.stack-picture')]"
        ".map((one) => one.getBoundingClientRect().width))"
    )
    assert narrowest >= 380


def test_search_works_from_a_file(visit: Callable[..., Page]) -> None:
    page = visit("lessons/02-cfa.html")
    page.keyboard.press("/")
    page.keyboard.type("canonical frame address")
    page.wait_for_selector(".md-search-result__link")
    found = page.locator(".md-search-result__link").evaluate_all(
        "(links) => links.map((link) => link.getAttribute('href'))"
    )
    assert any("02-cfa.html" in one for one in found)


def test_a_walkthrough_opens_from_its_lesson(visit: Callable[..., Page]) -> None:
    page = visit("lessons/12-when-tables-lie.html")
    page.get_by_role("link", name="Step through it").click()
    page.wait_for_selector("html[data-ready]")
    assert "realigned+0x64" in page.inner_text("body")
