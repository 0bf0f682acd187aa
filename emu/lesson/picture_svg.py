"""A picture of a stack as SVG: boxes for words, bands for frames, arrows from slots.

Columns from left to right: the distance to the CFA, registers, addresses, words, the lanes of
the arrows from saved frame pointers, meanings, the lanes of the arrows from return addresses.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape

from emu.lesson.picture_model import Band, Gap, Picture, Role, Word
from emu.lesson.picture_style import FRAME_COLOURS, STYLE
from emu.lesson.picture_words import describe, title_of

LINE = 26
"""Height of a word."""
LETTER = 7.85
"""Width of a character of the fixed-width font at 13 pixels."""
MARGIN = 8
VALUE = 158
"""Width of a word's box."""
NARROWEST_NOTES = 150
_LANE = 8
_LANES = 4
_BESIDE = 8
"""How far right and wrong names of one word stand from its middle."""


@dataclass(slots=True)
class _Sheet:
    """Where things are, and the shapes: arrows first, so that text stands above them."""

    picture: Picture
    shapes: list[str] = field(default_factory=list)
    arrows: list[str] = field(default_factory=list)
    middles: dict[int, float] = field(default_factory=dict)
    """Of the line of each word, by address."""
    headings: dict[int, tuple[float, float]] = field(default_factory=dict)
    """Where the name of each frame ends, by its number."""
    notes: dict[int, float] = field(default_factory=dict)
    """Where the meaning of a word ends, by address."""
    y: float = MARGIN
    right: float = 0
    """The rightmost text ends here."""

    @property
    def measure_width(self) -> float:
        measure = self.picture.measure
        return 0 if measure is None else len(measure.text) * LETTER + 22

    @property
    def pointer_width(self) -> float:
        longest = max((len(text) for text in _labels(self.picture).values()), default=0)
        return self.measure_width + longest * LETTER + 24

    @property
    def box_x(self) -> float:
        digits = 5 if self.picture.prefix is not None else 14
        return self.pointer_width + digits * LETTER + 20

    @property
    def notes_x(self) -> float:
        return self.box_x + VALUE + _LANES * _LANE + 16

    def text(self, x: float, y: float, words: str, style: str = "", anchor: str = "") -> float:
        """One line of text, its middle at `y`. Returns where it ends, if it begins at `x`."""
        classes = f' class="{style}"' if style else ""
        anchored = f' text-anchor="{anchor}"' if anchor else ""
        self.shapes.append(
            f'<text x="{_n(x)}" y="{_n(y + 4.5)}"{classes}{anchored}>{escape(words)}</text>'
        )
        end = x + len(words) * LETTER
        if not anchor:
            self.right = max(self.right, end)
        return end

    def address(self, value: int) -> str:
        """An address of this stack, without what all of them share."""
        if self.picture.prefix is not None and value >> 16 == self.picture.prefix:
            return f"…{value & 0xFFFF:04x}"
        return f"{value:#x}"


def draw(picture: Picture, *, identifier: str, title: str = "", style: bool = False) -> str:
    """The SVG element; see `emu.lesson.picture.stack_picture`."""
    sheet = _Sheet(picture)
    sheet.right = sheet.notes_x + NARROWEST_NOTES
    if picture.prefix is not None:
        sheet.text(sheet.box_x, sheet.y + 8, f"… stands for {picture.prefix:#x}", "soft")
        sheet.y += 24
    for band in reversed(picture.bands):
        _band(sheet, band)
    if picture.below:
        _below(sheet)
    _frame_pointers(sheet)
    _return_addresses(sheet)
    _registers(sheet)
    _distance(sheet)
    width, height = sheet.right + (_LANES + 2) * _LANE, sheet.y + MARGIN
    inside = f"<style>{STYLE}</style>" if style else ""
    return (
        f'<svg class="stack-picture" xmlns="http://www.w3.org/2000/svg" role="img"'
        f' aria-labelledby="{identifier}-title {identifier}-desc"'
        f' viewBox="0 0 {_n(width)} {_n(height)}" width="{_n(width)}" height="{_n(height)}">'
        f'<title id="{identifier}-title">{escape(title or title_of(picture))}</title>'
        f'<desc id="{identifier}-desc">{escape(describe(picture))}</desc>'
        f"{inside}{''.join(sheet.arrows)}{''.join(sheet.shapes)}</svg>"
    )


