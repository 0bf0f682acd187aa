"""What an unwinder did in one frame, before anybody compares it with the truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from emu.lesson.entries import FunctionRows, Lookup
from emu.lesson.equations import Evaluation
from emu.lesson.evaluation import FrameState
from emu.lesson.explanation import CfiRow, EndKind, Method
from emu.unwind import Frame


@dataclass(frozen=True, slots=True)
class Attempt:
    """One frame, and the step from it if there was one."""

    state: FrameState
    return_address: bool
    method: Method
    row_at: Callable[[int], str]
    """The rules in force at an address, for listings."""
    evaluation: Evaluation = field(default_factory=Evaluation)
    following: FrameState | None = None
    rules: str = ""
    refusal: str = ""
    lookup: Lookup | None = None
    function: FunctionRows | None = None
    cfi: CfiRow | None = None
    frame: Frame | None = None
    """The rules as the SFrame model has them."""
    ending: EndKind | None = None
    """None if there was a step."""
    end_text: str = ""
    remarks: tuple[str, ...] = ()
