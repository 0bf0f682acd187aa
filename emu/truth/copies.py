"""Where the running function has copied its return address, by the instructions it executed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any, NamedTuple

from emu.truth.ahead import DWARF_ORDER
from emu.truth.instruction import Decoder, wide
from emu.unwind.protocols import Memory, MemoryFault

MASK = (1 << 64) - 1


class Value(NamedTuple):
    """A constant distance from something unknown."""

    origin: int
    distance: int = 0


class Word(NamedTuple):
    """A word of memory that was read or written, and what it was."""

    address: Value
    value: Value


def copies(
    decoder: Decoder,
    memory: Memory,
    executed: Sequence[int],
    registers: Sequence[int],
    slot: int,
    return_address: int,
) -> list[int]:
    """The words to which `return_address` was copied from `slot` and that hold it, newest first.

    `executed` are the addresses of instructions, oldest first, `registers` what they left behind,
    by DWARF number. Moves, constants, pushes and pops are followed, and nothing else.
    """
    trace = _Trace(decoder)
    for pc in executed:
        trace.follow(pc)
    known = {
        value.origin: registers[number] - value.distance
        for number, name in enumerate(DWARF_ORDER)
        if (value := trace.values.get(name)) is not None
    }

    def place(address: Value) -> int | None:
        start = known.get(address.origin)
        return None if start is None else start + address.distance & MASK

    taken = {word.value for word in trace.loads if place(word.address) == slot}
    found: list[int] = []
    for word in reversed(trace.stores):
        address = place(word.address)
        if word.value not in taken or address is None or address in {slot, *found}:
            continue
        if _holds(memory, address, return_address):
            found.append(address)
    return found


def _holds(memory: Memory, address: int, value: int) -> bool:
    try:
        return memory.word(address) == value
    except MemoryFault:
        return False


class _Trace:
    """What registers hold, relative to what they or memory held before."""

    def __init__(self, decoder: Decoder) -> None:
        self.values: dict[str, Value] = {}
        self.loads: list[Word] = []
        self.stores: list[Word] = []
        self._decoder = decoder
        self._x86 = decoder.x86
        self._origins = count()

    def follow(self, pc: int) -> None:
        """The instruction at `pc` was executed."""
        insn = self._decoder.instruction(pc)
        if insn is None or insn.id in {self._x86.X86_INS_SYSCALL, self._x86.X86_INS_INT3}:
            self.values.clear()  # a handler may have run, or another thread's kernel
            return
        name = insn.mnemonic.split()[-1]
        operands = insn.operands
        if name == "push":
            value = self._read(operands[0])
            self._move("rsp", -8)
            self.stores.append(Word(self._get("rsp"), value))
        elif name == "pop" and operands[0].type == self._x86.X86_OP_REG:
            self._pop(insn.reg_name(operands[0].reg))
        elif name == "leave":
            self.values["rsp"] = self._get("rbp")
            self._pop("rbp")
        elif name in {"call", "ret"}:
            self._move("rsp", 8 if name == "ret" else -8)
            if name == "ret" and operands:
                self._move("rsp", operands[0].imm)
        elif name in {"mov", "lea"}:
            self._assign(operands, address=name == "lea")
        elif name in {"add", "sub"} and self._constant(operands):
            register = insn.reg_name(operands[0].reg)
            self._move(register, operands[1].imm * (1 if name == "add" else -1))
        else:
            for register in insn.regs_access()[1]:
                self.values.pop(wide(insn.reg_name(register)), None)

    def _assign(self, operands: Any, *, address: bool) -> None:
        target, source = operands
        x86 = self._x86
        value = self._effective(source.mem) if address else self._read(source)
        if target.type == x86.X86_OP_MEM:
            if target.size == 8:
                self.stores.append(Word(self._effective(target.mem), value))
            return
        name = self._decoder.register_name(target.reg)
        if target.size == 8 and name in DWARF_ORDER:
            self.values[name] = value
        else:
            self.values.pop(wide(name), None)

    def _constant(self, operands: Any) -> bool:
        target, source = operands
        x86 = self._x86
        return bool(
            target.type == x86.X86_OP_REG and target.size == 8 and source.type == x86.X86_OP_IMM
        )

    def _pop(self, name: str) -> None:
        value = Value(next(self._origins))
        self.loads.append(Word(self._get("rsp"), value))
        self._move("rsp", 8)
        if name != "rsp":
            self.values.pop(wide(name), None)
            self.values[name] = value

    def _read(self, operand: Any) -> Value:
        x86 = self._x86
        if operand.type == x86.X86_OP_REG and operand.size == 8:
            return self._get(self._decoder.register_name(operand.reg))
        value = Value(next(self._origins))
        if operand.type == x86.X86_OP_MEM and operand.size == 8:
            self.loads.append(Word(self._effective(operand.mem), value))
        return value

    def _effective(self, place: Any) -> Value:
        if place.index or place.segment or place.base in {0, self._x86.X86_REG_RIP}:
            return Value(next(self._origins))
        start = self._get(self._decoder.register_name(place.base))
        return Value(start.origin, start.distance + place.disp)

    def _get(self, name: str) -> Value:
        if name not in self.values:
            self.values[name] = Value(next(self._origins))
        return self.values[name]

    def _move(self, name: str, distance: int) -> None:
        value = self._get(name)
        self.values[name] = Value(value.origin, value.distance + distance)
