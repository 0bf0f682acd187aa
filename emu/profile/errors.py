"""The exception of this package."""


class ProfileError(ValueError):
    """Options that cannot be followed; the message is one line and says why."""
