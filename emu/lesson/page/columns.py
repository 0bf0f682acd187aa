"""Columns of numbers for the page: differences, runs, and 64-bit values kept once.

A browser reads JSON numbers as doubles, so 64-bit values travel as hexadecimal text, each once;
columns refer to them by number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


@dataclass(slots=True)
class Values:
    """Distinct 64-bit values in the order of their first use."""

    texts: list[str] = field(default_factory=list)
    _numbers: dict[int, int] = field(default_factory=dict)

    def number(self, value: int) -> int:
        """The number of a value."""
        known = self._numbers.get(value)
        if known is None:
            known = self._numbers[value] = len(self.texts)
            self.texts.append(f"{value:x}")
        return known

    def numbers(self, values: Iterable[int]) -> list[int]:
        """The numbers of several values."""
        return [self.number(value) for value in values]


def differences(numbers: Sequence[int]) -> list[int]:
    """The first number, then how much each is greater than the one before."""
    if not numbers:
        return []
    return [numbers[0], *(later - earlier for earlier, later in pairwise(numbers))]


def changes(column: NDArray[np.uint64]) -> tuple[list[int], list[int]]:
    """The steps at which a column has another value than before, from step 0 on, and the values."""
    if not len(column):
        return [], []
    steps = [0, *(np.flatnonzero(column[1:] != column[:-1]) + 1).tolist()]
    return steps, column[steps].tolist()


def runs(numbers: Sequence[int]) -> list[int]:
    """Pairs: how many steps after the last change, and the number from there on."""
    flat: list[int] = []
    since, last = 0, None
    for step, number in enumerate(numbers):
        if number != last:
            flat += [step - since, number]
            since, last = step, number
    return flat
