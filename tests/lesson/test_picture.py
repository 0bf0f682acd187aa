"""Pictures of stacks: what is drawn is what the run had, in well-formed SVG."""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from emu.asm import assemble
from emu.check import Snapshot, snapshots
from emu.lesson.picture import picture_of, stack_picture
from emu.lesson.picture_model import Gap, Picture, Role, Word
from emu.machine import Image

CASES = Path(__file__).parents[2] / "asm_cases"
SVG = "{http://www.w3.org/2000/svg}"


def at(case: str, place: str, execution: int = 0) -> Iterator[Snapshot]:
    """One snapshot, live as long as the caller holds the iterator."""
    image = Image.from_bytes(assemble(CASES / f"{case}.s").elf, case)
    return islice(snapshots(image, at=place), execution, execution + 1)


def words(picture: Picture) -> list[Word]:
    return [one for one in picture.words if isinstance(one, Word)]


def test_slots_of_a_frame_pointer_chain() -> None:
    (snapshot,) = at("frame_pointer", "inner+4")
    picture = picture_of(snapshot)
    assert [band.function for band in picture.bands] == ["inner", "framed", "_start"]
    assert [(one.role, one.value) for one in words(picture) if one.role is not Role.OTHER] == [
        (Role.FRAME_POINTER, snapshot.state(1).fp),
        (Role.RETURN_ADDRESS, snapshot.state(1).ip),
        (Role.FRAME_POINTER, 0x1234),
        (Role.RETURN_ADDRESS, snapshot.state(2).ip),
    ]
    # rbp of `framed` is the slot in which it saved 0x1234, which is no address of this stack.
    first, second = (one for one in words(picture) if one.role is Role.FRAME_POINTER)
    assert first.target == second.address
    assert second.target is None


def test_bands_are_the_true_frames() -> None:
    (snapshot,) = at("pushes", "leaf")
    picture = picture_of(snapshot)
    for number, band in enumerate(picture.bands):
        assert band.low == snapshot.frames[number].sp
        if number + 1 < len(snapshot.frames):
            assert band.high == snapshot.frames[number + 1].sp
    assert picture.bands[-1].high is None


def test_memory_and_picture_agree() -> None:
    for snapshot in at("pushes", "leaf"):
        for word in words(picture_of(snapshot)):
            assert word.value == snapshot.memory.word(word.address)


def test_a_wrong_row_is_shown_beside_the_truth() -> None:
    (snapshot,) = at("wrong_cfa", "liar")
    picture = picture_of(snapshot)
    claimed = {pointer.name: pointer for pointer in picture.pointers}
    assert claimed["row's CFA"].wrong
    assert claimed["row's CFA"].address == claimed["CFA"].address + 8
    assert claimed["row's RA"].address == claimed["CFA"].address
    assert picture.measure is not None
    assert picture.measure.wrong
    assert picture.measure.text == "+16"
    assert picture.bands[0].wrong == (
        f"pc comes out as 0x55, the caller's is {snapshot.state(1).ip:#x};"
        f" sp comes out as {snapshot.state(1).sp + 8:#x}, the caller's is {snapshot.state(1).sp:#x}"
    )


def test_a_wrong_frame_pointer_is_shown_where_the_row_looks_for_it() -> None:
    # Behind `leave`: rbp is the caller's, and the row says FP = *(rbp+0).
    (snapshot,) = at("drap_topmost", "realign+0x1c")
    claimed = {pointer.name: pointer for pointer in picture_of(snapshot).pointers}
    assert snapshot.outcome(0).got is not None
    assert "row's CFA" not in claimed
    assert "row's RA" not in claimed
    # rbp points at read-only data in this case: nothing of the stack to point at.
    assert "row's FP" not in claimed
    (snapshot,) = at("wrong_fp_slot", "swapped+2")
    picture = picture_of(snapshot)
    wrong = {pointer.name: pointer for pointer in picture.pointers}["row's FP"]
    assert wrong.wrong
    got = snapshot.outcome(0).got
    assert got is not None
    assert snapshot.memory.word(wrong.address) == got.fp


