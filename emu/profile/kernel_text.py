"""Where the emulated kernel would be interrupted, by address and by name.

There is no kernel code behind a system call here. These addresses stand for the functions that
are on the kernel's stack at such a moment, so that callchains have the form perf gives them.
"""

from emu.profile.script import Location

DSO = "[kernel.kallsyms]"
_ENTRY = 0xFFFF_FFFF_8100_0000
_DO_SYSCALL = 0xFFFF_FFFF_8100_1000
_EXIT_WORK = 0xFFFF_FFFF_8100_2000
_NAMES = {
    _ENTRY: "entry_SYSCALL_64_after_hwframe",
    _DO_SYSCALL: "do_syscall_64",
    _EXIT_WORK: "syscall_exit_work",
}

IN_SYSTEM_CALL = (_DO_SYSCALL, _ENTRY)
"""A timer that expires while a system call is carried out, innermost first."""
AT_SYSTEM_CALL_EXIT = (_EXIT_WORK, _DO_SYSCALL, _ENTRY)
"""The tracepoint at the end of a system call."""


def kernel_location(address: int) -> Location:
    """What stands at an address of the kernel."""
    name = _NAMES.get(address)
    return Location(name, 0, DSO if name else None)
