"""Marks between the addresses of a perf callchain (kernel behaviour: 13)."""

from enum import Enum, IntEnum

_U64 = 1 << 64


class Context(IntEnum):
    """Entries that say what follows, as unsigned 64-bit numbers."""

    HV = _U64 - 32
    KERNEL = _U64 - 128
    USER = _U64 - 512
    USER_DEFERRED = _U64 - 640
    """The user's part comes later; the next entry is the cookie it will carry."""
    GUEST = _U64 - 2048
    GUEST_KERNEL = _U64 - 2176
    GUEST_USER = _U64 - 2560


CONTEXT_MAX = _U64 - 4095
"""No address is at or above this: what is there and no mark spoils the chain for the tool."""


class Mode(Enum):
    """Where the addresses after a mark belong."""

    HYPERVISOR = "hypervisor"
    KERNEL = "kernel"
    USER = "user"


MODES = {
    Context.HV: Mode.HYPERVISOR,
    Context.KERNEL: Mode.KERNEL,
    Context.USER: Mode.USER,
    Context.USER_DEFERRED: Mode.USER,
}
"""The marks the tool resolves addresses by; the others stand for guests of a hypervisor."""


def context_name(entry: int) -> str | None:
    """`PERF_CONTEXT_...` if `entry` is a mark."""
    try:
        return f"PERF_CONTEXT_{Context(entry).name}"
    except ValueError:
        return None
