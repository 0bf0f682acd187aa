"""What the tracker must know of an instruction: how it writes rsp, and where values come from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

from emu.truth.functions import Functions
from emu.unwind.protocols import MemoryFault

LONGEST = 15
"""Bytes of the longest x86 instruction."""
PAGE = 4096
REMEMBERED = 4096
"""Instructions that are kept as capstone decodes them."""
ARGUMENTS = 8
"""Instructions between the push of a return address and the jump that makes a call of it."""


class Code(Protocol):
    """Guest memory as the decoder needs it."""

    def read(self, address: int, size: int) -> bytes:
        """Bytes at `address`; raises `MemoryFault` if one of them is unreadable."""

    def writable(self, address: int) -> bool:
        """Whether the guest may change the byte at `address`."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """The facts about one instruction that truth depends on."""

    sets_rsp: bool
    """Writes rsp by other means than push, pop, call, ret, leave, or arithmetic on rsp or rbp."""
    rsp_from_rbp: bool
    """`leave` or `lea rsp, [rbp+n]`: the end of a frame, if rbp points into it."""
    pops: int
    """Bytes that a `ret n` releases above the return address; 0 for everything else."""
    target: str | None
    """The general register, by its 64-bit name, that the instruction writes; None if none."""
    sources: frozenset[str]
    """Registers that the written value is computed from; empty if it comes from memory."""


OPAQUE = Instruction(sets_rsp=False, rsp_from_rbp=False, pops=0, target=None, sources=frozenset())
LEAVE = replace(OPAQUE, rsp_from_rbp=True, target="rbp")
STOPS = frozenset({"push", "pushfq", "call", "ret", "leave", "enter", "syscall", "hlt", "ud2"})
"""Mnemonics that are no straight code, or push."""


class Decoder:
    """Decodes instructions once each. Code in writable memory is decoded anew every time."""

    def __init__(self, code: Code, functions: Functions | None = None) -> None:
        import capstone

        self._code = code
        self._functions = functions
        self._known: dict[int, Instruction] = {}
        self._jumps: set[int] = set()
        self._instructions: dict[int, Any] = {}
        self.x86 = capstone.x86
        self._capstone = capstone
        self._engine = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
        self._engine.detail = True

    def forget(self) -> None:
        """Executable memory was mapped, unmapped or written by the host: decode again."""
        self._known.clear()
        self._jumps.clear()
        self._instructions.clear()

    def at(self, pc: int) -> Instruction:
        """The instruction at `pc`; `OPAQUE` if its bytes are unreadable or unknown."""
        known = self._known.get(pc)
        if known is None:
            known = self._decode(pc)
            if not self._code.writable(pc):
                self._known[pc] = known
        return known

    def ends_pushed_call(self, pc: int) -> bool:
        """Whether the instruction at `pc` is a jump that may be a call of a push before it.

        It stands a few instructions behind a push that was decoded, with nothing between them
        that moves rsp or control, and is indirect or leaves its function.
        """
        return pc in self._jumps

    def straight(self, pc: int, count: int) -> Iterator[Any]:
        """capstone's instructions from `pc` on, `count` at most."""
        return iter(self._engine.disasm(self._bytes(pc, LONGEST * count), pc, count))

    def instruction(self, pc: int) -> Any:
        """capstone's instruction at `pc`; None if there is none."""
        if pc not in self._instructions or self._code.writable(pc):
            if len(self._instructions) >= REMEMBERED:
                self._instructions.clear()
            self._instructions[pc] = next(self.straight(pc, 1), None)
        return self._instructions[pc]

    def written(self, pc: int) -> set[str]:
        """The general registers that the instruction at `pc` writes, by their 64-bit names."""
        insn = self.instruction(pc)
        if insn is None:
            return set()
        return {wide(insn.reg_name(register)) for register in insn.regs_access()[1]} - {"rflags"}

    def register_name(self, number: int) -> str:
        """The name of one of capstone's registers."""
        return str(self._engine.reg_name(number))

    def _look_ahead(self, pc: int) -> None:
        """A push ends at `pc`: remember the jump that follows it, if one does."""
        code = self._bytes(pc, LONGEST * ARGUMENTS)
        for at, _, mnemonic, operands in self._engine.disasm_lite(code, pc, ARGUMENTS):
            name = mnemonic.split()[-1]
            if name == "jmp" and not self._stays(at, operands):
                self._jumps.add(at)
            if name in STOPS or name[0] in "jp" or "sp" in operands:
                return

    def _stays(self, pc: int, operands: str) -> bool:
        """Whether a jump with these operands stays in its function."""
        function = None if self._functions is None else self._functions.function_at(pc)
        if function is None or not operands.startswith("0x"):
            return False
        return function.start <= int(operands, 16) < function.end

    def _bytes(self, pc: int, size: int) -> bytes:
        """So many bytes of code, or fewer if its page is the last one; none if unreadable."""
        for part in (size, PAGE - pc % PAGE):
            try:
                return self._code.read(pc, part)
            except MemoryFault:
                continue
        return b""

    def _decode(self, pc: int) -> Instruction:
        for insn in self._engine.disasm(self._bytes(pc, LONGEST), pc, 1):
            if insn.mnemonic == "push":
                self._look_ahead(pc + insn.size)
            return self._facts(insn)
        return OPAQUE

    def _facts(self, insn: Any) -> Instruction:
        x86 = self.x86
        operands = insn.operands
        written = [
            operand.reg
            for operand in operands
            if operand.type == x86.X86_OP_REG and operand.access & self._capstone.CS_AC_WRITE
        ]
        name = insn.mnemonic.split()[-1]
        if name.startswith("ret"):
            pops = operands[0].imm if operands else 0
            return replace(OPAQUE, pops=pops)
        if name == "leave":
            return LEAVE
        if not written:
            return OPAQUE
        target = wide(insn.reg_name(written[0]))
        sources = self._sources(insn, name)
        sets_rsp = any(wide(insn.reg_name(reg)) == "rsp" for reg in written)
        if sets_rsp and name == "xchg":
            sources -= {"rsp"}  # its own value goes to the other operand
        rsp_from_rbp = sets_rsp and name == "lea" and sources == {"rbp"}
        if sets_rsp and name in {"add", "sub", "and", "lea", "enter"}:
            sets_rsp = name == "lea" and not sources & {"rsp", "rbp"}
        return Instruction(
            sets_rsp=sets_rsp, rsp_from_rbp=rsp_from_rbp, pops=0, target=target, sources=sources
        )

    def _sources(self, insn: Any, name: str) -> frozenset[str]:
        x86 = self.x86
        registers = []
        for operand in insn.operands:
            if operand.type == x86.X86_OP_REG and operand.access & self._capstone.CS_AC_READ:
                registers.append(operand.reg)
            elif operand.type == x86.X86_OP_MEM and name == "lea":
                registers += [operand.mem.base, operand.mem.index]
        return frozenset(wide(insn.reg_name(reg)) for reg in registers if reg)


_LETTERS = {f"{letter}{part}": f"r{letter}x" for letter in "abcd" for part in "xlh"}
_POINTERS = {f"{name}{part}": f"r{name}" for name in ("sp", "bp", "si", "di") for part in ("", "l")}
_WIDE = _LETTERS | _POINTERS


def wide(name: str) -> str:
    """The 64-bit register that the general register `name` is part of; other names unchanged."""
    if name in _WIDE:
        return _WIDE[name]
    if len(name) == 3 and name[0] == "e":
        return "r" + name[1:]
    if name[0] == "r" and name[1].isdigit():
        return name.rstrip("bwd")
    return name


def derives_from_stack(history: list[Instruction], register: str, *, frame_pointer: bool) -> bool:
    """Whether `register` holds a value computed from rsp by `history`, oldest first.

    Or from rbp, if that is the `frame_pointer`, which points into the frame.
    """
    fixed = {"rsp", "rbp"} if frame_pointer else {"rsp"}
    derived = set(fixed)
    for instruction in history:
        target = instruction.target
        if target is None or target in fixed:
            continue
        if instruction.sources & derived:
            derived.add(target)
        else:
            derived.discard(target)
    return register in derived
