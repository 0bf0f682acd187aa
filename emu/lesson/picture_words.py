"""A picture of a stack in words, for those who do not see it."""

from __future__ import annotations

from collections.abc import Iterator

from emu.lesson.picture_model import Band, Gap, Picture, Role, Word


def title_of(picture: Picture) -> str:
    """What the picture shows, in one line."""
    top, last = picture.bands[0], picture.bands[-1]
    if top is last:
        return f"The stack in {top.pc}: one frame"
    count = len(picture.bands) + picture.hidden
    return f"The stack in {top.pc}: {count} frames, the outermost is {last.function}"


def describe(picture: Picture) -> str:
    """Everything that is drawn, from the topmost frame to the outermost."""
    sentences = list(_pointers(picture))
    for band in picture.bands:
        sentences += _band(band)
    if picture.hidden:
        sentences.append(f"{picture.hidden} frames before the outermost are left out.")
    return " ".join(sentences)


def _pointers(picture: Picture) -> Iterator[str]:
    for pointer in picture.pointers:
        wrong = ", which is wrong" if pointer.wrong else ""
        yield f"{pointer.name} is {pointer.address:#x}{wrong}."


def _band(band: Band) -> Iterator[str]:
    end = "where the stack began" if band.high is None else f"to its CFA {band.high:#x}"
    yield f"Frame {band.number}, {band.pc}, from {band.low:#x} {end}; {_row(band)}."
    if band.interrupted:
        yield "A signal interrupted it there."
    if band.wrong:
        yield f"The row is wrong: {band.wrong}."
    for one in band.words:
        if isinstance(one, Word) and one.role is not Role.OTHER:
            yield f"At {one.address:#x} {_meaning(one)}."
        elif isinstance(one, Gap):
            yield f"{one.words} words are left out at {one.address:#x}."


def _row(band: Band) -> str:
    return f"row {band.row}" if band.has_row else "no row"


def _meaning(word: Word) -> str:
    value = "an unreadable word" if word.value is None else f"{word.value:#x}"
    if word.role is Role.RETURN_ADDRESS:
        return f"the return address {value}, into {word.note}"
    return f"the caller's rbp {value}"
