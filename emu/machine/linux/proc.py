"""/proc: what processes are told about themselves, each other and the machine."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping

from emu.machine.linux.descriptors import MAX_DESCRIPTORS
from emu.machine.linux.fixed_facts import HOST_NAME, PARENT_ID, RELEASE, UID
from emu.machine.linux.kernel import Kernel
from emu.machine.linux.limits import INFINITY
from emu.machine.linux.paths import Entry
from emu.machine.linux.signal_frame import SIG_IGN
from emu.machine.linux.system import MAX_PROCESSES, MAX_THREADS, System
from emu.machine.linux.thread import Thread

VERSION = f"Linux version {RELEASE} (emu) #1 SMP PREEMPT_DYNAMIC emu\n"
_SECOND, _TICK = 1_000_000_000, 10_000_000
_FLAGS = (
    "fpu de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2"
    " syscall nx lm nopl cpuid pni ssse3 cx16 sse4_1 sse4_2 popcnt lahf_lm"
)
_PROCESS = re.compile(r"/proc/(\d+)(?:/task/(\d+))?(?:/(.*))?")

Text = Callable[[], bytes]


class ProcFiles:
    """Everything below /proc, as one process of a run finds it."""

    def __init__(self, system: System, asking: Kernel) -> None:
        self._system = system
        self._asking = asking
        self._machine: dict[str, Text] = {
            "cpuinfo": _cpuinfo,
            "filesystems": lambda: b"nodev\tproc\nnodev\toverlay\n",
            "loadavg": lambda: b"0.00 0.00 0.00 1/1 1000\n",
            "meminfo": self._meminfo,
            "stat": self._stat,
            "sys/fs/file-max": f"{MAX_DESCRIPTORS}\n".encode,
            "sys/fs/pipe-max-size": lambda: b"65536\n",
            "sys/kernel/hostname": f"{HOST_NAME}\n".encode,
            "sys/kernel/osrelease": f"{RELEASE}\n".encode,
            "sys/kernel/ostype": lambda: b"Linux\n",
            "sys/kernel/pid_max": lambda: b"32768\n",
            "sys/kernel/threads-max": f"{MAX_THREADS}\n".encode,
            "sys/vm/overcommit_memory": lambda: b"0\n",
            "uptime": self._uptime,
            "version": VERSION.encode,
        }

    def find(self, path: str) -> tuple[bool, Entry]:
        """Whether there is something at a canonical path below /proc, and what."""
        asking = self._asking
        links = {
            "/proc/self": str(asking.pid),
            "/proc/thread-self": f"{asking.pid}/task/{asking.current.tid}",
            "/proc/mounts": "self/mounts",
        }
        if path in links:
            return True, links[path]
        name = path.removeprefix("/proc").removeprefix("/")
        if name in self._machine:
            return True, self._machine[name]
        if not name or any(known.startswith(f"{name}/") for known in self._machine):
            return True, None
        return self._in_process(path)

    def names(self, path: str) -> list[str]:
        """The entries of a directory there."""
        name = path.removeprefix("/proc").removeprefix("/")
        prefix = f"{name}/" if name else ""
        found = {
            known.removeprefix(prefix).partition("/")[0]
            for known in self._machine
            if known.startswith(prefix)
        }
        if not name:
            running = (str(kernel.pid) for kernel in self._system.processes.values())
            return sorted({*found, "self", "thread-self", "mounts", *running})
        match = _PROCESS.fullmatch(path)
        if match is None:
            return sorted(found)
        kernel = self._system.processes.get(int(match[1]))
        if kernel is None:
            return []
        if match[3] == "task":
            return [str(thread.tid) for thread in kernel.threads]
        if match[3] in ("fd", "fdinfo"):
            return [str(number) for number in kernel.descriptors.numbers()]
        thread = _thread(kernel, match[2])
        if thread is None or match[3]:
            return []
        return sorted({*_texts(kernel, thread), *_links(kernel), "fd", "task"})

    def _in_process(self, path: str) -> tuple[bool, Entry]:
        match = _PROCESS.fullmatch(path)
        kernel = self._system.processes.get(int(match[1])) if match else None
        if match is None or kernel is None:
            return False, None
        thread, name = _thread(kernel, match[2]), match[3]
        if thread is None:
            return False, None
        if not name or name in ("fd", "task"):
            return True, None
        if name in (links := _links(kernel)):
            return True, links[name]
        if name in (texts := _texts(kernel, thread)):
            return True, texts[name]
        number = name.removeprefix("fd/")
        if number != name and number.isdecimal() and int(number) in kernel.descriptors.numbers():
            return True, kernel.descriptors[int(number)].path
        return False, None

    def _uptime(self) -> bytes:
        return f"{self._system.clock.uptime() / _SECOND:.2f} 0.00\n".encode()

    def _meminfo(self) -> bytes:
        kernels = list(self._system.processes.values())
        total = kernels[0].memory.limit >> 10
        free = max(0, total - (sum(kernel.memory.accessible for kernel in kernels) >> 10))
        sizes = {"MemTotal": total, "MemFree": free, "MemAvailable": free, "Buffers": 0,
                 "Cached": 0, "SwapTotal": 0, "SwapFree": 0}  # fmt: skip
        return "".join(f"{name + ':':<16}{size:>8} kB\n" for name, size in sizes.items()).encode()

    def _stat(self) -> bytes:
        ticks = sum(kernel.cpu_time for kernel in self._system.processes.values()) // _TICK
        idle = max(0, self._system.clock.uptime() // _TICK - ticks)
        line = f"{ticks} 0 0 {idle} 0 0 0 0 0 0"
        booted = (self._system.clock.now() - self._system.clock.uptime()) // _SECOND
        running = len(self._system.schedule.threads)
        return (
            f"cpu  {line}\ncpu0 {line}\nintr 0\nctxt 0\nbtime {booted}\n"
            f"processes {running}\nprocs_running 1\nprocs_blocked 0\n"
        ).encode()


def _cpuinfo() -> bytes:
    return (
        "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 26\n"
        "model name\t: emulated x86-64-v2\nstepping\t: 3\ncpu MHz\t\t: 1000.000\n"
        "physical id\t: 0\nsiblings\t: 1\ncore id\t\t: 0\ncpu cores\t: 1\nfpu\t\t: yes\n"
        f"cpuid level\t: 4\nflags\t\t: {_FLAGS}\nbogomips\t: 2000.00\nclflush size\t: 64\n"
        "cache_alignment\t: 64\naddress sizes\t: 40 bits physical, 48 bits virtual\n\n"
    ).encode()


def _thread(kernel: Kernel, number: str | None) -> Thread | None:
    """The thread of that number, the first one without a number; None if there is none."""
    threads = kernel.threads or [kernel.current]
    if number is None:
        return threads[0]
    return next((thread for thread in threads if thread.tid == int(number)), None)


def _links(kernel: Kernel) -> Mapping[str, str]:
    return {"cwd": kernel.directory, "exe": kernel.program.path, "root": "/"}


def _texts(kernel: Kernel, thread: Thread) -> Mapping[str, Text]:
    return {
        "cmdline": lambda: kernel.program.command_line,
        "comm": lambda: os.fsencode(f"{thread.name}\n"),
        "environ": lambda: kernel.program.environment,
        "limits": lambda: _limits(kernel),
        "maps": lambda: _maps(kernel),
        "mounts": lambda: b"overlay / overlay rw 0 0\nproc /proc proc rw 0 0\n",
        "oom_score_adj": lambda: b"0\n",
        "stat": lambda: _process_stat(kernel, thread),
        "statm": lambda: _statm(kernel),
        "status": lambda: _status(kernel, thread),
    }


def _state(kernel: Kernel, thread: Thread) -> str:
    if kernel.status is not None:
        return "Z"
    return "S" if thread.wait is not None else "R"


def _parent(kernel: Kernel) -> int:
    return PARENT_ID if kernel.parent is None else kernel.parent.pid


def _resident(kernel: Kernel) -> int:
    """Bytes of memory that are there."""
    return kernel.memory.accessible


def _process_stat(kernel: Kernel, thread: Thread) -> bytes:
    number = kernel.pid if thread.tid == kernel.pid else thread.tid
    ticks = kernel.cpu_time // _TICK
    size = sum(mapping.end - mapping.start for mapping in kernel.memory)
    before = [
        number, f"({thread.name})", _state(kernel, thread), _parent(kernel), kernel.group,
        kernel.session, 0, -1, 0x400000, 0, 0, 0, 0, ticks, 0, 0, 0, 20 + kernel.nice, kernel.nice,
        len(kernel.threads) or 1, 0,
        (kernel.clock.uptime() - kernel.clock.elapsed) // _TICK, size, _resident(kernel) >> 12,
        (1 << 64) - 1,
    ]  # fmt: skip
    after = [0] * 13 + [17, 0, 0, 0, 0, 0, 0] + [0] * 7
    return os.fsencode(" ".join(str(field) for field in (*before, *after)) + "\n")


def _statm(kernel: Kernel) -> bytes:
    size = sum(mapping.end - mapping.start for mapping in kernel.memory) >> 12
    return f"{size} {_resident(kernel) >> 12} 0 0 0 0 0\n".encode()


def _status(kernel: Kernel, thread: Thread) -> bytes:
    size = sum(mapping.end - mapping.start for mapping in kernel.memory) >> 10
    stack = kernel.machine.stack_limit >> 10
    state = {"R": "R (running)", "S": "S (sleeping)", "Z": "Z (zombie)"}[_state(kernel, thread)]
    ignored = sum(1 << n - 1 for n, action in kernel.actions.items() if action.handler == SIG_IGN)
    caught = sum(1 << n - 1 for n, action in kernel.actions.items() if action.handler > SIG_IGN)
    pending = sum(1 << number - 1 for number in thread.pending)
    shared = sum(1 << number - 1 for number in kernel.pending)
    ids = f"{UID}\t{UID}\t{UID}\t{UID}"
    lines = {
        "Name": thread.name, "Umask": f"{kernel.umask:04o}", "State": state, "Tgid": kernel.pid,
        "Ngid": 0, "Pid": thread.tid, "PPid": _parent(kernel), "TracerPid": 0, "Uid": ids,
        "Gid": ids, "FDSize": 256, "Groups": UID, "VmPeak": f"{size:8} kB",
        "VmSize": f"{size:8} kB", "VmRSS": f"{_resident(kernel) >> 10:8} kB",
        "VmStk": f"{stack:8} kB", "Threads": len(kernel.threads) or 1,
        "SigQ": f"0/{MAX_PROCESSES}", "SigPnd": f"{pending:016x}", "ShdPnd": f"{shared:016x}",
        "SigBlk": f"{thread.blocked:016x}", "SigIgn": f"{ignored:016x}",
        "SigCgt": f"{caught:016x}", "Seccomp": 0, "Cpus_allowed": 1, "Cpus_allowed_list": 0,
    }  # fmt: skip
    text = "".join(f"{name}:\t{value}\n" for name, value in lines.items())
    return os.fsencode(text)


def _limits(kernel: Kernel) -> bytes:
    resources = {
        "Max cpu time": (0, "seconds"), "Max file size": (1, "bytes"),
        "Max data size": (2, "bytes"), "Max stack size": (3, "bytes"),
        "Max core file size": (4, "bytes"), "Max resident set": (5, "bytes"),
        "Max processes": (6, "processes"), "Max open files": (7, "files"),
        "Max locked memory": (8, "bytes"), "Max address space": (9, "bytes"),
        "Max file locks": (10, "locks"), "Max pending signals": (11, "signals"),
        "Max msgqueue size": (12, "bytes"), "Max nice priority": (13, ""),
        "Max realtime priority": (14, ""), "Max realtime timeout": (15, "us"),
    }  # fmt: skip
    lines = [f"{'Limit':<26}{'Soft Limit':<21}{'Hard Limit':<21}Units"]
    for name, (number, unit) in resources.items():
        limit = kernel.limits[number]
        soft, hard = (
            "unlimited" if value == INFINITY else str(value) for value in (limit.soft, limit.hard)
        )
        lines.append(f"{name:<26}{soft:<21}{hard:<21}{unit}")
    return ("\n".join(lines) + "\n").encode()


def _maps(kernel: Kernel) -> bytes:
    lines = []
    for mapping in kernel.memory:
        flag = "s" if mapping.shared else "p"
        inode = 1 if mapping.name.startswith("/") else 0
        line = (
            f"{mapping.start:08x}-{mapping.end:08x} {mapping.protection}{flag} "
            f"{mapping.file_offset:08x} 00:00 {inode} "
        )
        lines.append(f"{line:<73}{mapping.name}".rstrip() + "\n")
    return os.fsencode("".join(lines))
