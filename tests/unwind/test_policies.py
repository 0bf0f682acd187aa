"""Policies as values: names, switches, and one situation for each switch."""

import re
import struct
from pathlib import Path

import pytest

from emu.unwind import (
    KERNEL_V15,
    POLICIES,
    SWITCHES,
    CfaBase,
    CfaRule,
    Ending,
    Errno,
    Frame,
    LookupFailure,
    PolicyError,
    Reason,
    Refusal,
    RegionMemory,
    State,
    ValueBase,
    ValueRule,
    evaluate,
    policy,
    unwind_user,
)

F = 0x20000
RA = ValueRule(ValueBase.CFA, -8, deref=True)
RETAIN = ValueRule(ValueBase.RETAIN)


def test_names() -> None:
    assert [known.name for known in POLICIES] == ["kernel-v15", "kernel-v14", "format", "glibc"]
    for known in POLICIES:
        assert policy(known.name) is known
        assert str(known) == known.name


@pytest.mark.parametrize("switch", SWITCHES)
def test_every_switch_can_be_set_and_cleared(switch: str) -> None:
    field = switch.replace("-", "_")
    for known in POLICIES:
        on, off = policy(f"{known.name},+{switch}"), policy(f"{known.name},-{switch}")
        assert getattr(on, field) is True
        assert getattr(off, field) is False
        assert on.lookup is off.lookup is known.lookup
    assert policy(f"format,+{switch},-{switch}").name == f"format,+{switch},-{switch}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "kernel",
        "kernel-v15,",
        "kernel-v15,minus-one",
        "kernel-v15,+",
        "format,+nonsense",
        "format,+name",
        "format,+lookup",
        "kernel-v15 +minus-one",
    ],
)
def test_unknown_texts_say_what_there_is(text: str) -> None:
    with pytest.raises(PolicyError, match=r"kernel-v15, kernel-v14|minus-one"):
        policy(text)


def outcome(kit, frame: Frame, text: str, *words: int, topmost: bool = False, fp: int = 0):
    state = State(F, kit.STACK, fp, topmost=topmost)
    registers = kit.registers(F, kit.STACK, fp, r10=kit.STACK + 16)
    return evaluate(frame, state, kit.stack(*words), registers, policy(text))


def reason(found: State | Refusal) -> Reason:
    assert isinstance(found, Refusal), found
    return found.reason


def test_topmost_registers(kit) -> None:
    frame = Frame(CfaRule(CfaBase.SP, 8), RA, ValueRule(ValueBase.REG, 0, deref=True, reg=6))
    fp = kit.STACK + 8
    assert reason(outcome(kit, frame, "kernel-v15", 1, 2, fp=fp)) is Reason.REGISTER_BELOW_TOP
    relaxed = outcome(kit, frame, "kernel-v15,-topmost-registers", 1, 2, fp=fp)
    assert relaxed == State(1, kit.STACK + 8, 2)
    assert outcome(kit, frame, "kernel-v15", 1, 2, fp=fp, topmost=True) == relaxed


def test_registers_nobody_knows_below_the_top(kit) -> None:
    frame = Frame(CfaRule(CfaBase.REG, 0, reg=10), RA, RETAIN)
    assert reason(outcome(kit, frame, "format", 1, 2)) is Reason.REGISTER_BELOW_TOP
    assert outcome(kit, frame, "format", 1, 2, topmost=True) == State(2, kit.STACK + 16, 0)


@pytest.mark.parametrize("number", [16, 17, 31])
def test_registers_nobody_can_read(kit, number: int) -> None:
    frame = Frame(CfaRule(CfaBase.REG, 0, reg=number), RA, RETAIN)
    for text in ("kernel-v15", "format"):
        found = outcome(kit, frame, text, 1, 2, topmost=True)
        assert reason(found) is Reason.REGISTER_UNREADABLE


