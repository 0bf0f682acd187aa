"""From a section that was read back to what the writer takes."""

from collections.abc import Sequence

from emu.sframe.constants import FreType, Version
from emu.sframe.error import SFrameError
from emu.sframe.fde import Fde
from emu.sframe.section import Section
from emu.sframe.writer import Function, RawRow, write_section


def function_of(fde: Fde, *, raw: bool = False) -> Function:
    """The function `fde` describes, to be written again.

    The writer is left to choose FDE type and word sizes, and the FRE type is told because the
    linker does not choose it by the size of a PLT entry. With `raw` rows and info bytes are
    those found. Raises `SFrameError` for what cannot be decoded.
    """
    at = fde.attributes
    known = {int(fre_type) for fre_type in FreType}
    return Function(
        start=fde.start,
        size=fde.size,
        rows=tuple(
            RawRow(row.start, row.body.encoded) if raw else (row.start, row.rules)
            for row in fde.rows
        ),
        pc_type=at.pc_type,
        rep_size=at.rep_size,
        signal=at.signal,
        pauth_b_key=at.pauth_b_key,
        # A function without rows may have any.
        fre_type=FreType(at.fre_type) if at.fre_type in known else None,
        info=at.info if raw else None,
        info2=at.info2 if raw else None,
    )


def rewrite(section: Section, *, raw: bool = False) -> bytes:
    """`section` decoded and written again: the same bytes for what GNU as or ld wrote.

    Only V3. Raises `SFrameError` for what cannot be decoded.
    """
    if section.version is not Version.V3:
        raise SFrameError(f"version {section.version:d} is read only, not written", 2)
    fdes: Sequence[Fde] = section.fdes
    by_data = sorted(range(len(fdes)), key=lambda i: fdes[i].data_offset)
    place = {index: position for position, index in enumerate(by_data)}
    header = section.header
    return write_section(
        [function_of(fdes[i], raw=raw) for i in by_data],
        address=section.address,
        abi=header.abi,
        fixed_fp_offset=header.fixed_fp_offset,
        fixed_ra_offset=header.fixed_ra_offset,
        sort=header.is_sorted,
        index_order=[place[i] for i in range(len(fdes))],
        pcrel=header.is_pcrel,
        auxiliary=section.auxiliary_header,
        flags=header.flags,
        gap_before_fdes=header.fde_offset,
        gap_before_fres=header.fres_start - header.fdes_end,
    )
