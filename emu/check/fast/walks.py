"""The walk check, compiled: `emu.check.walk`, with what it remembers in the entries."""

from __future__ import annotations

from typing import Any

import numpy as np

from emu.check.fast.guest import place_at
from emu.check.fast.layout import PLACE, SITE, UNCHECKED
from emu.check.fast.native import apart, carray, compiled, pointer, separate
from emu.check.fast.steps import apply, follow_pointer, judge, mismatch
from emu.check.fast.unsigned import (
    EIGHT,
    FAULT,
    GAP,
    IS_OUTERMOST,
    IS_ROW,
    IS_SLOW,
    MANY,
    NOTHING,
    OK,
    ONE,
    OUTERMOST,
    OVERRUN,
    READ,
    REFUSED,
    SLOW,
    TRUNCATED,
    UNSURE,
    WRONG,
    ZERO,
)
from emu.check.walk import KERNEL_LIMIT

FRESH = np.uint64(UNCHECKED)


@compiled
def stray_step(s: Any, row: Any) -> Any:
    """One step from `got_ip`, `_sp`, `_fp` by the site numbered `row` or the frame pointer."""
    if row != NOTHING:
        site = carray(pointer(s.sites), MANY, SITE)[row]
        if site.kind == IS_SLOW:
            return UNSURE
        if site.kind == IS_OUTERMOST:
            return FAULT
        if site.kind == IS_ROW:
            return apply(s, site, s.got_sp, s.got_fp, ZERO)
    if s.frame_pointers == ZERO:
        return FAULT
    return follow_pointer(s, s.got_sp, s.got_fp, ZERO)


@separate
def stray(s: Any) -> Any:
    """Finish a walk that has left the truth, from `got_ip`, `_sp`, `_fp`.

    False if one of its lookups could drop a section, or something is not known here.
    """
    apart()
    for _ in range(KERNEL_LIMIT):
        if s.records == ZERO:
            return True
        row = NOTHING
        address = place_at(s, s.got_ip)
        if address != ZERO:
            row = carray(pointer(address), 1, PLACE)[0].row
            if row == NOTHING:
                s.wanted = s.got_ip
                return False
        elif s.uncovered != ZERO:
            return False
        status = stray_step(s, row)
        if status != READ:
            return status == FAULT
    return True


@compiled
def departure(
    s: Any, entries: Any, site: Any, code: Any, sp: Any, fp: Any, topmost: Any, height: Any
) -> Any:
    """How a walk departs from the truth at a frame whose step check just gave `code`; OK if not.

    The walk uses the frame's row if its section was not dropped, else the frame pointer.
    """
    if site.real != ZERO:
        if code in (OK, OUTERMOST):
            return OK
        if code in (REFUSED, TRUNCATED):
            return code
        departs = WRONG
        if code == OVERRUN:
            status = apply(s, site, sp, fp, topmost)
            if status != READ:
                return OK if status == FAULT else SLOW
            departs = OVERRUN
        return departs if stray(s) else SLOW
    status = FAULT
    if s.frame_pointers != ZERO:
        status = follow_pointer(s, sp, fp, topmost)
    if status == UNSURE:
        return SLOW
    if status == FAULT:
        return OK if height == ZERO else GAP
    if height != ZERO and mismatch(s, entries[height - ONE]) == OK:
        return OK
    return GAP if stray(s) else SLOW


@compiled
def caller_site(s: Any, entry: Any) -> Any:
    """Index of the site of the frame that an entry returns to; 0 if not known yet."""
    address = place_at(s, entry.return_address)
    if address == ZERO:
        return NOTHING
    place = carray(pointer(address), 1, PLACE)[0]
    index = place.caller
    if index == NOTHING or np.uint64(place.distance) != entry.return_address - entry.call_site:
        s.missing = entry.return_address
        s.missing_inside = entry.call_site
        return NOTHING
    return index


@compiled
def judge_caller(s: Any, entries: Any, site: Any, index: Any) -> Any:
    """The step check of the frame that entry number `index` returns to."""
    entry = entries[index]
    return judge(s, entries, site, entry.slot + EIGHT, entry.rbp, ZERO, index)


@compiled
def walk_below(s: Any, entries: Any, sites: Any, fresh_site: Any, fresh_code: Any) -> Any:
    """The departure of the walk that goes on from the newest entry's caller.

    `fresh_site` is that frame's if the entry was never seen, and `fresh_code` what its step check
    has just given. Returns the departure, its height, and the index of the first entry whose note
    says something else.
    """
    index = s.depth
    while index != ZERO:
        entry = entries[index - ONE]
        if entry.epoch == s.epoch:
            return entry.departure, entry.height, index
        site, code = fresh_site, fresh_code
        if site == NOTHING or index != s.depth:
            if entry.epoch == FRESH:
                return SLOW, ZERO, index
            site = caller_site(s, entry)
            if site == NOTHING:
                return SLOW, ZERO, index
            code = judge_caller(s, entries, sites[site], index - ONE)
        index -= ONE
        departs = departure(
            s, entries, sites[site], code, entry.slot + EIGHT, entry.rbp, ZERO, index
        )
        if departs != OK:
            return departs, index, index
    return OK, ZERO, index
