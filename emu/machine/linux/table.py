"""All system calls there are, by number."""

from emu.machine.linux import (
    attributes,
    changes,
    children,
    clone,
    counters,
    descriptor_calls,
    epoll,
    files,
    futex,
    groups,
    identity,
    memory_calls,
    pipes,
    refusals,
    scheduling,
    signal_descriptor,
    signals,
    sockets,
    time_calls,
    timers,
    transfer,
)
from emu.machine.linux.kernel import Handler

SUBJECTS = (
    transfer,
    descriptor_calls,
    files,
    changes,
    attributes,
    memory_calls,
    signals,
    scheduling,
    futex,
    clone,
    children,
    time_calls,
    timers,
    identity,
    groups,
    refusals,
    pipes,
    counters,
    epoll,
    signal_descriptor,
    sockets,
)

HANDLERS: dict[int, Handler] = {
    number: handler for subject in SUBJECTS for number, handler in subject.CALLS.items()
}
