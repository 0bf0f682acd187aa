"""`.eh_frame` to the `.sframe` that GNU as and ld would have made from the same directives.

As sees directives, of which the first ones end up in a CIE and the others in the FDE; a location
advance stands where there was one. So the rows are those of `emu.cfi.translate`, whose words for
what cannot be expressed are the assembler's. Where the assembler's rows are not what the
directives say, the default is to say what they say; `as_gnu` keeps its rows.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from emu.cfi.dwarf_rules import DwarfRow
from emu.cfi.entries import DwarfFde
from emu.cfi.errors import CfiError
from emu.cfi.frame_sections import frame_bytes
from emu.cfi.placement import sframe_address
from emu.cfi.plt import OtherTables, lazy_functions, lazy_push
from emu.cfi.representable import NotRepresentableError, sframe_rules
from emu.cfi.rows import Translation, translate
from emu.cfi.table import FrameTable, Likeness, likeness
from emu.sframe import Elf, FdeType, Function, Rules, SFrameError, write_section
from emu.sframe.elf import BytesLike


@dataclass(frozen=True, slots=True)
class Refused:
    """A function without rows, and why.

    `reason` is in GNU as's words if `as_refuses`: as would drop the FDE too. `section` is the
    index of its section in a relocatable file. `kept`: a signal frame, whose FDE stays without
    rows.
    """

    start: int
    size: int
    reason: str
    as_refuses: bool = True
    section: int | None = None
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Corrected:
    """A function whose rows are not the assembler's, because those contradict the CFI.

    At `offset` bytes after the function's start, as has `of_as` and the CFI says `of_cfi`.
    """

    start: int
    size: int
    offset: int
    of_as: str
    of_cfi: str
    section: int | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """What the start of one converted function refers to, in a relocatable file."""

    section: int
    offset: int


@dataclass(frozen=True, slots=True)
class Conversion:
    """A section made from call frame information.

    `data` are its bytes at the link-time `address`. `fdes` is the number of FDEs converted from,
    `converted` of those that have rows now; `refused` of the others. `eh_frame_size` is in bytes.
    In a relocatable file the starts in `data` are zero, and `targets` says, function by function
    in the order of the index, what they have to be relocated to.
    """

    data: bytes
    address: int
    fdes: int
    converted: int
    refused: tuple[Refused, ...]
    corrected: tuple[Corrected, ...]
    eh_frame_size: int
    functions: int
    """FDEs in `data`: for a lazy PLT the linker makes two of one."""
    rows: int
    targets: tuple[Target, ...] = ()


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of all functions with the same instructions."""

    translation: Translation
    push: int | None = None
    """Offset of the push in the entries of a lazy PLT."""
    difference: tuple[int, str, str] | None = None
    as_refuses: bool = True


@dataclass(frozen=True, slots=True)
class _Made:
    """A function of the section, and the FDE it comes from."""

    fde: DwarfFde
    function: Function
    target: Target | None


