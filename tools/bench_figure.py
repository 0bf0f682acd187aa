"""A measured figure beside what it is to reach."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One line of the table; `values` are those of the runs."""

    name: str
    values: Sequence[float]
    unit: str
    target: float | None = None
    at_least: bool = True
    """On which side of the target is good."""

    @property
    def measured(self) -> float:
        """The median of the runs."""
        return statistics.median(self.values)

    @property
    def met(self) -> bool | None:
        """Whether the median is on the good side of the target; None without one."""
        if self.target is None:
            return None
        if self.at_least:
            return self.measured >= self.target
        return self.measured <= self.target

    @property
    def verdict(self) -> str:
        """`met` as a word of the table."""
        return {True: "met", False: "MISSED", None: ""}[self.met]

    def json(self) -> dict[str, Any]:
        """The figure as an object: name, unit, target, median, all runs."""
        return {
            "name": self.name,
            "unit": self.unit,
            "target": self.target,
            "target_is": None if self.target is None else "least" if self.at_least else "most",
            "measured": self.measured,
            "runs": list(self.values),
            "met": self.met,
        }


def table(figures: Sequence[Figure]) -> list[str]:
    """The lines of a table with one figure each."""
    width = max((len(figure.name) for figure in figures), default=0)
    lines = [f"{'':{width}}  {'target':>12}  {'median':>12}  {'min':>12}  {'max':>12}"]
    for figure in figures:
        target = ""
        if figure.target is not None:
            target = f"{'>=' if figure.at_least else '<='} {_number(figure.target)}"
        low, high = min(figure.values), max(figure.values)
        lines.append(
            f"{figure.name:{width}}  {target:>12}  {_number(figure.measured):>12}"
            f"  {_number(low):>12}  {_number(high):>12}  {figure.unit:8} {figure.verdict}".rstrip()
        )
    return lines


def _number(value: float) -> str:
    if value >= 1e6:
        return f"{value / 1e6:.1f} M"
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"
