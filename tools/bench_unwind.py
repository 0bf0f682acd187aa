#!/usr/bin/env python3
"""Nanoseconds per frame of our walks, beside libunwind and glibc on the same stack.

    python tools/bench_unwind.py [--runs N] [--depth N] [--json FILE]

A small library of nested functions, built here with gcc, calls itself DEPTH frames deep. At the
bottom it copies its stack and times libunwind's unw_backtrace (libunwind.so.8, Debian package
libunwind8) and glibc's backtrace; the compiled walk of emu.check and the Python walk of emu.unwind
go over the copy with SFrame rows for the same code. All must return the same addresses. A loop in
C follows frame pointers, on a stack of as many frames that all have one. Each run measures all of
them in turn, in processor time of the thread; figures are medians of the runs. Exit status 2
without gcc.
"""

import argparse
import ctypes
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from emu.check.fast.walker import CompiledWalk
from emu.sframe import Function, Rule, Rules, write_section
from emu.unwind import RegionMemory, RegisterFile, SectionStore, Vma, VmaList, unwind_user

COMPILED = "emu.check, compiled walk"
FUNCTIONS = 64
SIZE = 64
"""Bytes from one function to the next."""
DEPTH = 256
SP, FP = 7, 6

PUSHING = """
        .p2align 6
nest_{number}:
        .cfi_startproc
        pushq %rbp
        .cfi_def_cfa_offset 16
        .cfi_offset %rbp, -16
        movq %rsp, %rbp
        .cfi_def_cfa_register %rbp
        decq %rdi
        jle 1f
        call nest_{following}
        jmp 2f
1:      movq %rdx, %rdi
        call *%rsi
2:      popq %rbp
        .cfi_def_cfa %rsp, 8
        ret
        .cfi_endproc
"""
SUBTRACTING = """
        .p2align 6
nest_{number}:
        .cfi_startproc
        subq $24, %rsp
        .cfi_def_cfa_offset 32
        decq %rdi
        jle 1f
        call nest_{following}
        jmp 2f
1:      movq %rdx, %rdi
        call *%rsi
2:      addq $24, %rsp
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
"""
Kind = tuple[str, dict[int, tuple[int, int]]]
FRAMES: tuple[Kind, Kind] = (
    (PUSHING, {1: (SP, 16), 4: (FP, 16)}),
    (SUBTRACTING, {4: (SP, 32)}),
)
"""Both kinds of function: source, and at which offsets the CFA's rule becomes which."""

SOURCE = r"""
#include <stdint.h>
#include <string.h>
#include <time.h>

struct request {
    int (*walk)(void **, int);
    int limit, loops, found;
    uint64_t nanoseconds, ip, sp, fp, base, copied;
    void **addresses;
    char *copy;
};

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * 1000000000ull + time.tv_nsec;
}

int measure(struct request *request)
{
    uint64_t *frame = __builtin_frame_address(0);
    request->fp = frame[0];
    request->ip = frame[1];
    request->sp = (uint64_t)(frame + 2);
    request->copied = request->base - request->sp;
    memcpy(request->copy, frame + 2, request->copied);
    request->found = request->walk(request->addresses, request->limit);
    uint64_t start = now();
    for (int loop = 0; loop < request->loops; loop++)
        request->walk(request->addresses, request->limit);
    request->nanoseconds = now() - start;
    return 0;
}

/* To be called below `measure`, with at most the frames between it and `descend`. */
int frame_pointers(void **addresses, int limit)
{
    uint64_t *frame = __builtin_frame_address(0);
    int found = 0;
    while (found < limit) {
        addresses[found++] = (void *)frame[1];
        frame = (uint64_t *)frame[0];
    }
    return found;
}

extern int nest_0(long depth, int (*bottom)(struct request *), struct request *request);

int descend(long depth, struct request *request)
{
    request->base = (uint64_t)__builtin_frame_address(0);
    return nest_0(depth, measure, request);
}
"""


class BenchError(Exception):
    """Nothing can be measured here; the message says why."""


class Request(ctypes.Structure):
    """`struct request` of the source above."""

    _fields_ = (
        ("walk", ctypes.c_void_p),
        ("limit", ctypes.c_int),
        ("loops", ctypes.c_int),
        ("found", ctypes.c_int),
        ("nanoseconds", ctypes.c_uint64),
        ("ip", ctypes.c_uint64),
        ("sp", ctypes.c_uint64),
        ("fp", ctypes.c_uint64),
        ("base", ctypes.c_uint64),
        ("copied", ctypes.c_uint64),
        ("addresses", ctypes.c_void_p),
        ("copy", ctypes.c_void_p),
    )


@dataclass(frozen=True)
class Figure:
    """Nanoseconds per frame of one unwinder, one number for each run."""

    name: str
    per_frame: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.per_frame)


