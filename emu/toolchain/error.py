"""The one exception of this package."""


class ToolchainError(Exception):
    """A tool is missing, too old or failed: one line saying which, and what to do about it."""