def _band(sheet: _Sheet, band: Band) -> None:
    top = sheet.y
    sheet.shapes.append(f'<g class="{_colour(band)}">')
    name = f"frame {band.number}  {band.pc}{'  (interrupted here)' if band.interrupted else ''}"
    end = sheet.text(sheet.box_x, top + 14, name, "name")
    sheet.headings[band.number] = (end, top + 14)
    row = band.row if band.has_row else "no row covers this address"
    if band.row == "RA undefined":
        row = "RA undefined: nothing called it"
    sheet.text(sheet.box_x, top + 32, row, "soft")
    sheet.y = top + 44
    for line in band.wrong.split("; ") if band.wrong else ():
        sheet.text(sheet.box_x, sheet.y + 6, f"✗ {line}", "bad")
        sheet.y += 20
    if band.high is None:
        sheet.text(sheet.box_x + VALUE / 2, sheet.y + 6, "⋮", "soft", "middle")
        sheet.y += 18
    for one in reversed(band.words):
        _line(sheet, one)
    hidden = sheet.picture.hidden
    sheet.shapes.append(
        f'<rect class="bar" x="{_n(sheet.box_x - 6)}" y="{_n(top + 5)}" width="3"'
        f' height="{_n(sheet.y - top - 5)}"/></g>'
    )
    sheet.y += 8
    if hidden and band is sheet.picture.bands[-1]:
        sheet.text(sheet.box_x, sheet.y + 8, f"⋮  {hidden:,} more frames", "soft")
        sheet.y += 26


def _line(sheet: _Sheet, one: Word | Gap) -> None:
    middle = sheet.y + LINE / 2
    sheet.middles[one.address] = middle
    if isinstance(one, Gap):
        words = f"⋮  {one.words:,} words"
        sheet.text(sheet.box_x + VALUE / 2, middle, words, "soft", "middle")
    else:
        _box(sheet, one, "box" if one.role is Role.OTHER else "box slot")
        note = _note(one)
        if note:
            sheet.notes[one.address] = sheet.text(sheet.notes_x, middle, note, "strong")
    sheet.y += LINE


def _note(word: Word) -> str:
    match word.role:
        case Role.RETURN_ADDRESS:
            return f"RA: {word.note}"
        case Role.FRAME_POINTER:
            return "caller's rbp" if word.target is not None else "caller's rbp, not an address"
        case Role.OTHER:
            return ""


def _box(sheet: _Sheet, word: Word, classes: str) -> None:
    middle = sheet.y + LINE / 2
    sheet.text(sheet.box_x - 14, middle, sheet.address(word.address), "soft", "end")
    sheet.shapes.append(
        f'<rect class="{classes}" x="{_n(sheet.box_x)}" y="{_n(sheet.y + 1)}"'
        f' width="{VALUE}" height="{LINE - 2}" rx="3"/>'
    )
    value = "unreadable" if word.value is None else f"{word.value:#x}"
    sheet.text(sheet.box_x + VALUE / 2, middle, value, "", "middle")


def _below(sheet: _Sheet) -> None:
    sheet.text(sheet.box_x, sheet.y + 10, "below rsp", "soft")
    sheet.y += 22
    for word in reversed(sheet.picture.below):
        sheet.middles[word.address] = sheet.y + LINE / 2
        _box(sheet, word, "box free")
        sheet.y += LINE


