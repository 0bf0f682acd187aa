"""`--clock-start`: when the guest's clock begins."""

import os
import shutil
import subprocess
import sys
import time
from argparse import ArgumentTypeError
from pathlib import Path

import pytest

from emu.cli.clock_start import moment
from emu.machine.linux.clock import START

GUEST = r"""
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
int main(int argc, char **argv) {
    struct stat s;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    stat(argv[0], &s);
    printf("%ld %s\n", now.tv_sec, s.st_mtim.tv_sec > now.tv_sec ? "ahead" : "past");
}
"""


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-01-01", START / 1e9),
        ("1970-01-01T00:00:01.5", 1.5),
        ("2000-01-01T00:00:00+01:00", 946_681_200),
        ("2000-01-01T00:00:00Z", 946_684_800),
        ("@12.25", 12.25),
        ("@0", 0),
    ],
)
def test_moments(text: str, seconds: float) -> None:
    assert moment(text) == seconds * 1e9


def test_now() -> None:
    before = time.time_ns()
    assert before <= moment("now") <= time.time_ns()


@pytest.mark.parametrize(
    "text", ["", "@", "then", "2026-13-01", "@-1", "@1e30", "@nan", "9999-01-01"]
)
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises((ValueError, ArgumentTypeError)):
        moment(text)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("gcc") is None:
        pytest.skip("no gcc")
    path = tmp_path_factory.mktemp("clock") / "guest"
    command = ["gcc", "-static", "-O1", "-x", "c", "-", "-o", path]
    subprocess.run(command, input=GUEST.encode(), check=True)
    return path


def check(program: Path, *options: str) -> str:
    command = [sys.executable, "-m", "emu", "check", str(program), "--output", os.devnull, *options]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_the_guest_begins_then(program: Path) -> None:
    """By default at the same time always; with `now`, no file is newer than the guest's clock."""
    assert check(program).split()[0] == str(START // 1_000_000_000)
    assert check(program, "--clock-start", "@1000").split() == ["1000", "ahead"]
    seconds, order = check(program, "--clock-start", "now").split()
    assert abs(int(seconds) - time.time()) < 600
    assert order == "past"


def test_a_bad_time_is_a_usage_error(program: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as error:
        check(program, "--clock-start", "soon")
    assert error.value.returncode == 2
    assert "--clock-start" in error.value.stderr
