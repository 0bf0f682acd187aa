"""The one exception of this package."""


class AsmError(Exception):
    """What is wrong with a case file, and where.

    `str(error)` is `FILE:LINE: reason`, one line. `line` counts from 1; 0 means the file as a
    whole.
    """

    def __init__(self, reason: str, line: int = 0, file: str = "<source>") -> None:
        super().__init__(reason, line, file)
        self.reason = reason
        self.line = line
        self.file = file

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.reason}"

    def at(self, line: int, file: str) -> "AsmError":
        """The same error with the place filled in where it was not known before."""
        return AsmError(self.reason, self.line or line, file)
