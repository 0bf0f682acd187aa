"""The page: template, style sheet and text in one file that asks for nothing and runs nothing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files

from emu.check.result import Result
from emu.report.page.view import FOREIGN, Program, html_part
from emu.report.words import SAID


def html(result: Result) -> bytes:
    """The page for one program."""
    return html_document([html_part(result)])


def html_document(programs: Sequence[Program]) -> bytes:
    """The page for several programs, in UTF-8; with more than one, a table of them comes first."""
    # Here, since every start of a command would pay for it.
    import jinja2
    from markupsafe import Markup

    style = _asset("style.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        loader=jinja2.FunctionLoader(_asset),
    )
    page = environment.get_template("page.html").render(
        programs=programs,
        style=Markup(style),  # noqa: S704 -- a file of this package
        style_hash=f"sha256-{digest}",
        said=SAID,
        foreign=FOREIGN,
    )
    return page.encode(errors="backslashreplace")


def _asset(name: str) -> str:
    return (files("emu.report.page") / "assets" / name).read_text(encoding="utf-8")
