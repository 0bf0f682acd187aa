"""Fixtures of the library's tests."""

import signal

import pytest

from emu.toolchain.pytest_fixture import toolchain, toolchain_with_gcc_16

__all__ = ["toolchain", "toolchain_with_gcc_16"]


@pytest.fixture(scope="session", autouse=True)
def _signals_of_the_foreground() -> None:
    """Tests send SIGINT and compare with native programs, which inherit what is ignored: a shell
    without job control starts commands in the background (`make test &`) with these two ignored.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGQUIT) is signal.SIG_IGN:
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)
