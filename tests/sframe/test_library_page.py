"""The examples of the library's page run."""

import re
from pathlib import Path

import pytest

from emu.toolchain import Toolchain

PAGE = Path(__file__).parents[2] / "docs" / "sframe-library.md"


def test_examples(
    toolchain: Toolchain,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source = tmp_path / "prog.c"
    source.write_text("int main(void) { return 0; }\n")
    toolchain.compile([source], tmp_path / "prog", flags=["-O0"])
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 5
    names: dict[str, object] = {}
    output = []
    for block in blocks:
        exec(compile(block, PAGE.name, "exec"), names)
        output.append(capsys.readouterr().out)
    assert "CFA = rsp+" in output[0]
    assert re.search(r"^0x[0-9a-f]+ INC \d+ 0x3 \(8,\)$", output[1], re.MULTILINE)
    assert "SFRAME_F_FDE_SORTED is not set\n    refused: " in output[3]
    assert "a function without rows\n    dropped: " in output[3]
    assert "CFA = rbp+16, RA = *(CFA-8), FP = *(CFA-16)" in output[4]
