#!/usr/bin/env python3
"""Replay kernel vectors against emu.unwind and count the cases that disagree.

    python tools/replay_vectors.py FILE...

A file is JSON, plain or gzip-compressed: {"cases": [...]} with cases of kind `find`, `walk`
and `store`. Exit status 0 if every case agrees, 1 if not, 2 if a file cannot be read.
"""

import argparse
import gzip
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emu.unwind import (
    Allocation,
    CfaBase,
    CfaRule,
    DebugLog,
    Errno,
    Frame,
    LookupFailure,
    RegionMemory,
    RegisterFile,
    SectionStore,
    ValueBase,
    ValueRule,
    Vma,
    VmaList,
    Walk,
    unwind_user,
)

Json = Any  # what the json module returns; the vectors' shape is their document's
Pair = tuple[str, Json, Json]

SHOWN = 10
WINDOW = 0x8000
PROGRAM = "/bin/prog"


class VectorError(Exception):
    """A file that is no vector file; the message names it."""


@dataclass
class FailingAllocation:
    """Lets the n-th record allocation since it was armed fail; 0 lets none fail."""

    remaining: int = 0

    def __call__(self, what: Allocation) -> bool:
        if what is not Allocation.RECORD or not self.remaining:
            return True
        self.remaining -= 1
        return self.remaining != 0


def cfa_json(rule: CfaRule) -> Json:
    shape: dict[str, Json] = {"base": rule.base.value, "offset": rule.offset, "deref": rule.deref}
    if rule.base is CfaBase.REG:
        shape["reg"] = rule.reg
    return shape


def value_json(rule: ValueRule) -> Json:
    if rule.base is ValueBase.RETAIN:
        return {"base": "RETAIN"}
    shape: dict[str, Json] = {"base": rule.base.value, "offset": rule.offset, "deref": rule.deref}
    if rule.base is ValueBase.REG:
        shape["reg"] = rule.reg
    return shape


def frame_json(found: Frame | LookupFailure) -> Json:
    if isinstance(found, LookupFailure):
        return None
    if found.outermost:
        return {"outermost": True}
    return {
        "outermost": False,
        "cfa": cfa_json(found.cfa),
        "ra": value_json(found.ra),
        "fp": value_json(found.fp),
    }


def result(found: Frame | LookupFailure) -> int:
    return -found.errno if isinstance(found, LookupFailure) else 0


def single_section(case: Json) -> tuple[SectionStore, Callable[[], int]]:
    """The store of a `find` or `walk` case and what registers its section."""
    start = case["sframe_start"]
    section = bytes.fromhex(case["section"])
    text_start, text_end = case["text"]
    vmas = [
        Vma(start, start + WINDOW, executable=False, path=PROGRAM),
        Vma(text_start, text_end, executable=True, path=PROGRAM),
    ]
    store = SectionStore(
        RegionMemory([(start, section)]),
        VmaList(vmas),
        DebugLog("prog", 42),
        validation=case.get("validation", False),
    )
    return store, lambda: store.add(start, start + len(section), text_start, text_end)


def replay_find(case: Json) -> Iterator[Pair]:
    store, register = single_section(case)
    yield "add", register(), case["add"]
    yield "debug", store.log.drain(), case["debug"]
    for number, expected in enumerate(case["finds"]):
        if not len(store):
            register()
            store.log.drain()
        found = store.find(expected["ip"])
        got = {
            "ip": expected["ip"],
            "ret": result(found),
            "frame": frame_json(found),
            "records": len(store),
            "debug": store.log.drain(),
        }
        yield f"finds[{number}]", got, expected


def state_json(walk: Walk, ret: int) -> Json:
    return {
        "ret": ret,
        "ip": walk.state.ip,
        "sp": walk.state.sp,
        "fp": walk.state.fp,
        "current_type": int(walk.current_type),
        "available": int(walk.available),
        "topmost": walk.state.topmost,
        "done": walk.done,
    }


