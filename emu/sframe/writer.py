"""Section bytes from functions and rows.

Widths, FDE types and order are chosen as GNU as and ld choose them, or as told. With the keywords
named after fields a section can be made wrong on purpose, one defect at a time.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from struct import Struct
from typing import Final

from emu.sframe.constants import (
    ENTRY_SIZE,
    HEADER_SIZE,
    MAGIC,
    Abi,
    ByteOrder,
    FdeType,
    Flag,
    FreType,
    PcType,
    Version,
)
from emu.sframe.error import SFrameError
from emu.sframe.header import STRUCT_PREFIX
from emu.sframe.rules import Rules
from emu.sframe.words import WORD_SIZES, Convention, Word, encode, is_default


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row given as bytes: `encoded` is info byte and data words, written as they are."""

    start: int
    encoded: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One function to be written.

    `start` is its address, `size` in bytes. `rows` are pairs (start, rules) or `RawRow`s; a row's
    start counts from the function's start, for MASK from the start of the block of `rep_size`.

    None means chosen as GNU as does: `fre_type` by the size of the function, `fde_type` flexible
    if a row needs it, each row's word size the smallest that fits and at least `word_size`.

    `num_fres`, `info`, `info2`, `start_offset` and `data_offset` replace the value of that field,
    whatever the rows say.
    """

    start: int
    size: int
    rows: Sequence[tuple[int, Rules] | RawRow] = ()
    pc_type: PcType = PcType.INC
    rep_size: int = 0
    signal: bool = False
    pauth_b_key: bool = False
    fre_type: FreType | None = None
    fde_type: FdeType | None = None
    word_size: int = 1
    num_fres: int | None = None
    info: int | None = None
    info2: int | None = None
    start_offset: int | None = None
    data_offset: int | None = None


def fre_type_for(size: int) -> FreType:
    """The FRE type GNU as gives all rows of a function of `size` bytes."""
    if size < 1 << 8:
        return FreType.ADDR1
    return FreType.ADDR2 if size < 1 << 16 else FreType.ADDR4


def write_section(
    functions: Sequence[Function],
    *,
    address: int = 0,
    abi: Abi = Abi.AMD64,
    fixed_fp_offset: int = 0,
    fixed_ra_offset: int | None = None,
    sort: bool = True,
    index_order: Sequence[int] | None = None,
    pcrel: bool = True,
    auxiliary: bytes = b"",
    narrow_ra_offsets: bool = False,
    magic: int = MAGIC,
    version: int = Version.V3,
    flags: int | None = None,
    abi_arch: int | None = None,
    auxiliary_length: int | None = None,
    num_fdes: int | None = None,
    num_fres: int | None = None,
    fre_length: int | None = None,
    fde_offset: int | None = None,
    fre_offset: int | None = None,
    gap_before_fdes: int = 0,
    gap_before_fres: int = 0,
    trailing: bytes = b"",
) -> bytes:
    """The bytes of a V3 section loaded at `address`, FRE data in the order of `functions`.

    `sort` orders the index by address and sets the flag, as ld does; without it the index is in
    the order of `functions`, as from as. `index_order` (positions in `functions`) gives another
    order and leaves the flag to `sort`. `fixed_ra_offset` None is the ABI's.

    `narrow_ra_offsets` leaves the offset of a return address on the stack out of the choice of
    the word size in flexible AMD64 rows and cuts it, as GNU as 2.47 does.

    From `magic` on, keywords replace header fields without changing anything else, or put
    bytes (of value 0) before a sub-section, `trailing` ones after the last.

    Raises `SFrameError` for what the format cannot hold.
    """
    if fixed_ra_offset is None:
        fixed_ra_offset = abi.fixed_ra_offset
    convention = Convention(abi, fixed_fp_offset, fixed_ra_offset)
    encoder = _Encoder(convention, narrow_ra_offsets)
    order = _index_order(functions, sort, index_order)

    fres, data_offsets = _fre_data(functions, encoder)
    header_size = HEADER_SIZE + len(auxiliary)
    fdes_start = header_size + gap_before_fdes
    index = _fde_index(
        [functions[i] for i in order],
        [data_offsets[i] for i in order],
        address + fdes_start if pcrel else None,
        address,
        encoder.byte_order,
    )
    fres_at = gap_before_fdes + len(index) + gap_before_fres
    if flags is None:
        flags = (Flag.FDE_SORTED if sort else 0) | (Flag.FDE_FUNC_START_PCREL if pcrel else 0)
    fields = (
        magic,
        version,
        flags,
        abi if abi_arch is None else abi_arch,
        fixed_fp_offset,
        fixed_ra_offset,
        len(auxiliary) if auxiliary_length is None else auxiliary_length,
        len(functions) if num_fdes is None else num_fdes,
        sum(len(f.rows) for f in functions) if num_fres is None else num_fres,
        len(fres) if fre_length is None else fre_length,
        gap_before_fdes if fde_offset is None else fde_offset,
        fres_at if fre_offset is None else fre_offset,
    )
    try:
        header = Struct(STRUCT_PREFIX[abi.byte_order] + "HBBBbbBIIIII").pack(*fields)
    except struct.error as error:
        raise SFrameError(f"a header field does not fit: {error}", 0) from error
    return b"".join(
        (
            header,
            auxiliary,
            bytes(gap_before_fdes),
            index,
            bytes(gap_before_fres),
            fres,
            trailing,
        )
    )


def _index_order(
    functions: Sequence[Function], sort: bool, index_order: Sequence[int] | None
) -> Sequence[int]:
    if index_order is None:
        if not sort:
            return range(len(functions))
        starts = list(map(attrgetter("start"), functions))
        return sorted(range(len(functions)), key=starts.__getitem__)
    if sorted(index_order) != list(range(len(functions))):
        raise SFrameError("the index order does not name each function once")
    return index_order


def _fre_data(functions: Sequence[Function], encoder: "_Encoder") -> tuple[bytes, list[int]]:
    parts: list[bytes] = []
    offsets = []
    length = 0
    for function in functions:
        offsets.append(length if function.data_offset is None else function.data_offset)
        data = encoder.function(function)
        parts.append(data)
        length += len(data)
    return b"".join(parts), offsets


def _fde_index(
    functions: Sequence[Function],
    data_offsets: Sequence[int],
    first_entry: int | None,
    address: int,
    byte_order: ByteOrder,
) -> bytes:
    entry = Struct(STRUCT_PREFIX[byte_order] + "qII")
    stride = ENTRY_SIZE[Version.V3]
    index = bytearray(stride * len(functions))
    for i, (function, data_offset) in enumerate(zip(functions, data_offsets, strict=True)):
        start_offset = function.start_offset
        if start_offset is None:
            base = address if first_entry is None else first_entry + stride * i
            # Addresses are modulo 2^64, so every distance fits in 64 signed bits.
            start_offset = ((function.start - base + _SIGN) & _MASK) - _SIGN
        try:
            entry.pack_into(index, stride * i, start_offset, function.size, data_offset)
        except struct.error as error:
            raise SFrameError(
                f"function at {function.start:#x}: an FDE field does not fit: {error}"
            ) from error
    return bytes(index)


_SIGN: Final = 1 << 63
_MASK: Final = (1 << 64) - 1


class _Encoder:
    """Encodes attribute blocks and rows; remembers the bytes of rules it has seen."""

    def __init__(self, convention: Convention, narrow_ra_offsets: bool) -> None:
        self.byte_order = convention.abi.byte_order
        prefix = STRUCT_PREFIX[self.byte_order]
        self._convention = convention
        self._narrow_ra_offsets = narrow_ra_offsets
        self._attributes = Struct(prefix + "HBBB")
        self._starts = tuple(Struct(prefix + code) for code in "BHI")
        self._default: dict[Rules, bool] = {}
        self._bodies: dict[tuple[Rules, FdeType, int], bytes] = {}

    def function(self, function: Function) -> bytes:
        """The attribute block and the rows of one function."""
        rows = function.rows
        fre_type = function.fre_type
        if fre_type is None:
            fre_type = fre_type_for(function.size)
        fde_type = function.fde_type
        if fde_type is None:
            fde_type = self._fde_type(rows)
        info, info2 = function.info, function.info2
        if info is None:
            info = (
                fre_type | function.pc_type << 4 | function.pauth_b_key << 5 | function.signal << 7
            )
        count = len(rows) if function.num_fres is None else function.num_fres
        try:
            parts = [
                self._attributes.pack(
                    count, info, fde_type if info2 is None else info2, function.rep_size
                )
            ]
            pack_start = self._starts[fre_type].pack
            for row in rows:
                if isinstance(row, RawRow):
                    parts += (pack_start(row.start), row.encoded)
                else:
                    start, rules = row
                    key = (rules, fde_type, function.word_size)
                    body = self._bodies.get(key)
                    if body is None:
                        body = self._bodies[key] = self._body(*key)
                    parts += (pack_start(start), body)
        except struct.error as error:
            raise SFrameError(
                f"function at {function.start:#x}: a field does not fit: {error}"
            ) from error
        except SFrameError as error:
            raise SFrameError(f"function at {function.start:#x}: {error.reason}") from error
        return b"".join(parts)

    def _fde_type(self, rows: Sequence[tuple[int, Rules] | RawRow]) -> FdeType:
        known = self._default
        for row in rows:
            if isinstance(row, RawRow):
                continue
            rules = row[1]
            default = known.get(rules)
            if default is None:
                default = known[rules] = is_default(self._convention, rules)
            if not default:
                return FdeType.FLEXIBLE
        return FdeType.DEFAULT

    def _body(self, rules: Rules, fde_type: FdeType, least: int) -> bytes:
        bits, words = encode(self._convention, fde_type, rules)
        counted = list(words)
        cut = self._narrow_ra_offsets and fde_type is FdeType.FLEXIBLE and _stack_ra(words)
        if cut:
            del counted[3]
        size = max((least, *(word.size for word in counted))) if words else WORD_SIZES[0]
        if size not in WORD_SIZES:
            raise SFrameError(f"{rules.text(self._convention.abi)} needs words of {size} bytes")
        info = bits | len(words) << 1 | WORD_SIZES.index(size) << 5
        mask = (1 << 8 * size) - 1
        return bytes((info,)) + b"".join(
            (word.value & mask).to_bytes(size, self.byte_order) for word in words
        )


def _stack_ra(words: Sequence[Word]) -> bool:
    """Whether the second group of a flexible row is a return address at CFA + offset."""
    return len(words) > 3 and words[2].control and words[2].value & 1 == 0 and words[2].value != 0
