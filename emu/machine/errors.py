"""The exception of the package."""


class MachineError(Exception):
    """A program that cannot be loaded or started; one line that says which file and why."""
