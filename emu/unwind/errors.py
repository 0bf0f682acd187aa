"""The errno values the modelled kernel code returns (kernel behaviour: 0, 11)."""

from dataclasses import dataclass
from enum import IntEnum


class Errno(IntEnum):
    """Linux numbers, whatever the host is; results carry them negated."""

    ENOENT = 2
    ENOMEM = 12
    EFAULT = 14
    EBUSY = 16
    EEXIST = 17
    EINVAL = 22
    ENOSYS = 38


@dataclass(frozen=True, slots=True)
class LookupFailure:
    """Why an address has no rules: the errno of `sframe_find` and one short sentence.

    A value, not an exception: the consumer goes on with the next method.
    """

    errno: Errno
    reason: str

    def __str__(self) -> str:
        return f"{self.errno.name}: {self.reason}"


class RejectedError(Exception):
    """Inside the decoder only: ends a decode with `failure`; never leaves the package."""

    def __init__(self, errno: Errno, reason: str) -> None:
        super().__init__(reason)
        self.failure = LookupFailure(errno, reason)
