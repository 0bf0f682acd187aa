"""Compares recorded walks with the true stacks."""

from __future__ import annotations

from dataclasses import dataclass, field

from emu.check.verdict import Verdict
from emu.lesson.explanation import Unwinder
from emu.lesson.recording_hops import HopKind
from emu.lesson.recording_truth import TrueCall
from emu.lesson.recording_walks import Link


@dataclass(slots=True)
class Judge:
    """Compares walks with true stacks; equal pairs once."""

    links: list[Link]
    calls: list[TrueCall]
    unwinder: Unwinder
    _known: dict[tuple[int, int], tuple[int, Verdict]] = field(default_factory=dict)

    def judge(self, link: int, call: int) -> tuple[int, Verdict]:
        """The frame at which the walk departs and how, or (-1, ok)."""
        visited: list[tuple[int, int]] = []
        while True:
            known = self._known.get((link, call))
            if known is not None:
                break
            verdict = self._step(link, call)
            if verdict is not None:
                known = (-1 if verdict is Verdict.OK else 0, verdict)
                self._known[link, call] = known
                break
            visited.append((link, call))
            link, call = self.links[link].further, self.calls[call].older
        for pair in reversed(visited):
            frame, verdict = known
            known = self._known[pair] = (frame if frame < 0 else frame + 1, verdict)
        return known

    def _step(self, link: int, call: int) -> Verdict | None:
        """None if the step leads to the true caller."""
        hop = self.links[link].hop
        true = self.calls[call] if call >= 0 else None
        if hop.state is None:
            return Verdict.OK if true is None else self._ended(hop.kind)
        got = hop.state
        if true is not None and (
            got.ip == true.return_address
            and got.sp == true.slot + 8
            and (got.fp == true.rbp or not true.rbp_known)
        ):
            return None
        if self.unwinder is Unwinder.SFRAME and hop.kind is not HopKind.SFRAME:
            return Verdict.GAP
        return Verdict.WRONG if true is not None else Verdict.OVERRUN

    def _ended(self, kind: HopKind) -> Verdict:
        """The walk ended, and there is a caller."""
        if kind is HopKind.LIMIT:
            return Verdict.LIMIT
        if kind is HopKind.OUTERMOST or self.unwinder is Unwinder.FRAME_POINTERS:
            return Verdict.TRUNCATED
        return Verdict.REFUSED if kind is HopKind.REFUSED else Verdict.GAP
