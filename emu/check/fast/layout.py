"""Memory that the compiled hook and Python share, and the numbers both use.

The structures are ctypes structures, so that Python reads and writes single fields cheaply;
`STATE` and its like are the same as numpy types, which numba understands. All fields are unsigned
64-bit: addresses and offsets wrap around as in the processor.
"""

from __future__ import annotations

import ctypes
from enum import IntEnum, IntFlag
from typing import Any, ClassVar

import numpy as np

Word = ctypes.c_uint64

HISTORY = 64
"""Instructions remembered for the tracker; a power of two, and its own number."""
SAVED = 5
"""rbx and r12 to r15."""

WATCHED = 8
"""Most words that the check of an older frame and a walk from there read; a power of two."""

UNCHECKED = (1 << 64) - 2
"""Epoch of an entry whose caller's frame no step check has seen."""
NEVER = (1 << 64) - 1
"""Epoch of an entry below which no walk has gone yet: the -1 of a fresh note."""


class Event(IntEnum):
    """Why the hook calls Python before an instruction."""

    STEP = 0
    """Nothing was done for it yet."""
    CHECK = 1
    """The true stack is up to date, the checks are still to be made."""
    PROGRESS = 2
    """Nothing is to be done for it; a good time to tell how far the run is."""


class Code(IntEnum):
    """Outcome of a step check, numbered so that 1 to 7 are wrong fields as bits."""

    OK = 0
    WRONG_PC = 1
    WRONG_SP = 2
    WRONG_FP = 4
    GAP = 8
    REFUSED = 9
    TRUNCATED = 10
    OVERRUN = 11
    OUTERMOST = 12
    SLOW = 13
    """Only Python can tell."""
    LIMIT = 14
    """Of walks alone."""


CODES = 16


class SiteKind(IntEnum):
    """What a lookup gives, as far as the hook is concerned."""

    GAP = 1
    ROW = 2
    OUTERMOST = 3
    SLOW = 4
    """A corrupt lookup, which is Python's."""


class Base(IntEnum):
    """What a rule computes a value from."""

    SP = 0
    FP = 1
    REGISTER = 2
    CFA = 3
    RETAIN = 4


class Disturbance(IntEnum):
    """What may have changed that checks of older frames depend on."""

    NOTHING = 0
    SOME = 1
    """Words of some entries."""
    ANYTHING = 2
    """Words or rows; which, Python must find out."""


class Fact(IntFlag):
    """What is known about the instruction at an address."""

    KNOWN = 1
    SETS_RSP = 2
    SYSTEM_CALL = 4
    """Memory and modules may change: the next instruction is Python's."""
    SELECTED = 8
    """Checks are to be made before it."""
    RSP_FROM_RBP = 16
    """`leave` or `lea rsp, [rbp+n]`: the end of a frame, if rbp points into it."""


class Entry(ctypes.Structure):
    """One entry of the true stack (`emu.truth.Entry`), and the note about its caller's frame."""

    slot: int
    return_address: int
    rbp: int
    saved: Any
    call_site: int
    special: int
    rbp_known: int
    epoch: int
    departure: int
    height: int
    held_site: int
    held_code: int
    words: int
    step_words: int
    at: Any
    values: Any
    own_high: int
    low: int
    high: int
    tidy: int
    _fields_: ClassVar = [
        ("slot", Word),
        ("return_address", Word),
        ("rbp", Word),
        ("saved", Word * SAVED),
        ("call_site", Word),  # or another address inside the function returned to
        ("special", Word),  # not from an ordinary call: its return is Python's
        ("rbp_known", Word),
        ("epoch", Word),  # UNCHECKED, NEVER, or the state of the store for which the next two hold
        ("departure", Word),  # Code of the walk's first departure from here on; OK for none
        ("height", Word),  # its height
        ("held_site", Word),  # of the caller's frame, if the hook has checked it
        # If stores are watched: what that check came to, how many words it has read, and the step
        # check alone, where they are and what was there.
        ("held_code", Word),
        ("words", Word),
        ("step_words", Word),
        ("at", Word * WATCHED),
        ("values", Word * WATCHED),
        # The end of the highest of them, or `low` if there are none; the span of these and of all
        # older entries' words, and whether each older entry's lie above.
        ("own_high", Word),
        ("low", Word),
        ("high", Word),
        ("tidy", Word),
    ]


