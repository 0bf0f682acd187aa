"""Guests for the tests of the machine: C compiled by the system's gcc, native and emulated."""

import hashlib
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from emu.machine import Image, Outcome, Process

Compile = Callable[..., Path]
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/", "LC_ALL": "C"}


@pytest.fixture(scope="session")
def compile_guest(tmp_path_factory: pytest.TempPathFactory) -> Compile:
    """`compile_guest(source, *flags)`: the path of a program, static unless the flags say more.

    `language` is `c` or `c++`.
    """
    if shutil.which("gcc") is None:
        pytest.skip("no gcc")
    directory = tmp_path_factory.mktemp("guests")

    def build(source: str, *flags: str, kind: str = "-static", language: str = "c") -> Path:
        compiler = {"c": "gcc", "c++": "g++"}[language]
        if shutil.which(compiler) is None:
            pytest.skip(f"no {compiler}")
        command = [compiler, "-w", "-pthread", kind, *(flags or ("-O1",))]
        command += ["-x", language, "-", "-x", "none", "-lm"]
        name = hashlib.sha256(repr((source, command)).encode()).hexdigest()[:16]
        program = directory / name
        if not program.exists():
            subprocess.run([*command, "-o", program], input=source.encode(), check=True)
        return program

    return build


@dataclass(frozen=True)
class Finished:
    """An emulated run and what it wrote."""

    outcome: Outcome
    output: bytes
    errors: bytes
    process: Process


def emulate(
    program: Path,
    *arguments: str,
    stdin: Any = b"",
    env: Mapping[str, str] = ENVIRONMENT,
    argv: Sequence[str] | None = None,
    max_instructions: int | None = 200_000_000,
    on_instruction: Any = None,
    **options: Any,
) -> Finished:
    """Run a program under the emulator to its end."""
    output, errors = bytearray(), bytearray()
    process = Process(
        Image.from_file(program),
        argv or [str(program), *arguments],
        env,
        stdin=stdin,
        stdout=output.extend,
        stderr=errors.extend,
        **options,
    )
    outcome = process.run(on_instruction, max_instructions)
    return Finished(outcome, bytes(output), bytes(errors), process)


@pytest.fixture(name="emulate", scope="session")
def emulate_fixture() -> Callable[..., Finished]:
    """The function `emulate`."""
    return emulate


@pytest.fixture(scope="session")
def same_as_native() -> Callable[..., Finished]:
    """Run natively and emulated; output and exit status must agree. Gives the emulated run."""

    def run(program: Path, *arguments: str, stdin: bytes = b"", **options: Any) -> Finished:
        native = subprocess.run(
            [program, *arguments], input=stdin, env=ENVIRONMENT, capture_output=True, check=False
        )
        finished = emulate(program, *arguments, stdin=stdin, directory=str(Path.cwd()), **options)
        assert finished.output == native.stdout, finished.outcome
        assert finished.errors == native.stderr, finished.outcome
        assert finished.outcome.exit_code == native.returncode, finished.outcome
        return finished

    return run
