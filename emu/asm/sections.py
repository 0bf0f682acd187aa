"""Sections and symbols of a case before addresses are known."""

from dataclasses import dataclass, field
from enum import Enum

from emu.asm.expressions import Expression
from emu.asm.instructions import ParsedInstruction


class Kind(Enum):
    """What a section's memory may be used for; segments are laid out in this order."""

    TEXT = "text"
    RODATA = "rodata"
    DATA = "data"
    BSS = "bss"

    @classmethod
    def of(cls, name: str) -> "Kind | None":
        """The kind of a section by its name, None for names with no fixed meaning."""
        stem = name.split(".")[1] if name.startswith(".") and len(name) > 1 else ""
        return next((kind for kind in cls if kind.value == stem), None)


@dataclass(slots=True, eq=False)
class Item:
    """One statement's contribution; `address` and `size` change until the layout settles."""

    line: int
    address: int = field(default=0, init=False)
    size: int = field(default=0, init=False)


@dataclass(slots=True, eq=False)
class LabelItem(Item):
    name: str


@dataclass(slots=True, eq=False)
class CodeItem(Item):
    """An instruction; `near` once a branch has needed its long form."""

    instruction: ParsedInstruction
    near: bool = False


@dataclass(slots=True, eq=False)
class DataItem(Item):
    """`.byte` to `.quad`: each value in `width` bytes, little endian."""

    width: int
    values: tuple[Expression, ...]


@dataclass(slots=True, eq=False)
class BytesItem(Item):
    data: bytes


@dataclass(slots=True, eq=False)
class FillItem(Item):
    """`repeat` times `value` in `width` bytes."""

    repeat: Expression
    width: int
    value: Expression


@dataclass(slots=True, eq=False)
class AlignItem(Item):
    """Up to the next multiple of `boundary`, unless that takes more than `limit` bytes (0: none).

    `fill` None: nops in code, zeros elsewhere.
    """

    boundary: int
    fill: int | None = None
    limit: int = 0


@dataclass(slots=True, eq=False)
class OrgItem(Item):
    """Up to `offset` bytes from the start of the section, or to a label of it."""

    offset: Expression
    fill: int = 0


@dataclass(slots=True, eq=False)
class CfiItem(Item):
    """A `.cfi_*` directive at this place; `name` without `cfi_`."""

    name: str
    operands: tuple[str, ...]


@dataclass(slots=True, eq=False)
class MarkItem(Item):
    """A place that something outside refers to: a `#@` comment or a `.`."""

    name: str


@dataclass(slots=True, eq=False)
class Section:
    """Items in order; `address` and `size` are final once the layout is."""

    name: str
    kind: Kind
    items: list[Item] = field(default_factory=list)
    address: int = 0
    size: int = 0

    @property
    def alignment(self) -> int:
        """The largest boundary asked for in it."""
        return max((i.boundary for i in self.items if isinstance(i, AlignItem)), default=1)


@dataclass(slots=True)
class SymbolFacts:
    """What `.type`, `.size` and `.globl` say about symbols, by name."""

    functions: set[str] = field(default_factory=set)
    objects: set[str] = field(default_factory=set)
    globals: set[str] = field(default_factory=set)
    sizes: dict[str, Expression] = field(default_factory=dict)
