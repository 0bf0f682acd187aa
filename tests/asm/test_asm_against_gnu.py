"""The same files through GNU as and ld: the same code, the same data, the same SFrame dump."""

import io
import subprocess
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from emu.asm import AssembledCase, assemble
from emu.sframe import Section, dump
from emu.toolchain import Toolchain

CASES = sorted((Path(__file__).parents[2] / "asm_cases").glob("*.s"))
INSTRUCTIONS = Path(__file__).parent / "instructions.s"
PLACED = (".text", ".rodata", ".data", ".bss")
FOLLOWS_GNU = {"narrow-ra"}
"""Defects that GNU as has; with any other the section is not what it would write."""


def through_gnu(
    case: AssembledCase, source: Path, toolchain: Toolchain, directory: Path
) -> tuple[bytes, list[str]]:
    """The executable GNU as and ld make, sections placed as in ours, and the warnings of as."""
    assert toolchain.as_ is not None
    assert toolchain.ld is not None
    object_file, linked = directory / "case.o", directory / "case"
    result = subprocess.run(
        [toolchain.as_.path, "--gsframe-3", source, "-o", object_file],
        check=True,
        capture_output=True,
        text=True,
    )
    starts = [
        f"--section-start={name}={address:#x}"
        for name, address in case.section_addresses.items()
        if name in PLACED
    ]
    subprocess.run([toolchain.ld.path, *starts, object_file, "-o", linked], check=True)
    warnings = [line.partition("no SFrame FDE emitted; ")[2] for line in result.stderr.splitlines()]
    return linked.read_bytes(), [warning for warning in warnings if warning]


def contents(elf: bytes) -> dict[str, str]:
    """Bytes of code and data by section, in rows of 16 so that a difference can be seen."""
    file = ELFFile(io.BytesIO(elf))
    found = {}
    for name in PLACED[:3]:
        section = file.get_section_by_name(name)
        if section is not None and section["sh_size"]:
            found[name] = section.data().hex(" ", -16).replace(" ", "\n")
    return found


@pytest.mark.parametrize("source", CASES, ids=lambda path: path.stem)
def test_case(source: Path, toolchain: Toolchain, tmp_path: Path) -> None:
    ours = assemble(source)
    theirs, warnings = through_gnu(ours, source, toolchain, tmp_path)
    assert contents(ours.elf) == contents(theirs)
    assert [one.reason for one in ours.dropped] == warnings
    if FOLLOWS_GNU.issuperset(ours.expectations.header.defects):
        assert list(dump(Section.from_elf(ours.elf))) == list(dump(Section.from_elf(theirs)))


def test_instructions_and_directives(toolchain: Toolchain, tmp_path: Path) -> None:
    ours = assemble(INSTRUCTIONS)
    theirs, _ = through_gnu(ours, INSTRUCTIONS, toolchain, tmp_path)
    assert contents(ours.elf) == contents(theirs)


PADDED = (*range(1, 36), 44, 87, 88, 89, 98, 99, 129, 130, 131, 132, 200, 300)


def test_padding_of_every_length(toolchain: Toolchain, tmp_path: Path) -> None:
    """Gaps after an instruction and after data, with and without a jump over the nops."""
    parts = ["#@ title: t\n.intel_syntax noprefix\n.globl _start\n_start:\n"]
    parts += [
        f".p2align 9\n.skip {511 - gap}, 0xcc\n{before}\n.p2align 9\nhlt\n"
        for gap in PADDED
        for before in ("nop", ".byte 0xcc")
    ]
    source = tmp_path / "padding.s"
    source.write_text("".join(parts))
    ours = assemble(source)
    theirs, _ = through_gnu(ours, source, toolchain, tmp_path)
    assert contents(ours.elf) == contents(theirs)


def test_branches_around_the_reach_of_eight_bits(toolchain: Toolchain, tmp_path: Path) -> None:
    """Each distance from 120 to 136 bytes, forward and backward, over other branches that grow."""
    parts = ["#@ title: t\n.intel_syntax noprefix\n.globl _start\n_start:\n"]
    parts += [
        f"1: jmp 2f\n jne 1b\n .skip {distance // 2}\n je 2f\n call 1b\n"
        f" .skip {distance - distance // 2 - 10}\n2: jmp 1b\n jc 1b\n"
        for distance in range(120, 137)
    ]
    source = tmp_path / "branches.s"
    source.write_text("".join(parts))
    ours = assemble(source)
    theirs, _ = through_gnu(ours, source, toolchain, tmp_path)
    assert contents(ours.elf) == contents(theirs)
