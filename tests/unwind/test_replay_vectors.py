"""Recorded results of a v15 model, and that the replay notices a difference."""

import copy
import gzip
import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
VECTORS = sorted((ROOT / "tests" / "vectors").glob("*.json.gz"))


@pytest.fixture(scope="module")
def replay() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "replay_vectors", ROOT / "tools" / "replay_vectors.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_vectors_are_here() -> None:
    assert [path.name for path in VECTORS] == ["kernel-v15.json.gz", "store-v15.json.gz"]


def test_no_case_disagrees(replay: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert replay.main([str(path) for path in VECTORS]) == 0
    assert capsys.readouterr().out == "520 cases, 0 disagree\n"


def spoilt(kind: str) -> Any:
    """A case of that kind with one number of its expectation changed."""
    for path in VECTORS:
        for case in json.loads(gzip.decompress(path.read_bytes()))["cases"]:
            wrong = copy.deepcopy(case)
            if case["kind"] != kind:
                continue
            if kind == "walk":
                wrong["steps"][-1]["sp"] += 8
            elif kind == "store":
                wrong["ops"][-1]["records"] += 1
            elif case["finds"]:
                wrong["finds"][-1]["ret"] -= 1
            else:
                continue
            return wrong
    raise AssertionError(kind)


@pytest.mark.parametrize("kind", ["find", "walk", "store"])
def test_a_difference_is_noticed(
    replay: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    path = tmp_path / "spoilt.json"
    path.write_text(json.dumps({"cases": [spoilt(kind)]}))
    assert replay.main([str(path)]) == 1
    assert capsys.readouterr().out.endswith("1 cases, 1 disagree\n")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"cases": 1}', b"\x1f\x8b\x00"])
def test_no_vector_file(
    replay: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    assert replay.main([str(path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