def test_cfa_growth(kit) -> None:
    frame = Frame(CfaRule(CfaBase.SP, 0), ValueRule(ValueBase.CFA, 0, deref=True), RETAIN)
    assert reason(outcome(kit, frame, "kernel-v15", 7)) is Reason.CFA_NOT_ABOVE_SP
    assert outcome(kit, frame, "kernel-v15,-cfa-growth", 7) == State(7, kit.STACK, 0)


def test_cfa_alignment(kit) -> None:
    frame = Frame(CfaRule(CfaBase.SP, 12), RA, RETAIN)
    assert reason(outcome(kit, frame, "kernel-v15", 1, 2)) is Reason.CFA_MISALIGNED
    found = outcome(kit, frame, "kernel-v15,-cfa-alignment", 1, 2)
    assert found == State(2 << 32, kit.STACK + 12, 0)


def test_fp_above_sp(kit) -> None:
    frame = Frame(CfaRule(CfaBase.FP, 24), RA, RETAIN)
    fp = kit.STACK - 8
    assert reason(outcome(kit, frame, "kernel-v15", 1, 2, fp=fp)) is Reason.FP_BELOW_SP
    found = outcome(kit, frame, "kernel-v15,-fp-above-sp", 1, 2, fp=fp)
    assert found == State(2, kit.STACK + 16, fp)


@pytest.mark.parametrize("base", [CfaBase.SP, CfaBase.FP])
def test_base_deref(kit, base: CfaBase) -> None:
    frame = Frame(CfaRule(base, 0, deref=True), RA, RETAIN)
    words = (kit.STACK + 16, 5)
    assert reason(outcome(kit, frame, "kernel-v14", *words, fp=kit.STACK)) is Reason.BASE_DEREF
    found = outcome(kit, frame, "kernel-v15", *words, fp=kit.STACK)
    assert found == State(5, kit.STACK + 16, kit.STACK)


def test_value_rules(kit) -> None:
    value = ValueRule(ValueBase.CFA, -4)
    for ra, fp, field in ((value, RETAIN, "RA"), (RA, value, "FP")):
        frame = Frame(CfaRule(CfaBase.SP, 8), ra, fp)
        refused = outcome(kit, frame, "kernel-v15", 9)
        assert reason(refused) is Reason.VALUE_IS_CFA
        assert refused.field == field
        found = outcome(kit, frame, "format", 9)
        assert isinstance(found, State)
        assert (found.ip if field == "RA" else found.fp) == kit.STACK + 4


def test_frame_pointers(kit) -> None:
    memory = kit.stack(0, 0x777)
    registers = kit.registers(0x10, kit.STACK, kit.STACK)
    section = kit.section(kit.fde(F, 16, kit.fre(0, 8)))
    found = unwind_user(kit.store(section), memory, registers, 2)
    assert found.ips == (0x10, 0x777)
    store = kit.store(section, policy=policy("kernel-v15,-frame-pointers"))
    found = unwind_user(store, memory, registers, 2)
    assert found.ips == (0x10,)
    assert found.end.ending is Ending.LOST
    assert found.end.refusal is None


def test_minus_one_is_for_return_addresses(kit) -> None:
    # The topmost ip is looked up as it is, though it too begins a function.
    section = kit.section(kit.fde(F, 16, kit.fre(0, 16)), kit.fde(F + 16, 16, kit.fre(0, 8)))
    store = kit.store(section, policy=policy("kernel-v15,+minus-one"))
    trace = unwind_user(store, kit.stack(F + 16, 0, 0x5), kit.registers(F + 16), 3)
    assert trace.ips == (F + 16, F + 16, 5)


