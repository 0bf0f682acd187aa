"""What a debug line calls the file of a section (kernel behaviour: 4.1)."""

from emu.unwind.protocols import Vma

_QUOTED = frozenset('\f\n\r\t\v\a\x1b\\"')


def section_filename(vma: Vma | None) -> str:
    """Name of a section whose start is in `vma`; `vma` is None if that mapping is gone."""
    if vma is None:
        return "(vma gone???)"
    if vma.path is not None:
        return "".join(f"\\x{ord(char):02x}" if char in _QUOTED else char for char in vma.path)
    if vma.name is not None:
        return vma.name
    return "(anonymous)" if vma.has_mm else "(vdso)"
