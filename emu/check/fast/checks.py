"""All checks that are due before an instruction, compiled: `emu.check.observe.Observer.check`."""

from __future__ import annotations

from typing import Any

import numpy as np

from emu.check.fast.layout import ENTRY, NEVER, SITE
from emu.check.fast.native import apart, carray, compiled, pointer, separate
from emu.check.fast.steps import judge
from emu.check.fast.stores import as_held, hold, judge_fresh
from emu.check.fast.unsigned import (
    GAP,
    LIMIT,
    MANY,
    NOTHING,
    OK,
    ONE,
    OUTERMOST,
    SLOW,
    TWO,
    WRONG_SP,
    ZERO,
)
from emu.check.fast.walks import FRESH, caller_site, departure, judge_caller, walk_below
from emu.check.walk import KERNEL_LIMIT

UNWALKED = np.uint64(NEVER)
LAST = np.uint64(KERNEL_LIMIT - 1)
ENTRY_SIZE = np.uint64(ENTRY.itemsize)


@compiled
def counted(site: Any, code: Any) -> Any:
    """Whether the report has this outcome already, so that one more is only a number."""
    return (site.known >> code) & ONE != ZERO


@compiled
def live(s: Any, entries: Any, sites: Any) -> Any:
    """The check of the frame below the top, if it has become live since the last instruction.

    Returns its site (none if it has not) and the outcome; SLOW if that is for Python.
    """
    depth = s.depth
    if depth == ZERO or entries[depth - ONE].epoch != FRESH:
        return NOTHING, OK
    if depth > ONE and entries[depth - TWO].epoch == FRESH:
        return NOTHING, SLOW
    site = caller_site(s, entries[depth - ONE])
    if site == NOTHING:
        return NOTHING, SLOW
    if s.watching != ZERO:
        code = judge_fresh(s, entries, sites[site])
    else:
        code = judge_caller(s, entries, sites[site], depth - ONE)
    return site, code if counted(sites[site], code) else SLOW


@compiled
def seen(s: Any, departs: Any, height: Any) -> Any:
    """What of a departure shows in the entries that the consumer records."""
    if departs != OK and s.depth - height < LAST:
        return departs
    return OK if s.depth <= LAST else LIMIT


@separate
def explained(s: Any, entries: Any, sites: Any, top_code: Any, departs: Any, height: Any) -> Any:
    """Whether a step check or a gap explains a departure, so that it is only counted."""
    apart()
    if departs in (OK, GAP):
        return True
    if departs == LIMIT:
        return s.limit_known != ZERO
    code = top_code
    if height != s.depth:
        site = caller_site(s, entries[height])
        if site == NOTHING:
            return False
        code = judge_caller(s, entries, sites[site], height)
    return code not in (OK, OUTERMOST, SLOW)


@compiled
def note(s: Any, entries: Any, lowest: Any, departs: Any, height: Any) -> Any:
    """Remember the walk's departure in the entries from `lowest` on."""
    s.noted = min(s.noted, lowest)
    index = lowest
    while index < s.depth:
        entry = entries[index]
        entry.epoch = s.epoch
        entry.departure = departs
        entry.height = height
        index += ONE


@compiled
def count(s: Any, site: Any, code: Any) -> Any:
    """One more step check."""
    s.steps[code] += ONE
    if site.seen == ZERO:
        site.seen, site.plain = ONE, site.ready
    if code != OK:
        site.counts[code] += ONE


@compiled
def check(s: Any, entries: Any, top: Any) -> Any:
    """Make every check that is due; false, and nothing counted, if one of them is Python's."""
    if top == NOTHING or s.stale != ZERO:
        return False
    sites = carray(pointer(s.sites), MANY, SITE)
    if not as_held(s, entries, sites):
        return False
    site = sites[top]
    code = judge(s, entries, site, s.rsp, s.rbp, ONE, s.depth)
    if code == WRONG_SP or not counted(site, code):
        return False  # of another word with the same return address, Python knows more
    departs = departure(s, entries, site, code, s.rsp, s.rbp, ONE, s.depth)
    if departs == SLOW:
        return False
    fresh, fresh_code = live(s, entries, sites)
    if fresh_code == SLOW:
        return False
    height, lowest = s.depth, s.depth
    below = departs
    if departs == OK:
        below, height, lowest = walk_below(s, entries, sites, fresh, fresh_code)
        if below == SLOW:
            return False
    follows = departs == OK
    departs = seen(s, below, height)
    if not explained(s, entries, sites, code, departs, height):
        return False
    if fresh != NOTHING:
        count(s, sites[fresh], fresh_code)
        if s.watching != ZERO:
            hold(s, entries, fresh_code)
        entries[s.depth - ONE].held_site = fresh
        entries[s.depth - ONE].epoch = UNWALKED
        s.noted = min(s.noted, s.depth - ONE)
    if lowest != s.depth:
        note(s, entries, lowest, below, height)
    count(s, site, code)
    s.walks[departs] += ONE
    s.checked += ONE
    if follows and departs in (OK, GAP) and s.depth != ZERO and s.always_thorough == ZERO:
        # The walk went through the topmost frame, and the newest entry has a note of the rest.
        s.below = departs + ONE
        s.newest = s.entries + (s.depth - ONE) * ENTRY_SIZE
    return True
