"""Consumers of SFrame: the kernel's user-space unwinder, exactly, and others as policies.

Needs the standard library only. Memory, registers and mappings come through the protocols
`Memory`, `Registers` and `Mappings`; see `SectionStore`, `evaluate` and `unwind_user`.
"""

from emu.unwind.debug import DebugLog
from emu.unwind.decode import FunctionEntry
from emu.unwind.deferred import (
    MAX_ENTRIES,
    DeferredTask,
    DeferredUnwinding,
    Tracer,
)
from emu.unwind.dwarf import (
    DwarfReason,
    DwarfRefusal,
    DwarfState,
    DwarfTrace,
    DwarfWalk,
    apply_row,
    dwarf_step,
    dwarf_unwind,
)
from emu.unwind.errors import Errno, LookupFailure
from emu.unwind.evaluate import Reason, Refusal, State, evaluate
from emu.unwind.frame import DWARF_NAMES, CfaBase, CfaRule, Frame, ValueBase, ValueRule
from emu.unwind.loader import ProgramHeader, register_image, registrations
from emu.unwind.lookup import Row, find_frame, find_row
from emu.unwind.memory import RegionMemory, RegisterFile, VmaList
from emu.unwind.policy import (
    KERNEL_V15,
    POLICIES,
    SWITCHES,
    Lookup,
    Policy,
    PolicyError,
    policy,
)
from emu.unwind.protocols import Mappings, Memory, MemoryFault, Registers, Vma
from emu.unwind.record import SectionRecord
from emu.unwind.store import Allocation, SectionStore, sframe_find
from emu.unwind.syscalls import PrctlNumbers, StacktraceOperation, prctl_sframe, stacktrace_setup
from emu.unwind.walk import End, Ending, Method, Trace, Walk, unwind_user

__all__ = [
    "DWARF_NAMES",
    "KERNEL_V15",
    "MAX_ENTRIES",
    "POLICIES",
    "SWITCHES",
    "Allocation",
    "CfaBase",
    "CfaRule",
    "DebugLog",
    "DeferredTask",
    "DeferredUnwinding",
    "DwarfReason",
    "DwarfRefusal",
    "DwarfState",
    "DwarfTrace",
    "DwarfWalk",
    "End",
    "Ending",
    "Errno",
    "Frame",
    "FunctionEntry",
    "Lookup",
    "LookupFailure",
    "Mappings",
    "Memory",
    "MemoryFault",
    "Method",
    "Policy",
    "PolicyError",
    "PrctlNumbers",
    "ProgramHeader",
    "Reason",
    "Refusal",
    "RegionMemory",
    "RegisterFile",
    "Registers",
    "Row",
    "SectionRecord",
    "SectionStore",
    "StacktraceOperation",
    "State",
    "Trace",
    "Tracer",
    "ValueBase",
    "ValueRule",
    "Vma",
    "VmaList",
    "Walk",
    "apply_row",
    "dwarf_step",
    "dwarf_unwind",
    "evaluate",
    "find_frame",
    "find_row",
    "policy",
    "prctl_sframe",
    "register_image",
    "registrations",
    "sframe_find",
    "stacktrace_setup",
    "unwind_user",
]
