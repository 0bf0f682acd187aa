"""Whether a lookup that fails has read bytes as the format document has them.

The kernel drops a section for more than malformed bytes. What the document allows, or the GNU
assembler writes without any address being misled: functions without rows, a row that starts where
its function ends, and functions of another segment than the registered one.
"""

from __future__ import annotations

from collections.abc import Iterable

from emu.unwind import KERNEL_V15, Memory
from emu.unwind import policy as policy_named
from emu.unwind.decode import SectionDecoder
from emu.unwind.errors import RejectedError
from emu.unwind.lookup import find_function, make_row, nearest_function, row_heads
from emu.unwind.record import SectionRecord

_DOCUMENT = policy_named("format")


def is_well_formed(
    record: SectionRecord, memory: Memory, address: int, texts: Iterable[tuple[int, int]]
) -> bool:
    """Whether everything that decides about `address` is as the document has it.

    That is the index on the path of the search, and the function at its end with all of its rows.
    `texts` are where code may lie: starts and ends, exclusive.
    """
    decoder = SectionDecoder(record, memory, _DOCUMENT)
    try:
        function = nearest_function(decoder, record.num_fdes, address, KERNEL_V15)
        if function is None:
            return True
        end = function.start + function.size
        if not any(low <= function.start and end <= high for low, high in texts):
            return False
        limit = function.repetition if function.masked else function.size + 1
        for number, head in enumerate(row_heads(decoder, function, KERNEL_V15)):
            if head.start >= limit or (number == 0 and head.start):
                return False
            make_row(decoder, function, number, head, KERNEL_V15)
    except RejectedError:
        return False
    return True


def is_covered(record: SectionRecord, memory: Memory, address: int) -> bool:
    """Whether a function of the index contains `address`."""
    decoder = SectionDecoder(record, memory, _DOCUMENT)
    try:
        find_function(decoder, record.num_fdes, address, _DOCUMENT)
    except RejectedError:
        return False
    return True
