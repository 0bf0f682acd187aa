"""Signals by number and by name."""

from enum import IntEnum

SIGNALS = 64
"""The highest number."""


class Signal(IntEnum):
    """The standard signals of Linux on x86-64."""

    SIGHUP = 1
    SIGINT = 2
    SIGQUIT = 3
    SIGILL = 4
    SIGTRAP = 5
    SIGABRT = 6
    SIGBUS = 7
    SIGFPE = 8
    SIGKILL = 9
    SIGUSR1 = 10
    SIGSEGV = 11
    SIGUSR2 = 12
    SIGPIPE = 13
    SIGALRM = 14
    SIGTERM = 15
    SIGSTKFLT = 16
    SIGCHLD = 17
    SIGCONT = 18
    SIGSTOP = 19
    SIGTSTP = 20
    SIGTTIN = 21
    SIGTTOU = 22
    SIGURG = 23
    SIGXCPU = 24
    SIGXFSZ = 25
    SIGVTALRM = 26
    SIGPROF = 27
    SIGWINCH = 28
    SIGIO = 29
    SIGPWR = 30
    SIGSYS = 31


def signal_name(number: int) -> str:
    """SIGSEGV, or SIGRTMIN+3 for a real-time signal."""
    return Signal(number).name if number <= Signal.SIGSYS else f"SIGRTMIN+{number - 32}"


def signal_number(name: str) -> int:
    """The inverse of `signal_name`."""
    return Signal[name] if name in Signal.__members__ else 32 + int(name.partition("+")[2])
