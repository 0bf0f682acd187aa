"""The shadow call stack: what the emulator knows to be true of a thread's stack."""

from emu.truth.doubt import Doubt, PushedCall, Settlement, Without
from emu.truth.entry import Entry, EntryKind, Moved, Stack
from emu.truth.figures import Figures, Violation
from emu.truth.functions import Function, Functions, same_function
from emu.truth.inheritance import inherit
from emu.truth.instruction import Decoder, Instruction
from emu.truth.shadow import GuestMemory
from emu.truth.tracker import Suspended, Tracker

__all__ = [
    "Decoder",
    "Doubt",
    "Entry",
    "EntryKind",
    "Figures",
    "Function",
    "Functions",
    "GuestMemory",
    "Instruction",
    "Moved",
    "PushedCall",
    "Settlement",
    "Stack",
    "Suspended",
    "Tracker",
    "Violation",
    "Without",
    "inherit",
    "same_function",
]
