"""Procedures through GNU as and through `emu.cfi`: the same dump, the same warnings."""

import re
import subprocess
from pathlib import Path

import pytest

from emu.asm import assemble
from emu.sframe import Section, dump
from emu.toolchain import Toolchain

HEAD = """\
#@ title: procedures
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        nop
        .cfi_endproc
"""
SITUATIONS = Path(__file__).parent / "procedures.txt"
"""One procedure a line: name, `:`, statements. A name that begins with `simple` is a procedure
without the initial rules."""


def procedures() -> list[tuple[str, str]]:
    lines = SITUATIONS.read_text().splitlines()
    return [
        (name.strip(), body.strip())
        for line in lines
        if line and not line.startswith("#")
        for name, _, body in [line.partition(":")]
    ]


def source_of(selected: list[tuple[str, str]]) -> str:
    parts = [HEAD]
    for name, body in selected:
        simple = " simple" if name.startswith("simple") else ""
        parts.append(f"{name}: .cfi_startproc{simple}\n {body}\n .cfi_endproc\n nop\n")
    return "".join(parts)


def test_all_procedures_at_once(toolchain: Toolchain, tmp_path: Path) -> None:
    assert toolchain.as_ is not None
    assert toolchain.ld is not None
    source = tmp_path / "procedures.s"
    source.write_text(source_of(procedures()))
    ours = assemble(source)
    result = subprocess.run(
        [toolchain.as_.path, "--gsframe-3", source, "-o", tmp_path / "o"],
        capture_output=True,
        text=True,
        check=True,
    )
    said = re.findall(r"no SFrame FDE emitted; (.*)", result.stderr)
    assert [one.reason for one in ours.dropped] == said
    command = [toolchain.ld.path, "-Ttext=0x401000", tmp_path / "o", "-o", tmp_path / "linked"]
    subprocess.run(command, check=True, capture_output=True)
    theirs = list(dump(Section.from_elf(tmp_path / "linked")))
    assert list(dump(Section.from_elf(ours.elf))) == theirs


def test_the_situations_are_many() -> None:
    names = [name for name, _ in procedures()]
    assert len(names) == len(set(names)) > 100


@pytest.mark.parametrize(
    ("body", "ours", "theirs"),
    [
        # The offset of a return address is cut to the width of the other words.
        ("nop; .cfi_offset rip, -200; nop", "*(CFA-200)", "*(CFA+56)"),
        # The register of an expression other than DW_OP_breg6 becomes a number without meaning.
        ("nop; .cfi_escape 0x10, 6, 2, 0x73, 8; nop", "*(rbx+8)", "*(reg536870911+8)"),
    ],
)
def test_defects_that_are_not_followed(
    body: str, ours: str, theirs: str, toolchain: Toolchain, tmp_path: Path
) -> None:
    assert toolchain.as_ is not None
    source = tmp_path / "one.s"
    source.write_text(source_of([("defect", body)]))
    subprocess.run([toolchain.as_.path, "--gsframe-3", source, "-o", tmp_path / "o"], check=True)
    for elf, expected in ((assemble(source).elf, ours), ((tmp_path / "o").read_bytes(), theirs)):
        last = list(Section.from_elf(elf).fdes)[-1]
        assert expected in str(list(last.rows)[-1].rules)
