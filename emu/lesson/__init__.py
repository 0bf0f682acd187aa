"""Walkthroughs: one unwind explained, every number with where it comes from.

for snapshot in snapshots("./prog", at="work+0x8"):
    explanation = explain(snapshot)
    print("\n".join(plain_lines(explanation)))
    break
"""

from emu.lesson.explain import explain
from emu.lesson.explanation import Explanation, FrameStep, Unwinder

__all__ = ["Explanation", "FrameStep", "Unwinder", "explain"]
