"""Stubs of the linker are named after what they jump to."""

import shutil
import subprocess
from pathlib import Path

import pytest

from emu.machine import Image

SOURCE = '#include <stdio.h>\n#include <stdlib.h>\nint main(void) { puts("x"); return abs(-1); }\n'


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc to link a program")
@pytest.mark.parametrize(
    ("flags", "names"),
    [
        (["-pie", "-fPIE"], {"puts@plt", "__cxa_finalize@plt"}),
        (["-pie", "-fPIE", "-Wl,-z,lazy"], {"puts@plt", "__cxa_finalize@plt"}),
        (["-pie", "-fPIE", "-fcf-protection", "-Wl,-z,ibtplt"], {"puts@plt", "__cxa_finalize@plt"}),
        (["-no-pie", "-fno-pie"], {"puts@plt"}),
        (["-pie", "-fPIE", "-fno-plt"], {"__cxa_finalize@plt"}),
    ],
)
def test_names(tmp_path: Path, flags: list[str], names: set[str]) -> None:
    source = tmp_path / "program.c"
    source.write_text(SOURCE)
    program = tmp_path / "program"
    subprocess.run(["gcc", "-O1", *flags, str(source), "-o", str(program)], check=True)
    image = Image.from_file(program)
    stubs = {symbol.name: symbol for symbol in image.functions if symbol.name.endswith("@plt")}
    assert set(stubs) == names
    for symbol in stubs.values():
        assert image.symbol_at(symbol.start) == symbol
        assert image.symbol_at(symbol.end - 1) == symbol
