"""How large a walkthrough page is, how fast it opens and how fast it scrubs, in Chromium.

    python tools/bench_page.py [--window N] [PROGRAM [ARG...]]

The default is 50,000 instructions of true(1) with the rows of its libraries made from .eh_frame,
and the C case `realignment` as it lies here prebuilt. Opening is from navigation until the first
step is shown; a step is everything the page does for it, layout included.
"""

import argparse
import os
import shutil
import statistics
import tempfile
from pathlib import Path
from time import perf_counter

from playwright.sync_api import Browser, sync_playwright

from emu.lesson.page import page
from emu.lesson.recording import record
from emu.toolchain.prebuilt import unpack_programs
from emu.toolchain.programs import CHROMIUM, provide

ROOT = Path(__file__).parent.parent
STEPS = 500

SCRUB = """async (wanted) => {
  const { walkthrough } = window;
  const { count } = walkthrough.recording;
  const times = [];
  for (let i = 0; i < wanted; i++) {
    const step = Math.floor((i * (count - 1)) / (wanted - 1));
    const started = performance.now();
    walkthrough.go({ step, frame: null });
    cancelAnimationFrame(walkthrough.pending);
    walkthrough.pending = 0;
    walkthrough.show();
    document.body.getBoundingClientRect();
    times.push(performance.now() - started);
    if (i % 10 === 0) await new Promise((done) => requestAnimationFrame(done));
  }
  return times;
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--window", type=int, default=50_000)
    parser.add_argument("program", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    chromium = provide(CHROMIUM)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        directory = Path(name)
        browser = playwright.chromium.launch(
            executable_path=chromium.path,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
            env={**chromium.environment(os.environ), "HOME": name},
        )
        if arguments.program:
            program = shutil.which(arguments.program[0]) or arguments.program[0]
            measure(browser, directory, Path(program), arguments.program[1:], arguments.window)
        else:
            measure(browser, directory, Path(shutil.which("true") or "true"), [], arguments.window)
            prebuilt = unpack_programs(ROOT / "c_cases" / "prebuilt", directory)
            case = next(path for path in prebuilt if path.name == "realignment-O2")
            measure(browser, directory, case, [], arguments.window)
        browser.close()


def measure(browser: Browser, directory: Path, program: Path, args: list[str], window: int) -> None:
    """Record, write and open one page; print its figures."""
    started = perf_counter()
    recording = record(program, args=args, step=0, window=window, convert=["all"])
    recorded = perf_counter() - started
    text = page(recording)
    written = perf_counter() - started - recorded
    file = directory / "page.html"
    file.write_text(text)
    tab = browser.new_page(viewport={"width": 1440, "height": 900})
    started = perf_counter()
    tab.goto(file.as_uri())
    tab.wait_for_selector("html[data-ready]")
    opened = perf_counter() - started
    times = sorted(tab.evaluate(SCRUB, STEPS))
    tab.close()
    print(f"{program.name}: {len(recording):,} instructions")
    print(f"  recorded in {recorded:.1f} s, written in {written:.1f} s")
    print(f"  file {file.stat().st_size / 1e6:.2f} MB, opens in {opened:.2f} s")
    print(
        f"  a step: median {statistics.median(times):.1f} ms,"
        f" 95 % {times[len(times) * 95 // 100]:.1f} ms, longest {times[-1]:.1f} ms"
    )


if __name__ == "__main__":
    main()
