"""Sites: what is the same for many addresses, and where the hook counts what it has seen before.

All that makes a finding or a gap the same one, module, function, row and verdict, is the same at
every address of a site. The first observation of each is made by the reference code; when it is
in the tally, the site's bit for that outcome is set and the hook counts the others itself.
"""

from __future__ import annotations

import ctypes
from collections.abc import Hashable, Iterator
from dataclasses import dataclass

import numpy as np

from emu.check.fast.layout import CODES, Base, Code, Site, SiteKind
from emu.check.fast.rows import Rows
from emu.check.finding import Key, Tally
from emu.check.modules import LoadedModule
from emu.check.tables import Place
from emu.check.verdict import Check, Field, Verdict
from emu.unwind import Frame, LookupFailure, SectionRecord, SectionStore

VERDICTS = {
    Code.OK: Verdict.OK,
    Code.GAP: Verdict.GAP,
    Code.REFUSED: Verdict.REFUSED,
    Code.TRUNCATED: Verdict.TRUNCATED,
    Code.OVERRUN: Verdict.OVERRUN,
    Code.OUTERMOST: Verdict.OUTERMOST,
    Code.LIMIT: Verdict.LIMIT,
    **dict.fromkeys(range(1, 8), Verdict.WRONG),
}
LIMIT_KEY = Key(Check.WALK, Verdict.LIMIT, None, None, None, None)

_FIELDS = {Code.WRONG_PC: Field.PC, Code.WRONG_SP: Field.SP, Code.WRONG_FP: Field.FP}
_CODES = {verdict: code for code, verdict in VERDICTS.items() if verdict is not Verdict.WRONG}
_ALWAYS = 1 << Code.OK | 1 << Code.OUTERMOST
_MASK = (1 << 64) - 1
_BASES = {
    "SP": Base.SP,
    "FP": Base.FP,
    "REG": Base.REGISTER,
    "CFA": Base.CFA,
    "RETAIN": Base.RETAIN,
}


@dataclass(frozen=True, slots=True)
class Origin:
    """What a site stands for; None for one that walks alone use."""

    place: Place
    address: int
    """An address that was looked up."""


@dataclass(frozen=True, slots=True)
class Block:
    """The sites of rows that stand one behind the other in one function, made at once."""

    number: int
    """Of the first site."""
    rows: Rows
    first: int
    """The first row."""
    end: int
    record: SectionRecord
    module: LoadedModule
    function: str

    @property
    def address(self) -> int:
        """Where the first row begins."""
        return int(self.rows.starts[self.first])

    @property
    def sites(self) -> slice:
        """Their numbers."""
        return slice(self.number, self.number + self.end - self.first)

    def place(self, number: int) -> Place:
        """What a lookup of the row of a site gives."""
        row = self.rows.row(self.first + number - self.number)
        return Place(row.start, row, self.module, self.function)

    def exercised(self, seen: np.ndarray[tuple[int], np.dtype[np.uint64]]) -> Iterator[Exercised]:
        """The rows in which a frame was checked."""
        at = self.first + np.flatnonzero(seen[self.sites])
        rows = self.rows
        for pair in zip(rows.indices[at].tolist(), rows.numbers[at].tolist(), strict=True):
            yield (self.record.sframe_start, *pair)


Columns = np.ndarray[tuple[int], np.dtype[np.void]]
Exercised = tuple[int, int, int]
"""Start of the section, FDE, FRE."""