def test_minus_one_is_not_for_interrupted_addresses(kit) -> None:
    # A handler at F, a signal frame at F+16 whose rules read the saved registers, and the
    # interrupted function at F+32, interrupted at its first instruction.
    handler = kit.fde(F, 16, kit.fre(0, 8))
    restorer = kit.fde(F + 16, 16, kit.fre(0, 0x3B, 16, 0x3 | 7 << 3, 8), fde_type=1, signal=True)
    interrupted = kit.fde(F + 32, 16, kit.fre(0, 8))
    section = kit.section(handler, restorer, interrupted)
    store = kit.store(section, policy=policy("format,+minus-one"))
    base = kit.STACK
    memory = kit.stack(F + 17, 0, F + 32, base + 32, F + 1, 0)
    trace = unwind_user(store, memory, kit.registers(F, base), 4)
    assert trace.frames[2] == State(F + 32, base + 32, 0, interrupted=True)
    assert trace.ips == (F, F + 17, F + 32, F + 1)


@pytest.mark.parametrize(
    ("text", "ending"),
    [("kernel-v15", Ending.OUTERMOST), ("kernel-v14", Ending.LOST), ("format", Ending.OUTERMOST)],
)
def test_outermost_rows(kit, text: str, ending: Ending) -> None:
    store = kit.store(kit.section(kit.fde(F, 16, kit.fre(0))), policy=policy(text))
    assert unwind_user(store, kit.stack(), kit.registers(F), 9).end.ending is ending
    assert len(store) == 1  # v14 gives EINVAL, which drops nothing there


@pytest.mark.parametrize("signal", [False, True])
def test_outermost_empty(kit, signal: bool) -> None:
    section = kit.section(kit.fde(F, 16, signal=signal), num_fres=1)
    store = kit.store(section, policy=policy("format"))
    trace = unwind_user(store, kit.stack(), kit.registers(F), 9)
    assert trace.end.ending is (Ending.LOST if signal else Ending.OUTERMOST)
    store = kit.store(section, policy=policy("format,-outermost-empty"))
    found = store.find(F)
    assert isinstance(found, LookupFailure)
    assert found.errno is Errno.ENOENT


def test_outermost_zero_fp(kit) -> None:
    section = kit.section(kit.fde(F, 16, kit.fre(0, 8)))
    memory = kit.stack(0x99)
    for fp, ending in ((0, Ending.ZERO_FP), (1, Ending.LOST)):
        store = kit.store(section, policy=policy("glibc"))
        trace = unwind_user(store, memory, kit.registers(F, kit.STACK, fp), 9)
        assert trace.ips == (F, 0x99)
        assert trace.end.ending is ending


RESTORER = bytes.fromhex("48c7c00f0000000f05")


@pytest.mark.parametrize(("text", "through"), [("glibc", True), ("format", False)])
def test_signal_frames(kit, text: str, through: bool) -> None:
    # The handler's return address is the restorer; rip, rsp and rbp are in the ucontext.
    base = kit.STACK
    context = bytearray(256)
    struct.pack_into("<Q", context, 120, 0x6)
    struct.pack_into("<QQ", context, 160, base + 0x400, F + 4)
    stack = struct.pack("<Q", 0x9000) + context
    memory = RegionMemory([(base, stack), (0x9000, RESTORER)])
    store = kit.store(kit.section(kit.fde(F, 16, kit.fre(0, 8))), policy=policy(text))
    trace = unwind_user(store, memory, kit.registers(F, base), 3)
    if through:
        assert trace.frames[2] == State(F + 4, base + 0x400, 6, interrupted=True)
    else:
        assert trace.ips == (F, 0x9000)


def test_signal_frames_with_an_unreadable_context(kit) -> None:
    memory = RegionMemory([(kit.STACK, struct.pack("<Q", 0x9000)), (0x9000, RESTORER)])
    store = kit.store(kit.section(kit.fde(F, 16, kit.fre(0, 8))), policy=policy("glibc"))
    assert unwind_user(store, memory, kit.registers(F), 3).ips == (F, 0x9000)


# Lookups ---------------------------------------------------------------------------------


def found_by(kit, section: bytes, ip: int, text: str):
    """The errno's name or the rules, and whether the section is still there."""
    store = kit.store(section, policy=policy(text))
    found = store.find(ip)
    name = found.errno.name if isinstance(found, LookupFailure) else str(found)
    return name, len(store) == 1


