"""The built site: complete, the same each time, and all by itself."""

import re
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_document_is_a_page_and_in_the_navigation(site: Path) -> None:
    navigation = (ROOT / "mkdocs.yml").read_text()
    documents = [path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")]
    assert len(documents) > 20
    for path in documents:
        assert (site / path.with_suffix(".html")).is_file()
        assert re.search(rf"[ -]{re.escape(str(path))}$", navigation, re.MULTILINE), (
            f"docs/{path} is not in the navigation of mkdocs.yml"
        )


def test_lessons_show_pictures_and_no_template_is_left(site: Path) -> None:
    pages = sorted((site / "lessons").glob("[0-9]*.html"))
    assert pages
    for page in pages:
        text = page.read_text()
        assert "<figure" in text, page.name
        assert "{{" not in text
        assert "```" not in text
        identifiers = re.findall(r'aria-labelledby="(\S+)-title', text)
        assert len(set(identifiers)) == len(identifiers)


def test_nothing_but_links_leads_elsewhere(site: Path) -> None:
    loaded = re.compile(r'<(?:script|link|img|iframe)[^>]*(?:src|href)="(https?:)?//')
    for page in site.rglob("*.html"):
        assert not loaded.search(page.read_text()), page


def test_search_works_without_a_server(site: Path) -> None:
    index = (site / "search" / "search_index.js").read_text()
    assert index.startswith("var __index = ")
    assert "frame pointer" in index
    assert "iframe-worker.js" in (site / "lessons" / "01-calls.html").read_text()


def test_two_builds_give_the_same_bytes(
    site: Path, build: Callable[[Path], Path], tmp_path: Path
) -> None:
    again = build(tmp_path)
    files = {path.relative_to(site) for path in site.rglob("*") if path.is_file()}
    assert files == {path.relative_to(again) for path in again.rglob("*") if path.is_file()}
    for path in sorted(files):
        assert (site / path).read_bytes() == (again / path).read_bytes(), path
