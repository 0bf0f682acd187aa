"""The HTML report: complete, valid, and nothing in it but text."""

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from emu.check import Result
from emu.report import html, html_document, html_error, html_part
from emu.report.page.view import FINDINGS_SHOWN

VOID = {"meta"}
TAGS = {
    "html", "head", "meta", "title", "style", "body", "header", "main", "section", "article",
    "h1", "h2", "h3", "h4", "h5", "small", "p", "a", "b", "code", "span", "div", "dl", "dt", "dd",
    "ul", "li", "figure", "figcaption", "svg", "rect", "table", "thead", "tbody", "tr", "th", "td",
    "details", "summary",
}  # fmt: skip
"""Every element of the page; none loads or runs anything."""


class Page(HTMLParser):
    """Elements, attributes and text; every element must be closed where HTML asks for it."""

    def __init__(self, document: bytes) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(document.decode())
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip() and self.open:
            self.texts.append((self.open[-1], data.strip()))

    def values(self, attribute: str) -> list[str]:
        return [value for _, name, value in self.attributes if name == attribute]

    def text(self) -> str:
        return " ".join(text for tag, text in self.texts if tag != "style")


@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_everything_of_the_result_is_there(engine: str, realigned: Callable[[str], Result]) -> None:
    result = realigned(engine)
    page = Page(html(result))
    text = page.text()
    assert page.tags["article"] == len(result.findings) > 0
    for finding in result.findings:
        witness = finding.witness
        assert witness.reason in text
        assert f"row {finding.key.row_pc:#x}" in text
        assert witness.source is not None
        assert witness.source in text
        if witness.expected is not None and witness.got is not None:
            assert f"expected {witness.expected:#x} got {witness.got:#x}" in text
    lines = [line for listing in result.listings.values() for line in listing]
    for line in lines:
        assert f"{line.address:#x} {line.text} {line.row}" in text
    assert text.count("→") == sum(line.here for line in lines) == len(result.findings)
    coverage = result.coverage
    assert f"{coverage.rows_hit} of {coverage.rows}, in {coverage.fdes_hit} of" in text
    for module in result.modules:
        assert module.path in text
    for name, call in result.system_calls.items():
        assert f"{name} {call.count}" in text
    for verdict, count in result.tally.steps.items():
        if count:
            assert f"{count:,} {verdict.value}" in text


def test_it_asks_for_nothing_and_runs_nothing(realigned: Callable[[str], Result]) -> None:
    document = html(realigned("fast"))
    page = Page(document)
    names = {name for _, name, _ in page.attributes}
    assert not {name for name in names if name.startswith("on") or name in {"src", "style"}}
    assert all(value.startswith("#") for value in page.values("href"))
    (policy,) = (value for value in page.values("content") if "default-src" in value)
    (style,) = (text for tag, text in page.texts if tag == "style")
    assert "url(" not in style
    assert "@import" not in style
    exact = re.search(rb"<style>(.*)</style>", document, re.DOTALL)
    assert exact is not None
    digest = base64.b64encode(hashlib.sha256(exact[1]).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'"


def test_places_in_it_are_unique_and_references_lead_somewhere(
    right: Result, realigned: Callable[[str], Result]
) -> None:
    parts = [html_part(right), html_part(realigned("fast")), html_error("./none", "no such file")]
    page = Page(html_document(parts))
    places = page.values("id")
    assert len(set(places)) == len(places)
    targets = [value[1:] for value in page.values("href")] + page.values("aria-labelledby")
    assert set(targets) <= set(places)
    labels = page.values("aria-label")
    regions = [label for label in labels if label.startswith(("Code", "Modules"))]
    assert len(set(regions)) == len(regions)
    text = page.text()
    assert "3 programs" in text
    for said in ("nothing wrong", "3 findings", "not checked", "no such file"):
        assert said in text


def test_hostile_names_stay_text(hostile: Result) -> None:
    document = html(hostile)
    page = Page(document)
    assert page.tags["article"] == 1
    assert "<img src=x onerror=alert(1)>\\n\\x1b[31m\"'&\\u202e\\udcff]]>%00" in page.text()
    assert not re.search(rb"[\x00-\x09\x0b-\x1f]", document)
    assert page.values("content")[0].startswith("default-src 'none'")


def test_thousands_of_findings_are_shortened(hostile: Result) -> None:
    (finding,) = hostile.findings
    many = tuple(
        replace(finding, key=finding.key._replace(row_pc=number)) for number in range(2000)
    )
    document = html(replace(hostile, findings=many, listings={}))
    page = Page(document)
    assert page.tags["article"] == FINDINGS_SHOWN
    assert "1,500 more findings are not shown here" in page.text()
    assert len(document) < 1 << 20
