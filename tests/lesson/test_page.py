"""The page as a file: what is in it, and that it asks for nothing else."""

import base64
import hashlib
import json
import re
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import pytest

from emu.asm import assemble
from emu.cli.main import main
from emu.lesson.explanation import Unwinder
from emu.lesson.page import case_lines, page
from emu.lesson.recording import Recording, record
from emu.machine import Image

ROOT = Path(__file__).parent.parent.parent
CASE = ROOT / "asm_cases" / "drap_topmost.s"


@pytest.fixture(scope="module")
def recording() -> Recording:
    return record(Image.from_bytes(assemble(CASE).elf, str(CASE)))


@pytest.fixture(scope="module")
def text(recording: Recording) -> str:
    return page(recording, source=CASE, lines=case_lines(CASE))


def data_of(text: str) -> dict[str, Any]:
    """The document that the page's script unpacks."""
    found = re.search(r'<script type="application/octet-stream" id="recording">(.*?)<', text)
    assert found is not None
    document: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(found[1])))
    return document


def at(pairs: list[int], step: int) -> int:
    """The value of a column of runs at a step."""
    since, value = 0, 0
    for distance, number in zip(pairs[::2], pairs[1::2], strict=True):
        since += distance
        if since > step:
            break
        value = number
    return value


def test_nothing_outside_is_named(text: str) -> None:
    without_data = re.sub(r'id="recording">.*?<', "", text)
    assert re.findall(r"https?:[^\s\"']+", without_data) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"<(img|iframe|object|embed|audio|video)\b", without_data)
    outside = r"<script[^>]*\ssrc=|<link[^>]*stylesheet|@import|url\((?!#)"
    assert not re.search(outside, without_data)
    for word in ("eval(", "new Function", "innerHTML", "document.write"):
        assert word not in without_data


def test_the_policy_allows_what_is_there_and_nothing_else(text: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    script = re.search(r"<script>(.*?)</script>", text, re.DOTALL)
    assert style is not None
    assert script is not None
    assert "default-src 'none'" in policy[1]
    assert "unsafe" not in policy[1]
    for found in (style, script):
        digest = base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy[1]
    assert not re.search(r"<[^>]*\s(style|on[a-z]+)=", text)


def test_columns_are_the_recording(recording: Recording, text: str) -> None:
    data = data_of(text)
    values = data["values"]
    assert data["count"] == len(recording)
    assert data["opening"] == recording.opening
    for step in range(len(recording)):
        registers = recording.registers_at(step)
        for number in range(17):
            wanted = registers.ip if number == 16 else registers[number]
            differences, numbers = data["registers"][number]
            since, value = 0, 0
            for difference, one in zip(differences, numbers, strict=True):
                since += difference
                if since > step:
                    break
                value = one
            assert int(values[value], 16) == wanted
        assert at(data["callAt"], step) == recording.call_at[step]
        for unwinder in Unwinder:
            walks = data["unwinders"][unwinder.value]
            walk = recording.walk(unwinder, step)
            assert at(walks["departs"], step) == (-1 if walk.departs is None else walk.departs)
            link, states = at(walks["at"], step), []
            while link >= 0:
                further, kind, _, *state = walks["links"][link]
                states.append((kind, [int(values[one], 16) for one in state[:3]]))
                link = further
            assert states == [
                (hop.kind.value, list(hop.state[:3]) if hop.state is not None else [])
                for hop in walk.hops
            ]


def test_source_lines_of_a_case(text: str) -> None:
    data = data_of(text)
    assert [source["name"] for source in data["sources"]] == [CASE.name]
    lines = data["sources"][0]["text"].split("\n")
    for function in data["functions"]:
        for _, _, instruction, file, line in function["code"]:
            assert file == 0
            mnemonic = instruction.split()[0]
            assert mnemonic in lines[line - 1] or ".byte" in lines[line - 1]


def test_names_that_look_like_markup(tmp_path: Path, recording: Recording) -> None:
    path = tmp_path / "<script>alert(1)</script>.s"
    named = record(Image.from_bytes(assemble(CASE).elf, "<b>&amp;</b>"))
    written = page(named, source=path)
    assert "<b>&amp;</b>" not in written
    assert "<title>b&gt;:" in written
    assert written.count("<script") == 2


def test_it_is_the_same_every_time(recording: Recording, text: str) -> None:
    again = record(Image.from_bytes(assemble(CASE).elf, str(CASE)))
    assert page(again, source=CASE, lines=case_lines(CASE)) == text


def test_every_asset_is_used_and_in_the_package() -> None:
    from emu.lesson.page.render import SCRIPTS

    assets = ROOT / "emu" / "lesson" / "page" / "assets"
    wanted = {f"{name}.js" for name in SCRIPTS} | {"page.html", "style.css"}
    assert {path.name for path in assets.iterdir()} == wanted


class TestCommand:
    def test_writes_the_page(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        target = tmp_path / "walk.html"
        assert main(["walk", "--html", str(target), "--at", "_start", str(CASE)]) == 0
        assert capsys.readouterr() == ("", "")
        data = data_of(target.read_text())
        assert data["opening"] == 0
        assert data["unwinder"] == "sframe"

    def test_to_standard_output(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["walk", "--html", "-", "--unwinder", "dwarf", str(CASE)]) == 0
        assert data_of(capsys.readouterr().out)["unwinder"] == "dwarf"

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["--at", "nowhere"], "nowhere"),
            (["--step", "1000000"], "1000000|1,000,000"),
            (["--step", "1", "--at", "_start"], "not both"),
            (["--json", "-"], "goes without"),
        ],
    )
    def test_one_line_and_the_older_page_stays(
        self,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        words: list[str],
        message: str,
    ) -> None:
        target = tmp_path / "walk.html"
        target.write_text("older")
        assert main(["walk", "--html", str(target), *words, str(CASE)]) == 2
        said = capsys.readouterr().err
        assert re.search(message, said)
        assert said.count("\n") == 1
        assert target.read_text() == "older"

    def test_a_directory_that_is_not_there(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["walk", "--html", str(tmp_path / "no" / "w.html"), str(CASE)]) == 2
        assert "No such file or directory" in capsys.readouterr().err


def test_an_interrupted_run_writes_nothing(tmp_path: Path) -> None:
    case = tmp_path / "endless.s"
    case.write_text(
        "#@ title: A loop without end\n.intel_syntax noprefix\n.text\n.globl _start\n"
        "_start:\nnop\njmp _start\n"
    )
    target = tmp_path / "walk.html"
    command = [sys.executable, "-m", "emu", "walk", "--html", target, "--step", "1000000000", case]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        try:
            while "libunicorn" not in Path(f"/proc/{running.pid}/maps").read_text():
                time.sleep(0.1)
            with pytest.raises(subprocess.TimeoutExpired):
                running.wait(timeout=1)
            running.send_signal(signal.SIGINT)
            _, said = running.communicate(timeout=60)
        finally:
            running.kill()
    assert running.returncode == 130
    assert "Traceback" not in said
    assert not target.exists()


def test_the_libraries_that_make_it_are_not_needed_for_text() -> None:
    script = (
        "import sys; from emu.cli.main import build_parser; build_parser();"
        "print([name for name in ('jinja2', 'keystone', 'numpy') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
