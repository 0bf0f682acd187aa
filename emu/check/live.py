"""The registers of the thread about to execute, for unwinders."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class LiveRegisters:
    """`values[n]` is DWARF register n, 0 to 15; 16 is rip. Replaced at every instruction."""

    values: list[int] = field(default_factory=lambda: [0] * 17)

    @property
    def ip(self) -> int:
        """The instruction about to execute."""
        return self.values[16]

    def __getitem__(self, number: int, /) -> int:
        return self.values[number]
