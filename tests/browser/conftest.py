"""Headless Chromium, axe-core, and walkthroughs to look at.

Chromium comes from PATH or is unpacked privately by apt; axe-core comes by npm. Where a machine
has no apt or no npm the tests that need it skip and say so; where they are there and fail, that
is a failure.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from emu.asm import assemble
from emu.lesson.page import case_lines, page
from emu.lesson.recording import Recording, record
from emu.machine import Image
from emu.toolchain.prebuilt import unpack_programs
from emu.toolchain.programs import CHROMIUM, Program, find_program, provide

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
DESKTOP = ViewportSize(width=1440, height=900)

QUIET = (
    "--no-sandbox",  # a container's root has no user namespaces
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Nothing that asks the network for anything."""


@pytest.fixture(scope="session")
def chromium() -> Program:
    """A Chromium; skips only where it is not on PATH and there is no apt."""
    found = find_program(CHROMIUM)
    if found is None and shutil.which("apt-get") is None:
        pytest.skip("Chromium is not on PATH, and there is no apt to get it with")
    return found or provide(CHROMIUM)


@pytest.fixture(scope="module")
def browser(chromium: Program) -> Iterator[Browser]:
    """A headless Chromium; each test has a context of its own, without history.

    Not for the session: while Playwright is there, the thread has a running event loop, and tests
    that run one of their own cannot.
    """
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as home:
        started = playwright.chromium.launch(
            executable_path=chromium.path,
            args=list(QUIET),
            env={**chromium.environment(os.environ), "HOME": home},
        )
        yield started
        started.close()


@dataclass
class Opened:
    """A page in the browser, with what it complained about and what it asked for."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens files; at the end none may have complained or asked for anything but itself."""
    contexts = []
    everything: list[Opened] = []

    def open_file(
        path: Path,
        address: str = "",
        viewport: ViewportSize = DESKTOP,
        scheme: str = "light",
    ) -> Page:
        context = browser.new_context(
            viewport=viewport,
            color_scheme="dark" if scheme == "dark" else "light",
            reduced_motion="reduce",
        )
        contexts.append(context)
        context.set_default_timeout(120_000)
        one = Opened(context.new_page())
        everything.append(one)
        one.page.on(
            "console",
            lambda message: one.complaints.append(f"{message.type}: {message.text}"),
        )
        one.page.on("pageerror", lambda error: one.complaints.append(str(error)))
        one.page.on("request", lambda request: one.requests.append(request.url))
        one.page.goto(f"{path.as_uri()}{address}")
        one.page.wait_for_selector("html[data-ready]")
        settled(one.page)
        return one.page

    yield open_file
    for context in contexts:
        context.close()
    for one in everything:
        assert not one.complaints
        assert [url for url in one.requests if not url.startswith(("file:", "data:"))] == []
        assert len({url.partition("#")[0] for url in one.requests if url.startswith("file:")}) == 1


def settled(page: Page) -> None:
    """Wait until what was asked for is shown."""
    page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )


@dataclass(frozen=True)
class Walkthrough:
    """A page and what it was made from."""

    path: Path
    program: Path | Image
    recording: Recording


@pytest.fixture(scope="session")
def walkthrough(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Walkthrough]:
    """Makes the page of an asm case (`name.s`) or of a prebuilt C case (`name-O2`), once."""
    directory = tmp_path_factory.mktemp("walkthroughs")
    known: dict[str, Walkthrough] = {}
    programs: dict[str, Path] = {}

    def make(name: str) -> Walkthrough:
        if name in known:
            return known[name]
        program: Path | Image
        if name.endswith(".s"):
            source = ROOT / "asm_cases" / name
            program = Image.from_bytes(assemble(source).elf, str(source))
        else:
            if not programs:
                unpacked = unpack_programs(ROOT / "c_cases" / "prebuilt", directory)
                programs.update({one.name: one for one in unpacked})
            source = ROOT / "c_cases" / f"{name.rpartition('-')[0]}.c"
            program = programs[name]
        recording = record(program)
        path = directory / f"{name}.html"
        path.write_text(page(recording, source=source, lines=case_lines(source)))
        known[name] = Walkthrough(path, program, recording)
        return known[name]

    return make


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The script of axe-core, as package-lock.json says; skips only where npm is missing."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("axe-core is not here, and there is no npm to get it with")
    directory = tmp_path_factory.mktemp("axe")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, directory)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    ran = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return (directory / "node_modules" / "axe-core" / "axe.min.js").read_text()
