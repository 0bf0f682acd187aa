"""The switches of a policy, as compiled code reads them."""

from __future__ import annotations

from emu.check.fast.layout import State
from emu.unwind import Policy


def supports(policy: Policy) -> bool:
    """Whether compiled code knows everything the consumer does on its way."""
    return not (policy.minus_one or policy.signal_frames or policy.outermost_zero_fp)


def set_switches(state: State, policy: Policy) -> None:
    """Tell compiled code what this consumer does."""
    state.growth = policy.cfa_growth
    state.alignment = policy.cfa_alignment
    state.fp_above_sp = policy.fp_above_sp
    state.topmost_registers = policy.topmost_registers
    state.base_deref = policy.base_deref
    state.value_rules = policy.value_rules
    state.frame_pointers = policy.frame_pointers
