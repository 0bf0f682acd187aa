"""The bytes of an FDE, its attributes and a row, field by field, with what each one says.

SFrame specification, 'SFrame Function Descriptor Entries', 'The SFrame FDE Attribute' and 'SFrame
Frame Row Entries'. The meaning of control words is the kernel's, which looks at five register
bits only (kernel behaviour: 7.5).
"""

from __future__ import annotations

from emu.lesson.entries import ByteField
from emu.lesson.locations import Names
from emu.unwind import DWARF_NAMES, FunctionEntry, Memory
from emu.unwind.decode import RowHead
from emu.unwind.record import ATTRIBUTE_SIZE, FDE_SIZE, SectionRecord

_FRE_TYPES = {0: "1 byte", 1: "2 bytes", 2: "4 bytes"}
_FDE_TYPES = {0: "default", 1: "flexible"}
_WORD_CODES = {0: "1 byte", 1: "2 bytes", 2: "4 bytes"}


class SectionBytes:
    """Reads fields of one registered section; raises MemoryFault where it is not readable."""

    def __init__(self, record: SectionRecord, memory: Memory, names: Names) -> None:
        self._record = record
        self._memory = memory
        self._names = names

    def entry(self, function: FunctionEntry) -> tuple[ByteField, ...]:
        """The 16 bytes of an FDE in the index."""
        at = self._record.fdes_start + FDE_SIZE * function.index
        start = self._field(at, 8, "start offset", signed=True)
        size = self._field(at + 8, 4, "size")
        data = self._field(at + 12, 4, "attributes")
        where = self._names.location(function.start)
        end = function.start + function.size
        return (
            start.saying(
                f"{start.value:+#x} from this field at {at:#x}: function {function.start:#x}"
                + (f", {where}" if where.known else "")
            ),
            size.saying(f"{function.size} bytes, up to {end:#x}"),
            data.saying(f"{data.value:+#x} from the start of the FREs at {self._fres_offset:#x}"),
        )

    def attributes(self, function: FunctionEntry) -> tuple[ByteField, ...]:
        """The 5 bytes in front of a function's rows."""
        at = function.fres - ATTRIBUTE_SIZE
        count = self._field(at, 2, "number of rows")
        info = self._field(at + 2, 1, "info")
        info2 = self._field(at + 3, 1, "info2")
        repetition = self._field(at + 4, 1, "repetition size")
        return (
            count.saying(f"{count.value}"),
            info.saying(_info_text(function)),
            info2.saying(f"FDE type {_FDE_TYPES.get(function.info2 & 0x1F, 'unknown')}"),
            repetition.saying(
                f"rows apply to the offset modulo {repetition.value}"
                if function.masked
                else "not used with PC type INC"
            ),
        )

    def row(self, function: FunctionEntry, head: RowHead) -> tuple[ByteField, ...]:
        """The bytes of one FRE: start offset, info, data words."""
        info_at = head.words_at - 1
        width = 1 << (function.info & 0xF)
        start = self._field(info_at - width, width, "start offset")
        info = self._field(info_at, 1, "info")
        unit = "the block" if function.masked else "the function"
        fields = [
            start.saying(f"from byte {start.value} of {unit} on"),
            info.saying(self._row_info_text(function, head, info.value)),
        ]
        if head.word_count == 0:
            return tuple(fields)
        if function.info2 & 0x1F == 0:
            fields += self._default_words(head)
        else:
            fields += self._flexible_words(head)
        return tuple(fields)

    def _row_info_text(self, function: FunctionEntry, head: RowHead, info: int) -> str:
        if head.word_count == 0:
            return "no data words: the return address is undefined, nothing called"
        words = f"{head.word_count} data word{'s' if head.word_count > 1 else ''}"
        text = f"{words} of {_WORD_CODES[info >> 5 & 3]}"
        if function.info2 & 0x1F == 0:
            text = f"CFA from {'rsp' if head.base_is_sp else 'rbp'}, {text}"
        if info & 0x80:
            text += ", return address mangled (ignored on x86-64)"
        return text

    def _default_words(self, head: RowHead) -> list[ByteField]:
        base = "rsp" if head.base_is_sp else "rbp"
        word = self._word(head, 0, "CFA offset", signed=True)
        fields = [word.saying(f"CFA = {base}{word.value:+d}")]
        names = []
        if self._record.ra_off == 0:
            names.append("RA")
        if self._record.fp_off == 0:
            names.append("FP")
        for index in range(1, head.word_count):
            name = names.pop(0) if names else ""
            word = self._word(head, index, f"{name or 'surplus'} offset", signed=True)
            if not name:
                meaning = "one word too many"
            elif word.value:
                meaning = f"{name} = *(CFA{word.value:+d})"
            else:
                meaning = f"{name} unchanged"
            fields.append(word.saying(meaning))
        return fields

    def _flexible_words(self, head: RowHead) -> list[ByteField]:
        """Groups of control word and offset for CFA, RA and FP; a zero control word has none."""
        fields: list[ByteField] = []
        names = ["CFA", "RA", "FP"]
        index = 0
        while index < head.word_count:
            name = names.pop(0) if names else ""
            control = self._word(head, index, f"{name or 'surplus'} control", signed=False)
            index += 1
            if name in {"RA", "FP"} and control.value == 0:
                fields.append(control.saying(f"padding: {self._fixed_text(name)}"))
            elif not name or index == head.word_count:
                fields.append(control.saying("one word too many"))
            else:
                fields.append(control.saying(_control_text(control.value)))
                offset = self._word(head, index, f"{name} offset", signed=True)
                index += 1
                fields.append(offset.saying(_flexible_rule(name, control.value, offset.value)))
        return fields

    def _fixed_text(self, name: str) -> str:
        fixed = {"RA": self._record.ra_off, "FP": self._record.fp_off}.get(name, 0)
        if fixed:
            return f"{name} = *(CFA{fixed:+d}), the fixed offset of the header"
        return f"{name} unchanged"

    def _word(self, head: RowHead, index: int, name: str, *, signed: bool) -> ByteField:
        return self._field(
            head.words_at + index * head.word_size, head.word_size, name, signed=signed
        )

    @property
    def _fres_offset(self) -> int:
        return self._record.fres_start - self._record.sframe_start

    def _field(self, at: int, size: int, name: str, *, signed: bool = False) -> ByteField:
        raw = self._memory.read(at, size)
        value = int.from_bytes(raw, "little", signed=signed)
        return ByteField(at - self._record.sframe_start, raw, name, value, "")


def _info_text(function: FunctionEntry) -> str:
    parts = [
        f"PC type {'MASK' if function.masked else 'INC'}",
        f"row starts of {_FRE_TYPES.get(function.info & 0xF, 'unknown size')}",
    ]
    if function.signal:
        parts.append("signal frame")
    return ", ".join(parts)


def _control_text(control: int) -> str:
    register = control >> 3 & 0x1F
    base = f"register {register} ({DWARF_NAMES[register]})" if control & 1 else "CFA"
    text = f"base is {base}" if control & 1 else "base is the CFA"
    text += ", load the word there" if control & 2 else ", no load"
    if control & 4:
        text += ", reserved bit set"
    return text


def _flexible_rule(name: str, control: int, offset: int) -> str:
    base = DWARF_NAMES[control >> 3 & 0x1F] if control & 1 else "CFA"
    term = f"{base}{offset:+d}"
    return f"{name} = *({term})" if control & 2 else f"{name} = {term}"
