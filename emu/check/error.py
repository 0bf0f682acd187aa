"""The one exception of the package."""


class CheckError(Exception):
    """The program cannot be checked as asked: one line saying what and where."""
