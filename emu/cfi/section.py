"""Procedures to the functions of an SFrame section."""

from collections.abc import Iterator, Sequence

from emu.cfi.instructions import Procedure
from emu.cfi.rows import translate
from emu.sframe import FdeType, Function


def functions(procedures: Sequence[Procedure]) -> Iterator[Function]:
    """What `emu.sframe.write_section` takes, one for each procedure that has an FDE."""
    for procedure in procedures:
        translation = translate(procedure)
        if translation.emitted(procedure):
            yield Function(
                start=procedure.start,
                size=procedure.size,
                rows=translation.rows,
                fde_type=FdeType.FLEXIBLE if translation.flexible else FdeType.DEFAULT,
                signal=procedure.signal,
            )


def dropped(procedures: Sequence[Procedure]) -> Iterator[tuple[Procedure, str]]:
    """Procedures that cannot be expressed, with the reason in GNU as's words.

    Those marked as signal frames are among them, although their FDE stays, without rows.
    """
    for procedure in procedures:
        reason = translate(procedure).dropped
        if reason is not None:
            yield procedure, reason
