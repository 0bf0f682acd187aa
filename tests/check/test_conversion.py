"""`--convert`: rows from .eh_frame where a module has none."""

import io
from pathlib import Path

from emu.asm import assemble
from emu.check import Blame, Result, Verdict, run
from emu.machine import Image
from emu.sframe import Section
from emu.toolchain import Toolchain
from emu.toolchain.prebuilt import unpack_programs

ROOT = Path(__file__).parent.parent.parent
SOURCE = """\
#include <stdio.h>
#include <stdlib.h>
static int order(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
int main(void) {
    int v[9] = {3, 1, 2, 9, 7, 8, 5, 4, 6};
    qsort(v, 9, sizeof *v, order);
    printf("%d %d\\n", v[0], v[8]);
    return 0;
}
"""


def functions(result: Result) -> set[str]:
    return {function for _, function in result.tally.gaps}


def test_a_static_program_has_no_gap_but_where_there_is_no_cfi(tmp_path: Path) -> None:
    unpack_programs(ROOT / "c_cases" / "prebuilt", tmp_path)
    program = tmp_path / "qsort_callback-O2"
    plain, converted = run(program), run(program, convert=["all"], strict=True)
    assert plain.modules[0].sframe == "present"
    assert converted.modules[0].sframe == "converted"
    assert functions(converted) < functions(plain)
    by_blame = {
        f.key.function: f.witness.blame for f in converted.findings if f.key.verdict is Verdict.GAP
    }
    # A gap behind a call that never returns is the consumer's: the row is there.
    assert set(by_blame.values()) <= {Blame.NO_CFI, Blame.CONSUMER}
    assert not [f for f in converted.findings if f.key.verdict is not Verdict.GAP]
    assert converted.tally.steps[Verdict.OK] > 0.98 * converted.tally.frames
    assert converted.instructions == plain.instructions


def test_a_dynamic_program_unwinds_through_libc_and_its_loader(
    toolchain: Toolchain, tmp_path: Path
) -> None:
    source = tmp_path / "program.c"
    source.write_text(SOURCE)
    program = toolchain.compile([source], tmp_path / "program", ["-O2"])
    stdout = io.BytesIO()
    result = run(program, convert=["all"], stdout=stdout)
    assert stdout.getvalue() == b"1 9\n"
    assert {module.sframe for module in result.modules} == {"converted"}
    assert result.tally.steps[Verdict.OK] > 0.99 * result.tally.frames
    assert result.tally.steps[Verdict.CORRUPT] == 0
    wrong = {f.key.function for f in result.findings if f.key.verdict is Verdict.WRONG}
    assert wrong <= {"__cxa_finalize@plt"}
    one = run(program, convert=["libc.so.6"])
    assert sorted(module.sframe for module in one.modules) == ["absent", "converted", "present"]


def test_own_rows_stay() -> None:
    case = assemble(ROOT / "asm_cases" / "wrong_cfa.s")
    image = Image.from_bytes(case.elf, "wrong")
    plain, converted = run(image), run(image, convert=["wrong"])
    assert converted.modules[0].sframe == "converted"
    assert [f.key for f in converted.findings] == [f.key for f in plain.findings]
    assert converted.coverage.fdes == len(Section.from_elf(case.elf).fdes)


def test_an_index_out_of_order_is_not_put_in_order() -> None:
    elf = assemble(ROOT / "asm_cases" / "frame_pointer.s").elf
    section = Section.from_elf(elf)
    first, second = section.fdes[0], section.fdes[1]
    behind = second.start + second.size - (section.address + first.offset)
    at = section.file_offset + first.offset
    image = Image.from_bytes(elf[:at] + behind.to_bytes(8, "little", signed=True) + elf[at + 8 :])
    plain, converted = run(image), run(image, convert=["all"])
    assert plain.tally.steps[Verdict.CORRUPT]
    assert converted.tally.steps == plain.tally.steps
    assert converted.modules[0].sframe == "present"
