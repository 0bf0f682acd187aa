"""Whatever a guest passes to a system call, it gets a number back and the host stays as it is."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emu.machine import Image, Process
from emu.machine.linux.numbers import NAMES, name_of
from emu.machine.linux.table import HANDLERS

PATHS = (b"/", b"file", b"/dir/inner", b"/dev/zero", b"/link", b"../..", b"new", b"")
EDGES = (
    0, 1, 2, 3, 4, 8, 16, 24, 64, 255, 4095, 4096, 1 << 16, 1 << 20, 1 << 31, (1 << 31) - 1,
    (1 << 32) - 1, 1 << 40, (1 << 47) - 4096, 1 << 47, 1 << 63, (1 << 63) - 1, (1 << 64) - 100,
    (1 << 64) - 4096, (1 << 64) - 1, 0x22, 0x32, 0x42, 0x241, 0x401000,
)  # fmt: skip
CALLS = 60


def test_arguments_never_break_the_emulator(
    compile_guest: Callable[..., Path], tmp_path: Path
) -> None:
    image = Image.from_file(compile_guest("int main(void) { return 0; }"))
    root = tmp_path / "root"
    (root / "dir").mkdir(parents=True)
    (root / "file").write_bytes(b"contents" * 1000)
    (root / "dir" / "inner").write_bytes(b"inner")
    (root / "link").symlink_to("dir/inner")
    pristine = tmp_path / "pristine"
    shutil.copytree(root, pristine, symlinks=True)

    @settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.integers(0, (1 << 32) - 1))
    def make_calls(seed: int) -> None:
        source = random.Random(seed)
        process = Process(image, stdout=lambda _data: None, stderr=lambda _data: None, root=root)
        stack = process.registers[7]
        strings = []
        for index, path in enumerate(PATHS):
            strings.append(stack - 4096 + 64 * index)
            process.memory.write(strings[-1], path + b"\0")
        values = (*EDGES, *strings, stack, stack - 64, process.kernel.break_start)
        for _ in range(CALLS):
            number = source.choice(list(HANDLERS))
            arguments = tuple(
                source.choice(values) if source.random() < 0.9 else source.getrandbits(64)
                for _ in range(6)
            )
            result = process.kernel.call(number, arguments)
            if result is None:
                wait = process.current.wait
                assert wait is not None, name_of(number)
                wait.ready()
                result = wait.interrupted()
                wait.leave()
            assert -4096 < result < 1 << 64, name_of(number)
        process.kernel.descriptors.close_all()

    make_calls()
    assert (root / "file").read_bytes() == (pristine / "file").read_bytes()
    assert sorted(p.name for p in root.rglob("*")) == sorted(p.name for p in pristine.rglob("*"))


def test_every_handler_has_a_name_and_the_numbers_are_those_of_the_kernel() -> None:
    assert set(HANDLERS) <= set(NAMES)
    known = {0: "read", 9: "mmap", 59: "execve", 231: "exit_group", 334: "rseq", 435: "clone3"}
    assert {number: NAMES[number] for number in known} == known


def test_an_unknown_system_call_is_refused_and_counted(compile_guest: Callable[..., Path]) -> None:
    source = """
    #include <stdio.h>
    #include <unistd.h>
    int main(void) { for (int i = 0; i < 3; i++) printf("%ld\\n", syscall(180)); }
    """
    output = bytearray()
    process = Process(Image.from_file(compile_guest(source)), stdout=output.extend)
    assert process.run().exit_code == 0
    assert output == b"-1\n" * 3
    call = process.system_calls["nfsservctl"]
    assert (call.count, call.unsupported) == (3, True)


def test_memory_is_bounded(compile_guest: Callable[..., Path]) -> None:
    source = """
    #include <stdio.h>
    #include <stdlib.h>
    #include <sys/mman.h>
    int main(void) {
        int blocks = 0;
        while (malloc(1 << 20)) blocks++;
        printf("%d\\n", blocks > 20 && blocks < 64);
        printf("%d\\n", mmap(0, 1L << 60, 3, 34, -1, 0) == MAP_FAILED);
        printf("%d\\n", mmap(0, 1L << 40, 0, 34, -1, 0) != MAP_FAILED);
    }
    """
    output = bytearray()
    process = Process(
        Image.from_file(compile_guest(source)), stdout=output.extend, memory_limit=64 << 20
    )
    assert process.run().exit_code == 0
    assert output == b"1\n1\n1\n"
