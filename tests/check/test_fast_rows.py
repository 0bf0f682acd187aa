"""Rows that are decoded all at once, against the kernel model's lookup of one address."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from emu.asm import assemble
from emu.check.fast.rows import Rows, read_rows
from emu.machine import Image
from emu.sframe import Function, Rule, Rules, Section, write_section
from emu.toolchain.prebuilt import unpack_programs
from emu.unwind import Policy, RegionMemory, Row, SectionRecord, policy
from emu.unwind.errors import RejectedError
from emu.unwind.lookup import find_row
from emu.unwind.record import read_header

ROOT = Path(__file__).parents[2]
SECTION, TEXT = 0x700000, 0x400000
POLICIES = [policy(name) for name in ("kernel-v15", "kernel-v14", "format")]
RA = Rule(None, -8, deref=True)


def record_of(data: bytes, address: int, text: tuple[int, int]) -> SectionRecord | None:
    """What registration makes of a section; None if it is rejected."""
    try:
        return read_header(RegionMemory([(address, data)]), (address, address + len(data)), text)
    except RejectedError:
        return None


def contradictions(
    record: SectionRecord, data: bytes, consumer: Policy, addresses: set[int]
) -> Iterator[str]:
    """Addresses at which a row that was decoded with all others is not the one looked up."""
    rows = read_rows(record, data, consumer)
    memory = RegionMemory([(record.sframe_start, data)])
    for start, end in zip(rows.starts.tolist(), rows.ends.tolist(), strict=True):
        addresses |= {start - 1, start, end - 1, end}
    for pc in addresses:
        row = rows.at(pc)
        if row is not None and record.text_start <= pc < record.text_end:
            found = find_row(record, memory, pc, consumer)
            if row != found:
                yield f"{pc:#x}: {row} / {found}"


def section_of(image: Image) -> tuple[SectionRecord, bytes]:
    assert image.sframe is not None
    (text,) = [segment for segment in image.segments if segment.executable]
    extent = (text.address, text.address + text.memory_size)
    record = record_of(image.sframe.data, image.sframe.address, extent)
    assert record is not None
    return record, image.sframe.data


def images(directory: Path) -> Iterator[Image]:
    """Every program of the suite with a section that registers."""
    for path in sorted((ROOT / "asm_cases").glob("*.s")):
        case = assemble(path)
        yield Image.from_bytes(case.elf, case.file)
    for path in unpack_programs(ROOT / "c_cases" / "prebuilt", directory):
        yield Image.from_file(path)


def test_every_section_of_the_suite(tmp_path: Path) -> None:
    compared = rows = 0
    for image in images(tmp_path):
        if image.sframe is None or sum(each.executable for each in image.segments) != 1:
            continue
        try:
            record, data = section_of(image)
        except AssertionError:
            continue
        for consumer in POLICIES:
            assert list(contradictions(record, data, consumer, set())) == [], image.path
        compared += 1
        rows += len(read_rows(record, data, POLICIES[0]))
    assert compared > 150
    assert rows > 1_000


def random_section(draw: random.Random) -> tuple[bytes, int]:
    """A section with functions and rows of all kinds, and how many bytes of text it has."""
    functions, start = [], TEXT
    for number in range(draw.randrange(1, 12)):
        size = draw.choice((1, 7, 40, 300, 70_000))
        starts = sorted(draw.sample(range(size), draw.randrange(not number, min(size, 9) + 1)))
        if draw.random() < 0.8 and starts:
            starts[0] = 0
        rows = [(at, rules(draw)) for at in sorted({*starts})]
        functions.append(Function(start=start, size=size, rows=rows, signal=draw.random() < 0.1))
        start += size + draw.choice((0, 0, 0, 5))
    return write_section(functions, address=SECTION), start - TEXT


def rules(draw: random.Random) -> Rules:
    """What one row says: plain slots, offsets of any width, registers, nothing at all."""
    kind = draw.random()
    if kind < 0.05:
        return Rules(None)
    offset = draw.choice((8, 16, 120, 136, 40_000, 1 << 20))
    if kind < 0.2:
        return Rules(Rule(draw.choice((6, 7, 10)), offset, deref=draw.random() < 0.5), RA)
    fp = Rule(None, -16, deref=True) if draw.random() < 0.5 else None
    return Rules(Rule(draw.choice((6, 7)), offset), RA, fp)


@pytest.mark.parametrize("seed", range(40))
def test_random_sections_and_what_becomes_of_them(seed: int) -> None:
    draw = random.Random(seed)
    data, size = random_section(draw)
    text = (TEXT, TEXT + size)
    record = record_of(data, SECTION, text)
    assert record is not None
    anywhere = {draw.randrange(*text) for _ in range(50)}
    bounds = {
        address
        for fde in Section(data, SECTION).fdes
        for address in (fde.start, fde.end - 1, *(fde.start + row.start for row in fde.rows))
    }
    rows = read_rows(record, data, POLICIES[0])
    for pc in anywhere | bounds:
        # Nothing that a lookup finds is left out of a section that is in order.
        found = find_row(record, RegionMemory([(SECTION, data)]), pc, POLICIES[0])
        assert rows.at(pc) == (found if isinstance(found, Row) else None)
    for _ in range(30):
        spoiled = bytearray(data)
        for _ in range(draw.choice((1, 1, 2, 8))):
            spoiled[draw.randrange(len(data))] = draw.choice(
                (0, 1, 0x7F, 0xFF, draw.randrange(256))
            )
        record = record_of(bytes(spoiled), SECTION, text)
        if record is None:
            continue
        for consumer in POLICIES:
            addresses = anywhere | bounds
            assert list(contradictions(record, bytes(spoiled), consumer, addresses)) == []


def test_a_function_with_an_error_is_left_out_and_the_others_are_not() -> None:
    starts = [TEXT + 64 * number for number in range(3)]
    row = Rules(Rule(7, 8), RA)
    functions = [Function(start=start, size=64, rows=[(0, row), (9, row)]) for start in starts]
    data = bytearray(write_section(functions, address=SECTION))
    middle = Section(bytes(data), SECTION).fdes[1]
    text = (TEXT, TEXT + 192)
    record = record_of(bytes(data), SECTION, text)
    assert record is not None
    entry = read_rows(record, bytes(data), POLICIES[0]).functions
    assert entry is not None
    assert middle.start == starts[1]
    second = int(entry.fres[1]) - SECTION + 3  # behind start, info and a word of the first FRE
    assert data[second] == 9
    data[second] = 0  # the FRE does not start behind the one before
    rows: Rows = read_rows(record, bytes(data), POLICIES[0])
    assert [rows.at(start) is None for start in starts] == [False, True, False]
    assert rows.starts.tolist() == [starts[0], starts[0] + 9, starts[2], starts[2] + 9]
