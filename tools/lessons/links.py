"""Checks a built site: every internal link and anchor exists, nothing is loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_LINKS = {("a", "href"), ("area", "href"), ("form", "action")}
_LOADED = {
    ("img", "src"),
    ("script", "src"),
    ("link", "href"),
    ("iframe", "src"),
    ("source", "src"),
    ("video", "src"),
    ("audio", "src"),
    ("object", "data"),
    ("embed", "src"),
    ("image", "href"),
    ("use", "href"),
}


@dataclass(frozen=True, slots=True)
class Link:
    """A reference in a page: where it leads, and whether the browser follows it by itself."""

    line: int
    target: str
    loaded: bool


@dataclass(slots=True)
class Page:
    """What a page offers to links, and its own."""

    anchors: set[str] = field(default_factory=set)
    repeated: set[str] = field(default_factory=set)
    links: list[Link] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value is None:
                continue
            if name == "id" or (tag == "a" and name == "name"):
                known = self.page.repeated if value in self.page.anchors else self.page.anchors
                known.add(value)
            elif (tag, name) in _LINKS or (tag, name) in _LOADED:
                self.page.links.append(Link(self.getpos()[0], value, (tag, name) in _LOADED))


def check_site(site: Path) -> list[str]:
    """What is wrong with the links of all pages below `site`, as `page:line: ...`."""
    pages = {path.resolve(): read_page(path) for path in sorted(site.rglob("*.html"))}
    problems = []
    for path, page in pages.items():
        name = path.relative_to(site.resolve())
        problems += [f"{name}: the id '{anchor}' is there twice" for anchor in page.repeated]
        problems += [
            f"{name}:{link.line}: {problem}"
            for link in page.links
            for problem in _problems(link, path, site.resolve(), pages)
        ]
    problems += [
        f"{path.relative_to(site)}: loads {address}"
        for path in sorted(site.rglob("*.css"))
        for address in _loaded_by_style(path.read_text(encoding="utf-8"))
    ]
    return problems


def read_page(path: Path) -> Page:
    """The anchors and links of one file."""
    reader = _Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    reader.close()
    return reader.page


def _problems(link: Link, path: Path, site: Path, pages: dict[Path, Page]) -> Iterator[str]:
    parts = urlsplit(link.target)
    if parts.scheme in {"data", "mailto", "javascript"}:
        return
    if parts.scheme or parts.netloc:
        if link.loaded:
            yield f"loads {link.target} from elsewhere"
        return
    target = path
    if parts.path:
        base = site if parts.path.startswith("/") else path.parent
        target = (base / unquote(parts.path).lstrip("/")).resolve()
        if target.is_dir():
            target /= "index.html"
        if not target.is_file():
            yield f"{link.target} does not exist"
            return
    anchor = unquote(parts.fragment)
    if anchor and target in pages and anchor not in pages[target].anchors:
        yield f"{link.target}: no '{anchor}' there"


def _loaded_by_style(text: str) -> Iterator[str]:
    for piece in text.split("url(")[1:]:
        address = piece.split(")", 1)[0].strip("'\" ")
        if urlsplit(address).scheme in {"http", "https"} or address.startswith("//"):
            yield address
    if "@import" in text:
        yield "another style sheet (@import)"
