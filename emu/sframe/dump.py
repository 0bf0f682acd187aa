"""The text `readelf --sframe` (GNU binutils 2.47) prints for a section.

The layout is readelf's, oddities included: a dereferenced rule on the CFA looks like one that is
not. V1, which 2.47 refuses, is shown as readelf 2.40 did. `equations=True` shows the rules as they
are instead of readelf's three columns.
"""

from collections.abc import Iterable, Iterator

from emu.sframe.constants import Abi, Flag, PcType, Version
from emu.sframe.error import SFrameError
from emu.sframe.fde import ADDRESS_MASK, Attributes, Fde
from emu.sframe.fre import Row
from emu.sframe.header import Header
from emu.sframe.section import Section
from emu.sframe.words import (
    cfa_offset,
    controlled_rule,
    signed,
)

_COLUMNS = f"{'CFA':<10}{'FP':<10}{'RA':<13}"


def dump(
    section: Section,
    name: str = ".sframe",
    fdes: Iterable[Fde] | None = None,
    *,
    equations: bool = False,
) -> Iterator[str]:
    """The lines of the dump without their newlines: all functions, or only `fdes`.

    Raises `SFrameError` on the way where bytes cannot be decoded.
    """
    yield f"Contents of the SFrame section {name}:"
    yield from header_lines(section.header)
    yield ""
    yield "  Function Index :"
    for fde in section.fdes if fdes is None else fdes:
        yield ""
        yield from function_lines(section, fde, equations=equations)


def header_lines(header: Header) -> Iterator[str]:
    """The part above the function index."""
    yield "  Header :"
    yield ""
    yield f"    Version: SFRAME_VERSION_{header.version:d}"
    *names, last = flag_names(header)
    label = "    Flags: "
    for name in names:
        yield f"{label}{name},"
        label = " " * len(label)
    yield label + last
    if header.fixed_fp_offset and header.version > Version.V1:
        yield f"    CFA fixed FP offset: {header.fixed_fp_offset}"
    if header.fixed_ra_offset and header.version > Version.V1:
        yield f"    CFA fixed RA offset: {header.fixed_ra_offset}"
    yield f"    Num FDEs: {signed(header.num_fdes, 4)}"
    yield f"    Num FREs: {signed(header.num_fres, 4)}"


def flag_names(header: Header) -> list[str]:
    """Names of the flags that are set; bits without a name in this version as one number."""
    known = [Flag.FDE_SORTED, Flag.FDE_FUNC_START_PCREL]
    if header.version < Version.V3:
        known.insert(1, Flag.FRAME_POINTER)
    names = [f"SFRAME_F_{flag.name}" for flag in known if header.flags & flag]
    unknown = header.flags & ~sum(known)
    if unknown:
        names.append(str(unknown))
    return names or ["NONE"]


def function_lines(section: Section, fde: Fde, *, equations: bool = False) -> Iterator[str]:
    """The lines of one function: what it is, the column names, its rows."""
    attributes = fde.attributes
    mask = attributes.pc_type is PcType.MASK
    title = f"    func idx [{fde.index}]: pc = {fde.start:#x}, size = {signed(fde.size, 4)} bytes"
    if letters := attribute_letters(section, attributes):
        title += f', attr = "{letters}"'
    if section.abi.is_aarch64 and attributes.pauth_b_key:
        title += ", pauth = B key"
    yield title
    yield f"    STARTPC{'[m]' if mask else '':<8} {'RULES' if equations else _COLUMNS}"
    base = 0 if mask else fde.start
    for row in fde.rows:
        start = f"    {row.start + base & ADDRESS_MASK:016x}"
        if equations:
            yield f"{start}  {row.rules.text(section.abi)}"
        elif not row.words:
            yield f"{start}  RA undefined"
        else:
            cfa, fp, ra = row_columns(section, attributes, row)
            yield f"{start}  {cfa:<10}{fp:<10}{ra:<13}"


def attribute_letters(section: Section, attributes: Attributes) -> str:
    """`S` for a signal frame, `F` for a flexible FDE; only V3 has either."""
    if section.version < Version.V3:
        return ""
    return ("S" if attributes.signal else "") + ("F" if attributes.flexible else "")


def row_columns(section: Section, attributes: Attributes, row: Row) -> tuple[str, str, str]:
    """CFA, FP and RA of a row with data words, as readelf writes them."""
    if attributes.flexible:
        cfa, fp, ra = _flexible_columns(section, row)
    else:
        # FDE types without a meaning, too.
        cfa, fp, ra = _default_columns(section, row)
    return cfa, fp, ra + ("[s]" if row.body.mangled else "   ")


def _default_columns(section: Section, row: Row) -> tuple[str, str, str]:
    header = section.header
    offsets = [signed(word, row.word_size) for word in row.words]
    cfa = _printed_cfa_offset(section.abi, offsets.pop(0))
    fp = ra = "u"
    if header.fixed_ra_offset:
        ra = "f" if header.version > Version.V1 else "u"
    elif offsets:
        offset = offsets.pop(0)
        ra = _slot(section, offset) if offset else "U"
    if header.fixed_fp_offset:
        fp = f"c{header.fixed_fp_offset:+d}"
    elif offsets:
        fp = _slot(section, offsets.pop(0))
    return f"{'sp' if row.body.sp_based else 'fp'}+{cfa}", fp, ra


def _slot(section: Section, offset: int) -> str:
    if section.abi is Abi.S390X and section.version < Version.V3 and offset & 1:
        return f"r{offset >> 1}"
    return f"c{offset:+d}"


def _flexible_columns(section: Section, row: Row) -> tuple[str, str, str]:
    words = iter(row.words)
    columns = []
    for control in words:
        if control == 0:
            columns.append("")
            continue
        offset = next(words, None)
        if offset is None:
            raise SFrameError(f"control word {control:#x} without its offset", row.offset)
        value = signed(offset, row.word_size)
        if not columns:
            value = _printed_cfa_offset(section.abi, value)
        columns.append(_entity(section, control, value))
    cfa, ra, fp = (*columns, None, None)[:3]
    fixed_fp = section.header.fixed_fp_offset
    if fp == "" and fixed_fp:
        # Only where a padding word says so: without any word readelf shows FP as unchanged.
        fp = f"c{fixed_fp:+d}"
    if ra is None:
        ra = "f" if section.header.fixed_ra_offset else "u"
    return cfa or "u", fp or "u", ra or "U"


def _entity(section: Section, control: int, offset: int) -> str:
    rule = controlled_rule(control, offset)
    if rule.base is None:
        return f"c{offset:+d}"
    abi = section.abi
    name = {abi.sp: "sp", abi.fp: "fp"}.get(rule.base, f"r{rule.base}")
    return f"({name}{offset:+d})" if rule.deref else f"{name}{offset:+d}"


def _printed_cfa_offset(abi: Abi, word: int) -> int:
    # readelf keeps it in 32 bits, which the scaled offsets of s390x can leave.
    return signed(cfa_offset(abi, word) & 0xFFFFFFFF, 4)
