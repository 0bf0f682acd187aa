"""What the kernel writes for perf: samples, and callchains that come later.

Kernel behaviour: 13.1.
"""

import struct
from dataclasses import dataclass

from emu.profile.contexts import Context

RECORD_CALLCHAIN_DEFERRED = 22
MISC_USER = 2

_HEADER = struct.Struct("<IHH")
_SAMPLE_ID = struct.Struct("<IIQQ")
_NUMBER = struct.Struct("<Q")


@dataclass(frozen=True, slots=True)
class PerfEvent:
    """One opened event, as much of its attributes as callchains depend on."""

    name: str
    id: int = 1
    period: int = 1
    task: int | None = None
    """Thread it is attached to; None is every thread (of a CPU, or of all)."""
    defer_callchain: bool = False
    """Ask for user callchains to be unwound later."""
    defer_output: bool = False
    """Receive the callchains that come later."""
    user_callchain: bool = True
    """Samples want the user's part of the callchain."""


@dataclass(frozen=True, slots=True)
class Sample:
    """PERF_RECORD_SAMPLE with a callchain, innermost entry first, marks included."""

    event: PerfEvent
    pid: int
    tid: int
    comm: str
    time: int
    """Nanoseconds."""
    chain: tuple[int, ...]
    cpu: int | None = None
    """None if the recording does not say (`perf record` of one program)."""

    @property
    def deferred(self) -> bool:
        """Its user part comes later: the tool's test (kernel behaviour: 13.2)."""
        return (
            self.event.defer_callchain
            and len(self.chain) >= 2
            and self.chain[-2] == Context.USER_DEFERRED
        )

    @property
    def cookie(self) -> int | None:
        """What the later callchain will carry; None if nothing is to come."""
        return self.chain[-1] if self.deferred else None


@dataclass(frozen=True, slots=True)
class DeferredRecord:
    """PERF_RECORD_CALLCHAIN_DEFERRED: the user's part of callchains, without any mark."""

    event: PerfEvent
    pid: int
    tid: int
    comm: str
    time: int
    """Nanoseconds."""
    cookie: int
    addresses: tuple[int, ...]
    """Innermost first; empty if the stack could not be unwound."""
    cpu: int | None = None

    def encode(self) -> bytes:
        """Its bytes in a data file, little endian.

        u32 type, u16 misc, u16 size; u64 cookie, u64 number of addresses, the addresses; the
        sample id of an event with TID, TIME and ID: u32 pid, u32 tid, u64 time, u64 id.
        """
        body = _NUMBER.pack(self.cookie) + _NUMBER.pack(len(self.addresses))
        body += b"".join(_NUMBER.pack(address) for address in self.addresses)
        body += _SAMPLE_ID.pack(self.pid, self.tid, self.time, self.event.id)
        size = _HEADER.size + len(body)
        return _HEADER.pack(RECORD_CALLCHAIN_DEFERRED, MISC_USER, size) + body


Record = Sample | DeferredRecord
