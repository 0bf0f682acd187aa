"""Guests: ELF images, an address space, the processor, and Linux as one process sees it."""

from emu.machine.errors import MachineError
from emu.machine.events import MappingEvent, SignalEvent, ThreadEvent
from emu.machine.image import Blob, Image, ImageType, Module, Segment
from emu.machine.linux import CallCount, CallLog, SectionCalls, Thread
from emu.machine.mapping import Buffer, Mapping, OutOfMemory, Protection
from emu.machine.memory import AddressSpace
from emu.machine.outcome import Outcome, OutcomeKind
from emu.machine.process import InstructionHook, Process
from emu.machine.profiling import ProfilingSignals
from emu.machine.registers import RegisterBatch, RegisterFile
from emu.machine.state import UserState
from emu.machine.symbols import Symbol

__all__ = [
    "AddressSpace",
    "Blob",
    "Buffer",
    "CallCount",
    "CallLog",
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
    "ProfilingSignals",
    "Protection",
    "RegisterBatch",
    "RegisterFile",
    "SectionCalls",
    "Segment",
    "SignalEvent",
    "Symbol",
    "Thread",
    "ThreadEvent",
    "UserState",
]