def replay_walk(case: Json) -> Iterator[Pair]:
    stack = case["stack"]
    memory = RegionMemory(
        [
            (case["sframe_start"], bytes.fromhex(case["section"])),
            (stack["addr"], bytes.fromhex(stack["bytes"])),
        ]
    )
    registers = RegisterFile(case["regs"]["ip"], case["regs"]["dwarf"])

    store, register = single_section(case)
    register()
    trace = unwind_user(store, memory, registers, case["max"])
    yield "ret", trace.ret, case["ret"]
    yield "ips", list(trace.ips), case["ips"]
    yield "records_after", len(store), case["records_after"]

    store, register = single_section(case)
    register()
    walk = Walk(store, memory, registers)
    steps = [state_json(walk, walk.ret)]
    while not walk.done and len(steps) <= len(case["steps"]):
        steps.append(state_json(walk, walk.step()))
    yield "steps", steps, case["steps"]


def replay_store(case: Json) -> Iterator[Pair]:
    vmas = VmaList(
        [Vma(start, end, executable, path=PROGRAM) for start, end, executable in case["vmas"]]
    )
    memory = RegionMemory([(part["addr"], bytes.fromhex(part["bytes"])) for part in case["memory"]])
    log = DebugLog("prog", 42)
    failing = FailingAllocation()
    spaces = {0: SectionStore(memory, vmas, log, allocate=failing)}
    current = 0
    for number, operation in enumerate(case["ops"]):
        failing.remaining = operation.get("fail_allocation", 0)
        expected = dict(operation)
        got = dict(operation)
        store = spaces[current]
        match operation["op"]:
            case "add":
                got["ret"] = store.add(*operation["sframe"], *operation["text"])
            case "remove":
                got["ret"] = store.remove(operation["sframe_start"])
            case "find":
                found = store.find(operation["ip"])
                got["ret"], got["frame"] = result(found), frame_json(found)
            case "fork":
                child = store.duplicate(memory, vmas)
                if isinstance(child, Errno):
                    got["ret"], got["child_records"] = -child, None
                else:
                    got["ret"], got["child_records"] = 0, len(child)
                    if "child" in operation:
                        spaces[operation["child"]] = child
            case "use":
                current = operation["space"]
            case unknown:
                raise VectorError(f"unknown operation {unknown!r}")
        got["space"] = current
        got["records"] = len(spaces[current])
        got["debug"] = log.drain()
        yield f"ops[{number}]", got, expected


REPLAYS: dict[str, Callable[[Json], Iterator[Pair]]] = {
    "find": replay_find,
    "walk": replay_walk,
    "store": replay_store,
}


def load_cases(name: str) -> list[Json]:
    """The cases of a vector file, plain or compressed."""
    try:
        raw = Path(name).read_bytes()
        if raw[:2] == b"\x1f\x8b":
            raw = gzip.decompress(raw)
        cases = json.loads(raw)["cases"]
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise VectorError(f"{name}: cannot read vectors: {error}") from error
    if not isinstance(cases, list):
        raise VectorError(f"{name}: `cases` is not a list")
    return cases


def disagreements(cases: list[Json]) -> Iterator[tuple[int, Pair]]:
    """For each case that disagrees, its number and the first thing that differs."""
    for number, case in enumerate(cases):
        for name, got, expected in REPLAYS[case["kind"]](case):
            if got != expected:
                yield number, (name, got, expected)
                break


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", metavar="FILE")
    options = parser.parse_args(arguments)
    total = wrong = 0
    for name in options.files:
        try:
            cases = load_cases(name)
            for number, (what, got, expected) in disagreements(cases):
                wrong += 1
                if wrong <= SHOWN:
                    print(f"{name}: case {number}: {what}")
                    print(f"  got      {json.dumps(got)}")
                    print(f"  expected {json.dumps(expected)}")
        except VectorError as error:
            print(f"replay_vectors: {error}", file=sys.stderr)
            return 2
        except (KeyError, TypeError, ValueError) as error:
            print(f"replay_vectors: {name}: malformed case: {error!r}", file=sys.stderr)
            return 2
        total += len(cases)
    print(f"{total} cases, {wrong} disagree")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