def build(directory: Path, frames: Sequence[Kind]) -> ctypes.CDLL:
    """The library of nested functions, of these kinds in turn."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise BenchError("gcc is not installed: there is no stack to measure on")
    assembly = (
        '        .text\n        .globl nest_0\n        .section .note.GNU-stack,"",@progbits\n'
    )
    assembly += "        .text\n"
    for number in range(FUNCTIONS):
        source = frames[number % len(frames)][0]
        assembly += source.format(number=number, following=(number + 1) % FUNCTIONS)
    (directory / "nest.s").write_text(assembly)
    (directory / "measure.c").write_text(SOURCE)
    library = directory / "nest.so"
    command = [compiler, "-O2", "-fno-omit-frame-pointer", "-fPIC", "-shared", "-o", str(library)]
    done = subprocess.run(
        [*command, str(directory / "measure.c"), str(directory / "nest.s")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise BenchError(f"gcc cannot build the stack to measure on: {done.stderr.strip()[:300]}")
    return ctypes.CDLL(str(library))


def section(code: int, at: int) -> bytes:
    """SFrame rows for the nested functions loaded at `code`, for a section at `at`.

    Epilogues are left out: no frame of the stack is in one.
    """
    functions = []
    for number in range(FUNCTIONS):
        _source, changes = FRAMES[number % len(FRAMES)]
        saved = Rule(None, -16, deref=True) if number % len(FRAMES) == 0 else None
        rows = [(0, Rules(Rule(SP, 8), Rule(None, -8, deref=True)))]
        for offset, (base, value) in changes.items():
            rows.append((offset, Rules(Rule(base, value), Rule(None, -8, deref=True), saved)))
        functions.append(Function(start=code + SIZE * number, size=SIZE, rows=rows))
    return write_section(functions, address=at)


@dataclass(frozen=True)
class Stack:
    """A copied stack and the registers above it."""

    ip: int
    sp: int
    fp: int
    content: bytes

    @property
    def registers(self) -> RegisterFile:
        return RegisterFile(self.ip, [0] * 6 + [self.fp, self.sp] + [0] * 8)


class Nest:
    """The nested functions, and what has been taken from their stack."""

    def __init__(self, library: ctypes.CDLL, depth: int) -> None:
        self.library = library
        self.depth = depth
        self.code = address_of(library.nest_0)
        self._addresses = (ctypes.c_void_p * (depth + 8))()
        self._copy = ctypes.create_string_buffer(64 * (depth + 8))

    def native(self, walk: int, loops: int) -> tuple[float, list[int], Stack]:
        """ns per frame, addresses of the nested frames, and their stack."""
        request = Request(
            walk=walk, limit=self.depth + 1, loops=loops,
            addresses=ctypes.addressof(self._addresses), copy=ctypes.addressof(self._copy),
        )  # fmt: skip
        self.library.descend(ctypes.c_long(self.depth), ctypes.byref(request))
        addresses = [address or 0 for address in self._addresses[: request.found]]
        # What comes first, in the unwinder and in `measure`, differs from one to the next.
        nested = [address for address in addresses if self.within(address)]
        frames = request.found * loops
        stack = Stack(request.ip, request.sp, request.fp, self._copy.raw[: request.copied])
        return request.nanoseconds / frames, nested, stack

    def within(self, address: int) -> bool:
        return self.code <= address < self.code + SIZE * FUNCTIONS

    def store(self, stack: Stack, *, warm: bool) -> tuple[SectionStore, RegionMemory]:
        """The section, registered, and the memory with section and stack."""
        at = (self.code + SIZE * FUNCTIONS + 0xFFFF) & ~0xFFFF
        data = section(self.code, at)
        end = self.code + SIZE * FUNCTIONS
        vmas = [Vma(self.code, end, executable=True), Vma(at, at + len(data), executable=False)]
        memory = RegionMemory([(at, data), (stack.sp, stack.content)])
        store = SectionStore(memory, VmaList(vmas), stable=warm)
        added = store.add(at, at + len(data), self.code, end)
        if added:
            raise BenchError(f"the section was not registered: {added}, {store.log.drain()}")
        return store, memory

    def compiled(self, stack: Stack, loops: int) -> tuple[float, list[int]]:
        """ns per frame of the compiled walk, and the addresses it found."""
        store, _memory = self.store(stack, warm=True)
        host = ctypes.create_string_buffer(stack.content, len(stack.content))
        text = (self.code, self.code + SIZE * FUNCTIONS)
        readable = (stack.sp, stack.sp + len(host), ctypes.addressof(host))
        walk = CompiledWalk(store, [text], [readable])
        walk.walk(stack.registers, self.depth)
        started = time.thread_time_ns()
        walked = walk.walk(stack.registers, self.depth, times=loops)
        elapsed = time.thread_time_ns() - started
        addresses = [int(ip) for ip in walked.frames[:, 0]]
        return elapsed / (loops * len(addresses)), addresses

    def python(self, stack: Stack, loops: int, *, warm: bool) -> tuple[float, list[int]]:
        """ns per frame of the Python walk, and the addresses it found."""
        store, memory = self.store(stack, warm=warm)
        registers = stack.registers
        trace = unwind_user(store, memory, registers, self.depth)
        started = time.thread_time_ns()
        for _ in range(loops):
            unwind_user(store, memory, registers, self.depth)
        elapsed = time.thread_time_ns() - started
        return elapsed / (loops * len(trace.ips)), list(trace.ips)


def address_of(function: Callable[..., object]) -> int:
    """Where a function of a library is."""
    address = ctypes.cast(function, ctypes.c_void_p).value  # type: ignore[arg-type]  # ctypes takes its function pointers
    assert address is not None
    return address


def native_walks() -> tuple[list[tuple[str, int]], list[str]]:
    """The unwinders of this machine, and one line for each that is not there."""
    found, missing = [], []
    try:
        libunwind = ctypes.CDLL("libunwind.so.8")
        found.append(("libunwind, unw_backtrace", address_of(libunwind.unw_backtrace)))
    except (OSError, AttributeError):
        missing.append("libunwind.so.8 is not installed (Debian: libunwind8): not measured")
    try:
        found.append(("glibc, backtrace", address_of(ctypes.CDLL(None).backtrace)))
    except AttributeError:
        missing.append("this C library has no backtrace(): not measured")
    return found, missing


def figures(runs: int = 5, depth: int = DEPTH) -> list[Figure]:
    """The Python walk first, then whatever else this machine has; BenchError without gcc."""
    with tempfile.TemporaryDirectory() as directory:
        nest = Nest(build(Path(directory), FRAMES), depth)
        (Path(directory) / "framed").mkdir()
        framed = Nest(build(Path(directory) / "framed", FRAMES[:1]), depth)
        chain = address_of(framed.library.frame_pointers)
        walks, _missing = native_walks()
        results: dict[str, list[float]] = {}
        stack = None
        for _ in range(runs):
            expected: Sequence[int] | None = None
            cost, addresses, _ = framed.native(chain, loops=2000)
            results.setdefault("frame pointers, in C", []).append(cost)
            if len(addresses) != depth:
                raise BenchError("the chain of frame pointers is not the stack's")
            for name, walk in walks:
                cost, addresses, stack = nest.native(walk, loops=200)
                results.setdefault(name, []).append(cost)
                compare(name, addresses[: depth - 8], expected)
                expected = addresses[: depth - 8]
            if stack is None:
                raise BenchError("neither libunwind nor backtrace() is there to compare with")
            cost, addresses = nest.compiled(stack, loops=2000)
            results.setdefault(COMPILED, []).append(cost)
            compare(COMPILED, addresses[: depth - 8], expected)
            for name, warm, loops in (
                ("emu.unwind, warm section", True, 20),
                ("emu.unwind, every row decoded anew", False, 2),
            ):
                cost, addresses = nest.python(stack, loops, warm=warm)
                results.setdefault(name, []).append(cost)
                compare(name, addresses[: depth - 8], expected)
    ordered = sorted(results, key=lambda name: not name.startswith("emu"))
    return [Figure(name, tuple(results[name])) for name in ordered]


def compare(name: str, addresses: Sequence[int], expected: Sequence[int] | None) -> None:
    """All unwinders are on the same stack, or the figures mean nothing."""
    if len(addresses) < 8 or (expected is not None and list(addresses) != list(expected)):
        raise BenchError(f"{name} does not find the frames of the others")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--depth", type=int, default=DEPTH)
    parser.add_argument("--json", metavar="FILE", type=Path)
    options = parser.parse_args(arguments)
    if options.runs < 1 or not 16 <= options.depth <= 4000:
        parser.error("--runs is at least 1, --depth 16 to 4000")
    try:
        measured = figures(options.runs, options.depth)
    except BenchError as error:
        print(f"bench_unwind: {error}", file=sys.stderr)
        return 2
    python = f"{platform.python_implementation()} {platform.python_version()}"
    load = os.getloadavg()[0]
    print(f"{options.depth} frames; {python}, {os.cpu_count()} cores, load {load:.2f}")
    print(f"{'':36}{'ns/frame':>10}{'min':>10}{'max':>10}{'to the first':>14}")
    for figure in measured:
        ratio = figure.median / measured[0].median
        print(
            f"{figure.name:36}{figure.median:10,.1f}{min(figure.per_frame):10,.1f}"
            f"{max(figure.per_frame):10,.1f}{ratio:14.3g}"
        )
    for line in native_walks()[1]:
        print(line)
    if options.json:
        document = {
            figure.name: {"median": figure.median, "runs": figure.per_frame} for figure in measured
        }
        options.json.write_text(json.dumps(document, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