class Sites:
    """The table of sites. Number 0 is none; sites are never removed."""

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self._table = (Site * 1024)()
        self._columns = _columns(self._table)
        self._numbers: dict[Hashable, int] = {}
        self._origins: list[Origin | Block | None] = [None]
        self._blocks: dict[Hashable, Block] = {}
        self._described: dict[Rows, Columns] = {}
        self._learned: list[int] = [0]
        """Findings and gaps there were when each site last learned."""

    @property
    def address(self) -> int:
        """Of the table; another one after a site was added."""
        return ctypes.addressof(self._table)

    def of_place(self, place: Place, address: int, store: SectionStore) -> int:
        """The site of a frame whose row was looked up at `address`; `store` is the walks'."""
        found = place.found
        if isinstance(found, LookupFailure):
            what: Hashable = place.gap
        else:
            what = (found.frame, place.row_pc)
        module = place.module
        record = store.record_for(address)
        key = (
            what,
            module.path if module else None,
            place.function,
            record.text_start if record else None,
        )
        number = self._numbers.get(key)
        if number is None:
            number = self._add(key, Origin(place, address))
            site = self._table[number]
            site.seen = 1
            _describe(site, None if isinstance(found, LookupFailure) else found.frame, place.gap)
            _set_real(site, record is not None)
        return number

    def of_rows(
        self,
        rows: Rows,
        first: int,
        end: int,
        record: SectionRecord,
        module: LoadedModule,
        function: str,
        store: SectionStore,
    ) -> int:
        """Number of the first site of rows [first, end) of a section; the others follow.

        They count as exercised when the hook has checked a frame there.
        """
        key = (rows, first, end, record, module, function)
        block = self._blocks.get(key)
        if block is None:
            number = len(self._origins)
            block = self._blocks[key] = Block(number, rows, first, end, record, module, function)
            self._make_room(number + end - first)
            self._origins.extend([block] * (end - first))
            self._learned.extend([0] * (end - first))
            self._columns[block.sites] = self._description(rows)[rows.rules[first:end]]
            self._set_block(block, real=store.record_for(block.address) is not None)
        return block.number

    def of_walk(self, found: Frame | LookupFailure, *, gap: bool) -> int:
        """The site of a walk's lookup; `gap` if its failure drops nothing."""
        frame = None if isinstance(found, LookupFailure) else found
        key = ("walk", frame, gap)
        number = self._numbers.get(key)
        if number is None:
            number = self._add(key, None)
            _describe(self._table[number], frame, gap)
        return number

    def place_of(self, number: int) -> Place:
        """What was found for a frame of this site."""
        origin = self._origin(number)
        assert origin is not None, "frames have sites with places"
        return origin.place

    def refresh(self, store: SectionStore) -> None:
        """The walks' store has other records than before."""
        for number in self._numbers.values():
            origin = self._origins[number]
            if isinstance(origin, Origin):
                real = store.record_for(origin.address) is not None
                _set_real(self._table[number], real)
        for block in self._blocks.values():
            real = store.record_for(block.address) is not None
            if real != bool(self._table[block.number].real):
                self._set_block(block, real=real)

    def learn(self, number: int, tally: Tally) -> None:
        """Set the site's bits for outcomes that `tally` has met."""
        news = len(tally.findings) + len(tally.gaps)
        if news == self._learned[number]:
            return
        origin = self._origin(number)
        if origin is None:
            return
        self._learned[number] = news
        site = self._table[number]
        known = site.known
        for code in range(1, Code.OUTERMOST):
            if not known >> code & 1 and self._met(origin.place, code, tally):
                known |= 1 << code
        site.known = known

    def count(self, tally: Tally) -> None:
        """Add the hook's counts to the findings and gaps of `tally`."""
        wrong = self._columns["counts"][: len(self._origins), 1 : Code.OUTERMOST]
        for number in np.flatnonzero(wrong.any(axis=1)).tolist():
            origin = self._origin(number)
            if origin is None:
                continue
            counts = self._table[number].counts
            for code in range(1, Code.OUTERMOST):
                times = counts[code]
                if not times:
                    continue
                counts[code] = 0
                if code == Code.GAP:
                    tally.gaps[_where(origin.place)] += times
                    if not self._strict:
                        continue
                for key in _keys(origin.place, code):
                    tally.findings[key].count += times

    def exercised(self) -> Iterator[Exercised]:
        """The rows that the hook has met before anybody else."""
        for block in self._blocks.values():
            yield from block.exercised(self._columns["seen"])

    def _origin(self, number: int) -> Origin | None:
        origin = self._origins[number]
        if isinstance(origin, Block):
            place = origin.place(number)
            origin = self._origins[number] = Origin(place, place.pc)
        return origin

    def _set_block(self, block: Block, *, real: bool) -> None:
        """`_set_real` for all of its sites."""
        columns = self._columns[block.sites]
        columns["real"] = real
        columns["ready"] = (columns["kind"] == SiteKind.ROW) & (columns["general"] == 0) & real
        columns["plain"] = columns["ready"] * columns["seen"]

    def _description(self, rows: Rows) -> Columns:
        """A site for each distinct thing that rows of a section say."""
        known = self._described.get(rows)
        if known is None:
            sites = (Site * len(rows.frames))()
            for site, frame in zip(sites, rows.frames, strict=True):
                site.known = _ALWAYS
                _describe(site, frame, gap=False)
            known = self._described[rows] = _columns(sites)
        return known

    def _make_room(self, count: int) -> None:
        """Let the table have so many sites."""
        size = len(self._table)
        if count <= size:
            return
        while size < count:
            size *= 2
        larger = (Site * size)()
        ctypes.memmove(larger, self._table, ctypes.sizeof(self._table))
        self._table, self._columns = larger, _columns(larger)

    def _met(self, place: Place, code: int, tally: Tally) -> bool:
        if code == Code.GAP:
            if _where(place) not in tally.gaps:
                return False
            if not self._strict:
                return True
        return all(key in tally.findings for key in _keys(place, code))

    def _add(self, key: Hashable, origin: Origin | None) -> int:
        number = len(self._origins)
        self._make_room(number + 1)
        self._numbers[key] = number
        self._origins.append(origin)
        self._learned.append(0)
        self._table[number].known = _ALWAYS
        return number


