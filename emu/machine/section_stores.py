"""What becomes of a process' section store when its address space does (kernel behaviour: 3.5)."""

from __future__ import annotations

from emu.machine.linux.errno import Errno, SystemCallError
from emu.machine.memory import AddressSpace
from emu.unwind import Errno as StoreErrno
from emu.unwind import SectionStore


def inherited(store: SectionStore, memory: AddressSpace, *, share: bool) -> SectionStore:
    """A child's: the same for a vfork child, which shares the memory, else a duplicate.

    Raises SystemCallError with which fork fails.
    """
    if share:
        return store
    copy = store.duplicate(memory, memory)
    if isinstance(copy, StoreErrno):
        raise SystemCallError(Errno(copy))
    return copy


def emptied(store: SectionStore, memory: AddressSpace) -> SectionStore:
    """The one another program begins with; the old one may still be a parent's."""
    return SectionStore(
        memory,
        memory,
        store.log,
        policy=store.policy,
        validation=store.validation,
        stable=store.stable,
        allocate=store.allocate,
    )
