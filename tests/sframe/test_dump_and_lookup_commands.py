"""`emu dump` and `emu lookup` on a file built in memory."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from emu.cli.main import main
from emu.sframe import UNDEFINED, Function, PcType, Rules, Section, dump, write_section

ROWS = [
    (0, Rules.parse("CFA = rsp+8, RA = *(CFA-8)")),
    (1, Rules.parse("CFA = rsp+16, RA = *(CFA-8), FP = *(CFA-16)")),
]
DATA = write_section(
    [
        Function(start=0x401000, size=16, rows=ROWS),
        Function(start=0x401010, size=8, rows=[(0, UNDEFINED)]),
        Function(start=0x401020, size=64, rows=ROWS, pc_type=PcType.MASK, rep_size=16),
        Function(start=0x401080, size=4, signal=True),
        Function(start=0x401090, size=4, rows=[(2, ROWS[0][1])]),
    ],
    address=0x402000,
)


@pytest.fixture
def file(elf: Callable[..., bytes], tmp_path: Path) -> str:
    path = tmp_path / "prog"
    symbols = [("main", 0x401000, 2), ("_start", 0x401010, 0)]
    path.write_bytes(elf(DATA, symbols=symbols))
    return str(path)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(arguments)
    output, errors = capsys.readouterr()
    return status, output, errors


def test_dump_is_the_text(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = "\n".join(dump(Section(DATA, 0x402000))) + "\n"
    assert run(capsys, "dump", file) == (0, text, "")


def test_dump_of_standard_input(
    file: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    named = run(capsys, "dump", file)
    stream = io.TextIOWrapper(io.BytesIO(Path(file).read_bytes()))
    monkeypatch.setattr(sys, "stdin", stream)
    assert run(capsys, "dump", "-") == named


@pytest.mark.parametrize(
    "selection",
    [("--function", "main"), ("--address", "0x401001"), ("--address", str(0x40100F))],
)
def test_selected_function_as_equations(
    file: str, capsys: pytest.CaptureFixture[str], selection: tuple[str, str]
) -> None:
    status, output, _ = run(capsys, "dump", file, "--equations", *selection)
    assert status == 0
    assert output.split("  Function Index :\n\n")[1] == (
        "    func idx [0]: pc = 0x401000, size = 16 bytes\n"
        "    STARTPC         RULES\n"
        "    0000000000401000  CFA = rsp+8, RA = *(CFA-8)\n"
        "    0000000000401001  CFA = rsp+16, RA = *(CFA-8), FP = *(CFA-16)\n"
    )


def test_json_has_the_same_content(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, output, _ = run(capsys, "dump", file, "--json")
    assert status == 0
    found = json.loads(output)
    assert (found["version"], found["abi"], found["address"]) == (3, "AMD64", "0x402000")
    assert found["flags"] == ["SFRAME_F_FDE_SORTED", "SFRAME_F_FDE_FUNC_START_PCREL"]
    assert (found["num_fdes"], found["num_fres"], found["size"]) == (5, 6, len(DATA))
    functions = found["functions"]
    assert [f["function"] for f in functions] == ["main", "_start", None, None, None]
    assert [f["pc"] for f in functions[:2]] == ["0x401000", "0x401010"]
    assert functions[0]["rows"][1] == {
        "start": 1,
        "pc": "0x401001",
        "undefined": False,
        "cfa": {"base": "rsp", "offset": 16, "deref": False},
        "ra": {"base": "CFA", "offset": -8, "deref": True},
        "fp": {"base": "CFA", "offset": -16, "deref": True},
        "mangled": False,
        "equations": "CFA = rsp+16, RA = *(CFA-8), FP = *(CFA-16)",
    }
    assert functions[1]["rows"][0]["undefined"] is True
    assert (functions[2]["pc_type"], functions[2]["rep_size"]) == ("MASK", 16)
    assert functions[3]["signal"] is True


def test_json_of_one_function(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, output, _ = run(capsys, "dump", file, "--json", "--function", "_start")
    (function,) = json.loads(output)["functions"]
    assert function["index"] == 1


LOOKUPS = {
    "0x401000": (0, "CFA = rsp+8, RA = *(CFA-8)", "FDE 0 main: 0x401000 to 0x401010", "row 0 of 2"),
    "0x40100f": (0, "CFA = rsp+16, RA = *(CFA-8), FP = *(CFA-16)", "= 0xf", "row 1 of 2"),
    "0x401010": (0, "RA undefined", "FDE 1 _start", "row 0 of 1"),
    "0x401050": (0, "CFA = rsp+8, RA = *(CFA-8)", "0x30 mod 0x10 = 0x0", "row 0 of 2"),
    "0x401081": (1, "no row: a signal frame without rows", "INC, default, signal", "0 rows"),
    "0x401090": (1, "no row: the first row", "FDE 4", "1 rows, the first at 0x2"),
    "0x401018": (1, "no FDE contains this address", "below it: FDE 1", "above it: FDE 2"),
}


@pytest.mark.parametrize("address", LOOKUPS)
def test_lookup_says_why(file: str, capsys: pytest.CaptureFixture[str], address: str) -> None:
    expected_status, *parts = LOOKUPS[address]
    status, output, errors = run(capsys, "lookup", file, address)
    assert (status, errors) == (expected_status, "")
    assert output.startswith(f"{address}: ")
    for part in parts:
        assert part in output


def test_lookup_points_at_the_bytes(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, output, _ = run(capsys, "lookup", file, "0x401001")
    place = int(output.rsplit("(file ", 1)[1].removesuffix(")\n"), 16)
    assert Path(file).read_bytes()[place : place + 4] == bytes.fromhex("01 05 10 f0")
    assert "01 05 10 f0 at offset" in output


def test_lookup_of_several_fails_if_one_does(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, output, _ = run(capsys, "lookup", file, "0x401000", "0x1", "0x401010")
    assert status == 1
    assert output.count("\n0x") == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("dump", "{dir}"), "{dir}: Is a directory"),
        (("dump", "{dir}/none"), "{dir}/none: No such file or directory"),
        (("dump", "/dev/zero"), "/dev/zero: not an ELF file"),
        (("dump", "{file}", "--function", "nope"), "{file}: no FDE for a function 'nope'"),
        (("dump", "{file}", "--address", "0x1"), "{file}: no FDE contains 0x1"),
        (("dump", "{file}", "--address", "main"), "'main' is no address"),
        (("dump", "{file}", "--address", "1", "--function", "main"), "--function and --address"),
        (("lookup", "{file}", "-1"), "'-1' is no address"),
        (("lookup", "{file}", "0x10000000000000000"), "'0x10000000000000000' is no address"),
    ],
)
def test_bad_use_is_one_line_and_status_2(
    file: str,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    message: str,
) -> None:
    directory = str(Path(file).parent)
    filled = [word.format(file=file, dir=directory) for word in arguments]
    status, output, errors = run(capsys, *filled)
    assert (status, output) == (2, "")
    assert errors.startswith("emu: " + message.format(file=file, dir=directory))
    assert errors.count("\n") == 1


def test_a_broken_section_names_the_file_and_the_place(
    elf: Callable[..., bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "broken"
    path.write_bytes(elf(DATA[:12] + b"\xff" + DATA[13:]))
    assert run(capsys, "dump", str(path)) == (
        2,
        "",
        f"emu: {path}: offset 0xc: 255 FREs in {len(DATA) - 28 - 80} bytes\n",
    )
