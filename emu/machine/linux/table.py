"""All system calls there are, by number."""

from emu.machine.linux import (
    changes,
    files,
    identity,
    memory_calls,
    pipes,
    refusals,
    signals,
    threads,
    time_calls,
    transfer,
)
from emu.machine.linux.kernel import Handler

SUBJECTS = (
    transfer,
    files,
    changes,
    memory_calls,
    signals,
    threads,
    time_calls,
    identity,
    refusals,
    pipes,
)

HANDLERS: dict[int, Handler] = {
    number: handler for subject in SUBJECTS for number, handler in subject.CALLS.items()
}
