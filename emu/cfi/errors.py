"""The one exception of this package."""


class CfiError(Exception):
    """Call frame information that cannot be read or written.

    `line` is the source line of a directive that GNU as would reject (0: none); `place` says
    where in a section the fault is, as `.eh_frame+0x1c`.
    """

    def __init__(self, reason: str, line: int = 0, *, place: str = "") -> None:
        super().__init__(reason, line, place)
        self.reason = reason
        self.line = line
        self.place = place

    def __str__(self) -> str:
        if self.line:
            return f"line {self.line}: {self.reason}"
        return f"{self.place}: {self.reason}" if self.place else self.reason
