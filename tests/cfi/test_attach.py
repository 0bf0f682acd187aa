"""Converted sections in copies of real files: they run, tools like them, and ld links them."""

import os
import subprocess
from pathlib import Path

import pytest

from emu.cfi import CfiError, FrameTable, attach, convert
from emu.sframe import PT_GNU_SFRAME, Elf, PcType, Section
from emu.toolchain import Toolchain
from emu.unwind import DwarfState, RegionMemory, dwarf_step

MAIN = """\
#include <stdio.h>
#include <string.h>
int twice(const char *);
int main(int argc, char **argv)
{
	char text[40];
	strcpy(text, argv[0] ? "attached" : "");
	printf("%s %d\\n", text, twice(text));
	return argc + 6;
}
"""
TWICE = """\
#include <stdlib.h>
#include <string.h>
int twice(const char *text)
{
	char *copy = malloc(strlen(text) * 2 + 1);
	int length;
	strcpy(copy, text);
	strcat(copy, text);
	length = strlen(copy);
	free(copy);
	return length;
}
"""
INLINE = """\
template <int N> struct Shape {
	virtual ~Shape() {}
	virtual int area(int x) { return x * N + (x > 3 ? area(x - 1) : 0); }
};
int %s(int x) { Shape<3> shape; Shape<5> other; return shape.area(x) + other.area(x); }
"""


def run(*command: object, cwd: Path | None = None) -> str:
    result = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=True, cwd=cwd
    )
    return result.stdout + result.stderr


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("attach")
    (directory / "main.c").write_text(MAIN)
    (directory / "twice.c").write_text(TWICE)
    for name in ("one", "two"):
        (directory / f"{name}.cc").write_text(INLINE % name)
    (directory / "both.cc").write_text(
        "int one(int); int two(int);\nint main() { return one(4) - two(4) + 9; }\n"
    )
    return directory


def attached(file: Path) -> Path:
    """A copy of `file` with a converted section."""
    elf = Elf(file)
    conversion = convert(elf)
    copy = file.with_name(file.name + "-attached")
    copy.write_bytes(attach(elf, conversion))
    copy.chmod(0o755)
    section = Section.from_elf(copy)
    assert len(section.fdes) == conversion.functions
    if not elf.relocatable:
        assert bytes(section.data) == conversion.data
        assert section.address == conversion.address
    return copy


def plain(toolchain: Toolchain, sources: Path, output: Path, *flags: str) -> Path:
    """A program by the system's own tools, without .sframe."""
    compiler = toolchain.compilers["gcc"].path
    run(compiler, "-O2", *flags, sources / "main.c", sources / "twice.c", "-o", output)
    return output


