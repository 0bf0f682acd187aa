"""The page: template, style sheet, scripts and data in one file that asks for nothing else."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

import jinja2
from markupsafe import Markup

from emu.lesson.explanation import Unwinder
from emu.lesson.locations import file_name
from emu.lesson.page.data import document, packed
from emu.lesson.page.listing import Sources
from emu.lesson.recording import Recording
from emu.sframe.printable import printable

SCRIPTS = (
    "format", "recording", "frames", "timeline", "code", "registers", "arrows", "stack", "table",
    "unwind", "compare", "app",
)  # fmt: skip
"""Modules of the page's script, in the order in which they stand in it."""


def page(
    recording: Recording,
    *,
    source: Path | None = None,
    lines: Mapping[int, int] | None = None,
    directories: Sequence[Path] = (),
    unwinder: Unwinder | str = Unwinder.SFRAME,
) -> str:
    """The recording as an HTML document.

    `source` is the file that the program was made from, if it is known; `lines` maps link-time
    addresses to its lines where the program has no line table (assembled cases). Source files are
    also looked for beside the program and in `directories`. The page opens at the recording's
    opening step with the walk of `unwinder`.
    """
    program = Path(recording.program)
    places = [*([source.parent] if source is not None else []), program.parent, *directories]
    sources = Sources(places)
    name = "" if source is None else source.name
    data = packed(document(recording, sources, dict(lines or {}), name, str(unwinder)))
    style = _asset("style.css")
    script = "\n".join(_asset(f"{module}.js") for module in SCRIPTS)
    script = f'"use strict";\n(() => {{\n{script}\n}})();\n'
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.from_string(_asset("page.html")).render(
        title=printable(file_name(recording.program)),
        style=Markup(style),  # noqa: S704 -- a file of this package
        script=Markup(script),  # noqa: S704 -- likewise
        style_hash=_hash(style),
        script_hash=_hash(script),
        data=Markup(data),  # noqa: S704 -- base64 has no markup
    )


def _asset(name: str) -> str:
    return (files("emu.lesson.page") / "assets" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """As a content security policy names an inline element."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
