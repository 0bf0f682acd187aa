"""Equations with numbers filled in: what became of the rules of a row on one state."""

from __future__ import annotations

from dataclasses import dataclass

from emu.lesson.locations import Address, Location

MASK64 = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class FrameState:
    """What an unwinder holds of a frame."""

    ip: Address
    sp: Address
    fp: Address | None
    """None where call frame information does not know it."""


@dataclass(frozen=True, slots=True)
class Equation:
    """One rule and its numbers.

    Prints as `CFA = rsp+16 = 0x7ffe10+16 = 0x7ffe20` and, where a word is loaded,
    `RA = *(CFA-8) = *(0x7ffe20-8) = *(0x7ffe18) = 0x401136 in main+0x6`.
    """

    name: str
    """`CFA`, `RA`, `FP`; with call frame information also other registers."""
    rule: str
    """The right-hand side as the table says it; `unchanged` if it says nothing."""
    base: Address | None
    """Value of the register or CFA in the rule; None if it has none or it could not be had."""
    offset: int
    loads: bool
    """The value is the word at the address, not the address itself."""
    address: Address | None
    """base + offset, or what an expression computed; None if it could not be had."""
    value: Address | None
    """None: the equation has no value."""
    location: Location | None = None
    """Of the value, where it is an address in code."""
    failure: str = ""
    """Why there is no value."""

    def __str__(self) -> str:
        parts = [f"{self.name} {self.rule}" if self.unchanged else f"{self.name} = {self.rule}"]
        if self.base is not None and not self.unchanged:
            parts.append(self._term(f"{self.base:#x}{self.offset:+d}"))
        if self.address is not None and self.loads:
            parts.append(f"*({self.address:#x})")
        if self.value is not None:
            text = f"{self.value:#x}"
            if self.location is not None and self.location.known:
                text += f" in {self.location}"
            parts.append(text)
        elif self.failure:
            return f"{' = '.join(parts)}: {self.failure}"
        return " = ".join(parts)

    @property
    def unchanged(self) -> bool:
        """Whether the rule is that nothing changes."""
        return self.rule in {"unchanged", "same value"}

    def _term(self, text: str) -> str:
        return f"*({text})" if self.loads else text


@dataclass(frozen=True, slots=True)
class Check:
    """One demand of the consumer on the numbers."""

    text: str
    """The demand with numbers, as `CFA 0x7ffe20 > rsp 0x7ffe10`."""
    passed: bool


@dataclass(frozen=True, slots=True)
class StackWord:
    """Eight bytes of stack."""

    address: Address
    value: Address | None
    """None if the word is unreadable."""
    offset: int
    """Of its address from the frame's sp."""
    read_as: tuple[str, ...]
    """Which of the equations read it: `RA`, `FP`, ..."""
    marks: tuple[str, ...]
    """What else is known: `rsp`, `rbp`, `CFA`, `true return address`, `true saved rbp`."""
    location: Location | None
    """Of the value, where it is an address in code."""
