"""Resource limits: soft and hard, inherited by children, kept when another program is executed."""

from __future__ import annotations

from dataclasses import dataclass, field

from emu.machine.linux.descriptors import MAX_DESCRIPTORS

INFINITY = (1 << 64) - 1
RLIMIT_STACK, RLIMIT_NOFILE, RLIMIT_COUNT = 3, 7, 16


@dataclass(frozen=True, slots=True)
class Limit:
    """One resource."""

    soft: int = INFINITY
    hard: int = INFINITY


@dataclass(slots=True)
class Limits:
    """Those of a process, by number; nothing is limited but what is named here.

    The stack has its size from the beginning, and descriptors end at the soft limit. The others
    are remembered only.
    """

    stack: int
    _changed: dict[int, Limit] = field(default_factory=dict)

    def __getitem__(self, resource: int) -> Limit:
        first = {
            RLIMIT_STACK: Limit(self.stack),
            RLIMIT_NOFILE: Limit(MAX_DESCRIPTORS, MAX_DESCRIPTORS),
        }
        return self._changed.get(resource) or first.get(resource) or Limit()

    def __setitem__(self, resource: int, limit: Limit) -> None:
        self._changed[resource] = limit

    def fork(self) -> Limits:
        """A child's, which are as these until one of the two changes."""
        return Limits(self.stack, dict(self._changed))
