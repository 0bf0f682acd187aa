"""Check a real program, built by gcc with tables by GNU as and ld, and show the report."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from emu.toolchain.prebuilt import unpack_programs

PREBUILT = Path(__file__).resolve().parent.parent / "c_cases" / "prebuilt"
PROGRAM = "realignment-O2"
FINDINGS = 1
"""Exit status of a check that found something."""


def main() -> int:
    with tempfile.TemporaryDirectory() as directory:
        unpack_programs(PREBUILT, Path(directory))
        print(
            f"{PROGRAM}: c_cases/realignment.c, gcc -O2, static. One of its functions realigns"
            " its stack.\n\n$ emu check ./" + PROGRAM,
            flush=True,
        )
        command = [sys.executable, "-m", "emu", "check", f"./{PROGRAM}"]
        status = subprocess.run(command, cwd=directory, check=False).returncode
    if status != FINDINGS:
        print(f"exit status {status}, expected {FINDINGS}", file=sys.stderr)
        return 1
    print(
        "\nThe findings are real. Two instructions before `ret` the compiler's CFI, and so the row,"
        "\nstill looks for the caller's rbp at *(rbp+0), while rbp is the caller's again; and below"
        "\nthe top of the stack the kernel's unwinder may not use that row at all."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