def _columns(table: ctypes.Array[Site]) -> Columns:
    """The same memory, a column for each field."""
    columns: Columns = np.ctypeslib.as_array(table)
    return columns


def fields_of(code: int) -> tuple[Field, ...]:
    """The fields that an outcome says are wrong."""
    return tuple(field for bit, field in _FIELDS.items() if code & bit) if code < Code.GAP else ()


def code_of(verdict: Verdict, fields: tuple[Field, ...]) -> int:
    """The number of an outcome; SLOW for those that the hook does not know."""
    if verdict is Verdict.WRONG:
        return sum(bit for bit, field in _FIELDS.items() if field in fields)
    return _CODES.get(verdict, Code.SLOW)


def _where(place: Place) -> tuple[str | None, str]:
    return (place.module.path if place.module else None, place.function)


def _keys(place: Place, code: int) -> list[Key]:
    """The findings that one outcome counts for."""
    module = place.module.path if place.module else None
    fields = fields_of(code) or (None,)
    verdict = VERDICTS[code]
    return [
        Key(Check.STEP, verdict, field, module, place.row_pc, place.function) for field in fields
    ]


def _set_real(site: Site, real: bool) -> None:
    """Walks find what the step check finds, or nothing any more."""
    site.real = site.kind != SiteKind.GAP and real
    site.ready = site.kind == SiteKind.ROW and site.real and not site.general
    site.plain = site.ready and site.seen


def _describe(site: Site, frame: Frame | None, gap: bool) -> None:
    """Write down what a lookup gave: a frame's rules, a gap, or a corrupt table."""
    if frame is None:
        site.kind = SiteKind.GAP if gap else SiteKind.SLOW
        return
    if frame.outermost:
        site.kind = SiteKind.OUTERMOST
        return
    plan, cfa, ra, fp = frame.plan, frame.cfa, frame.ra, frame.fp
    site.kind = SiteKind.ROW
    site.general = not (
        (plan.cfa_is_sp or plan.cfa_is_fp)
        and plan.ra_is_slot
        and (plan.fp_is_slot or plan.fp_is_retained)
    )
    site.cfa_is_fp = plan.cfa_is_fp
    site.fp_is_slot = plan.fp_is_slot
    site.cfa_offset, site.ra_offset, site.fp_offset = (
        rule.offset & _MASK for rule in (cfa, ra, fp)
    )
    site.cfa_base = _BASES[cfa.base.name]
    site.cfa_register, site.cfa_deref = cfa.reg or 0, cfa.deref
    site.ra_base, site.fp_base = _BASES[ra.base.name], _BASES[fp.base.name]
    site.ra_register, site.ra_deref = ra.reg or 0, ra.deref
    site.fp_register, site.fp_deref = fp.reg or 0, fp.deref


assert len(VERDICTS) <= CODES
