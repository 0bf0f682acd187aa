"""Profiles: deferred unwinding and perf's view of it, and a process that drives both.

`PerfSampling` is the kernel's side, driven by `emu.unwind.DeferredUnwinding`; `merged`,
`unmerged` and `perf_script` are the tool's. None of them needs an emulator: threads and symbols
come through the protocols `Thread` and `Symbols`. `Sampler` is the process that makes the events.
"""

from emu.profile.call_graph import CallGraph, Recording, call_graph
from emu.profile.contexts import CONTEXT_MAX, Context, Mode
from emu.profile.errors import ProfileError
from emu.profile.folded import FoldedStacks
from emu.profile.frame_pointers import immediate_chain
from emu.profile.guest import GuestSymbols, GuestThread
from emu.profile.merging import Delivery, Merger, as_written, merged, unmerged
from emu.profile.output import Form, ProfileOutput
from emu.profile.period import Period, Unit, period
from emu.profile.records import DeferredRecord, PerfEvent, Record, Sample
from emu.profile.sampler import Sampler
from emu.profile.sampling import MAX_STACK, PerfSampling, Thread
from emu.profile.script import Location, Symbols, perf_script, raw_chain, resolved
from emu.profile.timer import InstructionTimer
from emu.profile.verify import TrueChain, TrueStacks, Verification

__all__ = [
    "CONTEXT_MAX",
    "MAX_STACK",
    "CallGraph",
    "Context",
    "DeferredRecord",
    "Delivery",
    "FoldedStacks",
    "Form",
    "GuestSymbols",
    "GuestThread",
    "InstructionTimer",
    "Location",
    "Merger",
    "Mode",
    "PerfEvent",
    "PerfSampling",
    "Period",
    "ProfileError",
    "ProfileOutput",
    "Record",
    "Recording",
    "Sample",
    "Sampler",
    "Symbols",
    "Thread",
    "TrueChain",
    "TrueStacks",
    "Unit",
    "Verification",
    "as_written",
    "call_graph",
    "immediate_chain",
    "merged",
    "perf_script",
    "period",
    "raw_chain",
    "resolved",
    "unmerged",
]
