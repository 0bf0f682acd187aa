"""Stubs that the linker makes: every form of PLT, each instruction run, each byte looked up."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from emu.cfi import FrameTable
from emu.check import Snapshot, Verdict, run, snapshots
from emu.check.verdict import Blame, Field
from emu.sframe import Elf
from emu.toolchain import Toolchain
from emu.unwind import LookupFailure, State, evaluate, policy
from emu.unwind.dwarf import DwarfRefusal, DwarfState, dwarf_step

SOURCE = r"""
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
static long (*volatile pointer)(long);
static const char *volatile text = "four";
int main(void)
{
    long sum = 0;
    pointer = labs; /* called and pointed to: an entry in .plt.got, beside __cxa_finalize's */
    for (int round = 0; round < 2; round++)
        sum += strlen(text) + abs(-3) + toupper('a') + strtol("5", 0, 10) + labs(-7) + pointer(6);
    return sum == 2 * (4 + 3 + 65 + 5 + 7 + 6) ? 0 : 1;
}
"""

BLOCK = 16
UNRESTRICTED = policy("format")


@dataclass(frozen=True)
class Stub:
    """A kind of entry: its size, and the offsets of the instructions that a run executes."""

    section: str
    size: int
    offsets: tuple[int, ...]
    skip: int = 0
    """Bytes of the section in front: the entry that all others share."""
    all_run: bool = True
    """Whether each of them does."""


PLT0 = Stub(".plt", 16, (0, 6))
"""push; jmp"""
LAZY = Stub(".plt", 16, (0, 6, 11), skip=16)
"""jmp; push; jmp"""
BOUND = Stub(".plt", 16, (0,), skip=16)
"""The same with nothing left to bind: what follows the first jmp is never reached."""
LAZY_IBT = Stub(".plt", 16, (0, 4, 9), skip=16)
"""endbr64; push; jmp"""
SECOND = Stub(".plt.sec", 16, (0, 4))
"""endbr64; jmp"""
GOT = Stub(".plt.got", 8, (0,))
GOT_IBT = Stub(".plt.got", 16, (0, 4))
IRELATIVE = Stub(".plt", 8, (0,), all_run=False)
"""strlen and other functions of a static libc are chosen at the program's start."""
IRELATIVE_PIE = Stub(".plt", 16, (0,), skip=16, all_run=False)

NO_IBT, IBT = "-fcf-protection=none", "-fcf-protection=full"
VARIANTS = {
    "lazy": ((NO_IBT, "-pie", "-Wl,-z,lazy"), (PLT0, LAZY, GOT)),
    "lazy-no-pie": ((NO_IBT, "-no-pie", "-Wl,-z,lazy"), (PLT0, LAZY, GOT)),
    "now": ((NO_IBT, "-pie", "-Wl,-z,now"), (BOUND, GOT)),
    "ibt-lazy": ((IBT, "-pie", "-Wl,-z,ibtplt,-z,lazy"), (PLT0, LAZY_IBT, SECOND, GOT_IBT)),
    "ibt-now": ((IBT, "-pie", "-Wl,-z,ibtplt,-z,now"), (SECOND, GOT_IBT)),
    "static": ((NO_IBT, "-static"), (IRELATIVE,)),
    "static-pie": ((NO_IBT, "-static-pie"), (IRELATIVE_PIE,)),
}


def sections_of(elf: Elf) -> Iterator[tuple[str, range]]:
    """The sections of stubs: name and link-time addresses."""
    for section in elf.sections:
        if section.name in {".plt", ".plt.sec", ".plt.got"}:
            yield section.name, range(section.address, section.address + section.size)


def witnesses(snapshot: Snapshot, pc: int, table: FrameTable, bias: int) -> tuple[object, object]:
    """What the kernel's lookup and .eh_frame say at `pc`, on the true state of the snapshot."""
    state = State(pc, snapshot.registers[7], snapshot.registers[6], topmost=True)
    found = snapshot.tables.intact.lookup(pc)
    by_row: object = found
    if not isinstance(found, LookupFailure):
        by_row = evaluate(found.frame, state, snapshot.memory, snapshot.registers, snapshot.policy)
    registers = {number: snapshot.registers[number] for number in range(16)}
    step = dwarf_step(table, DwarfState(pc, registers), snapshot.memory, bias=bias)
    if isinstance(step, DwarfRefusal):
        return by_row, step
    return by_row, State(step.pc, step.sp, step.fp or 0)


