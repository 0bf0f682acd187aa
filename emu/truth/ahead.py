"""How straight code will go on: through which word, register or call control leaves it.

Between a write of rsp and the transfer of control that gives it its meaning stand a few loads and
pops. Reading them tells at once what otherwise shows only when they are over.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from emu.truth.instruction import STOPS, Decoder, wide

RESTORES = 24
"""Instructions that are looked at."""
DWARF_ORDER = (
    "rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp",
    "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
)  # fmt: skip


class Way(Enum):
    """How control leaves straight code."""

    WORD = "a return, or a jump through a register loaded from the stack"
    REGISTER = "a jump through a register that nothing changes before"
    ADDRESS = "a direct jump"
    CALL = "a call"


@dataclass(frozen=True, slots=True)
class Leaving:
    """Where straight code goes on: `value` is the word's distance from rsp now, the register's
    DWARF number, the address, or 0 for a call.
    """

    way: Way
    value: int


def leaving(decoder: Decoder, pc: int) -> Leaving | None:
    """How control leaves the straight code at `pc`.

    None if there is a choice, or rsp is moved by anything but pops and constants.
    """
    offset = 0
    loaded: dict[str, int] = {}
    changed: set[str] = set()
    for insn in decoder.straight(pc, RESTORES):
        name = insn.mnemonic.split()[-1]
        target, distance = _stack_load(decoder, insn, name)
        if name == "ret":
            return Leaving(Way.WORD, offset)
        if name == "call":
            return Leaving(Way.CALL, 0)
        if name == "jmp":
            return _jump(decoder, insn, target, loaded, changed)
        if name in STOPS or name[0] == "j":
            return None
        written = {wide(insn.reg_name(register)) for register in insn.regs_access()[1]}
        changed |= written
        for register in written:
            loaded.pop(register, None)
        if name in {"pop", "mov"} and target:
            loaded[target] = offset + distance
        if name in {"pop", "popfq"} and target != "rsp":
            offset += 8
        elif name in {"add", "lea"} and target == "rsp":
            offset += distance
        elif "rsp" in written:
            return None
    return None


def _jump(
    decoder: Decoder, insn: Any, target: str, loaded: dict[str, int], changed: set[str]
) -> Leaving | None:
    if target in loaded:
        return Leaving(Way.WORD, loaded[target])
    if target:
        return None if target in changed else Leaving(Way.REGISTER, DWARF_ORDER.index(target))
    operand = insn.operands[0]
    if operand.type == decoder.x86.X86_OP_IMM:
        return Leaving(Way.ADDRESS, operand.imm)
    return None


def _stack_load(decoder: Decoder, insn: Any, name: str) -> tuple[str, int]:
    """The register that an instruction takes from rsp or changes by a constant, and how far.

    No register if it does something else; for a jump the one it goes through.
    """
    x86, operands = decoder.x86, insn.operands
    if not operands or operands[0].type != x86.X86_OP_REG:
        return "", 0
    target = insn.reg_name(operands[0].reg)
    if len(operands) == 1:
        return target, 0
    source = operands[1]
    if source.type == x86.X86_OP_IMM and name == "add":
        return target, source.imm
    if source.type == x86.X86_OP_MEM and name in {"mov", "lea"}:
        plain = insn.reg_name(source.mem.base) == "rsp" and not source.mem.index
        return (target, source.mem.disp) if plain else ("", 0)
    return "", 0
