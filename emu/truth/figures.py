"""How well the tracked stack agrees with what the program itself did."""

from __future__ import annotations

from dataclasses import dataclass, field

from emu.truth.entry import Entry

NAMES = {3: "rbx", 6: "rbp", 7: "rsp", 12: "r12", 13: "r13", 14: "r14", 15: "r15"}
KEPT = 20
"""Violations described in words; the rest are only counted."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A return after which a callee-saved register was not what the caller had."""

    return_address: int
    call_site: int
    register: str
    expected: int
    got: int


@dataclass(slots=True)
class Figures:
    """Truth verified by itself: every return compares the registers with the entry."""

    returns: int = 0
    returns_verified: int = 0
    violations: int = 0
    dropped: int = 0
    switches: int = 0
    witnesses: list[Violation] = field(default_factory=list)

    def verify(self, entry: Entry, registers: list[int]) -> None:
        """Count a return to `entry` with `registers` by DWARF number.

        A local subroutine is part of its function and may use the callee-saved registers as it
        likes, so only its return is counted.
        """
        self.returns += 1
        if entry.local:
            self.returns_verified += 1
            return
        wrong = [kept for kept in entry.kept if registers[kept[0]] != kept[1]]
        if not wrong:
            self.returns_verified += 1
            return
        self.violations += 1
        if len(self.witnesses) < KEPT:
            number, expected = wrong[0]
            self.witnesses.append(
                Violation(
                    return_address=entry.return_address,
                    call_site=entry.call_site,
                    register=NAMES[number],
                    expected=expected,
                    got=registers[number],
                )
            )
