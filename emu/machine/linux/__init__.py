"""The Linux kernel as one guest process sees it: system calls, one module per subject."""

from emu.machine.linux.clock import Clock
from emu.machine.linux.descriptors import DescriptorTable
from emu.machine.linux.kernel import CallCount, CallLog, Kernel, SectionCalls
from emu.machine.linux.signal_numbers import Signal
from emu.machine.linux.standard_streams import Output, standard_input
from emu.machine.linux.system import Schedule, System
from emu.machine.linux.table import HANDLERS
from emu.machine.linux.thread import Thread
from emu.machine.linux.tree import Tree

__all__ = [
    "HANDLERS",
    "CallCount",
    "CallLog",
    "Clock",
    "DescriptorTable",
    "Kernel",
    "Output",
    "Schedule",
    "SectionCalls",
    "Signal",
    "System",
    "Thread",
    "Tree",
    "standard_input",
]
