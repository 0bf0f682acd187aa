"""Every row of real files as `readelf --debug-dump=frames-interp` has it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from emu.cfi import DwarfRow, DwarfRule, FrameTable, RuleKind, instructions
from emu.sframe import register_name
from emu.toolchain import Toolchain

FDE = re.compile(r"[0-9a-f]{8,16} [0-9a-f]{8,16} [0-9a-f]{8,16} FDE .* pc=([0-9a-f]+)\.\.")
ROW = re.compile(r"[0-9a-f]{16} ")
IN_REGISTER = re.compile(r"r\d+ \((\w+)\)")
"""`r1 (rdx)`: the rule of a register that is kept in another, by number and name."""

RULES = """\
        .cfi_sections .eh_frame, .debug_frame
f:      .cfi_startproc
        nop
        .cfi_val_offset rbp, -16
        nop
        .cfi_same_value rbx
        .cfi_undefined r12
        .cfi_remember_state
        nop
        .cfi_register r13, r14
        .cfi_escape 0x16, 3, 2, 0x76, 8
        .cfi_escape 0x10, 6, 2, 0x76, 8
        nop
        .cfi_def_cfa r10, 3
        .cfi_offset xmm1, -24
        .cfi_remember_state
        nop
        .cfi_undefined rip
        .cfi_escape 0x0f, 3, 0x76, 0x78, 6
        .skip 300
        .cfi_restore_state
        nop
        .cfi_restore_state
        .cfi_restore rbp
        nop
        .cfi_def_cfa_offset -16
        nop
        .cfi_offset rbx, -4096
        .cfi_offset r15, 24
        .skip 70000
        .cfi_def_cfa rsp, 8
        nop
        .cfi_endproc
"""


def value(rule: DwarfRule | None) -> str:
    match rule:
        case None | DwarfRule(kind=RuleKind.UNDEFINED):
            return "u"
        case DwarfRule(kind=RuleKind.SAME_VALUE):
            return "s"
        case DwarfRule(kind=RuleKind.OFFSET, value=offset):
            return f"c{offset:+d}"
        case DwarfRule(kind=RuleKind.VAL_OFFSET, value=offset):
            return f"v{offset:+d}"
        case DwarfRule(kind=RuleKind.REGISTER, value=register):
            return register_name(register)
        case DwarfRule(kind=RuleKind.EXPRESSION):
            return "exp"
        case _:
            return "vexp"


def columns(row: DwarfRow, shown: list[int]) -> list[str]:
    assert row.cfa is not None
    cfa = "exp" if row.cfa.expression is not None else str(row.cfa)
    return [cfa, *(value(row.rule(register)) for register in shown)]


NUMBERS = {register_name(number): number for number in range(33)} | {"ra": instructions.RIP}
NUMBERS.pop("reg32", None)


def compare(file: Path, table: FrameTable, toolchain: Toolchain, section: str) -> int:
    """Hold every row that readelf shows against ours; the number of rows."""
    assert toolchain.readelf is not None
    text = subprocess.run(
        [toolchain.readelf.path, "-wF", file], capture_output=True, text=True, check=False
    ).stdout
    text = text.partition(f"Contents of the {section} section")[2].partition("Contents of")[0]
    remaining = iter([fde for fde in table.fdes if fde.table == section])
    theirs: dict[int, list[str]] = {}
    shown: list[int] = []
    count = 0
    fde = None

    def hold() -> int:
        if fde is None:
            return 0
        ours = {fde.start + row.start: columns(row, shown) for row in table.rows(fde)}
        if not any(fde.instructions):
            # readelf shows no row where only the CIE says something.
            ours = {}
        assert ours == theirs, f"{fde}"
        return len(theirs)

    for line in text.splitlines():
        if " CIE " in line:
            count += hold()
            fde = None
        elif found := FDE.match(line):
            count += hold()
            fde, theirs = next(remaining), {}
            assert fde.start == int(found[1], 16)
        elif line.startswith("   LOC"):
            shown = [NUMBERS[name] for name in line.split()[2:]]
        elif fde is not None and ROW.match(line):
            location, *cells = IN_REGISTER.sub(r"\1", line).split()
            theirs[int(location, 16)] = cells
    count += hold()
    assert next(remaining, None) is None
    return count


@pytest.mark.parametrize("name", ["libc.so.6", "libstdc++.so.6"])
def test_libraries_of_the_system(name: str, toolchain: Toolchain) -> None:
    said = subprocess.run(
        ["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=True
    )
    library = Path(said.stdout.strip())
    if not library.is_absolute():
        pytest.skip(f"{name} is not here")
    count = compare(library, FrameTable.from_elf(library), toolchain, ".eh_frame")
    assert count > 10_000


def test_interpreter(toolchain: Toolchain) -> None:
    program = Path(sys.executable).resolve()
    assert compare(program, FrameTable.from_elf(program), toolchain, ".eh_frame") > 0


def test_every_kind_of_rule_in_both_sections(toolchain: Toolchain, tmp_path: Path) -> None:
    assert toolchain.as_ is not None
    assert toolchain.ld is not None
    source = tmp_path / "rules.s"
    source.write_text(f".intel_syntax noprefix\n{RULES}")
    made, linked = tmp_path / "rules.o", tmp_path / "rules"
    subprocess.run([toolchain.as_.path, source, "-o", made], check=True)
    subprocess.run(
        [toolchain.ld.path, "-e", "0", made, "-o", linked], check=True, capture_output=True
    )
    assert compare(made, FrameTable.from_elf(made), toolchain, ".eh_frame") == 11
    assert compare(linked, FrameTable.from_elf(linked), toolchain, ".eh_frame") == 11
    assert toolchain.objdump is not None
    only = tmp_path / "debug"
    objcopy = toolchain.objdump.path.with_name("objcopy")
    subprocess.run([objcopy, "-R", ".eh_frame", linked, only], check=True)
    assert compare(only, FrameTable.from_elf(only), toolchain, ".debug_frame") == 11
    assert FrameTable.from_elf(linked).fdes[0].table == ".eh_frame"
    assert len(FrameTable.from_elf(linked).fdes) == 1
