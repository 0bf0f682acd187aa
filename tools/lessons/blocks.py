"""The blocks of a lesson: fenced, with a word of ours after the fence."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from emu.lesson.entries import Lookup
from lessons import figures
from lessons.commands import Commands
from lessons.errors import LessonError
from lessons.moments import Moment
from lessons.programs import ROOT, Programs
from lessons.walkthroughs import write_walkthrough

_OPTION = re.compile(r'([a-z]+)="?([^"\s]*)"?')


@dataclass(frozen=True, slots=True)
class Block:
    """One block as written. Options are `key=value` behind its kind."""

    kind: str
    options: dict[str, str]
    body: str
    line: int

    @property
    def first_line(self) -> str:
        return self.body.splitlines()[0].strip() if self.body.strip() else ""

    @property
    def caption(self) -> str:
        """What stands below the first line."""
        return " ".join(line.strip() for line in self.body.splitlines()[1:] if line.strip())

    def number(self, key: str, default: int | None = None) -> int | None:
        """An option that is a number. Raises `LessonError` for anything else."""
        text = self.options.get(key)
        if text is None:
            return default
        if not text.isdecimal():
            raise LessonError(f"{key}={text} is no number")
        return int(text)


@dataclass(frozen=True, slots=True)
class Context:
    """What blocks of one page refer to."""

    page: str
    moments: dict[str, Moment]
    commands: Commands
    programs: Programs
    directory: Path
    """Where the pages are written to, and other files beside them."""

    def moment(self, block: Block) -> Moment:
        """The moment that the first line of a block names."""
        name = block.first_line
        if name not in self.moments:
            raise LessonError(f"no moment {name!r} in this page")
        return self.moments[name]


def options(text: str) -> dict[str, str]:
    """`frames=3 below=2`. Raises `LessonError` for anything else."""
    found = dict(_OPTION.findall(text))
    if _OPTION.sub("", text).strip():
        raise LessonError(f"'{text.strip()}' are no options")
    return found


def _emu(block: Block, context: Context) -> str:
    """A command and its output. `exit=1` is the status it must have, `from=` and `to=` cut."""
    ran = context.commands.run(block.first_line)
    expected = block.number("exit", 0)
    if ran.status != expected:
        raise LessonError(
            f"'{block.first_line}' ended with {ran.status}, expected {expected}:\n{ran.output}"
        )
    shown = ran.output.splitlines()
    first, last = block.number("from", 1), block.number("to")
    assert first is not None
    cut = shown[first - 1 : last]
    if not cut:
        raise LessonError(f"'{block.first_line}' prints {len(shown)} lines, none is shown")
    if first > 1:
        cut.insert(0, "…")
    if last is not None and last < len(shown):
        cut.append("…")
    return "\n".join(["```console", f"$ {block.first_line}", *cut, "```"])


def _picture(block: Block, context: Context) -> str:
    identifier = f"{context.page}-{block.line}"
    inside = figures.picture(
        context.moment(block),
        identifier,
        frames=block.number("frames"),
        below=block.number("below", 0) or 0,
    )
    return figures.figure(inside, _said(block), "picture")


def _listing(block: Block, context: Context) -> str:
    inside = figures.listing(
        context.moment(block), block.number("frame", 0) or 0, block.number("around")
    )
    return figures.figure(inside, _said(block), "listing")


def _equations(block: Block, context: Context) -> str:
    moment = context.moment(block)
    walks = {"sframe": moment.walk, "pointers": moment.pointers, "dwarf": moment.dwarf}
    walk = walks.get(block.options.get("by", "sframe"))
    if walk is None:
        raise LessonError(f"by={block.options['by']} is none of {', '.join(walks)}")
    first = block.number("from", 0) or 0
    last = block.number("to", len(walk.frames) - 1)
    assert last is not None
    return figures.figure(figures.equations(walk, first, last), _said(block), "equations")


def _search(block: Block, context: Context) -> str:
    return figures.figure(figures.search(_lookup(block, context)), _said(block), "search")


def _bytes(block: Block, context: Context) -> str:
    return figures.figure(figures.row_bytes(_lookup(block, context)), _said(block), "bytes")


def _lookup(block: Block, context: Context) -> Lookup:
    frame = block.number("frame", 0) or 0
    found = context.moment(block).walk.frames[frame].lookup
    if found is None:
        raise LessonError(f"frame {frame} looked nothing up")
    return found


def _comparison(block: Block, context: Context) -> str:
    return figures.figure(figures.comparison(context.moment(block)), _said(block), "comparison")


def _walkthrough(block: Block, context: Context) -> str:
    """A link to a page that steps through the run, which is written beside the lessons."""
    name = f"{context.page}-{block.first_line}.html"
    write_walkthrough(context.moment(block), context.programs, context.directory / WALKS, name)
    return f"[Step through it]({WALKS}/{name}){{ .md-button }} {_said(block)}"


def _source(block: Block, context: Context) -> str:
    """`asm_cases/leaf.s LABEL` or `c_cases/realignment.c FUNCTION`: one function's source.

    An asm case without a label is shown whole.
    """
    del context
    path, _, name = block.first_line.partition(" ")
    file = ROOT / path
    if not file.is_file():
        raise LessonError(f"no file {path}")
    assembly = path.endswith(".s")
    content = file.read_text("utf-8")
    text = _procedure(content, name) if assembly else _function(content, name)
    if not text:
        raise LessonError(f"{path} has no {name}")
    return "\n".join([f'```{"asm" if assembly else "c"} title="{path}"', *text, "```"])


def _procedure(text: str, name: str) -> list[str]:
    """From a label to the end of its procedure; all if there is none. Without expectations."""
    if not name:
        return [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    lines: list[str] = []
    for line in text.splitlines():
        if lines or line.startswith(f"{name}:"):
            if not line.lstrip().startswith("#@"):
                lines.append(line)
            if ".cfi_endproc" in line:
                break
    return lines


def _function(text: str, name: str) -> list[str]:
    """From the line that defines a C function to the brace that ends it."""
    lines: list[str] = []
    for line in text.splitlines():
        begins = re.match(rf"[a-z_].*\b{re.escape(name)}\(", line) and not line.endswith(";")
        if lines or begins:
            lines.append(line)
            if line == "}":
                break
    return lines


def _said(block: Block) -> str:
    if not block.caption:
        raise LessonError(f"a {block.kind} block says in its second line what it shows")
    return block.caption


WALKS = "walks"
"""Directory of the walkthrough pages."""

MOMENTS = "moments"
"""The block that names moments; it is read before all others and shows nothing."""

MAKERS: dict[str, Callable[[Block, Context], str]] = {
    "emu": _emu,
    "stack-picture": _picture,
    "listing": _listing,
    "equations": _equations,
    "search": _search,
    "row-bytes": _bytes,
    "comparison": _comparison,
    "source": _source,
    "walkthrough": _walkthrough,
}
"""What each kind of block becomes."""
