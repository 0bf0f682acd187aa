"""Reading FDEs, FREs and data words out of section memory (kernel behaviour: 6.2, 7.2-7.5).

Everything is read piece by piece and in the kernel's order, because the first check that
fails decides the errno. All of it raises RejectedError.
"""

import struct
from dataclasses import dataclass
from typing import NamedTuple

from emu.unwind.errors import Errno, RejectedError
from emu.unwind.frame import FP_REGISTER, SP_REGISTER
from emu.unwind.policy import Lookup, Policy
from emu.unwind.protocols import Memory, MemoryFault
from emu.unwind.record import ATTRIBUTE_SIZE, FDE_SIZE, SectionRecord
from emu.unwind.rules import DEREF_P, REG_P, DataWords

MASK64 = (1 << 64) - 1

_FDE = struct.Struct("<qII")
_ATTRIBUTE = struct.Struct("<HBBB")

_DEFAULT_FDE = 0
_FLEXIBLE_FDE = 1


@dataclass(frozen=True, slots=True)
class FunctionEntry:
    """One FDE with its attribute block; addresses are run-time addresses."""

    index: int
    start: int
    size: int
    attribute_offset: int
    """Of the attribute block, from the start of the FRE sub-section."""
    fres: int
    """Address of the first FRE."""
    count: int
    """Number of FREs."""
    info: int
    info2: int
    repetition: int

    @property
    def masked(self) -> bool:
        """PC type MASK: rows apply to the offset modulo the repetition size."""
        return bool(self.info & 0x10)

    @property
    def signal(self) -> bool:
        """Marked as a signal frame."""
        return bool(self.info & 0x80)


class RowHead(NamedTuple):
    """The fixed part of one FRE and where its data words are."""

    start: int
    base_is_sp: bool
    words_at: int
    word_count: int
    word_size: int
    end: int


