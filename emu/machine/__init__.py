"""Guests: ELF images, an address space, the processor, and Linux as one process sees it."""

from emu.machine.errors import MachineError
from emu.machine.image import Blob, Image, ImageType, Module, Segment
from emu.machine.linux import CallCount
from emu.machine.mapping import Buffer, Mapping, OutOfMemory, Protection
from emu.machine.memory import AddressSpace
from emu.machine.outcome import Outcome, OutcomeKind
from emu.machine.process import InstructionHook, MappingEvent, Process, SignalEvent
from emu.machine.registers import RegisterBatch, RegisterFile
from emu.machine.state import UserState
from emu.machine.symbols import Symbol

__all__ = [
    "AddressSpace",
    "Blob",
    "Buffer",
    "CallCount",
    "Image",
    "ImageType",
    "InstructionHook",
    "MachineError",
    "Mapping",
    "MappingEvent",
    "Module",
    "OutOfMemory",
    "Outcome",
    "OutcomeKind",
    "Process",
    "Protection",
    "RegisterBatch",
    "RegisterFile",
    "Segment",
    "SignalEvent",
    "Symbol",
    "UserState",
]
