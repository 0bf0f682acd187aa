"""How large a section is and of what it is made."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from emu.sframe.constants import PcType
from emu.sframe.elf import Elf
from emu.sframe.error import SFrameError
from emu.sframe.fde import Fde
from emu.sframe.section import Section


@dataclass(frozen=True, slots=True)
class Sizes:
    """Numbers of bytes and shares of a section; undecodable functions are left out.

    `code` is the number of bytes the functions cover, `eh_frame` the size of .eh_frame with
    .eh_frame_hdr (None if the file has none). The counters are by FDE type, PC type, FRE type
    and word size; `repeated` counts rows with the same rules as the row before.
    """

    section: int
    eh_frame: int | None
    code: int
    fdes: int
    rows: int
    flexible: int
    mask: int
    signal: int
    without_rows: int
    undefined: int
    repeated: int
    fre_types: tuple[int, int, int]
    word_sizes: tuple[int, int, int]

    def lines(self) -> list[str]:
        """The numbers as text, for a terminal."""
        fdes, rows = max(self.fdes, 1), max(self.rows, 1)
        found = [
            f"{self.section} bytes for {self.fdes} FDEs and {self.rows} rows:"
            f" {self.section / fdes:.1f} per FDE, {self.section / rows:.1f} per row,"
            f" {_share(self.section, self.code)} of the {self.code} bytes of code covered",
            "FDEs: " + ", ".join(
                f"{_share(count, self.fdes)} {what}"
                for count, what in (
                    (self.flexible, "flexible"),
                    (self.mask, "MASK"),
                    (self.signal, "signal"),
                    (self.without_rows, "without rows"),
                )
            ),
            "row starts: " + _by_width(self.fre_types, self.fdes) + " (of FDEs)",
            "words: " + _by_width(self.word_sizes, self.rows)
            + f" (of rows); {_share(self.undefined, self.rows)} undefined,"
            f" {_share(self.repeated, self.rows)} repeat the row before",
        ]  # fmt: skip
        if self.eh_frame is not None:
            found.append(
                f".eh_frame with .eh_frame_hdr: {self.eh_frame} bytes;"
                f" .sframe is {_share(self.section, self.eh_frame)} of it"
            )
        return found


def measure(section: Section, fdes: Iterable[Fde], elf: Elf | None = None) -> Sizes:
    """Count everything in one pass over the functions."""
    counts: Counter[str] = Counter()
    fre_types = [0, 0, 0]
    word_sizes = [0, 0, 0]
    for fde in fdes:
        try:
            at = fde.attributes
            rows = fde.rows
        except SFrameError:
            continue
        counts["fdes"] += 1
        counts["code"] += fde.size
        counts["rows"] += len(rows)
        counts["flexible"] += at.flexible
        counts["mask"] += at.pc_type is PcType.MASK
        counts["signal"] += at.signal
        counts["without_rows"] += not rows
        if rows:
            fre_types[at.fre_type] += 1
        before = None
        for row in rows:
            word_sizes[row.word_size >> 1] += 1
            counts["undefined"] += not row.words
            counts["repeated"] += row.body is before
            before = row.body
    return Sizes(
        section=section.header.length,
        eh_frame=_eh_frame_size(elf),
        code=counts["code"],
        fdes=counts["fdes"],
        rows=counts["rows"],
        flexible=counts["flexible"],
        mask=counts["mask"],
        signal=counts["signal"],
        without_rows=counts["without_rows"],
        undefined=counts["undefined"],
        repeated=counts["repeated"],
        fre_types=(fre_types[0], fre_types[1], fre_types[2]),
        word_sizes=(word_sizes[0], word_sizes[1], word_sizes[2]),
    )


def _eh_frame_size(elf: Elf | None) -> int | None:
    found = [
        section.size
        for section in (elf.sections if elf is not None else ())
        if section.name in {".eh_frame", ".eh_frame_hdr"}
    ]
    return sum(found) if found else None


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "0 %"


def _by_width(counts: tuple[int, int, int], whole: int) -> str:
    return ", ".join(
        f"{_share(count, whole)} {1 << code} bytes" for code, count in enumerate(counts)
    )