class SectionDecoder:
    """Decodes one registered section through `memory`, with the checks of `policy`."""

    __slots__ = ("_memory", "_record", "_v14", "_v15")

    def __init__(self, record: SectionRecord, memory: Memory, policy: Policy) -> None:
        self._record = record
        self._memory = memory
        self._v15 = policy.lookup is Lookup.V15
        self._v14 = policy.lookup is Lookup.V14

    def _read(self, address: int, size: int, what: str) -> bytes:
        try:
            return self._memory.read(address & MASK64, size)
        except MemoryFault as fault:
            raise RejectedError(
                Errno.EFAULT, f"{what} at {address & MASK64:#x} is unreadable"
            ) from fault

    def _number(self, address: int, size: int, what: str, *, signed: bool = False) -> int:
        return int.from_bytes(self._read(address, size, what), "little", signed=signed)

    def _corrupt(self, reason: str) -> RejectedError:
        """A check whose errno v15 changed from EFAULT to EINVAL."""
        return RejectedError(Errno.EFAULT if self._v14 else Errno.EINVAL, reason)

    def function_start(self, index: int) -> int:
        """Start address of FDE `index`, the only field the search reads."""
        entry = self._record.fdes_start + FDE_SIZE * index
        return (entry + self._number(entry, 8, f"FDE {index}", signed=True)) & MASK64

    def function(self, index: int) -> FunctionEntry:
        """FDE `index` with its attribute block, checked (kernel behaviour: 6.2)."""
        record = self._record
        entry = record.fdes_start + FDE_SIZE * index
        offset, size, attribute_offset = _FDE.unpack(self._read(entry, FDE_SIZE, f"FDE {index}"))
        start = (entry + offset) & MASK64
        end = (start + size) & MASK64
        if self._v15 and (start < record.text_start or end > record.text_end):
            raise RejectedError(
                Errno.EFAULT,
                f"function {start:#x}-{end:#x} is outside the text range "
                f"{record.text_start:#x}-{record.text_end:#x}",
            )
        if self._v14 and not record.text_start <= start < record.text_end:
            raise RejectedError(
                Errno.EINVAL,
                f"function start {start:#x} is outside the text range "
                f"{record.text_start:#x}-{record.text_end:#x}",
            )
        attribute = record.fres_start + attribute_offset
        if attribute + ATTRIBUTE_SIZE > record.fres_end:
            raise RejectedError(
                Errno.EINVAL if self._v14 else Errno.EFAULT,
                f"attributes of FDE {index} end behind the FRE sub-section",
            )
        count, info, info2, repetition = _ATTRIBUTE.unpack(
            self._read(attribute, ATTRIBUTE_SIZE, f"attributes of FDE {index}")
        )
        function = FunctionEntry(
            index,
            start,
            size,
            attribute_offset,
            attribute + ATTRIBUTE_SIZE,
            count,
            info,
            info2,
            repetition,
        )
        if not self._v14 and function.masked and not repetition:
            raise RejectedError(Errno.EINVAL, f"FDE {index} is MASK with repetition size 0")
        if self._v15 and count > size:
            raise RejectedError(
                Errno.EINVAL, f"FDE {index} has {count} FREs, more than its {size} bytes"
            )
        return function

    def row_head(self, function: FunctionEntry, address: int) -> RowHead:
        """The fixed part of the FRE at `address` (kernel behaviour: 7.2)."""
        fre_type = function.info & 0xF
        if fre_type > 2:
            raise self._corrupt(f"FDE {function.index} has FRE type {fre_type}")
        start_size = 1 << fre_type
        limit = self._record.fres_end
        if address + start_size + 1 > limit:
            raise RejectedError(
                Errno.EFAULT, f"FRE at {address:#x} ends behind the FRE sub-section"
            )
        start = self._number(address, start_size, "FRE")
        self._check_start(function, start)
        info = self._number(address + start_size, 1, "FRE info")
        size_code = info >> 5 & 3
        if size_code == 3:
            raise self._corrupt(f"FRE start {start:#x} has data word size code 3")
        count, word_size = info >> 1 & 0xF, 1 << size_code
        words_at = address + start_size + 1
        end = words_at + count * word_size
        if end > limit:
            raise RejectedError(
                Errno.EFAULT, f"data words of FRE start {start:#x} end behind the FRE sub-section"
            )
        return RowHead(start, bool(info & 1), words_at, count, word_size, end)

    def _check_start(self, function: FunctionEntry, start: int) -> None:
        if self._v15:
            if function.masked:
                if start >= function.repetition:
                    raise RejectedError(
                        Errno.EINVAL,
                        f"FRE start {start} is not below the repetition size {function.repetition}",
                    )
            elif start >= function.size:
                raise RejectedError(
                    Errno.EINVAL,
                    f"FRE start {start} is not below the function size {function.size}",
                )
        elif self._v14 and not function.masked and start > function.size:
            raise RejectedError(
                Errno.EFAULT, f"FRE start {start} is above the function size {function.size}"
            )

    def data_words(self, function: FunctionEntry, row: RowHead) -> DataWords | None:
        """The row's data words (kernel behaviour: 7.3-7.5); None for an outermost row."""
        if row.word_count == 0:
            return None
        fde_type = function.info2 & 0x1F
        if fde_type == _DEFAULT_FDE:
            return self._default_words(row)
        if fde_type == _FLEXIBLE_FDE:
            return self._flexible_words(row)
        raise self._corrupt(f"FDE {function.index} has FDE type {fde_type}")

    def _word(self, row: RowHead, index: int, *, signed: bool) -> int:
        address = row.words_at + index * row.word_size
        return self._number(address, row.word_size, "data word", signed=signed)

    def _default_words(self, row: RowHead) -> DataWords:
        register = SP_REGISTER if row.base_is_sp else FP_REGISTER
        cfa_offset = self._word(row, 0, signed=True)
        used = 1
        ra_offset = self._record.ra_off
        if ra_offset == 0 and used < row.word_count:
            ra_offset = self._word(row, used, signed=True)
            used += 1
        fp_offset = self._record.fp_off
        if fp_offset == 0 and used < row.word_count:
            fp_offset = self._word(row, used, signed=True)
            used += 1
        self._check_count(row, used)
        return DataWords(
            register << 3 | REG_P,
            cfa_offset,
            DEREF_P if ra_offset else 0,
            ra_offset,
            DEREF_P if fp_offset else 0,
            fp_offset,
        )

    def _flexible_words(self, row: RowHead) -> DataWords:
        if row.word_count < 2:
            raise self._corrupt(f"flexible FRE start {row.start} has fewer than 2 data words")
        cfa_control = self._word(row, 0, signed=False)
        cfa_offset = self._word(row, 1, signed=True)
        ra_control, ra_offset, used = self._flexible_pair(row, 2, self._record.ra_off)
        fp_control, fp_offset, used = self._flexible_pair(row, used, self._record.fp_off)
        self._check_count(row, used)
        return DataWords(cfa_control, cfa_offset, ra_control, ra_offset, fp_control, fp_offset)

    def _flexible_pair(self, row: RowHead, used: int, fixed: int) -> tuple[int, int, int]:
        """Control, offset and the words used so far, after one optional group."""
        default = DEREF_P if fixed else 0
        if row.word_count - used < 2:
            return default, fixed, used
        control = self._word(row, used, signed=False)
        if control == 0:
            return default, fixed, used + 1
        return control, self._word(row, used + 1, signed=True), used + 2

    def _check_count(self, row: RowHead, used: int) -> None:
        if used != row.word_count:
            raise self._corrupt(
                f"FRE start {row.start} has {row.word_count} data words, {used} of them used"
            )
