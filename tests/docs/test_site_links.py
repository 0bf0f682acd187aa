"""The link checker finds what is broken, and only that."""

from pathlib import Path

import pytest


def problems(directory: Path, **pages: str) -> list[str]:
    from lessons.links import check_site

    for name, text in pages.items():
        path = directory / (name.replace("__", "/") + ".html")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return check_site(directory)


def test_a_sound_site_has_no_problem(tmp_path: Path) -> None:
    assert not problems(
        tmp_path,
        index='<p id="top"><a href="deep/page.html#here">x</a> <a href="#top">x</a>'
        '<a href="https://example.org/">elsewhere</a> <a href="deep/">x</a>'
        '<img src="data:image/png;base64,AA">',
        deep__page='<h2 id="here">x</h2> <a href="../index.html?q=1#top">x</a>',
        deep__index='<a href="/index.html">from the root</a>',
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('<a href="gone.html">x</a>', "index.html:1: gone.html does not exist"),
        ('\n<a href="page.html#no">x</a>', "index.html:2: page.html#no: no 'no' there"),
        ('<a href="#no">x</a>', "index.html:1: #no: no 'no' there"),
        ('<img src="no.png">', "index.html:1: no.png does not exist"),
        (
            '<script src="https://example.org/x.js"></script>',
            "index.html:1: loads https://example.org/x.js from elsewhere",
        ),
        (
            '<link rel="stylesheet" href="//example.org/x.css">',
            "index.html:1: loads //example.org/x.css from elsewhere",
        ),
        ('<p id="a"></p><p id="a"></p>', "index.html: the id 'a' is there twice"),
        ('<a href="a%20b.html">x</a>', "index.html:1: a%20b.html does not exist"),
    ],
)
def test_what_is_broken_is_named_with_its_place(tmp_path: Path, text: str, problem: str) -> None:
    assert problems(tmp_path, index=text, page="<p>") == [problem]


def test_style_sheets_load_nothing_from_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text(
        'p { background: url("https://example.org/x.png") } b { background: url(here.png) }'
    )
    assert problems(tmp_path) == ["a.css: loads https://example.org/x.png"]
