"""The section records of one address space (kernel behaviour: 1.2, 3, 6.3)."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable
from dataclasses import replace
from enum import Enum

from emu.unwind.debug import DebugLog
from emu.unwind.decoded import DecodedSection
from emu.unwind.errors import Errno, LookupFailure, RejectedError
from emu.unwind.frame import Frame
from emu.unwind.lookup import Row, find_row
from emu.unwind.naming import section_filename
from emu.unwind.policy import KERNEL_V15, Lookup, Policy
from emu.unwind.protocols import Mappings, Memory, Vma
from emu.unwind.record import SectionRecord, read_header
from emu.unwind.validate import validate_section

CACHED_ADDRESSES = 1 << 18
"""A cache of more addresses is emptied: a guest's stack can hold any number of them."""


class Allocation(Enum):
    """What the kernel allocates for the store, for tests of failing allocations."""

    RECORD = "record"
    TREE = "tree"


def _always(_what: Allocation) -> bool:
    return True


class SectionStore:
    """Registered sections of one address space, keyed by their text ranges.

    Threads that share the address space share the object; `exec` begins with a new one.
    Results of operations are the kernel's: 0 or a negated errno.

    `memory` and `mappings` are the address space's; `log` the kernel's. With `stable`, the
    caller promises that section memory does not change between two calls of `invalidate`:
    lookups are then remembered by address. `allocate` is asked before each allocation.
    """

    def __init__(
        self,
        memory: Memory,
        mappings: Mappings,
        log: DebugLog | None = None,
        *,
        policy: Policy = KERNEL_V15,
        validation: bool = False,
        stable: bool = False,
        allocate: Callable[[Allocation], bool] = _always,
    ) -> None:
        self.memory = memory
        self.mappings = mappings
        self.log = DebugLog() if log is None else log
        self._policy = policy
        self.validation = validation
        self.stable = stable
        self.allocate = allocate
        self._starts: list[int] = []
        self._records: list[SectionRecord] = []
        self._cache: dict[int, Row | LookupFailure] = {}
        self._decoded: dict[SectionRecord, DecodedSection] = {}

    def __len__(self) -> int:
        return len(self._records)

    @property
    def records(self) -> tuple[SectionRecord, ...]:
        """All records in order of their text ranges."""
        return tuple(self._records)

    @property
    def policy(self) -> Policy:
        """Whose lookups these are; fixed, as remembered lookups depend on it."""
        return self._policy

    def invalidate(self) -> None:
        """Forget what was decoded: section memory may have changed."""
        self._cache.clear()
        self._decoded.clear()

    def add(self, sframe_start: int, sframe_end: int, text_start: int, text_end: int) -> int:
        """Register a section for a text range (kernel behaviour: 3.1)."""
        log = self.log
        if sframe_start >= sframe_end or text_start >= text_end:
            log.sframe("invalid sframe/text address")
            return -Errno.EINVAL
        sframe_vma = self.mappings.vma_at(sframe_start)
        if sframe_vma is None or sframe_end > sframe_vma.end:
            log.sframe(f"bad sframe address ({sframe_start:#x} - {sframe_end:#x})")
            return -Errno.EINVAL
        text_vma = self.mappings.vma_at(text_start)
        if text_vma is None or not text_vma.executable or text_end > text_vma.end:
            log.sframe(f"bad text address ({text_start:#x} - {text_end:#x})")
            return -Errno.EINVAL
        if not self.allocate(Allocation.RECORD):
            return -Errno.ENOMEM
        return self._read_and_insert((sframe_start, sframe_end), (text_start, text_end), sframe_vma)

    def _read_and_insert(self, sframe: tuple[int, int], text: tuple[int, int], vma: Vma) -> int:
        filename = section_filename(vma)
        try:
            record = read_header(self.memory, sframe, text, filename)
        except RejectedError as rejected:
            self.log.sframe(rejected.failure.reason, filename)
            self.log.sframe(SectionRecord(*sframe, *text).describe(), filename)
            return -rejected.failure.errno
        if self.validation:
            failure = validate_section(record, self.memory, self.log, self.policy)
            if failure is not None:
                return -failure.errno
        result = self._insert(record)
        if result:
            self.log.sframe(f"mtree_insert_range failed: text={text[0]:x}-{text[1]:x}", filename)
        return result

    def _insert(self, record: SectionRecord) -> int:
        position = bisect_left(self._starts, record.text_start)
        below = self._records[position - 1] if position else None
        above = self._records[position] if position < len(self._records) else None
        if (below is not None and below.text_end > record.text_start) or (
            above is not None and above.text_start < record.text_end
        ):
            return -Errno.EEXIST
        if not self.allocate(Allocation.TREE):
            return -Errno.ENOMEM
        insort(self._starts, record.text_start)
        self._records.insert(position, record)
        self._cache.clear()
        return 0

    def remove(self, sframe_start: int) -> int:
        """Drop every record of the section that starts there (kernel behaviour: 3.2)."""
        kept = [record for record in self._records if record.sframe_start != sframe_start]
        if len(kept) == len(self._records):
            return -Errno.EINVAL
        for record in self._records:
            if record.sframe_start == sframe_start:
                self._decoded.pop(record, None)
        self._records = kept
        self._starts = [record.text_start for record in kept]
        self._cache.clear()
        return 0

    def record_for(self, ip: int) -> SectionRecord | None:
        """The record whose text range contains `ip`."""
        position = bisect_right(self._starts, ip) - 1
        if position >= 0:
            record = self._records[position]
            if ip < record.text_end:
                return record
        return None

    def lookup(self, ip: int) -> Row | LookupFailure:
        """The row in force at `ip`, without any effect on the store."""
        if self.stable:
            known = self._cache.get(ip)
            if known is not None:
                return known
        record = self.record_for(ip)
        if record is None:
            errno = Errno.EINVAL if self.policy.lookup is Lookup.V14 else Errno.ENOENT
            result: Row | LookupFailure = LookupFailure(errno, f"no section covers {ip:#x}")
        elif self.stable:
            decoded = self._decoded.get(record)
            if decoded is None:
                decoded = self._decoded[record] = DecodedSection(record, self.memory, self.policy)
            result = decoded.find_row(ip)
        else:
            result = find_row(record, self.memory, ip, self.policy)
        if self.stable:
            if len(self._cache) >= CACHED_ADDRESSES:
                self._cache.clear()
            self._cache[ip] = result
        return result

    def remember(self, ip: int, result: Row | LookupFailure) -> None:
        """A lookup at `ip` is known to give `result`; for a `stable` store."""
        if len(self._cache) >= CACHED_ADDRESSES:
            self._cache.clear()
        self._cache[ip] = result

    def find(self, ip: int) -> Frame | LookupFailure:
        """`sframe_find`: the rules at `ip`; a bad section is dropped (kernel behaviour: 6)."""
        row = self._cache.get(ip)
        if row is None:
            row = self.lookup(ip)
        if isinstance(row, Row):
            return row.frame
        record = self.record_for(ip)
        if record is not None and self._drops(row.errno):
            self.log.sframe("removing bad .sframe section", record.filename)
            self.remove(record.sframe_start)
        return row

    def _drops(self, errno: Errno) -> bool:
        match self.policy.lookup:
            case Lookup.V15:
                return errno is not Errno.ENOENT
            case Lookup.V14:
                return errno is Errno.EFAULT
            case Lookup.FORMAT:
                return False

    def duplicate(
        self, memory: Memory, mappings: Mappings, log: DebugLog | None = None
    ) -> "SectionStore | Errno":
        """The store of a forked child, or the errno with which fork fails.

        Records are copied as they are, nothing is read again (kernel behaviour: 3.5).
        """
        child = SectionStore(
            memory,
            mappings,
            self.log if log is None else log,
            policy=self.policy,
            validation=self.validation,
            stable=self.stable,
            allocate=self.allocate,
        )
        if not self.policy.duplicate_on_fork:
            return child
        for record in self._records:
            if not self.allocate(Allocation.RECORD):
                return Errno.ENOMEM
            result = child._insert(replace(record))
            if result:
                return Errno(-result)
        return child


def sframe_find(store: SectionStore | None, ip: int) -> Frame | LookupFailure:
    """`SectionStore.find`, for tasks that may have no address space (kernel threads)."""
    if store is None:
        return LookupFailure(Errno.EINVAL, "a kernel thread has no address space")
    return store.find(ip)
