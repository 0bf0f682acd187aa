"""Faults in the order of the index. Kernel behaviour: 6.1."""

from collections.abc import Iterator
from itertools import pairwise

from emu.sframe.fde import Fde
from emu.sframe.lint.finding import Effect, Finding


def order_findings(fdes: list[Fde], names: list[str]) -> Iterator[Finding]:
    """Disorder in a table that is searched as sorted, and functions that share addresses."""
    order = range(len(fdes))
    for before, here in pairwise(order):
        if fdes[before].start > fdes[here].start:
            yield Finding(
                Effect.DROPPED,
                fdes[here].offset,
                names[here],
                f"FDE {here} at {fdes[here].start:#x} stands behind FDE {before}"
                f" at {fdes[before].start:#x}",
                "a search that sees both ends with EINVAL and the kernel removes the section",
            )
    by_start = sorted(order, key=lambda i: fdes[i].start)
    for before, here in pairwise(by_start):
        start = fdes[here].start
        if fdes[before].start == start:
            yield Finding(
                Effect.WRONG,
                fdes[here].offset,
                names[here],
                f"FDE {here} and FDE {before} both begin at {start:#x}",
                "which of them is found depends on the search",
            )
        elif start < fdes[before].end:
            yield Finding(
                Effect.WRONG,
                fdes[here].offset,
                names[here],
                f"FDE {here} at {start:#x} begins inside {names[before]},"
                f" FDE {before}, which ends at {fdes[before].end:#x}",
                f"from {start:#x} on the rows of FDE {before} are never found",
            )
