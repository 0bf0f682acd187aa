"""CIEs and FDEs of .eh_frame and .debug_frame, undecoded.

DWARF 5, section 6.4.1; Linux Standard Base, 'The .eh_frame section'. Little endian, addresses of
8 bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from struct import Struct
from typing import Final

from emu.cfi.cursor import OMIT, Cursor
from emu.cfi.errors import CfiError
from emu.cfi.instructions import RIP

EH_FRAME: Final = ".eh_frame"
DEBUG_FRAME: Final = ".debug_frame"

_LONG: Final = 0xFFFFFFFF
_VERSIONS: Final = {EH_FRAME: {1, 3}, DEBUG_FRAME: {1, 3, 4}}
_PCREL_SDATA4: Final = 0x1B
_MASK64: Final = (1 << 64) - 1
_word: Final = Struct("<I").unpack_from
_start_and_size: Final = Struct("<iI").unpack_from


@dataclass(frozen=True, slots=True, eq=False)
class Cie:
    """What FDEs share. `offset` is from the start of the section; two CIEs are never equal."""

    offset: int
    code_alignment: int
    data_alignment: int
    return_column: int = RIP
    augmentation: str = ""
    pointer_encoding: int = 0
    """DW_EH_PE encoding of FDE addresses."""
    signal: bool = False
    """`S`: the frames are those of signal handlers' callers."""
    instructions: bytes = b""


@dataclass(frozen=True, slots=True)
class DwarfFde:
    """One function's call frame information.

    `start` is a link-time address; in a relocatable file the offset in the section with index
    `section`. `size` is in bytes. `table` is the section it stands in, at `offset`.
    """

    cie: Cie
    start: int
    size: int
    instructions: bytes = field(repr=False)
    offset: int
    table: str = EH_FRAME
    section: int | None = None

    @property
    def end(self) -> int:
        """Address of the byte after the function."""
        return self.start + self.size


class EntryReader:
    """Reads one call frame section: `data` loaded at `address`, with relocations applied.

    `to_terminator`: the end is not known, so a zero word ends the section. Raises `CfiError` for
    an entry that cannot be told apart from the next.
    """

    def __init__(
        self, data: bytes, address: int, name: str = EH_FRAME, *, to_terminator: bool = False
    ) -> None:
        self._data = data
        self._address = address
        self._name = name
        self._eh = name != DEBUG_FRAME
        self._to_terminator = to_terminator
        self._cies: dict[int, Cie] = {}

    def fdes(self) -> Iterator[DwarfFde]:
        """All FDEs in the order of the section.

        A zero word ends what libgcc registers, but linkers leave such words between inputs, so
        reading goes on behind them, as readelf does.
        """
        data, position = self._data, 0
        while position + 4 <= len(data):
            start, after, width = self._extent(position)
            if after == start:
                if self._to_terminator:
                    return
                position = after
                continue
            cursor = self._cursor(start, after)
            pointer = cursor.number(width)
            if not self._is_cie(pointer, width):
                cie_at = start - pointer if self._eh else pointer
                yield self._fde(self._cie(cie_at, position), cursor, position)
            position = after

    def _cursor(self, start: int, end: int) -> Cursor:
        return Cursor(self._data, start, end, address=self._address, name=self._name)

    def _extent(self, position: int) -> tuple[int, int, int]:
        """Where an entry's contents begin and end, and the width of its CIE pointer."""
        data = self._data
        (length,) = _word(data, position)
        start, width = position + 4, 4
        if length == _LONG:
            if position + 12 > len(data):
                raise self._error("the section ends in the middle of a length", position)
            length = int.from_bytes(data[start : start + 8], "little")
            start, width = position + 12, 4 if self._eh else 8
        if start + length > len(data):
            raise self._error(
                f"an entry of {length} bytes, {len(data) - start} bytes before the end", position
            )
        return start, start + length, width

    def _error(self, reason: str, position: int) -> CfiError:
        return CfiError(reason, place=f"{self._name}+{position:#x}")

    def _is_cie(self, pointer: int, width: int) -> bool:
        return pointer == (0 if self._eh else (1 << 8 * width) - 1)

    def _cie(self, offset: int, used_at: int) -> Cie:
        cie = self._cies.get(offset)
        if cie is None:
            if not 0 <= offset <= len(self._data) - 4:
                raise self._error("the CIE pointer leads out of the section", used_at)
            start, after, width = self._extent(offset)
            cursor = self._cursor(start, after)
            if after == start or not self._is_cie(cursor.number(width), width):
                raise self._error(f"the CIE pointer leads to {offset:#x}, which is no CIE", used_at)
            cie = self._cies[offset] = self._read_cie(cursor, offset)
        return cie

    def _read_cie(self, cursor: Cursor, offset: int) -> Cie:
        version = cursor.byte()
        if version not in _VERSIONS[EH_FRAME if self._eh else DEBUG_FRAME]:
            raise cursor.error(f"CIE of version {version}")
        augmentation = cursor.text()
        if augmentation == "eh":
            cursor.take(8)
        if version >= 4 and (cursor.byte(), cursor.byte()) != (8, 0):
            raise cursor.error("CIE of another address size than 8, or with segments")
        code, data = cursor.unsigned(), cursor.signed()
        column = cursor.byte() if version == 1 else cursor.unsigned()
        encoding, signal = 0, False
        if augmentation.startswith("z"):
            size = cursor.unsigned()
            if size > cursor.end - cursor.position:
                raise cursor.error("augmentation data beyond the end of the CIE")
            after = cursor.position + size
            encoding, signal = _augmentation(cursor, augmentation[1:])
            cursor.position = after
        elif augmentation not in {"", "eh"}:
            raise cursor.error(f"CIE with augmentation {augmentation!r}")
        instructions = cursor.take(cursor.end - cursor.position)
        return Cie(offset, code, data, column, augmentation, encoding, signal, instructions)

    def _fde(self, cie: Cie, cursor: Cursor, offset: int) -> DwarfFde:
        at = cursor.position
        if cie.pointer_encoding == _PCREL_SDATA4 and at + 8 <= cursor.end:
            # Nearly all FDEs are of this kind.
            relative, size = _start_and_size(self._data, at)
            start = (self._address + at + relative) & _MASK64
            cursor.position = at + 8
        else:
            start = cursor.pointer(cie.pointer_encoding)
            size = cursor.value(cie.pointer_encoding & 0x0F) & _MASK64
        if cie.augmentation.startswith("z"):
            cursor.take(cursor.unsigned())
        instructions = self._data[cursor.position : cursor.end]
        return DwarfFde(cie, start, size, instructions, offset, self._name)


def _augmentation(cursor: Cursor, letters: str) -> tuple[int, bool]:
    """The encoding of FDE addresses and whether frames are signal frames.

    The length of the data is known, so that the first unknown letter ends the reading.
    """
    encoding, signal = 0, False
    for letter in letters:
        match letter:
            case "R":
                encoding = cursor.byte()
                if encoding == OMIT:
                    raise cursor.error("FDE addresses are omitted")
            case "P":
                cursor.skip_pointer(cursor.byte())
            case "L":
                cursor.byte()
            case "S":
                signal = True
            case "B" | "G":
                pass
            case _:
                break
    return encoding, signal
