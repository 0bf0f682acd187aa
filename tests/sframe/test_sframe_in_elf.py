"""Finding .sframe in ELF files, and saying what is wrong with those that have none."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emu.sframe import (
    UNDEFINED,
    Abi,
    Elf,
    Function,
    FunctionNames,
    Rule,
    Rules,
    Section,
    SFrameError,
    write_section,
)

Build = Callable[..., bytes]

ADDRESS = 0x402000
ROWS = [(0, Rules(Rule(7, 8), Rule(None, -8, True)))]
FUNCTIONS = [
    Function(start=0x401000, size=16, rows=ROWS),
    Function(start=0x401010, size=16, rows=[(0, UNDEFINED)]),
]
DATA = write_section(FUNCTIONS, address=ADDRESS)


def starts(section: Section) -> list[int]:
    return [fde.start for fde in section.fdes]


@pytest.mark.parametrize(
    "found_by",
    [
        {},
        {"section_type": 1},
        {"section_name": ".renamed"},
        {"with_sections": False, "segment_size": len(DATA)},
        {"section_name": ".renamed", "section_type": 1, "segment_size": len(DATA)},
    ],
    ids=["name and type", "name", "type", "segment", "segment beside other sections"],
)
def test_found_by(elf: Build, found_by: dict[str, object], tmp_path: Path) -> None:
    image = elf(DATA, address=ADDRESS, **found_by)
    file = tmp_path / "a.elf"
    file.write_bytes(image)
    for section in (Section.from_elf(image), Section.from_elf(file), Section.from_elf(str(file))):
        assert starts(section) == [0x401000, 0x401010]
        assert bytes(section.data) == DATA
        assert image[section.file_offset :].startswith(DATA)


def test_the_header_and_not_the_segment_gives_the_length(elf: Build) -> None:
    # ld leaves the size it estimated in the program header of programs with a PLT.
    image = elf(
        DATA, address=ADDRESS, with_sections=False, segment_size=4096, debris=b"\xaa" * 5000
    )
    assert bytes(Section.from_elf(image).data) == DATA


def test_a_section_header_that_is_too_small_is_an_error(elf: Build) -> None:
    with pytest.raises(SFrameError, match="FREs from offset"):
        Section.from_elf(elf(DATA[:-1], address=ADDRESS))


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (b"", "not an ELF file"),
        (b"#!/bin/sh\n", "not an ELF file"),
        (b"\x7fELF\x02\x01\x01", "ends after 7 of 64 header bytes"),
    ],
)
def test_no_elf(image: bytes, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(image)
    for source in (image, file):
        with pytest.raises(SFrameError, match=reason):
            Section.from_elf(source)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"elf_class": 1}, "32-bit ELF"),
        ({"elf_class": 7}, "neither 32-bit nor 64-bit"),
        ({"machine": 243}, "machine 243, for which there is no SFrame"),
        ({"machine": 62, "byte_order": ">"}, "big-endian ELF for x86-64"),
        ({"section_name": ".other", "section_type": 1}, r"the file has no \.sframe section"),
        ({"section_type": 8}, r"\.sframe has no contents in this file"),
    ],
)
def test_elf_without(elf: Build, arguments: dict[str, object], reason: str) -> None:
    with pytest.raises(SFrameError, match=reason):
        Section.from_elf(elf(DATA, **arguments))


@pytest.mark.parametrize(
    ("kind", "machine", "abi"),
    [
        (24, 62, Abi.AMD64),
        (260, 183, Abi.AARCH64_LE),
        (260, 183, Abi.AARCH64_BE),
        (23, 22, Abi.S390X),
    ],
    ids=lambda value: value.name if isinstance(value, Abi) else "",
)
def test_relocations_are_applied(elf: Build, kind: int, machine: int, abi: Abi) -> None:
    functions = [Function(start=0, size=16, start_offset=0, rows=[(0, UNDEFINED)])] * 2
    image = elf(
        write_section(functions, abi=abi, sort=False), address=0, machine=machine, elf_type=1,
        byte_order="<" if abi.byte_order == "little" else ">",
        relocations=[(28, kind, 1, 0), (44, kind, 1, 0x20)], symbols=[("f", 0x100, 2)],
    )  # fmt: skip
    # S + A - P with P = the entry's offset, read back relative to the entry.
    assert starts(Section.from_elf(image)) == [0x100, 0x120]


def test_relocations_that_cannot_be_applied(elf: Build) -> None:
    for relocation, reason in (
        ((28, 99, 1, 0), "relocation type 99"),
        ((10_000, 24, 1, 0), "relocation outside"),
        ((28, 24, 77, 0), "names no symbol"),
    ):
        image = elf(DATA, elf_type=1, relocations=[relocation], symbols=[("f", 0, 2)])
        with pytest.raises(SFrameError, match=reason):
            Section.from_elf(image)


def test_function_names(elf: Build) -> None:
    symbols = [("local", 0x401000, 0), ("f", 0x401000, 2), ("data", 0x401010, 1)]
    image = Elf(elf(DATA, address=ADDRESS, symbols=symbols))
    section = Section.from_elf(image)
    names = FunctionNames(image, section)
    assert [names.names(fde) for fde in section.fdes] == [("f", "local"), ()]
    assert [names.label(fde) for fde in section.fdes] == ["f", None]
    assert [fde.index for fde in names.find("local")] == [0]
    assert names.find("data") == []


def test_truncation_at_every_byte(elf: Build) -> None:
    image = elf(DATA, address=ADDRESS, segment_size=len(DATA), symbols=[("f", 0x401000, 2)])
    for length in range(len(image)):
        with pytest.raises(SFrameError):
            Section.from_elf(image[:length])


@given(data=st.data())
@settings(max_examples=300)
def test_mutation(elf: Build, data: st.DataObject) -> None:
    image = bytearray(
        elf(
            DATA, address=ADDRESS, segment_size=len(DATA), elf_type=data.draw(st.integers(1, 3)),
            symbols=[("f", 0x401000, 2), ("g", 0, 0)], relocations=[(28, 24, 1, 0)],
        )
    )  # fmt: skip
    for _ in range(data.draw(st.integers(1, 6))):
        image[data.draw(st.integers(0, len(image) - 1))] = data.draw(st.integers(0, 255))
    try:
        file = Elf(bytes(image))
        section = Section.from_elf(file)
        names = FunctionNames(file, section)
    except SFrameError:
        return
    assert all(len(names.names(fde)) <= 2 for fde in section.fdes)
