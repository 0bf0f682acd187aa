"""Full check of a section at registration (kernel behaviour: 10)."""

from emu.unwind.debug import DebugLog
from emu.unwind.decode import FunctionEntry, SectionDecoder
from emu.unwind.errors import Errno, LookupFailure, RejectedError
from emu.unwind.policy import KERNEL_V15, Policy
from emu.unwind.protocols import Memory
from emu.unwind.record import SectionRecord


def validate_section(
    record: SectionRecord, memory: Memory, log: DebugLog, policy: Policy = KERNEL_V15
) -> LookupFailure | None:
    """Reads every FDE and every FRE with its data words; None if all is well.

    Writes the kernel's lines for the first failure. Rules are not built, so a reserved bit
    or a CFA without register passes.
    """
    decoder = SectionDecoder(record, memory, policy)
    previous = 0
    for index in range(record.num_fdes):
        try:
            function = decoder.function(index)
        except RejectedError as rejected:
            log.sframe(f"safe_read_fde({index}) failed", record.filename)
            return rejected.failure
        if function.start <= previous:
            text = f"FDE {index} not sorted"
            log.sframe(text, record.filename)
            return LookupFailure(Errno.EINVAL, text)
        previous = function.start
        failure = _validate_rows(decoder, record, function, log)
        if failure is not None:
            return failure
    return None


def _validate_rows(
    decoder: SectionDecoder, record: SectionRecord, function: FunctionEntry, log: DebugLog
) -> LookupFailure | None:
    address = function.fres
    previous = -1
    for number in range(function.count):
        step = "safe_read_fre"
        try:
            row = decoder.row_head(function, address)
            step = "safe_read_fre_datawords"
            decoder.data_words(function, row)
        except RejectedError as rejected:
            log.sframe(f"FDE {function.index}: {step}({number}) failed", record.filename)
            log.sframe(_describe(function, record), record.filename)
            return rejected.failure
        if row.start <= previous:
            text = f"FDE {function.index}: FRE {number} not sorted"
            log.sframe(text, record.filename)
            return LookupFailure(Errno.EINVAL, text)
        previous = row.start
        address = row.end
    return None


def _describe(function: FunctionEntry, record: SectionRecord) -> str:
    def alternate(value: int) -> str:
        return f"{value:#x}" if value else "0"

    return (
        f"FDE: func_addr:{alternate(function.start)} func_size:{alternate(function.size)}"
        f" fda_off:{alternate(function.attribute_offset)}"
        f" fres_off:{alternate(function.fres - record.fres_start)}"
        f" fres_num:{function.count} info:{function.info} info2:{function.info2}"
        f" rep_size:{function.repetition}"
    )
