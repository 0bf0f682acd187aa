"""Faults of one function: attribute block, rows, words. Kernel behaviour: 6.2, 7."""

from collections.abc import Iterator
from dataclasses import dataclass

from emu.sframe.constants import Abi, FdeType, FreType, PcType
from emu.sframe.error import SFrameError
from emu.sframe.fde import Attributes, Fde
from emu.sframe.fre import Row
from emu.sframe.lint.finding import Effect, Finding
from emu.sframe.lint.reach import Reach
from emu.sframe.lint.words import word_faults
from emu.sframe.section import Section

_SMALLEST_ROW = 2
_REMOVES = "and the kernel removes the section"
_UNREACHED = "no lookup reaches it"


def decodable_rows(section: Section, fde: Fde) -> int:
    """How many rows of a function the FRE sub-section has room for, at most."""
    try:
        attributes = fde.attributes
    except SFrameError:
        return 0
    room = section.header.fres_end - attributes.rows_offset
    return min(attributes.num_fres, room // _SMALLEST_ROW)


@dataclass(frozen=True, slots=True)
class FunctionLint:
    """Checks one function of `section`; `name` is how findings call it.

    Rows are checked if no more than `most_rows` can be decoded.
    """

    section: Section
    fde: Fde
    name: str
    reach: Reach
    most_rows: int

    def findings(self) -> Iterator[Finding]:
        """Everything wrong with the function, in the order of its bytes."""
        fde = self.fde
        try:
            attributes = fde.attributes
        except SFrameError as error:
            yield self._dropped_entry(fde.offset, error.reason, "EFAULT")
            return
        yield from self._attributes(attributes)
        if decodable_rows(self.section, fde) <= self.most_rows:
            yield from self._rows(attributes)
        else:
            yield self._finding(
                Effect.WRONG,
                attributes.offset,
                f"{attributes.num_fres} rows, more than the section has bytes for",
                "functions share rows; the rows of this one were not checked",
            )

    def _attributes(self, at: Attributes) -> Iterator[Finding]:
        size = self.fde.size
        if at.pc_type is PcType.MASK and not at.rep_size:
            yield self._dropped_entry(at.offset + 4, "PC type MASK with repetition size 0")
        if at.num_fres > size:
            yield self._dropped_entry(at.offset, f"{at.num_fres} rows for {size} bytes of code")
        seen = self.reach.size > 0
        if not at.num_fres:
            signal = " (signal frame)" if at.signal else ""
            yield self._dropped(at.offset, f"a function without rows{signal}", seen)
        if at.fre_type > FreType.ADDR4 and at.num_fres:
            yield self._dropped(at.offset + 2, f"FRE type {at.fre_type}", seen)
        reserved = (("info", 2, at.info & 0x40), ("info2", 3, at.info2 & 0xE0))
        for what, offset, bits in reserved:
            if bits:
                yield self._finding(
                    Effect.HARMLESS,
                    at.offset + offset,
                    f"reserved bits {bits:#x} in {what}",
                    "consumers ignore them",
                )
        if at.pc_type is PcType.INC and at.rep_size:
            yield self._finding(
                Effect.HARMLESS,
                at.offset + 4,
                f"repetition size {at.rep_size} with PC type INC",
                "consumers ignore it",
            )
        if at.pauth_b_key and not self.section.abi.is_aarch64:
            yield self._finding(
                Effect.HARMLESS,
                at.offset + 2,
                "pointer-authentication key B outside AArch64",
                "consumers ignore it",
            )

    def _rows(self, at: Attributes) -> Iterator[Finding]:
        limit = at.rep_size if at.pc_type is PcType.MASK else self.fde.size
        what = "block" if at.pc_type is PcType.MASK else "function"
        reach = min(self.reach.size, limit)
        before: Row | None = None
        rows = self.fde.iter_rows()
        while True:
            # A lookup decodes rows up to the first one that starts above its address.
            seen = reach > (0 if before is None else before.start)
            try:
                row = next(rows, None)
            except SFrameError as error:
                if at.fre_type <= FreType.ADDR4:
                    yield self._dropped(error.offset or 0, error.reason, seen)
                return
            if row is None:
                return
            if before is None and row.start:
                yield self._dropped(
                    row.offset, f"the first row starts at {row.start:#x}", reach > 0
                )
            if row.start >= limit:
                yield self._dropped(
                    row.offset, f"row at {row.start:#x}, the {what} has {limit:#x} bytes", seen
                )
            elif before is not None and row.start <= before.start:
                yield self._dropped(
                    row.offset, f"row at {row.start:#x} behind the row at {before.start:#x}", seen
                )
            yield from self._words(at, row, row.start < reach)
            before = row

    def _words(self, at: Attributes, row: Row, seen: bool) -> Iterator[Finding]:
        if row.words and at.fde_type > FdeType.FLEXIBLE:
            yield self._dropped(row.offset, f"FDE type {at.fde_type} with data words", seen)
            return
        for fault in word_faults(self.section.convention, at.flexible, row):
            yield self._finding(
                fault.effect if seen else Effect.HARMLESS,
                row.offset,
                fault.what,
                fault.consequence if seen else _UNREACHED,
            )
        if self._plt_got_counts_a_push(row):
            yield self._finding(
                Effect.WRONG,
                row.offset,
                "CFA = rsp+16 at the start of a .plt.got stub, where nothing was pushed",
                "a walk from inside the stub skips its caller; rsp+8 would be right",
            )

    def _plt_got_counts_a_push(self, row: Row) -> bool:
        if self.section.abi is not Abi.AMD64 or self.name.split(" ")[0] != ".plt.got":
            return False
        cfa = None if isinstance(row.body.outcome, SFrameError) else row.body.outcome.cfa
        return cfa is not None and (cfa.base, cfa.offset, cfa.deref) == (Abi.AMD64.sp, 16, False)

    def _finding(self, effect: Effect, offset: int, what: str, consequence: str) -> Finding:
        return Finding(effect, offset, self.name, what, consequence)

    def _dropped(self, offset: int, what: str, seen: bool) -> Finding:
        return self._finding(
            Effect.DROPPED if seen else Effect.HARMLESS,
            offset,
            what,
            f"a lookup in the function that reaches it fails {_REMOVES}" if seen else _UNREACHED,
        )

    def _dropped_entry(self, offset: int, what: str, errno: str = "EINVAL") -> Finding:
        seen = self.reach.entry
        return self._finding(
            Effect.DROPPED if seen else Effect.HARMLESS,
            offset,
            what,
            f"a search that ends at the function, or in the gap after it, fails with {errno}"
            f" {_REMOVES}"
            if seen
            else _UNREACHED,
        )
