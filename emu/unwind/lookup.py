"""From an address to the rules of its row (kernel behaviour: 6, 6.1, 7.1).

Pure: reads section memory and nothing else, removes nothing. `SectionStore.find` adds what
the kernel does to the store when a lookup fails.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from emu.unwind.decode import MASK64, FunctionEntry, RowHead, SectionDecoder
from emu.unwind.errors import Errno, LookupFailure, RejectedError
from emu.unwind.frame import Frame, outermost_frame
from emu.unwind.policy import KERNEL_V15, Lookup, Policy
from emu.unwind.protocols import Memory
from emu.unwind.record import SectionRecord
from emu.unwind.rules import build_frame

USER_LIMIT = (1 << 47) - 4096
"""End of the user address space of x86-64 with four-level page tables."""


@dataclass(frozen=True, slots=True)
class Row:
    """The row in force for an address: its rules and where they stand."""

    frame: Frame
    function: FunctionEntry
    index: int
    """Number of the FRE within its function; -1 where the FDE has none and is outermost."""
    start: int
    """Address of the first byte the row covers (of the first block for MASK)."""


def find_frame(
    record: SectionRecord, memory: Memory, ip: int, policy: Policy = KERNEL_V15
) -> Frame | LookupFailure:
    """The rules for `ip`, used exactly as given, or why there are none.

    `ip` lies in the record's text range (the store has made sure of that).
    """
    row = find_row(record, memory, ip, policy)
    return row if isinstance(row, LookupFailure) else row.frame


def find_row(
    record: SectionRecord, memory: Memory, ip: int, policy: Policy = KERNEL_V15
) -> Row | LookupFailure:
    """Like `find_frame`, with the row's place in the section."""
    if record.sframe_end > USER_LIMIT:
        return LookupFailure(Errno.EFAULT, "the sframe range is beyond user space")
    decoder = SectionDecoder(record, memory, policy)
    try:
        function = find_function(decoder, record.num_fdes, ip, policy)
        return _search_rows(decoder, function, ip, policy)
    except RejectedError as rejected:
        return rejected.failure


def _missing(policy: Policy, reason: str) -> RejectedError:
    return RejectedError(Errno.EINVAL if policy.lookup is Lookup.V14 else Errno.ENOENT, reason)


def find_function(decoder: SectionDecoder, count: int, ip: int, policy: Policy) -> FunctionEntry:
    """The function that contains `ip` (kernel behaviour: 6.1)."""
    function = nearest_function(decoder, count, ip, policy)
    if function is None:
        raise _missing(policy, f"{ip:#x} is below the first function")
    if not function.start <= ip < (function.start + function.size) & MASK64:
        raise _missing(policy, f"{ip:#x} is in a gap between functions")
    return function


def nearest_function(
    decoder: SectionDecoder, count: int, ip: int, policy: Policy
) -> FunctionEntry | None:
    """Where the binary search ends, which notices disorder only on its path.

    The function may end before `ip`; None if `ip` is below the first one.
    """
    low, high = 0, count - 1
    low_start, high_start = 0, MASK64
    found = -1
    while low <= high:
        middle = low + (high - low) // 2
        start = decoder.function_start(middle)
        if ip >= start:
            if start < low_start:
                _disorder(policy, middle)
            low_start, found, low = start, middle, middle + 1
        else:
            if start > high_start:
                _disorder(policy, middle)
            high_start, high = start, middle - 1
    return decoder.function(found) if found >= 0 else None


def _disorder(policy: Policy, index: int) -> None:
    if policy.lookup is Lookup.V15:
        raise RejectedError(Errno.EINVAL, f"FDE {index} is out of order")
    if policy.lookup is Lookup.V14:
        raise RejectedError(Errno.EFAULT, f"FDE {index} is out of order")


def _search_rows(decoder: SectionDecoder, function: FunctionEntry, ip: int, policy: Policy) -> Row:
    """The last FRE that starts at or before `ip` (kernel behaviour: 7.1)."""
    offset = row_offset(function, ip)
    match: RowHead | None = None
    for number, row in enumerate(row_heads(decoder, function, policy)):
        if row.start > offset:
            break
        match, matched = row, number
    if match is None:
        return row_before_all(function, policy)
    return make_row(decoder, function, matched, match, policy)


def row_offset(function: FunctionEntry, ip: int) -> int:
    """What the starts of a function's rows are compared with."""
    offset = (ip - function.start) & 0xFFFFFFFF
    if function.masked:
        if not function.repetition:
            raise RejectedError(
                Errno.EFAULT, f"FDE {function.index}: v14 divides by repetition size 0 here"
            )
        offset %= function.repetition
    return offset


def row_heads(
    decoder: SectionDecoder, function: FunctionEntry, policy: Policy
) -> Iterator[RowHead]:
    """The FREs of a function in their order, each checked against the one before."""
    address = function.fres
    previous: RowHead | None = None
    for _ in range(function.count):
        row = decoder.row_head(function, address)
        if (
            previous is not None
            and row.start <= previous.start
            and policy.lookup is not Lookup.FORMAT
        ):
            raise RejectedError(
                Errno.EFAULT if policy.lookup is Lookup.V14 else Errno.EINVAL,
                f"FRE start {row.start} follows FRE start {previous.start}",
            )
        yield row
        previous, address = row, row.end


def make_row(
    decoder: SectionDecoder, function: FunctionEntry, number: int, head: RowHead, policy: Policy
) -> Row:
    """FRE `number` with its rules."""
    words = decoder.data_words(function, head)
    frame = build_frame(words, policy, start=head.start, signal=function.signal)
    return Row(frame, function, number, function.start + head.start)


def row_before_all(function: FunctionEntry, policy: Policy) -> Row:
    """What takes the place of a row where no FRE starts at or before the address."""
    if function.count:
        reason = f"the first FRE of FDE {function.index} starts behind the address"
    else:
        reason = f"FDE {function.index} has no FREs"
        if policy.outermost_empty and not function.info2 & 0x1F and not function.signal:
            return Row(outermost_frame(), function, -1, function.start)
    raise RejectedError(
        Errno.ENOENT if policy.lookup is Lookup.FORMAT else Errno.EINVAL,
        reason,
    )