class _Converter:
    def __init__(self, elf: Elf, table: FrameTable, as_gnu: bool) -> None:
        self.table = table
        self.as_gnu = as_gnu
        self.sort = not elf.relocatable
        self.tables = OtherTables(elf, as_gnu=as_gnu)
        self.made: list[_Made] = []
        self.refused: list[Refused] = []
        self.corrected: list[Corrected] = []
        self.converted = 0
        self._outcomes: dict[Likeness, _Outcome] = {}

    def add(self, fde: DwarfFde) -> None:
        """Convert one FDE."""
        made = self.tables.function(fde)
        if made is not None:
            self._converted(fde, [made])
            return
        outcome = self._outcome(fde)
        if outcome.push is not None:
            self._converted(fde, lazy_functions(fde, outcome.push))
            return
        translation = outcome.translation
        signal = fde.cie.signal
        one = Function(
            start=fde.start,
            size=fde.size,
            rows=translation.rows,
            fde_type=FdeType.FLEXIBLE if translation.flexible else None,
            signal=signal,
        )
        if translation.dropped is None:
            self._converted(fde, [one])
            if outcome.difference is not None:
                self.corrected.append(
                    Corrected(fde.start, fde.size, *outcome.difference, fde.section)
                )
            return
        kept = signal and outcome.as_refuses
        if kept:
            self._emit(fde, one)
        self.refused.append(
            Refused(fde.start, fde.size, translation.dropped, outcome.as_refuses, fde.section, kept)
        )

    def _converted(self, fde: DwarfFde, functions: Sequence[Function]) -> None:
        self.converted += 1
        for one in functions:
            self._emit(fde, one)

    def _emit(self, fde: DwarfFde, function: Function) -> None:
        target = None
        if fde.section is not None:
            target = Target(fde.section, function.start)
            function = replace(function, start_offset=0)
        self.made.append(_Made(fde, function, target))

    def write(self, address: int) -> bytes:
        """The section; functions that the format cannot hold are refused first."""
        try:
            return self._write([made.function for made in self.made], address)
        except SFrameError:
            # Call frame information that makes no sense, such as rows beyond the function.
            self._refuse_unwritable(address)
            return self._write([made.function for made in self.made], address)

    def _write(self, functions: Sequence[Function], address: int) -> bytes:
        return write_section(
            functions, address=address, sort=self.sort, narrow_ra_offsets=self.as_gnu
        )

    def _refuse_unwritable(self, address: int) -> None:
        kept = []
        for made in self.made:
            try:
                self._write([made.function], address)
                kept.append(made)
            except SFrameError as problem:
                fde = made.fde
                self.refused.append(
                    Refused(fde.start, fde.size, problem.reason, False, fde.section)
                )
                self.converted -= 1
        self.made = kept

    def _outcome(self, fde: DwarfFde) -> _Outcome:
        key = likeness(fde)
        known = self._outcomes.get(key)
        if known is None:
            try:
                known = self._fresh_outcome(fde)
            except CfiError as problem:
                known = _Outcome(Translation((), dropped=str(problem)), as_refuses=False)
            self._outcomes[key] = known
        return known

    def _fresh_outcome(self, fde: DwarfFde) -> _Outcome:
        procedure = self.table.procedure(fde)
        push = lazy_push(procedure.instructions)
        translation = translate(procedure)
        if push is not None or translation.dropped is not None or self.as_gnu:
            return _Outcome(translation, push)
        rows = self.table.rows(fde)
        try:
            difference = _first_difference(translation, rows)
            if difference is None:
                return _Outcome(translation)
            corrected = tuple((row.start, sframe_rules(row)) for row in rows)
        except NotRepresentableError as reason:
            return _Outcome(Translation((), dropped=str(reason)), as_refuses=False)
        flexible = translation.flexible
        return _Outcome(Translation(_merged(corrected), flexible), None, difference)


def _first_difference(
    translation: Translation, rows: Sequence[DwarfRow]
) -> tuple[int, str, str] | None:
    """Where as's rows say something else than DWARF's. Raises `NotRepresentableError`.

    A boundary of one of them is not always one of the other, but as begins no row where DWARF
    has none.
    """
    starts = [start for start, _ in translation.rows]
    for row in rows:
        index = bisect_right(starts, row.start) - 1
        said = translation.rows[index][1] if index >= 0 else None
        meant = sframe_rules(row)
        if said != meant:
            return row.start, str(said or "no row"), str(meant)
    return None


def _merged(rows: Sequence[tuple[int, Rules]]) -> tuple[tuple[int, Rules], ...]:
    """Rows without those that say the same as the one before."""
    return tuple(row for index, row in enumerate(rows) if not index or row[1] != rows[index - 1][1])


def convert(
    file: str | Path | BytesLike | Elf,
    *,
    address: int | None = None,
    as_gnu: bool = False,
    table: FrameTable | None = None,
) -> Conversion:
    """The .sframe section of an x86-64 ELF file by its call frame information.

    `address` is where the section will be loaded, as a link-time address; by default where
    `attach` puts it. `as_gnu` makes what GNU as and ld 2.47 would make, their defects included.
    `table` is the file's, if it has been read already. Raises `CfiError` for a file that cannot
    be read or has no call frame information; `OSError` for a path.
    """
    try:
        elf = file if isinstance(file, Elf) else Elf(file)
        table = FrameTable.from_elf(elf) if table is None else table
        if not table.fdes:
            raise CfiError("the file has no call frame information (.eh_frame)")
        converter = _Converter(elf, table, as_gnu)
        for fde in table.fdes:
            converter.add(fde)
        if address is None:
            address = 0 if elf.relocatable else sframe_address(elf)
        data = converter.write(address)
        size = frame_bytes(elf)
    except SFrameError as problem:
        raise CfiError(str(problem)) from problem
    return Conversion(
        data=data,
        address=address,
        fdes=len(table.fdes),
        converted=converter.converted,
        refused=tuple(converter.refused),
        corrected=tuple(converter.corrected),
        eh_frame_size=size,
        functions=len(converter.made),
        rows=sum(len(made.function.rows) for made in converter.made),
        targets=tuple(made.target for made in converter.made if made.target is not None),
    )