@pytest.mark.parametrize(
    "flags",
    [("-static",), ("-static-pie",), ("-no-pie",), ("-pie",), ("-Wl,-z,now",), ("-s",)],
    ids=" ".join,
)
def test_linked_programs_run(
    flags: tuple[str, ...], sources: Path, toolchain: Toolchain, tmp_path: Path
) -> None:
    assert toolchain.readelf is not None
    program = attached(plain(toolchain, sources, tmp_path / "program", *flags))
    result = subprocess.run([program], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (7, "attached 16\n")
    said = run(toolchain.readelf.path, "-WSl", "--sframe", program)
    assert "arning" not in said
    assert "rror" not in said
    assert "GNU_SFRAME" in said
    headers = [one for one in Elf(program).segments if one.type == PT_GNU_SFRAME]
    assert len(headers) == 1
    run(toolchain.readelf.path.with_name("strip"), program)
    result = subprocess.run([program], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (7, "attached 16\n")
    assert Section.from_elf(program).header.num_fdes > 0


def test_a_shared_library_is_loaded(sources: Path, toolchain: Toolchain, tmp_path: Path) -> None:
    compiler = toolchain.compilers["gcc"].path
    library = tmp_path / "libtwice.so"
    run(compiler, "-O2", "-shared", "-fPIC", sources / "twice.c", "-o", library)
    attached(library).rename(library)
    program = tmp_path / "program"
    run(compiler, sources / "main.c", "-L", tmp_path, "-ltwice", "-o", program)
    environment = {**os.environ, "LD_LIBRARY_PATH": str(tmp_path)}
    result = subprocess.run([program], capture_output=True, text=True, env=environment, check=False)
    assert (result.returncode, result.stdout) == (7, "attached 16\n")


def test_a_file_without_section_headers(
    sources: Path, toolchain: Toolchain, tmp_path: Path
) -> None:
    program = plain(toolchain, sources, tmp_path / "program", "-no-pie")
    whole = convert(program)
    data = bytearray(program.read_bytes())
    data[40:48] = bytes(8)  # e_shoff
    data[58:64] = bytes(6)  # e_shentsize, e_shnum, e_shstrndx
    bare = tmp_path / "bare"
    bare.write_bytes(data)
    assert convert(bare).converted == whole.converted
    program = attached(bare)
    assert subprocess.run([program], capture_output=True, check=False).returncode == 7


def test_sections_of_objects_are_linked(
    sources: Path, toolchain: Toolchain, tmp_path: Path
) -> None:
    """Functions that both objects have are in the linked section once."""
    assert toolchain.ld is not None
    compiler = toolchain.compilers["g++"].path
    objects = []
    for name in ("one", "two", "both"):
        made = tmp_path / f"{name}.o"
        run(compiler, "-O1", "-c", sources / f"{name}.cc", "-o", made)
        objects.append(attached(made))
    program = tmp_path / "program"
    linker = f"-B{toolchain.ld.path.parent}/"
    said = run(compiler, linker, *objects, "-o", program)
    assert said == ""
    result = subprocess.run([program], check=False)
    assert result.returncode == 9
    section = Section.from_elf(program)
    made = convert(program, as_gnu=True)
    ours = {fde.start: fde for fde in Section(made.data, made.address).fdes}
    starts = [fde.start for fde in section.fdes]
    assert len(starts) == len(set(starts)) > 6
    for fde in section.fdes:
        assert [row.rules for row in fde.rows] == [row.rules for row in ours[fde.start].rows]


@pytest.mark.parametrize(
    "flags",
    [
        ("-Wl,-z,lazy",),
        ("-fcf-protection", "-Wl,-z,lazy", "-Wl,-z,ibtplt"),
        ("-fcf-protection", "-Wl,-z,now"),
        ("-Wl,-z,now", "-no-pie"),
        ("-fno-plt",),
    ],
    ids=" ".join,
)
def test_linked_sections_are_those_of_the_linker(
    flags: tuple[str, ...], sources: Path, toolchain: Toolchain, tmp_path: Path
) -> None:
    """Function by function, procedure linkage tables included."""
    program = toolchain.compile(
        [sources / "main.c", sources / "twice.c"], tmp_path / "program", ["-O2", *flags]
    )
    theirs = Section.from_elf(program)
    made = convert(program, as_gnu=True)
    ours = {fde.start: fde for fde in Section(made.data, made.address).fdes}
    tables = 0
    for fde in theirs.fdes:
        other = ours[fde.start]
        assert (other.size, other.attributes.info, other.attributes.info2) == (
            fde.size,
            fde.attributes.info,
            fde.attributes.info2,
        )
        assert other.attributes.rep_size == fde.attributes.rep_size
        assert [(row.start, row.rules) for row in other.rows] == [
            (row.start, row.rules) for row in fde.rows
        ]
        tables += fde.attributes.pc_type is PcType.MASK
    assert tables > 0


@pytest.mark.parametrize(
    "flags", [("-Wl,-z,lazy",), ("-fcf-protection", "-Wl,-z,lazy", "-Wl,-z,ibtplt")], ids=" ".join
)
def test_every_offset_of_a_lazy_table_is_as_its_expression_says(
    flags: tuple[str, ...], sources: Path, toolchain: Toolchain, tmp_path: Path
) -> None:
    """In .eh_frame the CFA of an entry is computed from the pc, in SFrame by PC type MASK."""
    program = plain(toolchain, sources, tmp_path / "program", *flags)
    plt = next(one for one in Elf(program).sections if one.name == ".plt")
    table = FrameTable.from_elf(program)
    made = convert(program)
    section = Section(made.data, made.address)
    stack = RegionMemory([(0x7000, bytes(64))])
    offsets = set()
    for pc in range(plt.address, plt.address + plt.size):
        caller = dwarf_step(table, DwarfState(pc, {7: 0x7000}), stack)
        assert isinstance(caller, DwarfState)
        match = section.lookup(pc)
        assert match is not None
        assert str(match.rules) == f"CFA = rsp+{caller.sp - 0x7000}, RA = *(CFA-8)"
        offsets.add(caller.sp - 0x7000)
    assert offsets == {8, 16, 24}


def test_the_linkers_wrong_row_is_not_followed(
    sources: Path, toolchain: Toolchain, tmp_path: Path
) -> None:
    """`.plt.got` entries push nothing, and ld 2.47 says CFA = rsp+16."""
    program = plain(toolchain, sources, tmp_path / "program", "-pie")
    table = next((one for one in Elf(program).sections if one.name == ".plt.got"), None)
    assert table is not None
    for as_gnu, expected in ((False, "CFA = rsp+8"), (True, "CFA = rsp+16")):
        made = convert(program, as_gnu=as_gnu)
        match = Section(made.data, made.address).lookup(table.address + 2)
        assert match is not None
        assert str(match.rules).startswith(f"{expected},")


def test_what_cannot_be_attached(sources: Path, toolchain: Toolchain, tmp_path: Path) -> None:
    program = toolchain.compile([sources / "twice.c"], tmp_path / "o", ["-c"])
    with pytest.raises(CfiError, match=r"has a \.sframe section already"):
        attach(Elf(program), convert(program))
    other = Elf(plain(toolchain, sources, tmp_path / "program", "-no-pie"))
    with pytest.raises(CfiError, match="was not made for address"):
        attach(other, convert(other, address=0x1000))


def test_files_without_anything_to_convert(tmp_path: Path, toolchain: Toolchain) -> None:
    assert toolchain.as_ is not None
    source = tmp_path / "empty.s"
    source.write_text("nop\n")
    run(toolchain.as_.path, source, "-o", tmp_path / "o")
    with pytest.raises(CfiError, match="no call frame information"):
        convert(tmp_path / "o")
    with pytest.raises(CfiError, match="not an ELF file"):
        convert(b"text")
