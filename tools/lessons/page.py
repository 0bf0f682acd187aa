"""One page: numbers filled in, blocks replaced by what they show."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import jinja2

from lessons.blocks import MAKERS, MOMENTS, Block, Context, options
from lessons.commands import Commands
from lessons.errors import LessonError
from lessons.moments import Moment, Moments
from lessons.results import Results

_FENCE = re.compile(r"^```([a-z-]+)(?: (.*))?$")
_END = "```"

Made = TypeVar("Made")


@dataclass(slots=True)
class Renderer:
    """Makes pages; runs are shared by all of them."""

    moments: Moments
    commands: Commands
    results: Results
    directory: Path
    """Where the pages are written to, and other files beside them."""

    def render(self, text: str, page: str) -> str:
        """The page as plain Markdown. Raises `LessonError` with the place in it."""
        blocks = list(_blocks(text, page))
        named: dict[str, Moment] = {}
        for block in blocks:
            if block.kind == MOMENTS:
                for line in block.body.splitlines():
                    name, moment = _placed(page, block, partial(self.moments.read, line))
                    named[name] = moment
        filled = self._fill(text, page, named)
        context = Context(
            page.removesuffix(".md"), named, self.commands, self.moments.programs, self.directory
        )
        parts: list[str] = []
        lines = filled.splitlines()
        position = 0
        for block in _blocks(filled, page):
            parts += lines[position : block.line - 1]
            position = block.line + len(block.body.splitlines()) + 1
            if block.kind != MOMENTS:
                parts += _placed(
                    page, block, partial(MAKERS[block.kind], block, context)
                ).splitlines()
        return "\n".join([*parts, *lines[position:]]) + "\n"

    def _fill(self, text: str, page: str, named: dict[str, Moment]) -> str:
        """The values of `{{ ... }}`; a name that does not exist is an error."""
        environment = jinja2.Environment(
            undefined=jinja2.StrictUndefined,
            autoescape=False,  # noqa: S701  # it makes Markdown, from files of the repository
            block_start_string="{%%",
            block_end_string="%%}",
            comment_start_string="{##",
            comment_end_string="##}",
            keep_trailing_newline=True,
        )
        environment.filters["count"] = lambda number: f"{number:,}"
        try:
            return environment.from_string(text).render(
                **named,
                check=self.results.check,
                score=self.results.score,
                section=self.results.section,
            )
        except jinja2.TemplateSyntaxError as error:
            raise LessonError(str(error), page, error.lineno) from error
        except (jinja2.UndefinedError, LessonError, LookupError, TypeError) as error:
            raise LessonError(f"a number: {error}", page, _line_of(error)) from error


def _placed(page: str, block: Block, make: Callable[[], Made]) -> Made:
    """What `make` returns; what it raises says where the block is."""
    try:
        return make()
    except LessonError as error:
        raise LessonError(error.message, page, block.line) from error
    except (LookupError, ValueError) as error:
        raise LessonError(f"{block.kind}: {error!r}", page, block.line) from error


def _line_of(error: BaseException) -> int:
    """The line of a template that an error comes from."""
    line = 0
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _blocks(text: str, page: str) -> Iterator[Block]:
    """Our blocks, in order; other fenced code is passed over."""
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        match = _FENCE.match(lines[number])
        if match is None:
            number += 1
            continue
        start = number + 1
        try:
            end = lines.index(_END, start)
        except ValueError:
            raise LessonError("a block without end", page, start) from None
        if match[1] in MAKERS or match[1] == MOMENTS:
            try:
                given = options(match[2] or "")
            except LessonError as error:
                raise LessonError(error.message, page, start) from error
            yield Block(match[1], given, "\n".join(lines[start:end]), start)
        number = end + 1
