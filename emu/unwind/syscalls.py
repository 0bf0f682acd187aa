"""The two ways a process registers a section by itself (kernel behaviour: 3.4, 16).

Neither has a settled number, so the numbers are parameters.
"""

from dataclasses import dataclass
from enum import IntEnum

from emu.unwind.errors import Errno
from emu.unwind.store import SectionStore

_MASK = (1 << 64) - 1
_INT = (1 << 32) - 1
"""Both calls take their first argument as an int: the upper half of the register is ignored."""


@dataclass(frozen=True, slots=True)
class PrctlNumbers:
    """Option numbers of the debugging patch; 79 and 80 in its last known posting.

    Mainline has since given both to other options.
    """

    add: int = 79
    remove: int = 80


class StacktraceOperation(IntEnum):
    """First argument of `stacktrace_setup`."""

    REGISTER_SFRAME = 1
    UNREGISTER_SFRAME = 2


def prctl_sframe(
    store: SectionStore,
    option: int,
    arguments: tuple[int, int, int, int],
    *,
    numbers: PrctlNumbers | None = None,
    configured: bool = True,
) -> int | None:
    """Result of `prctl(option, *arguments)`; None if the option is neither of the two.

    Without the kernel option (`configured` false) both are ENOSYS.
    """
    numbers = PrctlNumbers() if numbers is None else numbers
    option &= _INT
    if option not in {numbers.add, numbers.remove}:
        return None
    if not configured:
        return -Errno.ENOSYS
    if option == numbers.add:
        return store.add(*arguments)
    sframe_start, *rest = arguments
    return -Errno.EINVAL if any(rest) else store.remove(sframe_start)


def stacktrace_setup(
    store: SectionStore, operation: int, address: tuple[int, int], text: tuple[int, int]
) -> int:
    """Result of the system call of the RFC; `address` and `text` are start and length.

    The sums may wrap, which registration then rejects. Removal ignores all but the start.
    """
    operation &= _INT
    if operation == StacktraceOperation.REGISTER_SFRAME:
        (start, length), (text_start, text_length) = address, text
        return store.add(
            start, (start + length) & _MASK, text_start, (text_start + text_length) & _MASK
        )
    if operation == StacktraceOperation.UNREGISTER_SFRAME:
        return store.remove(address[0])
    return -Errno.EINVAL
