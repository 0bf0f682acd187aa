"""perf's view of a profiled program: samples, deferred callchains, and the tool's text.

`PerfSampling` is the kernel's side, driven by `emu.unwind.DeferredUnwinding`; `merged`,
`unmerged` and `perf_script` are the tool's. Neither needs an emulator: threads and symbols
come through the protocols `Thread` and `Symbols`.
"""

from emu.profile.call_graph import CallGraph, Recording, call_graph
from emu.profile.contexts import CONTEXT_MAX, Context, Mode
from emu.profile.errors import ProfileError
from emu.profile.frame_pointers import immediate_chain
from emu.profile.merging import Delivery, merged, unmerged
from emu.profile.records import DeferredRecord, PerfEvent, Record, Sample
from emu.profile.sampling import MAX_STACK, PerfSampling, Thread
from emu.profile.script import Location, Symbols, perf_script, raw_chain, resolved

__all__ = [
    "CONTEXT_MAX",
    "MAX_STACK",
    "CallGraph",
    "Context",
    "DeferredRecord",
    "Delivery",
    "Location",
    "Mode",
    "PerfEvent",
    "PerfSampling",
    "ProfileError",
    "Record",
    "Recording",
    "Sample",
    "Symbols",
    "Thread",
    "call_graph",
    "immediate_chain",
    "merged",
    "perf_script",
    "raw_chain",
    "resolved",
    "unmerged",
]
