"""Build the documentation: lessons from runs, the site by mkdocs, its links checked.

    python tools/build_docs.py                   docs/ to build/site
    python tools/build_docs.py --programs DIR    only the programs of the lessons, to try things on

Exit status: 1 if a lesson's run fails, mkdocs warns or a link leads nowhere.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
import time
from pathlib import Path

from lessons.errors import LessonError
from lessons.links import check_site
from lessons.programs import OWN, ROOT, Programs
from lessons.stage import stage


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the documentation.")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "site", metavar="DIR")
    parser.add_argument("--stage", type=Path, default=ROOT / "build" / "docs", metavar="DIR")
    parser.add_argument("--programs", type=Path, metavar="DIR", help="write the programs only")
    arguments = parser.parse_args()
    try:
        if arguments.programs is not None:
            return write_programs(arguments.programs)
        return build(arguments.stage.resolve(), arguments.output.resolve())
    except LessonError as error:
        print(f"docs: {error}", file=sys.stderr)
        return 1


def write_programs(directory: Path) -> int:
    programs = Programs(directory)
    for case in sorted([*(ROOT / "asm_cases").glob("*.s"), *OWN.glob("*.s")]):
        programs.provide(case.stem)
    print(f"programs and their sources are in {directory}")
    return 0


def build(staged: Path, output: Path) -> int:
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        lessons = stage(staged, Path(scratch) / "programs")
    if not make_site(staged, output):
        return 1
    name_controls(output)
    problems = check_site(output)
    for problem in problems:
        print(f"docs: {problem}", file=sys.stderr)
    if problems:
        return 1
    pages = len(list(output.rglob("*.html")))
    seconds = time.monotonic() - started
    print(f"{output}: {pages} pages, {lessons} of them lessons, in {seconds:.0f} s")
    return 0


def make_site(staged: Path, output: Path) -> bool:
    """Run mkdocs; False if it had anything to warn about."""
    # Nothing in the site depends on the time it was built at.
    os.environ.setdefault("SOURCE_DATE_EPOCH", "0")
    from mkdocs.commands.build import build as build_site
    from mkdocs.config import load_config
    from mkdocs.exceptions import Abort, ConfigurationError

    logging.basicConfig(level=logging.WARNING, format="docs: %(message)s")
    try:
        config = load_config(
            str(ROOT / "mkdocs.yml"), docs_dir=str(staged), site_dir=str(output), strict=True
        )
        config.plugins.on_startup(command="build", dirty=False)
        build_site(config)
        config.plugins.on_shutdown()
    except (Abort, ConfigurationError) as error:
        print(f"docs: {error}", file=sys.stderr)
        return False
    return True


NAMES = (
    ('role="dialog">', 'role="dialog" aria-label="Search">'),
    ('id="__drawer"', 'id="__drawer" aria-label="Navigation"'),
    ('id="__search"', 'id="__search" aria-label="Search"'),
)


def name_controls(site: Path) -> None:
    """Give controls of the theme the names that screen readers look for."""
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        for plain, named in NAMES:
            text = text.replace(plain, named)
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
