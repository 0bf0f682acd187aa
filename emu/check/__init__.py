"""Runs programs and compares what a consumer of SFrame makes of them with the true stack."""

from emu.check.error import CheckError
from emu.check.finding import Finding, Key, Tally, Witness
from emu.check.guest_options import GuestOptions
from emu.check.listing import Line
from emu.check.result import CheckedModule, Coverage, Result
from emu.check.run import prepare, run, snapshots
from emu.check.snapshot import Snapshot
from emu.check.verdict import Blame, Check, Field, Verdict

__all__ = [
    "Blame",
    "Check",
    "CheckError",
    "CheckedModule",
    "Coverage",
    "Field",
    "Finding",
    "GuestOptions",
    "Key",
    "Line",
    "Result",
    "Snapshot",
    "Tally",
    "Verdict",
    "Witness",
    "prepare",
    "run",
    "snapshots",
]
