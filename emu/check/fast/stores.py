"""Watched stores, compiled: `emu.check.repeat`.

Each entry has the words that the check of its caller's frame has read, with what was there, and
the span of these and of all older entries' words. Nearly every store lies below the newest span.
One inside of it is looked for by bisection: on a tidy stack the words of older frames lie higher.
Words that have other values now, and everything else that may have changed, are Python's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from emu.check.fast.guest import word
from emu.check.fast.layout import ENTRY, NEVER, STATE
from emu.check.fast.native import apart, carray, compiled, pointer, separate
from emu.check.fast.steps import follow_pointer
from emu.check.fast.unsigned import (
    ANYTHING,
    EIGHT,
    MANY,
    NOTHING,
    OK,
    ONE,
    READ,
    SLOW,
    SOME,
    WORDS,
    ZERO,
)
from emu.check.fast.walks import FRESH, caller_site, departure, judge_caller

UNWALKED = np.uint64(NEVER)
HIGHEST = np.uint64(2**64 - 1)


@compiled
def judge_fresh(s: Any, entries: Any, site: Any) -> Any:
    """`judge_caller` for the newest entry, leaving in the state what is read on the way.

    That is what a walk reads that has no row there, too, if it can go right at all.
    """
    index = s.depth - ONE
    entry = entries[index]
    s.reads, s.recording = ZERO, ONE
    code = judge_caller(s, entries, site, index)
    s.step_reads = s.reads
    if index != ZERO and entry.rbp + EIGHT == entries[index - ONE].slot:  # noqa: SIM102 -- numba
        if s.frame_pointers != ZERO:
            follow_pointer(s, entry.slot + EIGHT, entry.rbp, ZERO)
    s.recording = ZERO
    return code if s.reads <= WORDS else SLOW


@compiled
def inherit(entries: Any, index: Any) -> Any:
    """The entry has no words of its own yet."""
    entry = entries[index]
    entry.words = entry.step_words = ZERO
    entry.low, entry.high, entry.tidy = HIGHEST, ZERO, ONE
    if index != ZERO:
        older = entries[index - ONE]
        entry.low, entry.high, entry.tidy = older.low, older.high, older.tidy
    entry.own_high = entry.low


@compiled
def hold(s: Any, entries: Any, code: Any) -> Any:
    """Give the newest entry the words that `judge_fresh` has left."""
    index = s.depth - ONE
    inherit(entries, index)
    entry = entries[index]
    entry.held_code = code
    if s.reads == ZERO:
        return
    entry.words, entry.step_words = s.reads, s.step_reads
    low, high = HIGHEST, ZERO
    number = ZERO
    while number < s.reads:
        at = s.read_at[number]
        entry.at[number], entry.values[number] = at, s.read_values[number]
        low, high = min(low, at), max(high, at + EIGHT)
        number += ONE
    if high > entry.low:
        entry.tidy = ZERO
    entry.own_high = high
    entry.low, entry.high = min(entry.low, low), max(entry.high, high)


@compiled
def overlaps(entry: Any, low: Any, high: Any) -> Any:
    """Whether [low, high) contains a byte of the entry's own words."""
    number = ZERO
    while number < entry.words:
        at = entry.at[number]
        if at < high and low < at + EIGHT:
            return True
        number += ONE
    return False


@compiled
def disturb(s: Any, index: Any) -> Any:
    """Something may have changed for entries from `index` on."""
    if s.disturbed == ZERO:
        s.disturbed, s.disturbed_from = SOME, index
    else:
        s.disturbed_from = min(s.disturbed_from, index)
    s.below = ZERO


def on_store(_engine: Any, _kind: Any, address: Any, size: Any, _value: Any, data: Any) -> None:
    """The callback before a store; `data` points to the `State`."""
    s = carray(data, 1, STATE)[0]
    end = address + np.uint64(size)
    if s.forced != ZERO:
        # Python may have the stack, and other words to watch than the entries here.
        s.disturbed = ANYTHING
        return
    if s.depth == ZERO:
        return
    entries = carray(pointer(s.entries), MANY, ENTRY)
    newest = entries[s.depth - ONE]
    if end <= newest.low or address >= newest.high:
        return
    if newest.tidy == ZERO:
        disturb(s, ZERO)
        return
    first, last = ZERO, s.depth - ONE
    while first < last:
        middle = (first + last) >> ONE
        if entries[middle].low < end:
            last = middle
        else:
            first = middle + ONE
    while first < s.depth and entries[first].own_high > address:
        if overlaps(entries[first], address, end):
            disturb(s, first)
            return
        first += ONE


@compiled
def unchanged(s: Any, entry: Any) -> Any:
    """Whether the words of an entry are what they were."""
    number = ZERO
    while number < entry.words:
        status, value = word(s, entry.at[number])
        if status != READ or value != entry.values[number]:
            return False
        number += ONE
    return True


@separate
def undisturbed(s: Any, entries: Any) -> Any:
    """Whether nothing has changed after all, where a store came near."""
    apart()
    if s.disturbed == ANYTHING:
        return False
    index = s.disturbed_from
    while index < s.depth:
        if not unchanged(s, entries[index]):
            return False
        index += ONE
    s.disturbed = ZERO
    return True


@separate
def older_are_the_same(s: Any, entries: Any, sites: Any, index: Any) -> Any:
    """The steps of `the_same` below the frame at which the walk departs."""
    apart()
    while index != ZERO:
        index -= ONE
        entry = entries[index]
        site = caller_site(s, entry)
        if site == NOTHING or not unchanged(s, entry):
            return False
        code = judge_caller(s, entries, sites[site], index)
        if code == SLOW or code != entry.held_code:
            return False
    return True


@separate
def the_same(s: Any, entries: Any, sites: Any) -> Any:
    """Check every older frame anew, and walk through all of them: whether it is as remembered."""
    apart()
    index = s.depth
    following = False
    expected, expected_height = OK, ZERO
    while index != ZERO:
        index -= ONE
        entry = entries[index]
        if entry.epoch == FRESH:
            continue
        site = caller_site(s, entry)
        if site == NOTHING or not unchanged(s, entry):
            return False
        code = judge_caller(s, entries, sites[site], index)
        if code == SLOW or code != entry.held_code:
            return False
        if not following and entry.epoch == s.epoch:
            following = True
            expected, expected_height = entry.departure, entry.height
        if following:
            departs = departure(
                s, entries, sites[site], code, entry.slot + EIGHT, entry.rbp, ZERO, index
            )
            if departs == SLOW:
                return False
            if departs != OK:
                if departs != expected or index != expected_height:
                    return False
                return older_are_the_same(s, entries, sites, index)
    return expected == OK


@compiled
def as_held(s: Any, entries: Any, sites: Any) -> Any:
    """Whether no check of an older frame is to be made again, as far as is asked for."""
    if s.disturbed != ZERO and not undisturbed(s, entries):
        return False
    return s.exhaustive == ZERO or the_same(s, entries, sites)
