"""A case file to an executable with its symbols, lines and expectations."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from emu.asm import defects
from emu.asm.defects import Defect, SectionWriter
from emu.asm.elf_writer import (
    ElfSymbol,
    LoadedSection,
    Protection,
    SectionType,
    write_executable,
)
from emu.asm.errors import AsmError
from emu.asm.expectations import Expectations, bind
from emu.asm.expressions import parse
from emu.asm.layout import BASE, DATA_BOUNDARY, Layout
from emu.asm.reader import Reader
from emu.asm.sections import CfiItem, CodeItem, DataItem, Item, Kind, Section
from emu.asm.source import parse as parse_source
from emu.cfi import CfiError, DirectiveReader, Procedure, dropped, functions, write_eh_frame
from emu.sframe import SFrameError

_STT_NOTYPE, _STT_OBJECT, _STT_FUNC = 0, 1, 2
_PROTECTIONS = {
    Kind.TEXT: Protection.READ_EXECUTE,
    Kind.RODATA: Protection.READ,
    Kind.DATA: Protection.READ_WRITE,
    Kind.BSS: Protection.READ_WRITE,
}
_MAX_SOURCE = 4 << 20


@dataclass(frozen=True, slots=True)
class Symbol:
    """A named address. Functions have the extent of their code, other labels size 0."""

    name: str
    address: int
    size: int
    is_function: bool
    is_global: bool
    section: str


@dataclass(frozen=True, slots=True)
class DroppedProcedure:
    """A procedure without SFrame rows, with the reason in GNU as's words."""

    start: int
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class AssembledCase:
    """What a case file makes.

    `elf` are the bytes of the executable. `symbols` is by name, `lines` maps the address of each
    instruction (or data in code) to its line in the source, from 1.
    """

    file: str
    elf: bytes
    symbols: Mapping[str, Symbol]
    lines: Mapping[int, int]
    expectations: Expectations
    procedures: tuple[Procedure, ...]
    dropped: tuple[DroppedProcedure, ...]
    section_addresses: Mapping[str, int]


def assemble(source: str | Path, *, as_gnu: bool = False) -> AssembledCase:
    """Assemble a case given as a path or as its text.

    With `as_gnu` the section has the known defects of GNU as 2.47: the offset of a return address
    elsewhere on the stack is cut to the word size of the other offsets. Raises `AsmError` with
    file and line for everything that is wrong with the case.
    """
    file = str(source) if isinstance(source, Path) else "<source>"
    try:
        text = _read(source) if isinstance(source, Path) else source
        return _assemble(text, file, as_gnu=as_gnu)
    except AsmError as error:
        raise AsmError(error.reason, error.line, file) from None


