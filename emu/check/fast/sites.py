"""Sites: what is the same for many addresses, and where the hook counts what it has seen before.

All that makes a finding or a gap the same one, module, function, row and verdict, is the same at
every address of a site. The first observation of each is made by the reference code; when it is
in the tally, the site's bit for that outcome is set and the hook counts the others itself.
"""

from __future__ import annotations

import ctypes
from collections.abc import Hashable
from dataclasses import dataclass

from emu.check.fast.layout import CODES, Base, Code, Site, SiteKind
from emu.check.finding import Key, Tally
from emu.check.repeat import row_of
from emu.check.tables import Place
from emu.check.verdict import Check, Field, Verdict
from emu.unwind import Frame, LookupFailure, SectionStore

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


class Sites:
    """The table of sites. Number 0 is none; sites are never removed."""

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self._table = (Site * 1024)()
        self._numbers: dict[Hashable, int] = {}
        self._origins: list[Origin | None] = [None]
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
            _describe(site, None if isinstance(found, LookupFailure) else found.frame, place.gap)
            _set_real(site, record is not None)
        return number

    def of_walk(self, found: Frame | LookupFailure, *, gap: bool) -> int:
        """The site of a walk's lookup; `gap` if its failure drops nothing."""
        frame = None if isinstance(found, LookupFailure) else found
        key = ("walk", frame, gap)
        number = self._numbers.get(key)
        if number is None:
            number = self._add(key, None)
            _describe(self._table[number], frame, gap)
        return number

    def row_of(self, number: int) -> Hashable:
        """The row of a site that stands for a frame's."""
        origin = self._origins[number]
        assert origin is not None, "frames have sites with places"
        return row_of(origin.place)

    def refresh(self, store: SectionStore) -> None:
        """The walks' store has other records than before."""
        for number, origin in enumerate(self._origins):
            site = self._table[number]
            if origin is not None:
                _set_real(site, store.record_for(origin.address) is not None)

    def learn(self, number: int, tally: Tally) -> None:
        """Set the site's bits for outcomes that `tally` has met."""
        origin = self._origins[number]
        if origin is None:
            return
        news = len(tally.findings) + len(tally.gaps)
        if news == self._learned[number]:
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
        for number, origin in enumerate(self._origins):
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

    def _met(self, place: Place, code: int, tally: Tally) -> bool:
        if code == Code.GAP:
            if _where(place) not in tally.gaps:
                return False
            if not self._strict:
                return True
        return all(key in tally.findings for key in _keys(place, code))

    def _add(self, key: Hashable, origin: Origin | None) -> int:
        number = len(self._origins)
        if number == len(self._table):
            larger = (Site * (2 * number))()
            ctypes.memmove(larger, self._table, ctypes.sizeof(self._table))
            self._table = larger
        self._numbers[key] = number
        self._origins.append(origin)
        self._learned.append(0)
        self._table[number].known = _ALWAYS
        return number


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
    site.plain = site.kind == SiteKind.ROW and site.real and not site.general


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
