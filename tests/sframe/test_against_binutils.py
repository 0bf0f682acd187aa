"""What GNU as and ld wrote: dumped as readelf dumps it, and written back identically."""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from emu.sframe import Elf, Section, SFrameError, dump, find_section, rewrite
from emu.toolchain import Toolchain

FORMS = sorted((Path(__file__).parent / "forms").glob("*.s"))
"""One form of row each; lines `#= start: equations` are the rows in order of the index."""


def tool_output(*command: str | Path) -> str:
    result = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, f"{command}: {result.stderr}"
    return result.stdout


def assemble(toolchain: Toolchain, source: Path, output: Path) -> Path:
    assert toolchain.as_ is not None
    tool_output(toolchain.as_.path, "--gsframe-3", source, "-o", output)
    return output


def link(toolchain: Toolchain, output: Path, *arguments: str | Path) -> Path:
    assert toolchain.ld is not None
    tool_output(toolchain.ld.path, "-e", "0", "-o", output, *arguments)
    return output


def readelf(toolchain: Toolchain, file: Path) -> str:
    assert toolchain.readelf is not None
    return tool_output(toolchain.readelf.path, "--sframe", file)


def check(toolchain: Toolchain, file: Path) -> Section:
    """Dump and write-back of one file."""
    section = Section.from_elf(file)
    assert "".join(line + "\n" for line in dump(section)) == readelf(toolchain, file)
    assert rewrite(section) == bytes(section.data)
    assert rewrite(section, raw=True) == bytes(section.data)
    return section


def rows(section: Section) -> list[str]:
    return [f"{row.start}: {row.rules}" for fde in section.fdes for row in fde.rows]


def test_there_is_a_file_for_every_form() -> None:
    assert len(FORMS) >= 30


@pytest.mark.parametrize("source", FORMS, ids=lambda path: path.stem)
def test_form(toolchain: Toolchain, source: Path, tmp_path: Path) -> None:
    expected = re.findall(r"^#= (.*)$", source.read_text(), re.MULTILINE)
    object_file = assemble(toolchain, source, tmp_path / "form.o")
    assert rows(check(toolchain, object_file)) == expected
    linked = check(toolchain, link(toolchain, tmp_path / "form", object_file))
    assert linked.header.is_sorted
    assert sorted(rows(linked)) == sorted(expected)
    partial = check(toolchain, link(toolchain, tmp_path / "form.r", "-r", object_file))
    assert rows(partial) == expected


def test_all_forms_linked_together(toolchain: Toolchain, tmp_path: Path) -> None:
    objects = [assemble(toolchain, source, tmp_path / f"{source.stem}.o") for source in FORMS]
    file = link(toolchain, tmp_path / "all", "-z", "muldefs", *objects)
    section = check(toolchain, file)
    starts = [fde.start for fde in section.fdes]
    assert len(starts) > len(FORMS)
    assert starts == sorted(starts)


PROJECT = Path(__file__).parents[2]
C_CASES = sorted((PROJECT / "c_cases").glob("**/*.c"))
ASM_CASES = sorted((PROJECT / "asm_cases").glob("**/*.[sS]"))


@pytest.mark.parametrize("level", ["-O0", "-O2", "-Os"])
@pytest.mark.parametrize("source", C_CASES, ids=lambda path: path.stem)
def test_c_case(toolchain: Toolchain, source: Path, level: str, tmp_path: Path) -> None:
    flags = ["-w", "-std=gnu11", level]
    check(toolchain, toolchain.compile([source], tmp_path / "case.o", ["-c", *flags]))
    if source.stem == "plugin":
        flags += ["-shared", "-fPIC"]
    check(toolchain, toolchain.compile([source], tmp_path / "case", flags))


@pytest.mark.parametrize("source", ASM_CASES, ids=lambda path: path.stem)
def test_asm_case(toolchain: Toolchain, source: Path, tmp_path: Path) -> None:
    file = assemble(toolchain, source, tmp_path / "case.o")
    found = find_section(Elf(file))
    # A case may have no CFI at all, or none that can be expressed.
    if found is not None and found.size:
        check(toolchain, file)
        check(toolchain, link(toolchain, tmp_path / "case", file))


CALLER = """
#include <stdlib.h>
static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
int main(int argc, char **argv)
{
    int v[] = {3, 1, argc};
    qsort(v, 3, sizeof *v, compare);
    return v[0] + atoi(argv[0]);
}
"""

PLTS: dict[str, Sequence[str]] = {
    # the linker's stubs: flags
    "lazy": ("-Wl,-z,lazy",),
    "now": ("-Wl,-z,now",),
    "ibt-lazy": ("-fcf-protection", "-Wl,-z,lazy,-z,ibtplt"),
    "ibt-now": ("-fcf-protection", "-Wl,-z,now,-z,ibtplt"),
    "no-pie": ("-no-pie", "-Wl,-z,lazy"),
    "shared": ("-shared", "-fPIC", "-Wl,-z,lazy"),
    "static": ("-static",),
    "static-pie": ("-static-pie",),
}


@pytest.mark.parametrize("name", PLTS)
def test_linker_made_rows(toolchain: Toolchain, name: str, tmp_path: Path) -> None:
    source = tmp_path / "caller.c"
    source.write_text(CALLER)
    file = toolchain.compile([source], tmp_path / name, flags=["-O1", *PLTS[name]])
    section = check(toolchain, file)
    masks = [fde for fde in section.fdes if fde.attributes.rep_size]
    assert masks or name == "static"
    for fde in masks:
        found = fde.rows
        for block in range(0, fde.size, fde.attributes.rep_size):
            for distance in range(fde.attributes.rep_size):
                match = section.lookup(fde.start + block + distance)
                assert match is not None
                assert match.row == [row for row in found if row.start <= distance][-1]


def test_discarded_section_is_empty(toolchain: Toolchain, tmp_path: Path) -> None:
    source = tmp_path / "caller.c"
    source.write_text(CALLER)
    file = toolchain.compile([source], tmp_path / "caller", flags=["-Wl,--discard-sframe"])
    with pytest.raises(SFrameError, match=r"^the \.sframe section is empty$"):
        Section.from_elf(file)