def _read(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            data = stream.read(_MAX_SOURCE + 1)
    except OSError as error:
        raise AsmError(f"cannot read: {error.strerror}") from None
    if len(data) > _MAX_SOURCE:
        raise AsmError("larger than 4 MiB")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise AsmError(f"byte {error.start} is not UTF-8") from None


def _assemble(text: str, file: str, *, as_gnu: bool) -> AssembledCase:
    reader = Reader()
    reader.read(parse_source(text))
    layout = Layout(list(reader.sections.values()), reader.constants)
    layout.settle()
    contents = {section.name: layout.content(section) for section in layout.sections}
    procedures = tuple(_procedures(layout))
    expectations = bind(
        (
            (one.line, one.key, one.value, None if mark is None else layout.resolve(mark))
            for one, mark in reader.expectations
        ),
        defects.NAMES,
    )
    loaded = list(_loaded(layout, contents))
    asked = [*expectations.header.defects, *([Defect.NARROW_RA.value] if as_gnu else [])]
    loaded = _with_tables(loaded, procedures, SectionWriter.named(asked))
    symbols = {symbol.name: symbol for symbol in _symbols(reader, layout, procedures)}
    entry = symbols.get("_start")
    if entry is None:
        raise AsmError("no label _start")
    elf = write_executable(
        loaded, list(_elf_symbols(reader, layout, symbols)), entry=entry.address, base=BASE
    )
    return AssembledCase(
        file,
        elf,
        symbols,
        {item.address: item.line for item in _code(layout)},
        expectations,
        procedures,
        tuple(DroppedProcedure(one.start, one.line, why) for one, why in dropped(procedures)),
        {section.name: section.address for section in loaded},
    )


def _items(layout: Layout) -> Iterator[tuple[Section, Item]]:
    for section in layout.sections:
        for item in section.items:
            yield section, item


def _code(layout: Layout) -> Iterator[Item]:
    for section, item in _items(layout):
        if section.kind is Kind.TEXT and isinstance(item, CodeItem | DataItem):
            yield item


def _procedures(layout: Layout) -> list[Procedure]:
    """All procedures, in the order of their `.cfi_startproc`. Raises `AsmError`."""

    def evaluate(text: str) -> int:
        return parse(text).value(layout.resolve)

    found: list[Procedure] = []
    for section in layout.sections:
        # Each section has its own directives in GNU as too.
        reader = DirectiveReader(evaluate)
        for item in section.items:
            if isinstance(item, CfiItem):
                try:
                    reader.read(item.name, item.operands, item.address, item.line)
                except CfiError as error:
                    raise AsmError(error.reason, error.line or item.line) from None
                except AsmError as error:
                    raise AsmError(error.reason, item.line) from None
        try:
            found += reader.finish()
        except CfiError as error:
            raise AsmError(error.reason, error.line) from None
    return sorted(found, key=lambda procedure: procedure.line)


def _loaded(layout: Layout, contents: Mapping[str, bytes]) -> Iterator[LoadedSection]:
    for section in layout.sections:
        if not section.size and section.kind is not Kind.TEXT:
            continue
        nobits = section.kind is Kind.BSS
        if nobits and any(contents[section.name]):
            raise AsmError(f"section {section.name} holds something other than zeros")
        yield LoadedSection(
            name=section.name,
            address=section.address,
            data=b"" if nobits else contents[section.name],
            protection=_PROTECTIONS[section.kind],
            type=SectionType.NOBITS if nobits else SectionType.PROGBITS,
            alignment=section.alignment,
            size=section.size,
        )


def _with_tables(
    loaded: list[LoadedSection], procedures: tuple[Procedure, ...], writer: SectionWriter
) -> list[LoadedSection]:
    """Add .eh_frame and .sframe behind the read-only data."""
    before = [one for one in loaded if one.protection is not Protection.READ_WRITE]
    after = [one for one in loaded if one.protection is Protection.READ_WRITE]
    same_segment = before[-1].protection is Protection.READ
    cursor = _round_up(before[-1].end, 8 if same_segment else 0x1000)
    try:
        eh_frame = write_eh_frame(procedures, cursor)
        with_fde = list(functions(procedures))
        sframe_address = _round_up(cursor + len(eh_frame), 8)
        sframe = writer.write(with_fde, sframe_address) if with_fde else b""
    except CfiError as error:
        raise AsmError(error.reason, error.line) from None
    except SFrameError as error:
        raise AsmError(f"no .sframe can be written: {error.reason}") from None
    tables = (
        (".eh_frame", cursor, eh_frame, SectionType.UNWIND),
        (".sframe", sframe_address, sframe, SectionType.SFRAME),
    )
    before += [
        LoadedSection(
            name=name,
            address=address,
            data=data,
            protection=Protection.READ,
            type=kind,
            alignment=8,
        )
        for name, address, data, kind in tables
        if data
    ]
    if after and before[-1].end > after[0].address:
        raise AsmError(f"read-only data and tables are larger than {DATA_BOUNDARY:#x} bytes")
    return before + after


def _round_up(value: int, boundary: int) -> int:
    return -(-value // boundary) * boundary


def _symbols(reader: Reader, layout: Layout, procedures: tuple[Procedure, ...]) -> Iterator[Symbol]:
    """Labels that do not begin with `.L`. In code they are functions.

    A function's size is what `.size` says, else that of the procedure that starts there, else
    up to the next function or the end of the section.
    """
    sizes = {procedure.start: procedure.size for procedure in procedures}
    places = [
        (layout.resolve(name), name, section)
        for name in reader.labels
        if not name.startswith(".L") and (section := layout.section_of(name)) is not None
    ]
    starts = sorted({address for address, _, section in places if section.kind is Kind.TEXT})
    for address, name, section in places:
        is_function = section.kind is Kind.TEXT and name not in reader.symbols.objects
        size = 0
        if name in reader.symbols.sizes:
            size = reader.symbols.sizes[name].value(layout.resolve)
        elif is_function and address in sizes:
            size = sizes[address]
        elif is_function:
            end = section.address + section.size
            size = next((one for one in starts if address < one < end), end) - address
        if not 0 <= size < 1 << 32:
            raise AsmError(f".size of {name} is {size}", reader.labels[name])
        is_global = name in reader.symbols.globals
        yield Symbol(name, address, size, is_function, is_global, section.name)


def _elf_symbols(
    reader: Reader, layout: Layout, symbols: Mapping[str, Symbol]
) -> Iterator[ElfSymbol]:
    kept = {section.name for section in layout.sections if section.size}
    for symbol in symbols.values():
        kind = _STT_NOTYPE
        if symbol.is_function:
            kind = _STT_FUNC
        elif symbol.name in reader.symbols.objects:
            kind = _STT_OBJECT
        section = symbol.section if symbol.section in kept else None
        yield ElfSymbol(symbol.name, symbol.address, symbol.size, kind, symbol.is_global, section)
