"""The Python interface: snapshots with registers, memory and truth, and walks made on them."""

from pathlib import Path

import pytest

from emu.asm import AssembledCase, assemble
from emu.check import CheckError, Verdict, run, snapshots
from emu.check.lockstep import Lockstep
from emu.machine import Image
from emu.unwind import unwind_user

CASES = Path(__file__).parent.parent.parent / "asm_cases"


def case(name: str) -> tuple[AssembledCase, Image]:
    assembled = assemble(CASES / f"{name}.s")
    return assembled, Image.from_bytes(assembled.elf, name)


def test_a_walk_on_a_snapshot_is_the_true_stack() -> None:
    assembled, image = case("recursion")
    count = 0
    for snapshot in snapshots(image):
        trace = unwind_user(snapshot.store, snapshot.memory, snapshot.registers, 510)
        assert trace.frames == snapshot.frames
        assert len(snapshot.functions) == len(snapshot.frames)
        assert snapshot.instruction == count
        count += 1
    assert count == run(image).instructions
    assert assembled.symbols["_start"].address


def test_only_chosen_places() -> None:
    assembled, image = case("leaf")
    found = list(snapshots(image, at="leaf"))
    assert [snapshot.pc for snapshot in found] == [assembled.symbols["leaf"].address]
    assert found[0].functions == ("leaf", "_start")
    assert found[0].outcome(0).verdict is Verdict.OK
    assert found[0].outcome(1).verdict is Verdict.OUTERMOST


def test_places_that_do_not_exist() -> None:
    _, image = case("leaf")
    with pytest.raises(CheckError, match="no such symbol"):
        next(iter(snapshots(image, at="nowhere")))
    with pytest.raises(CheckError, match="unknown engine"):
        run(image, engine="none")


def test_an_iteration_can_be_left() -> None:
    _, image = case("recursion")
    iterator = iter(snapshots(image))
    next(iterator)
    iterator.close()  # type: ignore[attr-defined]  # a generator, typed as what one may rely on
    assert run(image).ended == "exit"


def test_what_the_producer_raises_is_raised_by_the_iteration() -> None:
    def produce(show: object) -> None:
        assert callable(show)
        show(1)
        raise ValueError("enough")

    lockstep: Lockstep[int] = Lockstep(produce)
    iterator = iter(lockstep)
    assert next(iterator) == 1
    with pytest.raises(ValueError, match="enough"):
        next(iterator)


def test_a_dropped_section_is_told_once_and_step_checks_go_on() -> None:
    _, image = case("startproc_simple")
    result = run(image)
    assert result.tally.steps[Verdict.CORRUPT] > 0
    assert any("walks had no table" in remark for remark in result.remarks)
    assert result.tally.walks[Verdict.GAP] > 0
    after = [finding for finding in result.findings if finding.key.verdict is Verdict.CORRUPT]
    assert after
    assert all(finding.key.row_pc is None for finding in after)
