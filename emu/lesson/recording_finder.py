"""Looks for the place in a run that is worth being recorded."""

from __future__ import annotations

from typing import Any

from emu.lesson.processes import Member
from emu.machine import InstructionHook


class FoundError(Exception):
    """Raised out of a run when what was looked for has come."""

    def __init__(self, instruction: int) -> None:
        super().__init__(instruction)
        self.instruction = instruction
        """Instructions of the process that were executed before it."""


class Finder(Member):
    """Raises `FoundError` at the first finding of a check."""

    def hook(self) -> InstructionHook:
        return self._look

    def _look(self, uc: Any, pc: int, size: int, data: Any) -> None:
        self._check(uc, pc, size, data)
        if self.tally.findings:
            raise FoundError(self.instructions - 1)
