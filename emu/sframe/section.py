"""A .sframe section: header, functions, lookup.

SFrame specification, 'SFrame Section'. Opening decodes the header only; everything else is decoded
from the bytes when it is asked for.
"""

from pathlib import Path

from emu.sframe.constants import HEADER_SIZE, Abi, Version
from emu.sframe.elf import BytesLike, Elf
from emu.sframe.fde import FdeIndex, Match
from emu.sframe.fre import FreReader
from emu.sframe.header import Header, read_header
from emu.sframe.locate import locate
from emu.sframe.words import Convention


class Section:
    """SFrame bytes and the address they are loaded at.

    `data` may be longer than the section; its length is what the header says. `file_offset` is
    where the section begins in the file it came from (0 for bare bytes). With `machine`,
    the ABI byte and the number of FREs may be anything, as for an unwinder of that machine. Raises
    `SFrameError` if the header is wrong or does not fit the bytes; what is wrong further in raises
    when reached.
    """

    def __init__(
        self,
        data: BytesLike,
        address: int = 0,
        *,
        file_offset: int = 0,
        machine: Abi | None = None,
    ) -> None:
        view = memoryview(data).cast("B").toreadonly()
        self.header: Header = read_header(view, machine=machine)
        self.data: memoryview = view[: self.header.length]
        self.address = address
        self.file_offset = file_offset
        header = self.header
        self.convention = Convention(
            header.abi, header.fixed_fp_offset, header.fixed_ra_offset, header.version
        )
        fres = FreReader(
            self.data, header.fres_start, header.fres_end, header.byte_order, self.convention
        )
        self.fdes = FdeIndex(self.data, header, address, fres)

    @classmethod
    def from_elf(cls, file: str | Path | BytesLike | Elf) -> "Section":
        """The section of an ELF64 file, given by path, as its bytes or opened.

        The section of type SHT_GNU_SFRAME or named .sframe, else PT_GNU_SFRAME. Raises
        `SFrameError` if there is none or the file is no ELF64 of a machine with SFrame.
        """
        found = locate(file)
        return cls(found.data, found.address, file_offset=found.file_offset)

    @property
    def abi(self) -> Abi:
        return self.header.abi

    @property
    def version(self) -> Version:
        return self.header.version

    @property
    def auxiliary_header(self) -> bytes:
        """The bytes between header and FDE index that the header accounts for."""
        return bytes(self.data[HEADER_SIZE : self.header.size])

    def lookup(self, pc: int) -> Match | None:
        """The function and row that apply at `pc`; None if no function contains it.

        The document's semantics: last function at or below, last row at or below. Raises
        `SFrameError` for bytes on the way that cannot be decoded.
        """
        fde = self.fdes.find(pc)
        if fde is None:
            return None
        return fde.match(pc)
