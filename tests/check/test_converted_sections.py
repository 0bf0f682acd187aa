"""Converted sections are made once: in memory, on the disk, and no more than there is room for."""

import os
from pathlib import Path

import pytest

from emu.asm import assemble
from emu.check import Result, conversion, converted_sections, run
from emu.check.converted_sections import ConvertedSections
from emu.check.modules import LoadedModule
from emu.machine import Image

TWICE = """\
#@ title: A child that executes the same program, which then only exits
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov rax, [rsp]
        cmp rax, 1
        ja done
        mov rbx, [rsp+8]
        mov eax, 57                 # fork
        syscall
        test eax, eax
        jz child
        mov rdi, rax
        xor esi, esi
        xor edx, edx
        xor r10d, r10d
        mov eax, 61                 # wait4
        syscall
        jmp done
child:  push 0
        push rbx
        push rbx
        mov rdi, rbx
        mov rsi, rsp
        xor edx, edx
        mov eax, 59                 # execve(argv[0], {argv[0], argv[0], 0}, 0)
        syscall
        ud2
done:   call leaf
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc
leaf:   .cfi_startproc
        ret
        .cfi_endproc
"""


def never() -> bytes:
    raise AssertionError("it is known")


def test_a_section_is_made_once_for_the_same_bytes(tmp_path: Path) -> None:
    sections = ConvertedSections(tmp_path / "kept")
    assert sections.section(b"program", lambda: b"rows") == b"rows"
    assert sections.section(b"program", never) == b"rows"
    assert sections.section(b"another", lambda: b"") == b""
    assert sections.section(b"another", never) == b""
    # Another process finds them on the disk.
    later = ConvertedSections(tmp_path / "kept")
    assert later.section(b"program", never) == b"rows"
    assert later.section(b"another", never) == b""


@pytest.mark.parametrize("damage", [b"", b"rows", bytes(40)])
def test_a_damaged_file_is_made_anew(damage: bytes, tmp_path: Path) -> None:
    ConvertedSections(tmp_path).section(b"program", lambda: b"rows")
    (file,) = tmp_path.iterdir()
    file.write_bytes(damage)
    assert ConvertedSections(tmp_path).section(b"program", lambda: b"rows again") == b"rows again"
    assert ConvertedSections(tmp_path).section(b"program", never) == b"rows again"


def test_other_sources_of_the_converter_make_other_sections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ConvertedSections(tmp_path).section(b"program", lambda: b"rows")
    monkeypatch.setattr(converted_sections, "fingerprint", lambda: b"other sources")
    assert ConvertedSections(tmp_path).section(b"program", lambda: b"others") == b"others"


def test_sources_that_have_changed_meanwhile_say_nothing_of_the_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    changed = converted_sections.fingerprint.__wrapped__
    assert len(changed()) == 32
    monkeypatch.setattr(converted_sections, "IMPORTED", 0)
    with pytest.raises(OSError, match="is not what was imported"):
        changed()


def test_what_was_not_used_for_longest_makes_room(tmp_path: Path) -> None:
    section = bytes(1000)
    kept = 1000 + 32
    sections = ConvertedSections(tmp_path, in_memory=2500, on_disk=3 * kept)
    for number in range(3):
        sections.section(bytes([number]), lambda: section)
    for age, file in enumerate(sorted(tmp_path.iterdir())):
        os.utime(file, (1000 - age, 1000 - age))
    oldest = max(tmp_path.iterdir())
    sections.section(b"one more", lambda: section)
    assert not oldest.exists()
    assert len(list(tmp_path.iterdir())) == 3
    sections = ConvertedSections(None, in_memory=2500)
    for number in range(3):
        sections.section(bytes([number]), lambda: section)
    assert sections.section(bytes([2]), never) == section
    assert sections.section(bytes([1]), never) == section
    with pytest.raises(AssertionError, match="known"):
        sections.section(bytes([0]), never)


def test_a_directory_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    sections = ConvertedSections(tmp_path / "file" / "kept")
    assert sections.section(b"program", lambda: b"rows") == b"rows"
    assert sections.section(b"program", never) == b"rows"


@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_a_program_that_is_executed_again_is_not_converted_again(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The family's second run of a program uses the first one's section; nothing else changes."""
    made: list[str] = []
    convert = conversion._made

    def counted(module: LoadedModule) -> bytes:
        made.append(module.path)
        return convert(module)

    monkeypatch.setattr(conversion, "_made", counted)
    sections = ConvertedSections(tmp_path)
    monkeypatch.setattr(conversion, "converted_sections", lambda: sections)
    path = tmp_path / "twice"
    path.write_bytes(assemble(TWICE).elf)
    path.chmod(0o755)

    def checked() -> Result:
        return run(Image.from_file(path), convert=["twice"], engine=engine)

    first = checked()
    assert "a child process checked too" in first.remarks[0]
    assert first.system_calls["execve"].count == 1
    second = checked()
    assert made == [str(path)]
    assert first.modules == second.modules
    assert first.modules[0].sframe == "converted"
    assert first.tally.steps == second.tally.steps
    assert first.coverage == second.coverage
