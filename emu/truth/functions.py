"""Where functions begin and end, as far as symbols and unwind tables tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Function:
    """A half-open range of run-time addresses with a name, `start` its entry point."""

    start: int
    end: int
    name: str

    def family(self) -> str:
        """The name without the suffix gcc gives to parts it splits off (`f.cold`, `f.part.0`)."""
        return self.name.split(".", 1)[0] or self.name


class Functions(Protocol):
    """The functions of all modules of a process."""

    def function_at(self, pc: int) -> Function | None:
        """The innermost known function that contains `pc`."""


def same_function(functions: Functions, one: int, other: int) -> bool:
    """Whether two addresses belong to one source function, split-off parts included.

    Without symbols functions have no names, and those of two files may have the same one: only
    parts that touch are one function then.
    """
    a, b = functions.function_at(one), functions.function_at(other)
    if a is None or b is None:
        return False
    if a == b:
        return True
    if a.name == b.name:
        return a.name != "" and (a.end == b.start or b.end == a.start)
    return a.family() == b.family()
