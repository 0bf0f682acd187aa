"""What findings mean: a rule for each verdict and field, in words for people and for SARIF."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from emu.check.finding import Key
from emu.check.verdict import Blame, Check, Field, Verdict


class Level(StrEnum):
    """How much it matters, in SARIF's words."""

    ERROR = "error"
    """The consumer records a wrong stack, or loses the table."""
    WARNING = "warning"
    """The stack ends early, and the consumer knows it."""
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of finding."""

    id: str
    name: str
    """In one word."""
    level: Level
    summary: str
    """One sentence."""
    explanation: str
    """What it does to a consumer, and where to look for the cause."""


_FIELDS = {
    Field.PC: (
        "return address",
        "The consumer goes on at another address than the caller's, so this frame's caller and"
        " everything above it is wrong. Compare the row's CFA and RA with the words on the stack:"
        " usually the CFA is off by what a push, a call or an adjustment of rsp has moved.",
    ),
    Field.SP: (
        "stack pointer",
        "SFrame takes the CFA for the caller's stack pointer. The caller's own row is applied to a"
        " wrong rsp, so the walk goes astray there unless that row uses another register.",
    ),
    Field.FP: (
        "frame pointer",
        "The return address may still be right; the error shows one or more frames further up,"
        " where a row computes its CFA from rbp. Look for the instructions between restoring rbp"
        " and returning, and between saving rbp and the directive that says so.",
    ),
}
_STEPS = {
    Verdict.REFUSED: (
        Level.WARNING,
        "There is a row for the frame, but the consumer may not use it or its evaluation fails.",
        "The walk ends at this frame, and its callers are missing from the profile. The reason"
        " names the rule that was refused. The kernel may use registers other than rsp and rbp in"
        " the topmost frame only.",
    ),
    Verdict.CORRUPT: (
        Level.ERROR,
        "The lookup fails in a way for which the kernel drops the section.",
        "From the first such lookup on the process has no table for this module at all. Functions"
        " without rows (a signal frame that could not be expressed, a procedure without"
        " directives) and rows that start at their function's end do this. `emu lint` shows where"
        " in the section it is.",
    ),
    Verdict.TRUNCATED: (
        Level.ERROR,
        "The row says that nothing called this function, but something did.",
        "The consumer takes the frame for the outermost one and reports a complete stack that is"
        " not. Look for an undefined return address in the call frame information.",
    ),
    Verdict.OVERRUN: (
        Level.ERROR,
        "The row leads on where the stack began.",
        "The consumer invents a caller from whatever lies above the first frame. The entry point"
        " needs `.cfi_undefined rip`.",
    ),
    Verdict.GAP: (
        Level.NOTE,
        "No row covers the frame.",
        "The consumer falls back to frame pointers, or the walk ends. The blame says whether call"
        " frame information has rows here that SFrame could not hold, or that nothing made.",
    ),
}
_WALKS = {
    Verdict.WRONG: (
        Level.ERROR,
        "Each row is right by itself, but the walk departs from the true stack.",
        "What the consumer does between rows is the cause, for instance looking a return address"
        " up in the function behind a call that never returns.",
    ),
    Verdict.REFUSED: (
        Level.WARNING,
        "Each row is right by itself, but the consumer ends the walk.",
        "The consumer compares successive frames, and refuses this one.",
    ),
    Verdict.TRUNCATED: (
        Level.ERROR,
        "Each row is right by itself, but the walk ends before the stack does.",
        "The consumer takes this frame for the outermost one.",
    ),
    Verdict.OVERRUN: (
        Level.ERROR,
        "Each row is right by itself, but the walk goes on where the stack began.",
        "The consumer does not notice that there is no caller.",
    ),
    Verdict.LIMIT: (
        Level.WARNING,
        "The stack is deeper than one walk reaches.",
        "The consumer records a limited number of entries; older frames are missing.",
    ),
}


def rule_id(check: Check, verdict: Verdict, field: Field | None) -> str:
    """Such as `wrong-fp` or `walk-limit`; never changes for the same kind of finding."""
    prefix = "walk-" if check is Check.WALK else ""
    return f"{prefix}{verdict.value}{f'-{field.value}' if field else ''}"


def _rules() -> dict[str, Rule]:
    rules = [
        Rule(
            rule_id(Check.STEP, Verdict.WRONG, field),
            f"Wrong{field.value.upper()}",
            Level.ERROR,
            f"The row gives another {what} than the caller's.",
            explanation,
        )
        for field, (what, explanation) in _FIELDS.items()
    ]
    for check, kinds in ((Check.STEP, _STEPS), (Check.WALK, _WALKS)):
        prefix = "Walk" if check is Check.WALK else ""
        rules += [
            Rule(rule_id(check, verdict, None), f"{prefix}{verdict.value.capitalize()}", *texts)
            for verdict, texts in kinds.items()
        ]
    return {rule.id: rule for rule in rules}


RULES = _rules()
"""By id, in the order of reports."""


def rule_of(key: Key) -> Rule:
    """The rule of a finding."""
    return RULES[rule_id(key.check, key.verdict, key.field)]


BLAMES = {
    Blame.LINKER: "the linker made the stub and its row; .eh_frame is right",
    Blame.ASSEMBLER: ".eh_frame, made from the same directives, is right",
    Blame.COMPILER: ".eh_frame is wrong alike, so the directives are",
    Blame.NOT_REPRESENTABLE: "SFrame has no form for a rule of the function",
    Blame.NOT_GENERATED: ".eh_frame has rows that SFrame could hold",
    Blame.NO_CFI: "there is no call frame information either",
    Blame.CONSUMER: "the table is right, and the consumer makes something else of it",
    Blame.UNKNOWN: "no second witness says whose it is",
}
"""What each blame rests on."""
