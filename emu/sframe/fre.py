"""Frame row entries. SFrame specification, 'SFrame Frame Row Entries'."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from struct import Struct
from typing import Final

from emu.sframe.constants import ByteOrder, FreType
from emu.sframe.error import SFrameError
from emu.sframe.header import STRUCT_PREFIX
from emu.sframe.rules import Rules
from emu.sframe.words import MANGLED, SP_BASED, Convention, decode, word_count, word_size

_BODY_SIZE: Final = tuple(
    1 + word_count(info) * word_size(info) if word_size(info) else 0 for info in range(256)
)
"""Bytes of info byte and data words, by info byte; 0 where the word size code is reserved."""

_HEAD: Final[dict[ByteOrder, tuple[Struct, Struct, Struct]]] = {
    order: (Struct(prefix + "BB"), Struct(prefix + "HB"), Struct(prefix + "IB"))
    for order, prefix in STRUCT_PREFIX.items()
}
"""Start offset and info byte, by byte order and FRE type."""

_Unpack = Callable[[memoryview, int], tuple[int, int]]

_CACHED_BODIES: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Body:
    """Info byte and data words of a row; rows with equal bytes share one.

    `encoded` is those bytes, `words` the unsigned data words. `outcome` holds the rules, or why
    the words mean none.
    """

    encoded: bytes
    info: int
    word_size: int
    words: tuple[int, ...]
    outcome: Rules | SFrameError

    @property
    def sp_based(self) -> bool:
        """Bit 0: the CFA base of a default row (SP, else FP)."""
        return bool(self.info & SP_BASED)

    @property
    def mangled(self) -> bool:
        """Bit 7: the return address is signed."""
        return bool(self.info & MANGLED)


@dataclass(frozen=True, slots=True)
class Row:
    """One FRE.

    `start` counts bytes from the function's start (MASK: from the start of the block), `offset`
    from the start of the section to the row's first byte, `end` to the byte after its last.
    """

    start: int
    offset: int
    end: int
    body: Body

    @property
    def rules(self) -> Rules:
        """The rules, or `SFrameError` with the row's offset if its words mean none."""
        outcome = self.body.outcome
        if isinstance(outcome, SFrameError):
            raise SFrameError(outcome.reason, self.offset)
        return outcome

    @property
    def info(self) -> int:
        """The info byte."""
        return self.body.info

    @property
    def words(self) -> tuple[int, ...]:
        """The data words, unsigned as stored."""
        return self.body.words

    @property
    def word_size(self) -> int:
        """Bytes per data word: 1, 2 or 4."""
        return self.body.word_size


@dataclass(slots=True)
class FreReader:
    """Decodes rows out of the FRE sub-section `view[start:end]` of one section."""

    view: memoryview
    start: int
    end: int
    byte_order: ByteOrder
    convention: Convention
    _bodies: dict[tuple[int, bytes], Body] = field(default_factory=dict)

    def rows(self, position: int, count: int, fre_type: int, fde_type: int) -> Iterator[Row]:
        """The `count` rows from `position` on, an offset from the start of the section.

        Raises `SFrameError` where a row leaves the sub-section or has no word size.
        """
        if not count:
            return
        unpack, width = self._head(position, fre_type)
        view, bodies = self.view, self._bodies
        last = self.end - width - 1
        for _ in range(count):
            if position > last:
                raise self._beyond(position)
            start, info = unpack(view, position)
            size = _BODY_SIZE[info]
            end = position + width + size
            if end > self.end or not size:
                raise self._broken(position, info)
            encoded = bytes(view[position + width : end])
            body = bodies.get((fde_type, encoded)) or self._body(fde_type, encoded)
            yield Row(start, position, end, body)
            position = end

    def find(
        self, position: int, count: int, fre_type: int, fde_type: int, distance: int
    ) -> Row | None:
        """The last of the rows that starts at or below `distance`, as `rows` would give it.

        Rows are in ascending order; the first one above `distance` ends the search.
        """
        unpack, width = self._head(position, fre_type)
        view = self.view
        last = self.end - width - 1
        found = found_start = found_end = -1
        for _ in range(count):
            if position > last:
                raise self._beyond(position)
            start, info = unpack(view, position)
            if start > distance:
                break
            size = _BODY_SIZE[info]
            end = position + width + size
            if end > self.end or not size:
                raise self._broken(position, info)
            found, found_start, found_end = position, start, end
            position = end
        if found < 0:
            return None
        encoded = bytes(view[found + width : found_end])
        body = self._bodies.get((fde_type, encoded)) or self._body(fde_type, encoded)
        return Row(found_start, found, found_end, body)

    def _head(self, position: int, fre_type: int) -> tuple[_Unpack, int]:
        if fre_type > FreType.ADDR4:
            raise SFrameError(f"FRE type {fre_type} is not 0, 1 or 2", position)
        return _HEAD[self.byte_order][fre_type].unpack_from, 1 << fre_type

    def _body(self, fde_type: int, encoded: bytes) -> Body:
        info = encoded[0]
        size = word_size(info)
        words = tuple(
            int.from_bytes(encoded[at : at + size], self.byte_order)
            for at in range(1, len(encoded), size)
        )
        outcome: Rules | SFrameError
        try:
            outcome = decode(self.convention, fde_type, info, words, size)
        except SFrameError as error:
            outcome = SFrameError(error.reason)
        body = Body(encoded, info, size, words, outcome)
        if len(self._bodies) >= _CACHED_BODIES:
            self._bodies.clear()
        self._bodies[fde_type, encoded] = body
        return body

    def _beyond(self, position: int) -> SFrameError:
        return SFrameError(f"row outside the FREs, which end at {self.end:#x}", position)

    def _broken(self, position: int, info: int) -> SFrameError:
        if not _BODY_SIZE[info]:
            return SFrameError(f"row with the reserved word size code (info {info:#04x})", position)
        return SFrameError(
            f"{word_count(info)} data words of {word_size(info)} bytes reach beyond the FREs,"
            f" which end at {self.end:#x}",
            position,
        )
