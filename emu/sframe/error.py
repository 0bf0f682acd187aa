"""The one exception of this package."""


class SFrameError(Exception):
    """Bytes, rules or a file that cannot be SFrame, with the place and the reason.

    `offset` counts bytes from the start of the section (for errors of the ELF container: from the
    start of the file); None when the fault is not at a byte, as in rules that no row can hold.
    """

    def __init__(self, reason: str, offset: int | None = None) -> None:
        self.reason = reason
        self.offset = offset
        super().__init__(reason if offset is None else f"offset {offset:#x}: {reason}")