class Site(ctypes.Structure):
    """One row in one function, or one gap: rules, and how often each outcome was seen."""

    kind: int
    plain: int
    ready: int
    seen: int
    general: int
    cfa_is_fp: int
    cfa_offset: int
    ra_offset: int
    fp_is_slot: int
    fp_offset: int
    cfa_base: int
    cfa_register: int
    cfa_deref: int
    ra_base: int
    ra_register: int
    ra_deref: int
    fp_base: int
    fp_register: int
    fp_deref: int
    real: int
    known: int
    counts: Any
    _fields_: ClassVar = [
        ("kind", Word),
        # Plain stack slots: CFA = rsp+n or rbp+n, RA and FP at CFA+n. Nearly all rows are.
        ("plain", Word),  # they are, walks use them, and a frame was checked with them before
        ("ready", Word),  # the same, but for the last
        ("seen", Word),  # a frame was checked: the row counts as exercised
        ("general", Word),  # they are not: see below
        ("cfa_is_fp", Word),
        ("cfa_offset", Word),
        ("ra_offset", Word),
        ("fp_is_slot", Word),
        ("fp_offset", Word),
        # Any rules, with the offsets above.
        ("cfa_base", Word),
        ("cfa_register", Word),
        ("cfa_deref", Word),
        ("ra_base", Word),
        ("ra_register", Word),
        ("ra_deref", Word),
        ("fp_base", Word),
        ("fp_register", Word),
        ("fp_deref", Word),
        ("real", Word),  # walks find it too: its section was not dropped
        ("known", Word),  # bit n: outcome n has its finding, repetitions are only counted
        ("counts", Word * CODES),
    ]


class Place(ctypes.Structure):
    """What is known about one byte of code, by index of sites and functions; 0 is nothing yet."""

    facts: int
    top: int
    caller: int
    distance: int
    row: int
    function: int
    _fields_: ClassVar = [
        ("facts", ctypes.c_uint32),
        ("top", ctypes.c_uint32),  # site of a topmost frame here
        ("caller", ctypes.c_uint32),  # site of a frame whose return address this is,
        ("distance", ctypes.c_uint32),  # if it is in the function this far in front
        ("row", ctypes.c_uint32),  # site without counts: what a walk finds here
        ("function", ctypes.c_uint32),  # of a call site
    ]


class Range(ctypes.Structure):
    """Addresses [start, end) and the host address of what belongs to `start`.

    That is the guest's bytes for a mapping, `Place`s for code, nothing for a function.
    """

    start: int
    end: int
    host: int
    _fields_: ClassVar = [("start", Word), ("end", Word), ("host", Word)]