def _frame_pointers(sheet: _Sheet) -> None:
    """From each saved rbp to the word it points at."""
    left = sheet.box_x + VALUE + 1
    for lane, (band, word) in enumerate(_slots(sheet.picture, Role.FRAME_POINTER)):
        target = word.target
        if target is None or target not in sheet.middles:
            continue
        start, end = sheet.middles[word.address], sheet.middles[target]
        if start == end:
            continue
        bend = left + 18 + lane % _LANES * _LANE
        _arrow(sheet, _colour(band), "arc fp", (left, start), bend, (left, end))


def _return_addresses(sheet: _Sheet) -> None:
    """From each return address to the frame that goes on there."""
    for lane, (band, word) in enumerate(_slots(sheet.picture, Role.RETURN_ADDRESS)):
        heading = sheet.headings.get(band.number + 1)
        if heading is None:
            continue
        start = (sheet.notes[word.address] + 6, sheet.middles[word.address])
        bend = sheet.right + 12 + lane % _LANES * _LANE
        _arrow(sheet, _colour(band), "arc", start, bend, (heading[0] + 8, heading[1]))


def _slots(picture: Picture, role: Role) -> list[tuple[Band, Word]]:
    return [
        (band, one)
        for band in picture.bands
        for one in band.words
        if isinstance(one, Word) and one.role is role
    ]


def _arrow(
    sheet: _Sheet,
    colour: str,
    style: str,
    start: tuple[float, float],
    bend: float,
    end: tuple[float, float],
) -> None:
    """Right to `bend`, up or down, and left again to `end`."""
    (x1, y1), (x2, y2) = start, end
    turn = 5 if y2 < y1 else -5
    sheet.arrows.append(
        f'<g class="{colour}"><path class="{style}" d="M{_n(x1)} {_n(y1)}H{_n(bend - 5)}'
        f'q5 0 5 {-turn}V{_n(y2 + turn)}q0 {-turn} -5 {-turn}H{_n(x2 + 7)}"/>'
        f'<path class="head" d="M{_n(x2)} {_n(y2)}l8 -4v8z"/></g>'
    )


def _labels(picture: Picture) -> dict[tuple[int, bool], str]:
    """Names that point at a word, by its address and whether they are wrong to do so."""
    named: dict[tuple[int, bool], list[str]] = {}
    for pointer in picture.pointers:
        named.setdefault((pointer.address, pointer.wrong), []).append(pointer.name)
    return {place: ", ".join(names) for place, names in named.items()}


def _registers(sheet: _Sheet) -> None:
    labels = _labels(sheet.picture)
    for (address, wrong), names in labels.items():
        y = sheet.middles[address]
        if (address, not wrong) in labels:
            y += _BESIDE if wrong else -_BESIDE
        right = sheet.pointer_width
        style = " bad" if wrong else ""
        sheet.text(right - 20, y, names, f"strong{style}", "end")
        sheet.shapes.append(
            f'<path class="pointer{style}" d="M{_n(right - 16)} {_n(y)}H{_n(right - 7)}"/>'
            f'<path class="{"bad" if wrong else "tip"}" d="M{_n(right)} {_n(y)}l-8 -4v8z"/>'
        )


def _distance(sheet: _Sheet) -> None:
    """A bracket from the register to the CFA that the row computes from it."""
    measure = sheet.picture.measure
    if measure is None:
        return
    start, end = sheet.middles[measure.base], sheet.middles[measure.cfa]
    x = sheet.measure_width - 10
    style = " bad" if measure.wrong else ""
    sheet.shapes.append(
        f'<path class="pointer{style}" d="M{_n(x + 6)} {_n(start)}H{_n(x)}V{_n(end)}H{_n(x + 6)}"/>'
    )
    sheet.text(x - 6, (start + end) / 2, measure.text, f"strong{style}", "end")


def _colour(band: Band) -> str:
    return f"f{band.number % FRAME_COLOURS}"


def _n(value: float) -> str:
    """A coordinate, short."""
    return f"{value:.1f}".rstrip("0").rstrip(".")
