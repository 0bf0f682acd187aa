"""Guest memory and what is known about guest code, from compiled code."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from emu.check.fast.layout import RANGE, Place
from emu.check.fast.native import apart, carray, compiled, load_word, pointer, separate
from emu.check.fast.unsigned import EIGHT, FAULT, MANY, ONE, READ, SEVEN, UNSURE, ZERO

PLACE_SIZE = np.uint64(ctypes.sizeof(Place))


@separate
def find(ranges: Any, count: Any, address: Any) -> Any:
    """1 + the number of the range that contains `address`, of `count` in order; 0 for none."""
    apart()
    table = carray(pointer(ranges), MANY, RANGE)
    low, high = ZERO, count
    while low < high:
        middle = (low + high) >> ONE
        if table[middle].start <= address:
            low = middle + ONE
        else:
            high = middle
    if low != ZERO and address < table[low - ONE].end:
        return low
    return ZERO


@compiled
def word(s: Any, address: Any) -> Any:
    """How reading went, and the guest's word."""
    if address < s.memory_start or address > s.memory_last:
        number = find(s.memory, s.memory_count, address)
        if number == ZERO:
            return FAULT, ZERO
        mapping = carray(pointer(s.memory), MANY, RANGE)[number - ONE]
        if mapping.end - address < EIGHT:
            return UNSURE, ZERO
        s.memory_start = mapping.start
        s.memory_last = mapping.end - EIGHT
        s.memory_offset = mapping.host - mapping.start
    value = load_word(address + s.memory_offset)
    if s.recording != ZERO:
        s.read_at[s.reads & SEVEN] = address
        s.read_values[s.reads & SEVEN] = value
        s.reads += ONE
    return READ, value


@compiled
def place_at(s: Any, pc: Any) -> Any:
    """Host address of the `Place` of `pc`; 0 outside of code that cannot change."""
    distance = pc - s.code_start
    if distance >= s.code_size:
        number = find(s.code, s.code_count, pc)
        if number == ZERO:
            return ZERO
        code = carray(pointer(s.code), MANY, RANGE)[number - ONE]
        s.code_start = code.start
        s.code_size = code.end - code.start
        s.code_host = code.host
        distance = pc - code.start
    return s.code_host + distance * PLACE_SIZE
