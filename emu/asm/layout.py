"""Addresses and bytes: branch sizes grow until nothing moves any more.

All relaxable branches begin short; one that does not reach becomes near and stays so, hence the
iteration ends. Other instructions have a size that does not depend on addresses: labels count
as large numbers when it is measured, as relocations do for GNU as.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from emu.asm.encoder import encode, encode_branch
from emu.asm.errors import AsmError
from emu.asm.expressions import Expression
from emu.asm.instructions import Branch
from emu.asm.nops import padding
from emu.asm.operands import Immediate
from emu.asm.sections import (
    AlignItem,
    BytesItem,
    CodeItem,
    DataItem,
    FillItem,
    Item,
    Kind,
    LabelItem,
    MarkItem,
    OrgItem,
    Section,
)

BASE = 0x400000
TEXT_START = BASE + 0x1000
PAGE = 0x1000
DATA_BOUNDARY = 0x200000
"""Writable data begins at a multiple of this, so that no address depends on the size of the
tables written after the read-only data."""

_MAX_BYTES = 16 << 20
_MAX_PASSES = 1000
_MAX_DEPTH = 50
_LARGE = 0x7FF00000


def _round_up(value: int, boundary: int) -> int:
    return -(-value // boundary) * boundary


class Layout:
    """Places the items of `sections`; `constants` are the symbols set to expressions.

    Raises `AsmError` (with the line, without the file) from every method.
    """

    def __init__(self, sections: Sequence[Section], constants: Mapping[str, Expression]) -> None:
        order = list(Kind)
        self.sections = sorted(sections, key=lambda section: order.index(section.kind))
        self._constants = constants
        self._labels: dict[str, int] = {}
        self._home = {
            item.name: section
            for section in sections
            for item in section.items
            if isinstance(item, LabelItem | MarkItem)
        }
        self._depth = 0
        self._values: dict[str, int] = {}  # of constants, while one expression is evaluated
        self._places: dict[str, bool] = {}

    def settle(self) -> None:
        """Give every item its final address and size."""
        self._labels = dict.fromkeys(self._home, _LARGE)
        for section in self.sections:
            for item in section.items:
                if isinstance(item, CodeItem) and not item.instruction.branch:
                    with _line_of(item):
                        item.size = len(self._encode(item, 0x7FE00000))
        self._place(first=True)
        for _ in range(_MAX_PASSES):
            grown = self._grow()
            if not self._place() and not grown:
                return
        raise AsmError("the addresses do not settle: a size depends on itself")

    def resolve(self, name: str) -> int:
        """The value of a symbol. Raises `AsmError` for undefined and circular ones."""
        if name in self._labels:
            return self._labels[name]
        if name.startswith(" "):
            number, _ = name.split()
            raise AsmError(f"no label {number}: after {number}f")
        if name not in self._constants:
            raise AsmError(f"undefined symbol {name!r}")
        if self._depth == 0:
            self._values.clear()
        if name not in self._values:
            self._depth += 1
            try:
                if self._depth > _MAX_DEPTH:
                    raise AsmError(f"symbol {name!r} is defined in terms of itself")
                self._values[name] = self._constants[name].value(self.resolve)
            finally:
                self._depth -= 1
        return self._values[name]

    def is_place(self, name: str) -> bool:
        """Whether a symbol is an address, not a number."""
        if name not in self._constants:
            return True
        if name not in self._places:
            self.resolve(name)  # refuses definitions in circles
            self._places[name] = any(map(self.is_place, self._constants[name].symbols()))
        return self._places[name]

    def section_of(self, name: str) -> Section | None:
        """Where a label is; None for constants."""
        return self._home.get(name)

    def content(self, section: Section) -> bytes:
        """The bytes of a section (of a BSS section too: zeros)."""
        content = bytearray()
        after_data = False
        for item in section.items:
            with _line_of(item):
                if isinstance(item, AlignItem) and item.fill is None and section.kind is Kind.TEXT:
                    data = padding(item.size, after_data=after_data)
                else:
                    data = self._emit(item)
                if len(data) != item.size:
                    raise AsmError("the size of the instruction depends on a label")
            content += data
            if isinstance(item, CodeItem | DataItem | BytesItem | FillItem):
                after_data = not isinstance(item, CodeItem)
        return bytes(content)

    def _encode(self, item: CodeItem, address: int) -> bytes:
        return encode(item.instruction, address, self.resolve, self.is_place)

    def _place(self, *, first: bool = False) -> bool:
        """One pass over all addresses; whether anything moved."""
        moved = False
        cursor = TEXT_START
        previous: Kind | None = None
        for section in self.sections:
            if previous is not section.kind:
                boundary = DATA_BOUNDARY if section.kind in _WRITABLE else PAGE
                if previous not in _WRITABLE:
                    cursor = _round_up(cursor, boundary)
                previous = section.kind
            cursor = section.address = _round_up(cursor, section.alignment)
            for item in section.items:
                with _line_of(item):
                    size = self._size(item, cursor, section, first=first)
                moved = moved or (item.address, item.size) != (cursor, size)
                item.address, item.size = cursor, size
                if isinstance(item, LabelItem | MarkItem):
                    self._labels[item.name] = cursor
                cursor += size
                if cursor - section.address > _MAX_BYTES:
                    raise AsmError(f"section {section.name} is larger than 16 MiB", item.line)
            section.size = cursor - section.address
        return moved

    def _size(self, item: Item, address: int, section: Section, *, first: bool) -> int:
        match item:
            case CodeItem() if item.instruction.branch:
                item.near = item.near or item.instruction.branch is Branch.NEAR
                return len(encode_branch(item.instruction, 0, 0, near=item.near))
            case CodeItem():
                return item.size
            case BytesItem():
                return len(item.data)
            case DataItem():
                return item.width * len(item.values)
            case AlignItem():
                gap = -address % item.boundary
                return 0 if item.limit and gap > item.limit else gap
            case FillItem() if not first:
                repeat = item.repeat.value(self.resolve)
                if not 0 <= repeat * item.width <= _MAX_BYTES:
                    raise AsmError(f"cannot fill {repeat} times {item.width} bytes")
                return repeat * item.width
            case OrgItem() if not first:
                return self._org_size(item, address, section)
            case _:
                return 0

    def _org_size(self, item: OrgItem, address: int, section: Section) -> int:
        target = item.offset.value(self.resolve)
        if not any(self.section_of(name) for name in item.offset.symbols()):
            target += section.address
        if not address <= target <= address + _MAX_BYTES:
            raise AsmError(".org cannot move backwards or beyond 16 MiB")
        return target - address

    def _grow(self) -> bool:
        """Make branches near that do not reach with the addresses of the last pass."""
        grown = False
        for section in self.sections:
            for item in section.items:
                if not isinstance(item, CodeItem) or item.near:
                    continue
                if item.instruction.branch is Branch.RELAXABLE:
                    with _line_of(item):
                        item.near = not self._reaches(item, section)
                    grown = grown or item.near
        return grown

    def _reaches(self, item: CodeItem, section: Section) -> bool:
        """Whether 8 bits are enough; the displacement counts from the end of the short form."""
        names = self._target_expression(item).symbols()
        if {self.section_of(name) for name in names} != {section}:
            return False
        return -128 <= self._target(item) - (item.address + 2) < 128

    @staticmethod
    def _target_expression(item: CodeItem) -> Expression:
        operand = item.instruction.operands[0]
        assert isinstance(operand, Immediate), "a direct branch has one immediate"
        return operand.value

    def _target(self, item: CodeItem) -> int:
        return self._target_expression(item).value(self.resolve)

    def _emit(self, item: Item) -> bytes:
        match item:
            case CodeItem() if item.instruction.branch:
                target = self._target(item)
                return encode_branch(item.instruction, item.address, target, near=item.near)
            case CodeItem():
                return self._encode(item, item.address)
            case BytesItem():
                return item.data
            case DataItem():
                return b"".join(
                    _integer(value.value(self.resolve), item.width) for value in item.values
                )
            case FillItem():
                repeat = item.repeat.value(self.resolve)
                return _integer(item.value.value(self.resolve), item.width) * repeat
            case AlignItem():
                return bytes([item.fill or 0]) * item.size
            case OrgItem():
                return bytes([item.fill]) * item.size
            case _:
                return b""


_WRITABLE = (Kind.DATA, Kind.BSS)


@contextmanager
def _line_of(item: Item) -> Iterator[None]:
    try:
        yield
    except AsmError as error:
        raise AsmError(error.reason, error.line or item.line) from None


def _integer(value: int, width: int) -> bytes:
    """Little endian in `width` bytes, signed or unsigned. Raises `AsmError` if it does not fit."""
    if not -(1 << (8 * width - 1)) <= value < 1 << (8 * width):
        raise AsmError(f"{value:#x} does not fit in {width} byte{'s' * (width > 1)}")
    return (value % (1 << (8 * width))).to_bytes(width, "little")