@pytest.mark.parametrize("name", VARIANTS)
def test_every_instruction_of_the_stubs(toolchain: Toolchain, tmp_path: Path, name: str) -> None:
    flags, stubs = VARIANTS[name]
    source = tmp_path / "program.c"
    source.write_text(SOURCE)
    program = toolchain.compile([source], tmp_path / "program", ["-O1", "-fno-builtin", *flags])
    elf, table = Elf(program), FrameTable.from_elf(program.read_bytes())
    assert table is not None
    sections = dict(sections_of(elf))
    result = run(program)
    assert (result.ended, result.exit_code) == ("exit", 0)
    bias = next(module.bias for module in result.modules if module.path == str(program))

    # Run: each instruction that can be reached was, and its row checked.
    places = [hex(bias + address) for extent in sections.values() for address in extent]
    executed: dict[int, Verdict] = {}
    looked_up = set()
    for snapshot in snapshots(program, at=places):
        address = snapshot.pc - bias
        outcome = snapshot.outcome(0)
        executed[address] = outcome.verdict
        section = next(key for key, extent in sections.items() if address in extent)
        size = 8 if section == ".plt.got" and GOT in stubs else BLOCK
        block = address - (address - sections[section].start) % size
        # Inside an instruction nothing can be executed: there the lookup is compared with
        # .eh_frame, at every byte of the block, on the true state of this moment.
        for byte in range(block, min(block + size, sections[section].stop)):
            by_row, by_cfi = witnesses(snapshot, byte + bias, table, bias)
            looked_up.add(byte)
            if name == "static":
                assert isinstance(by_row, LookupFailure)
            elif section == ".plt.got":
                # The linker's row is 8 too high, at every byte; its .eh_frame is right.
                assert isinstance(by_row, State)
                assert isinstance(by_cfi, State)
                assert by_row.sp == by_cfi.sp + 8
                assert by_cfi.ip == snapshot.entries[-1].return_address
            else:
                assert by_row == by_cfi
    for stub in stubs:
        check_stub(stub, sections[stub.section], executed, looked_up)

    # Verdicts: right everywhere but in .plt.got, and that is the linker's.
    got = sections.get(".plt.got", range(0))
    for address, verdict in executed.items():
        right = Verdict.GAP if name == "static" else Verdict.OK
        assert verdict is (Verdict.WRONG if address in got else right), hex(address)
    found = [finding for finding in result.findings if finding.key.module == str(program)]
    assert result.findings == tuple(found)
    assert {finding.witness.blame for finding in found} <= {Blame.LINKER}
    in_got = {stub.section for stub in stubs} & {".plt.got"}
    assert {finding.key.field for finding in found} == ({Field.PC, Field.SP} if in_got else set())
    if in_got:
        functions = {finding.key.function for finding in found}
        # A program that is not position-independent does not call __cxa_finalize.
        assert functions - {"__cxa_finalize@plt"} == {"labs@plt"}
        assert len(functions) == 1 + ("-pie" in flags)
        assert {finding.key.row_pc for finding in found} == {got.start}


def check_stub(
    stub: Stub, extent: range, executed: dict[int, Verdict], looked_up: set[int]
) -> None:
    """Which offsets of the entries of one kind were executed, and which bytes looked up."""
    entries = range(extent.start + stub.skip, extent.stop, stub.size)
    if stub is PLT0:
        entries = entries[:1]
    ran = [
        tuple(offset for offset in range(stub.size) if entry + offset in executed)
        for entry in entries
    ]
    assert set(ran) - {()} == {stub.offsets}
    assert () not in ran or not stub.all_run
    for entry, offsets in zip(entries, ran, strict=True):
        if offsets:
            assert looked_up >= {*range(entry, min(entry + stub.size, extent.stop))}
