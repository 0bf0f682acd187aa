"""Consumers as values: what each one checks, allows and ends at.

`policy("kernel-v15")`, `policy("format,+minus-one,-cfa-growth")`. The table of differences
is docs/policies.md.
"""

from dataclasses import dataclass, fields, replace
from enum import Enum


class PolicyError(ValueError):
    """A policy text names something that does not exist; the message lists what does."""


class Lookup(Enum):
    """Whose checks a lookup makes, which errno it gives, and what drops a section."""

    V15 = "v15"
    """Kernel series v15: every error but ENOENT drops the section."""
    V14 = "v14"
    """Kernel series v14: fewer checks, corruption is EFAULT and only that drops the section."""
    FORMAT = "format"
    """The format document: a row applies or does not; nothing is ever dropped."""


@dataclass(frozen=True, slots=True)
class Policy:
    """One consumer. Every boolean is a switch; its name has hyphens in a policy text."""

    name: str
    lookup: Lookup
    minus_one: bool
    """Return addresses are looked up at address - 1."""
    topmost_registers: bool
    """Register rules only in the topmost frame; off: rbp and rsp are readable in all."""
    cfa_growth: bool
    """The CFA must be above SP (in the topmost frame it may equal SP)."""
    cfa_alignment: bool
    """The CFA must be a multiple of the word size."""
    fp_above_sp: bool
    """A CFA based on FP needs FP >= SP."""
    base_deref: bool
    """CFA = *(rsp+n) and CFA = *(rbp+n) can be evaluated."""
    value_rules: bool
    """RA = CFA+n and FP = CFA+n, without a load, can be evaluated."""
    frame_pointers: bool
    """Frame pointers are followed where a lookup fails."""
    signal_frames: bool
    """Without a row, the code of a signal's restorer is recognised and its frame read."""
    outermost_rows: bool
    """A row without data words ends the walk."""
    outermost_empty: bool
    """A default FDE without rows ends the walk."""
    outermost_zero_fp: bool
    """A frame without a row and with rbp = 0 is the last one."""
    duplicate_on_fork: bool
    """A forked child inherits the registered sections."""

    def __str__(self) -> str:
        return self.name


_KERNEL_V15 = Policy(
    name="kernel-v15",
    lookup=Lookup.V15,
    minus_one=False,
    topmost_registers=True,
    cfa_growth=True,
    cfa_alignment=True,
    fp_above_sp=True,
    base_deref=True,
    value_rules=False,
    frame_pointers=True,
    signal_frames=False,
    outermost_rows=True,
    outermost_empty=False,
    outermost_zero_fp=False,
    duplicate_on_fork=True,
)
_FORMAT = Policy(
    name="format",
    lookup=Lookup.FORMAT,
    minus_one=False,
    topmost_registers=False,
    cfa_growth=False,
    cfa_alignment=False,
    fp_above_sp=False,
    base_deref=True,
    value_rules=True,
    frame_pointers=False,
    signal_frames=False,
    outermost_rows=True,
    outermost_empty=True,
    outermost_zero_fp=False,
    duplicate_on_fork=True,
)

POLICIES: tuple[Policy, ...] = (
    _KERNEL_V15,
    replace(
        _KERNEL_V15,
        name="kernel-v14",
        lookup=Lookup.V14,
        base_deref=False,
        outermost_rows=False,
        duplicate_on_fork=False,
    ),
    _FORMAT,
    replace(_FORMAT, name="glibc", signal_frames=True, outermost_zero_fp=True),
)
"""The named policies; `kernel-v15` is the default everywhere."""

KERNEL_V15 = POLICIES[0]

SWITCHES: tuple[str, ...] = tuple(
    field.name.replace("_", "-") for field in fields(Policy) if field.type is bool
)
"""Names of the switches, as a policy text spells them."""


def policy(text: str) -> Policy:
    """The policy that `name,+switch,-switch...` describes; PolicyError if there is none."""
    name, *changes = (part.strip() for part in text.split(","))
    chosen = next((known for known in POLICIES if known.name == name), None)
    if chosen is None:
        known = ", ".join(known.name for known in POLICIES)
        raise PolicyError(f"unknown policy {name!r} (known: {known})")
    values: dict[str, bool] = {}
    for change in changes:
        sign, switch = change[:1], change[1:]
        if sign not in {"+", "-"} or not sign or switch not in SWITCHES:
            raise PolicyError(
                f"unknown policy switch {change!r} (+ or - and one of: {', '.join(SWITCHES)})"
            )
        values[switch.replace("-", "_")] = sign == "+"
    if not changes:
        return chosen
    return replace(chosen, name=",".join([name, *changes]), **values)  # type: ignore[arg-type]  # mypy takes **dict[str, bool] for every field, `lookup` included
