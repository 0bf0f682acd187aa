"""The one exception of the command line."""


class UsageError(Exception):
    """Usage, unreadable or unsupported input: one line saying what and where, exit status 2."""
