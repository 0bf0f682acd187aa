"""What ended a guest: the fault as the kernel would signal it, described for people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

import capstone

from emu.machine.image import Module
from emu.machine.linux.signal_delivery import SI_KERNEL
from emu.machine.linux.signal_frame import SignalInfo
from emu.machine.linux.signal_numbers import Signal
from emu.machine.memory import AddressSpace
from emu.machine.outcome import Outcome, OutcomeKind
from emu.unwind import MemoryFault

LONGEST_INSTRUCTION = 15
_UNDEFINED = {"ud0", "ud1", "ud2"}


class Cause(Enum):
    """Why the processor stopped."""

    READ = "read of"
    WRITE = "write to"
    FETCH = "fetch from"
    INVALID = "invalid instruction"
    EXCEPTION = "exception"
    PORT = "port access"
    VEX = "VEX instruction"
    SYSENTER = "sysenter"


@dataclass(frozen=True, slots=True)
class Fault:
    """A stop of the processor. `address` for accesses, `vector` for exceptions."""

    cause: Cause
    pc: int
    address: int = 0
    vector: int = 0


_EXCEPTIONS: dict[int, tuple[Signal, str]] = {
    0: (Signal.SIGFPE, "division error"),
    1: (Signal.SIGTRAP, "debug trap"),
    3: (Signal.SIGTRAP, "breakpoint"),
    4: (Signal.SIGSEGV, "overflow trap"),
    5: (Signal.SIGSEGV, "bound range exceeded"),
    6: (Signal.SIGILL, "invalid opcode"),
    8: (Signal.SIGSEGV, "double fault"),
    11: (Signal.SIGBUS, "segment not present"),
    12: (Signal.SIGBUS, "stack segment fault"),
    13: (Signal.SIGSEGV, "privileged instruction or general protection"),
    16: (Signal.SIGFPE, "x87 floating-point exception"),
    17: (Signal.SIGBUS, "alignment check"),
    19: (Signal.SIGFPE, "SSE floating-point exception"),
}
_INT80 = 0x80
_SEGV_MAPERR, _SEGV_ACCERR, _ILL_ILLOPN, _FPE_INTDIV = 1, 2, 2, 1
_VEX2, _VEX3 = 0xC5, 0xC4


class Explainer:
    """Turns faults into outcomes, with module, function, bytes and disassembly."""

    def __init__(self, memory: AddressSpace) -> None:
        self._memory = memory
        self._decoder = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)

    def outcome(self, fault: Fault, modules: Iterable[Module]) -> Outcome:
        """The end of a run that stopped with `fault` and has no handler for its signal."""
        place = self.place(fault.pc, modules)
        match fault.cause:
            case Cause.READ | Cause.WRITE | Cause.FETCH:
                state = "unmapped" if self._memory.find(fault.address) is None else "protected"
                what = f"{fault.cause.value} {state} address {fault.address:#x}"
                return self._signal(Signal.SIGSEGV, what, place)
            case Cause.INVALID:
                if self._undefined(fault.pc):
                    return self._signal(Signal.SIGILL, "invalid instruction", place)
                return _unsupported(self._missing(fault.pc), place)
            case Cause.VEX:
                return _unsupported(self._missing(fault.pc), place)
            case Cause.SYSENTER:
                return _unsupported("32-bit system call (sysenter)", place)
            case Cause.PORT:
                return self._signal(Signal.SIGSEGV, "privileged instruction", place)
            case Cause.EXCEPTION:
                if fault.vector == _INT80:
                    return _unsupported("32-bit system call (int 0x80)", place)
                known = _EXCEPTIONS.get(fault.vector)
                signal, what = known or (Signal.SIGSEGV, f"interrupt {fault.vector:#x}")
                return self._signal(signal, what, place)

    def info(self, fault: Fault) -> SignalInfo | None:
        """What a handler is told about a fault; None for what the emulator cannot do."""
        trap, code, address = 13, SI_KERNEL, 0
        match fault.cause:
            case Cause.READ | Cause.WRITE | Cause.FETCH:
                code = _SEGV_MAPERR if self._memory.find(fault.address) is None else _SEGV_ACCERR
                return SignalInfo(Signal.SIGSEGV, code, address=fault.address, trap=14)
            case Cause.INVALID if self._undefined(fault.pc):
                return SignalInfo(Signal.SIGILL, _ILL_ILLOPN, address=fault.pc, trap=6)
            case Cause.EXCEPTION if fault.vector != _INT80:
                known = _EXCEPTIONS.get(fault.vector)
                signal = known[0] if known else Signal.SIGSEGV
                if known:
                    trap = fault.vector
                if signal is Signal.SIGFPE:
                    code, address = _FPE_INTDIV if fault.vector == 0 else 0, fault.pc
                return SignalInfo(signal, code, address=address, trap=trap)
            case Cause.PORT:
                return SignalInfo(Signal.SIGSEGV, code, address=address, trap=trap)
            case _:
                return None

    def _undefined(self, pc: int) -> bool:
        decoded = self.decode(pc)
        return decoded is None or decoded.partition(" ")[0] in _UNDEFINED

    def decode(self, pc: int) -> str | None:
        """The instruction at `pc`, or None if there is none."""
        for _, _, mnemonic, operands in self._decoder.disasm_lite(self.code(pc), pc, 1):
            return f"{mnemonic} {operands}".strip()
        return None

    def first_vex(self, pc: int, size: int) -> int | None:
        """Address of the first VEX-encoded instruction (AVX, BMI) in a block of code.

        Unicorn decodes some of them as if they were the SSE instruction without the prefix, and
        computes something else.
        """
        code = self._memory.read(pc, size)
        if _VEX2 not in code and _VEX3 not in code:
            return None
        for address, _, _, _ in self._decoder.disasm_lite(code, pc):
            if code[address - pc] in (_VEX2, _VEX3):
                return int(address)
        return None

    def code(self, pc: int) -> bytes:
        """The bytes of the longest instruction that fits at `pc`, fewer where memory ends."""
        for size in range(LONGEST_INSTRUCTION, 0, -1):
            try:
                return self._memory.read(pc, size)
            except MemoryFault:
                continue
        return b""

    def place(self, pc: int, modules: Iterable[Module]) -> str:
        """`at 0x401136 (prog: main+0x4): 8b 00  mov eax, dword ptr [rax]`."""
        module = next((module for module in modules if module.contains(pc)), None)
        text = f"at {pc:#x}"
        if module is not None:
            text += f" ({module.place(pc)})"
        code = self.code(pc)
        size = next((i[1] for i in self._decoder.disasm_lite(code, pc, 1)), 0)
        if size:
            text += f": {code[:size].hex(' ')}  {self.decode(pc)}"
        elif code:
            text += f": {code[:8].hex(' ')}"
        return text

    def _missing(self, pc: int) -> str:
        name = (self.decode(pc) or "instruction").partition(" ")[0]
        return f"the emulated processor (x86-64-v2) has no {name}"

    def _signal(self, signal: Signal, what: str, place: str) -> Outcome:
        return Outcome(
            OutcomeKind.SIGNAL, signal=signal.name, message=f"{signal.name}: {what} {place}"
        )


def _unsupported(what: str, place: str) -> Outcome:
    return Outcome(OutcomeKind.UNSUPPORTED, message=f"{what} {place}")
