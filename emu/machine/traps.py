"""What stops the processor or makes it ask: faults, exceptions, instructions done here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unicorn import (
    UC_ERR_FETCH_PROT,
    UC_ERR_FETCH_UNMAPPED,
    UC_ERR_INSN_INVALID,
    UC_ERR_READ_PROT,
    UC_ERR_READ_UNMAPPED,
    UC_ERR_WRITE_PROT,
    UC_ERR_WRITE_UNMAPPED,
    UC_HOOK_EDGE_GENERATED,
    UC_HOOK_INSN,
    UC_HOOK_INTR,
    UC_HOOK_MEM_INVALID,
)
from unicorn import x86_const as x86
from unicorn.unicorn_py3.unicorn import UcError

from emu.machine import processor
from emu.machine.engine import Engine, Hooks
from emu.machine.errors import MachineError
from emu.machine.faults import Cause, Explainer, Fault
from emu.machine.memory import AddressSpace
from emu.machine.registers import RegisterBatch

BREAKPOINT, FIRST_SOFTWARE_INTERRUPT = 3, 32
_CAUSES = {
    UC_ERR_READ_UNMAPPED: Cause.READ,
    UC_ERR_READ_PROT: Cause.READ,
    UC_ERR_WRITE_UNMAPPED: Cause.WRITE,
    UC_ERR_WRITE_PROT: Cause.WRITE,
    UC_ERR_FETCH_UNMAPPED: Cause.FETCH,
    UC_ERR_FETCH_PROT: Cause.FETCH,
}
_STAMPS_PER_READ = 1000


class Traps:
    """Hooks for everything but system calls; each stops the processor with a fault."""

    def __init__(
        self,
        engine: Engine,
        hooks: Hooks,
        memory: AddressSpace,
        explainer: Explainer,
        stop: Callable[[], None],
    ) -> None:
        self._fault: Fault | None = None
        self._engine = engine
        self._memory = memory
        self._explainer = explainer
        self._stop = stop
        self._bad_address = 0
        self._stamp = 0
        self._counter = RegisterBatch(engine, (x86.UC_X86_REG_RAX, x86.UC_X86_REG_RDX))
        add = hooks.add
        add(UC_HOOK_INSN, processor.SYSTEM_CALL, self._sysenter, x86.UC_X86_INS_SYSENTER)
        add(UC_HOOK_INSN, processor.INSTRUCTION, self._time_stamp, x86.UC_X86_INS_RDTSC)
        add(UC_HOOK_INSN, processor.PORT_IN, self._port_in, x86.UC_X86_INS_IN)
        add(UC_HOOK_INSN, processor.PORT_OUT, self._port_out, x86.UC_X86_INS_OUT)
        add(UC_HOOK_EDGE_GENERATED, processor.BLOCK_MADE, self._block_made)
        add(UC_HOOK_INTR, processor.INTERRUPT, self._interrupt)
        add(UC_HOOK_MEM_INVALID, processor.BAD_ACCESS, self._bad_access)

    def take_fault(self) -> Fault | None:
        """What a hook stopped for since this was last asked."""
        fault, self._fault = self._fault, None
        return fault

    def fault_of(self, error: UcError) -> Fault:
        """The fault behind an error of the engine; MachineError for an error of its own."""
        pc = self._pc()
        if error.errno == UC_ERR_INSN_INVALID:
            return Fault(Cause.INVALID, pc)
        if error.errno in _CAUSES:
            return Fault(_CAUSES[error.errno], pc, address=self._bad_address)
        raise MachineError(f"the emulator failed at {pc:#x}: {error}") from error

    def _pc(self) -> int:
        return int(self._engine.reg_read(x86.UC_X86_REG_RIP))

    def _stopped_by(self, fault: Fault) -> None:
        if self._fault is None:
            self._fault = fault
        self._stop()

    def _sysenter(self, _engine: int, _data: object) -> None:
        self._stopped_by(Fault(Cause.SYSENTER, self._pc()))

    def _time_stamp(self, _engine: int, _data: object) -> int:
        # A time stamp must grow, and must not depend on the host.
        self._stamp += _STAMPS_PER_READ
        self._counter.write([self._stamp & 0xFFFF_FFFF, self._stamp >> 32])
        return 1

    def _port_in(self, _engine: int, _port: int, _size: int, _data: object) -> int:
        self._stopped_by(Fault(Cause.PORT, self._pc()))
        return 0

    def _port_out(self, _engine: int, _port: int, _size: int, _value: int, _data: object) -> None:
        self._stopped_by(Fault(Cause.PORT, self._pc()))

    def _block_made(self, _engine: int, block: Any, _previous: Any, _data: object) -> None:
        start = block.contents.pc
        if not self._memory.executable(start):
            # Unicorn ignores the upper 12 bits of an address; to the guest it is another one.
            self._stopped_by(Fault(Cause.FETCH, start, address=start))
            return
        pc = self._explainer.first_vex(start, block.contents.size)
        if pc is not None:
            self._stopped_by(Fault(Cause.VEX, pc))

    def _interrupt(self, _engine: int, vector: int, _data: object) -> None:
        pc = self._pc()
        if vector == BREAKPOINT:
            pc -= 1
        elif vector >= FIRST_SOFTWARE_INTERRUPT:
            pc -= 2
        self._stopped_by(Fault(Cause.EXCEPTION, pc, vector=vector))

    def _bad_access(
        self, _engine: int, _kind: int, address: int, _size: int, _value: int, _data: object
    ) -> bool:
        self._bad_address = address
        return False