def test_right_rows_are_not_called_wrong() -> None:
    for snapshot in at("frame_pointer", "framed+*", 3):
        picture = picture_of(snapshot)
        assert not any(band.wrong for band in picture.bands)
        assert not any(pointer.wrong for pointer in picture.pointers)


def test_a_signal_frame_is_shortened_and_its_neighbour_marked() -> None:
    (snapshot,) = at("signal_handler", "handler")
    picture = picture_of(snapshot)
    handler, restorer, worker, _ = picture.bands
    assert worker.interrupted
    assert not handler.interrupted
    assert not restorer.has_row
    gaps = [one for one in restorer.words if isinstance(one, Gap)]
    assert len(gaps) == 1
    assert restorer.high is not None
    shown = sum(isinstance(one, Word) for one in restorer.words)
    assert (shown + gaps[0].words) * 8 == restorer.high - restorer.low
    # Nothing returned into `worker`: the kernel's frame holds its pc, no slot does.
    assert all(one.role is Role.OTHER for one in restorer.words if isinstance(one, Word))


def test_deep_stacks_show_as_many_frames_as_asked_for() -> None:
    (snapshot,) = at("recursion", "fact", 2)
    whole = picture_of(snapshot)
    part = picture_of(snapshot, frames=2)
    assert len(whole.bands) == len(snapshot.frames)
    assert [band.number for band in part.bands] == [0, len(snapshot.frames) - 1]
    assert part.hidden == len(snapshot.frames) - 2


def test_words_below_rsp() -> None:
    (snapshot,) = at("red_zone", "leaf")
    picture = picture_of(snapshot, below=3)
    assert [one.address - snapshot.registers[7] for one in picture.below] == [-24, -16, -8]


@pytest.mark.parametrize(
    ("case", "place"),
    [
        ("frame_pointer", "inner+4"),
        ("wrong_cfa", "liar"),
        ("signal_handler", "handler"),
        ("hole", "leaf"),
        ("leaf", "_start"),
        ("drap_deeper", "leaf"),
        ("coroutine", "work"),
    ],
)
def test_svg_is_well_formed_and_says_what_it_shows(case: str, place: str) -> None:
    (snapshot,) = at(case, place)
    text = stack_picture(snapshot, identifier="one", below=1)
    svg = ET.fromstring(text)
    assert svg.attrib["role"] == "img"
    title, desc = svg.find(f"{SVG}title"), svg.find(f"{SVG}desc")
    assert title is not None
    assert desc is not None
    assert svg.attrib["aria-labelledby"].split() == [title.attrib["id"], desc.attrib["id"]]
    for number, state in enumerate(snapshot.frames):
        assert re.search(rf"Frame {number}, .*{state.sp:#x}", desc.text or "")
    drawn = " ".join(one.text or "" for one in svg.iter(f"{SVG}text"))
    for name in snapshot.functions:
        assert name in drawn


def test_everything_drawn_is_inside_the_picture() -> None:
    (snapshot,) = at("wrong_cfa", "liar")
    svg = ET.fromstring(stack_picture(snapshot, identifier="x"))
    width, height = (float(svg.attrib[name]) for name in ("width", "height"))
    for shape in svg.iter(f"{SVG}text"):
        x = float(shape.attrib["x"])
        size = 7.85 * len(shape.text or "")
        left = {"end": x - size, "middle": x - size / 2}.get(shape.get("text-anchor", ""), x)
        assert left >= 0
        assert left + size <= width
        assert 0 < float(shape.attrib["y"]) <= height


def test_the_same_run_gives_the_same_picture() -> None:
    pictures = []
    for _ in range(2):
        (snapshot,) = at("pushes", "leaf")
        pictures.append(stack_picture(snapshot, identifier="same", style=True))
    assert pictures[0] == pictures[1]
    assert "<style>" in pictures[0]
