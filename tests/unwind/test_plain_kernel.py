"""The model beside a second, plain writing of the same description; random inputs.

The comparisons themselves are in tools/ (`replay_vectors.py`, `unwind_properties.py`); here
they run on fixed seeds, on what hypothesis finds.
"""

import importlib
import itertools
import json
import random
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

TOOLS = Path(__file__).parents[2] / "tools"


class Tools:
    """The modules of tools/, imported as the scripts there import each other."""

    plain_kernel: ModuleType
    make_vectors: ModuleType
    replay_vectors: ModuleType
    unwind_properties: ModuleType
    fuzz_unwind: ModuleType


@pytest.fixture(scope="module")
def tools() -> Iterator[Tools]:
    names = Tools.__annotations__
    sys.path.insert(0, str(TOOLS))
    try:
        loaded = Tools()
        for name in names:
            setattr(loaded, name, importlib.import_module(name))
        yield loaded
    finally:
        sys.path.remove(str(TOOLS))
        for name in names:
            sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def seeds(tools, tmp_path_factory) -> list[bytes]:
    """What fuzzing begins with: sections that mostly register, with stacks that fit them."""
    directory = tmp_path_factory.mktemp("seeds")
    tools.fuzz_unwind.seeds(directory)
    return [path.read_bytes() for path in sorted(directory.iterdir())]


@pytest.mark.parametrize("seed", range(5))
def test_random_vectors(tools, seed) -> None:
    cases = tools.make_vectors.cases(seed, 300)
    assert list(tools.replay_vectors.disagreements(cases)) == []


def test_random_vectors_are_what_they_should_be(tools) -> None:
    """They reach every kind of result, and walks get somewhere."""
    cases = tools.make_vectors.cases(0, 900)
    assert cases == tools.make_vectors.cases(0, 900)
    finds = [found for case in cases for found in case.get("finds", ())]
    assert {found["ret"] for found in finds} == {0, -2, -14, -22}
    added = {case["add"] for case in cases if case["kind"] == "find"}
    assert added == {0, -14, -22}
    assert max(len(case.get("ips", ())) for case in cases) > 5
    operations = [operation for case in cases for operation in case.get("ops", ())]
    results = {(operation["op"], operation.get("ret")) for operation in operations}
    assert results >= {
        *itertools.product(["add"], [0, -12, -14, -17, -22]),
        *itertools.product(["remove"], [0, -22]),
        *itertools.product(["find"], [0, -2, -22]),
        *itertools.product(["fork"], [0, -12]),
        ("use", None),
    }


def test_written_vectors_are_replayed(tools, tmp_path, capsys) -> None:
    file = tmp_path / "vectors.json"
    assert tools.make_vectors.main(["--seed", "9", "--cases", "30", "-o", str(file)]) == 0
    assert len(json.loads(file.read_text())["cases"]) == 30
    assert tools.replay_vectors.main([str(file)]) == 0
    assert capsys.readouterr().out == "30 cases, 0 disagree\n"


def after(change: Callable[[Any], Any], original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arguments, **named: change(original(*arguments, **named))


@pytest.mark.parametrize(
    ("method", "change"),
    [
        ("read_fde", lambda fde: fde | {"size": fde["size"] + 1}),
        ("read_row", lambda row: row | {"sp": 1}),
        ("data_words", lambda words: words and (*words[:5], 0)),
        ("validate", lambda error: 22 if error else 0),
        ("cfa", lambda cfa: cfa + 8),
        ("insert", lambda _ret: 0),
        ("remove", lambda _ret: 0),
        ("start", lambda state: state | {"available": 3}),
    ],
)
def test_a_kernel_that_differs_is_noticed(tools, monkeypatch, method, change) -> None:
    kernel = tools.plain_kernel.PlainKernel
    monkeypatch.setattr(kernel, method, after(change, getattr(kernel, method)))
    cases = tools.make_vectors.cases(1, 300)
    assert any(tools.replay_vectors.disagreements(cases))


def changed(seeds: list[bytes]) -> Iterator[bytes]:
    """Each seed three times, with up to four other bytes."""
    draw = random.Random(2)
    for data in seeds * 3:
        other = bytearray(data)
        for _ in range(draw.randrange(1, 5)):
            other[draw.randrange(len(other))] = draw.choice((0, 1, 0xFF, draw.randrange(256)))
        yield bytes(other)


def check_all(tools: Tools, inputs: Iterable[bytes]) -> None:
    for data in inputs:
        tools.unwind_properties.check(data)


def test_properties_hold_for_the_seeds_and_changed_ones(tools, seeds) -> None:
    check_all(tools, [*seeds, *changed(seeds)])


@settings(max_examples=300)
@given(data=st.binary(max_size=300))
def test_properties_hold_for_any_bytes(tools, data) -> None:
    tools.unwind_properties.check(data)


@pytest.mark.parametrize("broken", ["reads", "results", "lines"])
def test_a_broken_property_is_noticed(tools, seeds, monkeypatch, broken) -> None:
    if broken == "reads":
        monkeypatch.setattr(tools.unwind_properties, "READS_PER_STEP", 0)
    elif broken == "results":
        monkeypatch.setattr(tools.unwind_properties, "result", lambda _found: -2)
    else:
        monkeypatch.setattr(tools.plain_kernel.PlainKernel, "say_once", lambda *_: None)
    with pytest.raises(AssertionError):
        check_all(tools, changed(seeds))
