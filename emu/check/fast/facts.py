"""What the hook must know of an instruction, read from its disassembly.

`emu.truth.Decoder` says the same and more, at the price of decoding every operand. Here one line
of text is enough to rule most instructions out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from emu.check.fast.layout import Fact
from emu.truth import Decoder
from emu.truth.instruction import ARGUMENTS, LONGEST, Code
from emu.unwind import MemoryFault

AHEAD = 256
"""Bytes decoded at a time."""
PAGE = 4096

_IMPLICIT = ("push", "pop", "call", "ret", "leave", "enter", "iret", "int", "sys", "lcall")
_ENDS = ("jmp", "ret", "hlt", "ud2", "iret", "ljmp")
_STEPS = frozenset({"push", "call", "ret", "add", "sub", "and"})
_MEMORY = re.compile(r"\[[^]]*\]")


def touches_frame(name: str, operands: str) -> bool:
    """Whether an instruction may write rsp or rbp: true for all that do, and for some others.

    That is: it does so by its nature, or one of them is an operand outside of an address.
    """
    if name.startswith(_IMPLICIT):
        return True
    registers = _MEMORY.sub("", operands)
    return "sp" in registers or "bp" in registers


def is_plain(name: str, operands: str) -> bool:
    """Whether an instruction surely moves rsp, if at all, in one of the ways of a stack.

    For these nothing has to be known of the operands but that rsp is not popped.
    """
    return name in _STEPS or (name == "pop" and "sp" not in operands)


class Swept(NamedTuple):
    """An instruction of a function that was read as a whole."""

    at: int
    size: int
    facts: Fact
    call: bool


class FactReader:
    """Reads the facts of straight runs of code."""

    def __init__(self, code: Code, decoder: Decoder) -> None:
        import capstone

        self._code = code
        self._decoder = decoder
        self._engine = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)

    def run(self, pc: int) -> Iterator[tuple[int, int, Fact]]:
        """Address, size and facts of the instructions from `pc` to where it must go elsewhere.

        At least the first; its size is 0 if it cannot be decoded.
        """
        end = pc
        for at, size, mnemonic, operands in self._engine.disasm_lite(self._bytes(pc), pc):
            name = mnemonic.split()[-1]
            end = at + size
            if name == "push":
                self._decoder.at(at)  # notices a jump that makes it a call
            yield at, size, self._facts(at, name, operands)
            if name.startswith(_ENDS):
                break
        if end == pc:
            yield pc, 0, Fact.KNOWN | Fact.SYSTEM_CALL

    def sweep(self, start: int, end: int) -> Iterator[Swept]:
        """All instructions from `start` on, one behind the other, as far as there are some."""
        try:
            code = self._code.read(start, end - start)
        except MemoryFault:
            return
        found = list(self._engine.disasm_lite(code, start))
        names = [mnemonic.split()[-1] for _, _, mnemonic, _ in found]
        for number, (at, size, _, operands) in enumerate(found):
            name = names[number]
            if name == "push" and "jmp" in names[number + 1 : number + 1 + ARGUMENTS]:
                self._decoder.at(at)  # notices a jump that makes it a call
            yield Swept(at, size, self._facts(at, name, operands), name == "call")

    def _facts(self, pc: int, name: str, operands: str) -> Fact:
        facts = Fact.KNOWN
        if touches_frame(name, operands) and not is_plain(name, operands):
            instruction = self._decoder.at(pc)
            if instruction.sets_rsp:
                facts |= Fact.SETS_RSP
            if instruction.rsp_from_rbp:
                facts |= Fact.RSP_FROM_RBP
        if name.startswith("sys") or self._decoder.ends_pushed_call(pc):
            facts |= Fact.SYSTEM_CALL
        return facts

    def _bytes(self, pc: int) -> bytes:
        for size in (AHEAD, PAGE - pc % PAGE, LONGEST):
            try:
                return self._code.read(pc, size)
            except MemoryFault:
                continue
        return b""