class State(ctypes.Structure):
    """Everything of one run that the hook reads and writes."""

    registers: int
    fetch: int
    numbers: int
    pointers: int
    file: Any
    order: Any
    event: int
    rsp: int
    rbp: int
    previous_pc: int
    following: int
    previous_rsp: int
    previous_place: int
    history: Any
    position: int
    forced: int
    stale: int
    entries: int
    depth: int
    capacity: int
    always_thorough: int
    below: int
    newest: int
    low: int
    noted: int
    floor: int
    memory: int
    memory_count: int
    memory_start: int
    memory_last: int
    memory_offset: int
    code: int
    code_count: int
    code_start: int
    code_size: int
    code_host: int
    uncovered: int
    sites: int
    functions: int
    epoch: int
    records: int
    growth: int
    alignment: int
    fp_above_sp: int
    topmost_registers: int
    base_deref: int
    value_rules: int
    frame_pointers: int
    got_ip: int
    got_sp: int
    got_fp: int
    watching: int
    exhaustive: int
    disturbed: int
    disturbed_from: int
    recording: int
    reads: int
    step_reads: int
    read_at: Any
    read_values: Any
    wanted: int
    missing: int
    missing_inside: int
    instructions: int
    checked: int
    plain: Any
    pause: int
    returns: int
    steps: Any
    walks: Any
    limit_known: int
    _fields_: ClassVar = [
        # Host address of the general registers, in the order of `register_file`. If the engine's
        # own are not known it is `file`, and `fetch` is the address of uc_reg_read_batch, which
        # fills it; the next two are its arguments.
        ("registers", Word),
        ("fetch", Word),
        ("numbers", Word),
        ("pointers", Word),
        ("file", Word * 16),
        ("order", Word * 16),  # of DWARF's registers
        ("event", Word),  # address of the callback into Python
        ("rsp", Word),
        ("rbp", Word),
        # The instruction before.
        ("previous_pc", Word),
        ("following", Word),
        ("previous_rsp", Word),
        ("previous_place", Word),
        ("history", Word * HISTORY),
        ("position", Word),
        # Python wants to see the next instruction; the note's epochs may be out of date.
        ("forced", Word),
        ("stale", Word),
        # The true stack. Python has not seen the entries from `low` on, nor the notes in those
        # from `noted` on. Below `floor` slots say nothing about rsp (a signal came in between).
        ("entries", Word),
        ("depth", Word),
        ("capacity", Word),
        # 1 + what walks come to below the topmost frame, while `ordinary` may rely on it; then
        # the newest entry's host address.
        ("always_thorough", Word),  # it may not: registers must be fetched, or all frames checked
        ("below", Word),
        ("newest", Word),
        ("low", Word),
        ("noted", Word),
        ("floor", Word),
        # Readable guest memory, and the mapping used last.
        ("memory", Word),
        ("memory_count", Word),
        ("memory_start", Word),
        ("memory_last", Word),
        ("memory_offset", Word),
        # Code, and the range used last; `uncovered` sections have text outside.
        ("code", Word),
        ("code_count", Word),
        ("code_start", Word),
        ("code_size", Word),
        ("code_host", Word),
        ("uncovered", Word),
        ("sites", Word),
        ("functions", Word),
        # The real store, and the policy's switches.
        ("epoch", Word),
        ("records", Word),
        ("growth", Word),
        ("alignment", Word),
        ("fp_above_sp", Word),
        ("topmost_registers", Word),
        ("base_deref", Word),
        ("value_rules", Word),
        ("frame_pointers", Word),
        # A step's result.
        ("got_ip", Word),
        ("got_sp", Word),
        ("got_fp", Word),
        ("watching", Word),  # stores
        ("exhaustive", Word),
        # A `Disturbance`, and of SOME the first entry; what `word` reads while it is recorded.
        ("disturbed", Word),
        ("disturbed_from", Word),
        ("recording", Word),
        ("reads", Word),
        ("step_reads", Word),
        ("read_at", Word * WATCHED),
        ("read_values", Word * WATCHED),
        # A walk's address and a return address about which nothing was known.
        ("wanted", Word),
        ("missing", Word),
        ("missing_inside", Word),
        # Counts that Python adds to its own.
        ("instructions", Word),
        ("checked", Word),
        ("plain", Word * CODES),  # by what the walk came to: checks that `ordinary` made
        ("pause", Word),  # the instruction before which progress is told
        ("returns", Word),
        ("steps", Word * CODES),
        ("walks", Word * CODES),
        ("limit_known", Word),
    ]


STATE = np.dtype(State)
ENTRY = np.dtype(Entry)
SITE = np.dtype(Site)
PLACE = np.dtype(Place)
RANGE = np.dtype(Range)