RULES = "CFA = rsp+8, RA = *(CFA-8)"


@pytest.mark.parametrize(
    ("situation", "v15", "v14", "document"),
    [
        ("no record", ("ENOENT", True), ("EINVAL", True), ("ENOENT", True)),
        ("below all", ("ENOENT", True), ("EINVAL", True), ("ENOENT", True)),
        ("gap", ("ENOENT", True), ("EINVAL", True), ("ENOENT", True)),
        ("row at the end", ("EINVAL", False), (RULES, True), (RULES, True)),
        ("row behind the end", ("EINVAL", False), ("EFAULT", False), (RULES, True)),
        ("more rows than bytes", ("EINVAL", False), (RULES, True), (RULES, True)),
        (
            "rows out of order",
            ("EINVAL", False),
            ("EFAULT", False),
            ("CFA = rsp+16, RA = *(CFA-8)", True),
        ),
        ("size code 3", ("EINVAL", False), ("EFAULT", False), ("EINVAL", True)),
        ("reserved bit", ("EINVAL", False), (RULES, True), (RULES, True)),
        ("end outside text", ("EFAULT", False), (RULES, True), (RULES, True)),
        ("no rows", ("EINVAL", False), ("EINVAL", True), ("RA undefined", True)),
        ("row behind the block", ("EINVAL", False), (RULES, True), (RULES, True)),
        ("repetition 0", ("EINVAL", False), ("EFAULT", False), ("EINVAL", True)),
        ("disorder", ("EINVAL", False), ("EFAULT", False), ("ENOENT", True)),
    ],
)
def test_lookups(kit, situation: str, v15, v14, document) -> None:
    row = kit.fre(0, 8)
    ip = F
    fdes = {
        "no record": [kit.fde(F, 16, row)],
        "below all": [kit.fde(F + 8, 16, row)],
        "gap": [kit.fde(F, 16, row)],
        "row at the end": [kit.fde(F, 16, row, kit.fre(16, 16))],
        "row behind the end": [kit.fde(F, 16, row, kit.fre(17, 16))],
        "more rows than bytes": [kit.fde(F, 1, row, kit.fre(1, 16))],
        "rows out of order": [kit.fde(F, 16, row, kit.fre(0, 16))],
        "size code 3": [kit.fde(F, 16, kit.fre(0, 8, code=3, count=0))],
        "reserved bit": [kit.fde(F, 16, kit.fre(0, 0x3D, 8), fde_type=1)],
        "end outside text": [kit.fde(F, 0x1001, row)],
        "no rows": [kit.fde(F, 16)],
        "row behind the block": [kit.fde(F, 16, row, kit.fre(8, 16), mask=True, repetition=8)],
        "repetition 0": [kit.fde(F, 16, row, mask=True)],
        "disorder": [kit.fde(F + 0x20 * n, 16, row) for n in (1, 2, 0)],
    }[situation]
    ip = {"no record": 0x30000, "gap": F + 24, "disorder": F + 0x58}.get(situation, F)
    section = kit.section(*fdes, num_fres=1)
    assert found_by(kit, section, ip, "kernel-v15") == v15
    assert found_by(kit, section, ip, "kernel-v14") == v14
    assert found_by(kit, section, ip, "format") == document
    assert found_by(kit, section, ip, "glibc") == document


def test_default_policy(kit) -> None:
    store = kit.store(kit.section(kit.fde(F, 16, kit.fre(0, 8))))
    assert store.policy is KERNEL_V15


def test_cases_that_show_the_differences_are_there() -> None:
    root = Path(__file__).parents[2]
    named = set(re.findall(r"`(\w+\.s)`", (root / "docs" / "policies.md").read_text()))
    assert len(named) > 10
    assert named <= {path.name for path in (root / "asm_cases").glob("*.s")}
