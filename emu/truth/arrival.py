"""Where straight code ends in a return, worked out from the registers before it executes.

A function that has left its own frame for good, as `setcontext` has after it has changed to the
other stack, loads registers, puts the address to go on at on that stack and returns to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from emu.truth.ahead import DWARF_ORDER, RESTORES
from emu.truth.instruction import STOPS, Decoder, wide
from emu.unwind.protocols import Memory, MemoryFault

MASK = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Arrival:
    """A return to come: it takes `target` out of the word at `slot`; rbp is what it will be."""

    target: int
    slot: int
    rbp: int | None
    """None if it is computed from what is not known yet."""
    by_jump: bool = False
    """The word is popped into a register first."""


def arrival(decoder: Decoder, memory: Memory, pc: int, registers: list[int]) -> Arrival | None:
    """The return that ends the straight code at `pc`; None if it does not end in one.

    Or if it depends on what is not known from `registers`, by DWARF number, and memory alone.
    """
    run = _Straight(decoder, memory, dict(zip(DWARF_ORDER, registers, strict=False)))
    for insn in decoder.straight(pc, RESTORES):
        name = insn.mnemonic.split()[-1]
        if name == "ret":
            slot = run.values["rsp"]
            target = run.load(slot, 8)
            if slot is None or target is None:
                return None
            return Arrival(target, slot, run.values["rbp"])
        if name == "jmp" and run.popped is not None:
            register, slot = run.popped
            target = run.values[register]
            if insn.op_str == register and run.values["rsp"] == slot + 8 and target is not None:
                return Arrival(target, slot, run.values["rbp"], by_jump=True)
        if (name in STOPS and name != "push") or name[0] == "j":
            return None
        if decoder.at(insn.address).sets_rsp:
            return None  # to yet another place
        if not run.execute(insn, name):
            return None
    return None


class _Straight:
    """Registers and stored words, as far as they are known; no register is None at first."""

    def __init__(self, decoder: Decoder, memory: Memory, values: dict[str, int | None]) -> None:
        self.values = values
        self.popped: tuple[str, int] | None = None
        """The register that the instruction before has popped, and its word."""
        self._x86 = decoder.x86
        self._memory = memory
        self._stored: dict[int, int | None] = {}

    def execute(self, insn: Any, name: str) -> bool:
        """Do one instruction; False if nothing that follows would be certain."""
        values, operands = self.values, insn.operands
        self.popped = None
        if name == "push":
            return self._push(self._value(insn, operands[0]))
        if name == "pop":
            slot = values["rsp"]
            if operands[0].type == self._x86.X86_OP_REG and slot is not None:
                self.popped = insn.reg_name(operands[0].reg), slot
            return self._write(insn, operands[0], self._pop())
        if name in {"mov", "movabs"}:
            return self._write(insn, operands[0], self._value(insn, operands[1]))
        if name == "lea":
            return self._write(insn, operands[0], self._address(insn, operands[1]))
        if name in {"add", "sub"}:
            left, right = (self._value(insn, operand) for operand in operands)
            result = None
            if left is not None and right is not None:
                result = left + right if name == "add" else left - right
            return self._write(insn, operands[0], result)
        for operand in operands:
            if operand.type == self._x86.X86_OP_MEM and operand.access & 2:
                return False
        for register in insn.regs_access()[1]:
            values[wide(insn.reg_name(register))] = None
        return values["rsp"] is not None

    def load(self, address: int | None, size: int) -> int | None:
        """A word of memory as it will be."""
        if address is None or size != 8:
            return None
        if address in self._stored:
            return self._stored[address]
        if any(abs(address - other) < 8 for other in self._stored):
            return None
        try:
            return self._memory.word(address)
        except MemoryFault:
            return None

    def _push(self, value: int | None) -> bool:
        rsp = self.values["rsp"]
        if rsp is None:
            return False
        self.values["rsp"] = rsp - 8 & MASK
        self._stored[rsp - 8 & MASK] = value
        return True

    def _pop(self) -> int | None:
        rsp = self.values["rsp"]
        value = self.load(rsp, 8)
        self.values["rsp"] = None if rsp is None else rsp + 8 & MASK
        return value

    def _value(self, insn: Any, operand: Any) -> int | None:
        x86 = self._x86
        if operand.type == x86.X86_OP_IMM:
            return int(operand.imm) & MASK
        if operand.type == x86.X86_OP_REG:
            return self.values.get(insn.reg_name(operand.reg))
        return self.load(self._address(insn, operand), operand.size)

    def _address(self, insn: Any, operand: Any) -> int | None:
        place = operand.mem
        if place.segment:
            return None
        address = int(place.disp)
        if place.base == self._x86.X86_REG_RIP:
            return int(address + insn.address + insn.size) & MASK
        for register, scale in ((place.base, 1), (place.index, place.scale)):
            if register:
                value = self.values.get(insn.reg_name(register))
                if value is None:
                    return None
                address += value * scale
        return address & MASK

    def _write(self, insn: Any, operand: Any, value: int | None) -> bool:
        if operand.type == self._x86.X86_OP_MEM:
            address = self._address(insn, operand)
            if address is None:
                return False
            for part in range(0, operand.size, 8):
                self._stored[address + part] = value if operand.size == 8 else None
            return True
        name = insn.reg_name(operand.reg)
        known = None if value is None or name not in self.values else value & MASK
        self.values[wide(name)] = known
        return self.values["rsp"] is not None
