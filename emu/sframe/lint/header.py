"""Faults of the header. Kernel behaviour: 2; SFrame specification, 'SFrame Header'."""

from collections.abc import Iterator

from emu.sframe.constants import HEADER_SIZE, Abi, Flag, Version
from emu.sframe.lint.finding import Effect, Finding
from emu.sframe.section import Section

_UNSUPPORTED = "the kernel does not register it (EINVAL, bad/unsupported sframe header)"
_DEFINED_FLAGS = Flag.FDE_SORTED | Flag.FDE_FUNC_START_PCREL


def header_findings(section: Section, *, linked: bool = True) -> Iterator[Finding]:
    """What is wrong in the header alone; objects that are not `linked` are not sorted yet."""
    header = section.header

    def finding(effect: Effect, offset: int, what: str, consequence: str) -> Finding:
        return Finding(effect, offset, None, what, consequence)

    if header.version is not Version.V3:
        yield finding(Effect.REFUSED, 2, f"version {header.version:d}, not 3", _UNSUPPORTED)
    if linked and not header.is_sorted:
        yield finding(Effect.REFUSED, 3, "SFRAME_F_FDE_SORTED is not set", _UNSUPPORTED)
    if not header.is_pcrel:
        yield finding(Effect.REFUSED, 3, "SFRAME_F_FDE_FUNC_START_PCREL is not set", _UNSUPPORTED)
    unknown = header.flags & ~_DEFINED_FLAGS & 0xFF
    if unknown and header.version is Version.V3:
        yield finding(
            Effect.HARMLESS,
            3,
            f"flag bits {unknown:#x} are not defined in V3",
            "the kernel ignores them; libsframe, and with it readelf, refuses the section",
        )
    if header.auxiliary_length:
        yield finding(
            Effect.REFUSED,
            7,
            f"auxiliary header of {header.auxiliary_length} bytes",
            _UNSUPPORTED,
        )
    for offset, count, what in ((8, header.num_fdes, "FDEs"), (12, header.num_fres, "FREs")):
        if not count:
            yield finding(
                Effect.REFUSED,
                offset,
                f"no {what}",
                "the kernel does not register it (EINVAL, no FDE/FRE entries)",
            )
    if header.length == HEADER_SIZE:
        yield finding(
            Effect.REFUSED,
            0,
            "nothing but a header",
            "the kernel does not register it (EINVAL, header doesn't fit in section)",
        )
    if header.abi.byte_order != header.byte_order:
        yield finding(
            Effect.WRONG,
            4,
            f"{header.byte_order}-endian bytes for the {header.abi.byte_order}-endian"
            f" ABI {header.abi.name}",
            "consumers go by the magic or by the ABI, and differ",
        )
    if header.abi is Abi.AMD64 and header.fixed_ra_offset != -8:
        yield finding(
            Effect.WRONG,
            6,
            f"fixed RA offset {header.fixed_ra_offset}, not -8",
            "the return address of every default row is looked for elsewhere",
        )


def count_findings(section: Section, rows: int) -> Iterator[Finding]:
    """Whether the header's number of FREs is that of the functions, `rows` in all."""
    declared = section.header.num_fres
    if rows != declared:
        yield Finding(
            Effect.HARMLESS,
            12,
            None,
            f"the header counts {declared} FREs, the functions {rows}",
            "the kernel ignores the number; libsframe, and with it readelf, refuses the section",
        )
