"""Random sections, registers and memory: a documented errno, an end, and no stray reads."""

import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from emu.unwind import (
    POLICIES,
    CfaBase,
    CfaRule,
    DebugLog,
    Ending,
    Errno,
    Frame,
    LookupFailure,
    Policy,
    RegionMemory,
    RegisterFile,
    Row,
    SectionStore,
    ValueBase,
    ValueRule,
    Vma,
    VmaList,
    unwind_user,
)

SFRAME, TEXT, STACK = 0x10000, 0x20000, 0x7FFF0000
LOOKUP_ERRNOS = {Errno.ENOENT, Errno.EINVAL, Errno.EFAULT}
ADD_RESULTS = {0, -Errno.EINVAL, -Errno.EFAULT, -Errno.EEXIST}


class Watched:
    """Section memory that fails the test on a read outside what may be read."""

    def __init__(self, section: bytes) -> None:
        self.memory = RegionMemory([(SFRAME, section)])
        self.end = SFRAME + max(len(section), 28)

    def read(self, address: int, size: int) -> bytes:
        assert size <= 28
        assert address >= SFRAME
        assert address + size <= self.end
        return self.memory.read(address, size)

    def word(self, address: int) -> int:
        raise AssertionError(f"a stack word is read from section memory at {address:#x}")


class Stack:
    """Stack memory that counts reads."""

    def __init__(self, content: bytes) -> None:
        self.memory = RegionMemory([(STACK, content)])
        self.reads = 0

    def read(self, address: int, size: int) -> bytes:
        assert 0 <= address < 1 << 64
        self.reads += 1
        return self.memory.read(address, size)

    def word(self, address: int) -> int:
        return int.from_bytes(self.read(address, 8), "little")


def rarely(draw: st.DrawFn) -> bool:
    return draw(st.integers(0, 19)) == 11


@st.composite
def rows(draw: st.DrawFn, fre_type: int, flexible: bool) -> bytes:
    """FREs with rising starts and, mostly, a number of words that means something."""
    body, position = b"", 0
    control = st.sampled_from([0x39, 0x31, 0x33, 0x3B, 0x51, 0x02, 0x19, 0, 8, 4, 0xF9])
    for number in range(draw(st.integers(0, 4))):
        position += 0 if number == 0 else draw(st.integers(0 if rarely(draw) else 1, 9))
        code = 3 if rarely(draw) else draw(st.sampled_from([0, 0, 1, 2]))
        count = draw(st.integers(0, 7) if flexible else st.integers(0, 3))
        size = 1 << min(code, 2)
        words = b"".join(
            draw(control if flexible and index % 2 == 0 else st.integers(0, 255)).to_bytes(
                size, "little"
            )
            for index in range(count)
        )
        body += position.to_bytes(1 << fre_type, "little")
        body += bytes([draw(st.integers(0, 1)) | count << 1 | code << 5]) + words
    return body


@st.composite
def sections(draw: st.DrawFn) -> bytes:
    """Sections that mostly register, with entries and rows that mostly can be used."""
    count = draw(st.integers(1, 4))
    index, body, start = b"", b"", TEXT
    for number in range(count):
        fre_type, flexible = draw(st.integers(0, 2)), draw(st.booleans())
        content = draw(rows(fre_type, flexible))
        mask = draw(st.sampled_from([0, 0, 0, 0x10, 0x80, 0xE0]))
        fre_count = draw(st.integers(0, 4))
        entry = SFRAME + 28 + 16 * number
        size = draw(st.integers(0, 48))
        index += struct.pack("<qII", start - entry, size, len(body))
        info = fre_type | mask | 3 * rarely(draw)
        body += struct.pack("<HBBB", fre_count, info, flexible, draw(st.integers(0, 40))) + content
        start += draw(st.integers(-9, 60)) if rarely(draw) else size + draw(st.integers(0, 9))
    body += draw(st.binary(max_size=20))
    header = struct.pack(
        "<HBBBbbBIIIII", 0xDEE2, 3, 5, 3, draw(st.sampled_from([0, 0, -16])),
        draw(st.sampled_from([-8, -8, 0])), 0, count, 1, len(body), 0, len(index),
    )  # fmt: skip
    section = bytearray(header + index + body)
    if rarely(draw):
        for _ in range(3):
            section[draw(st.integers(0, len(section) - 1))] = draw(st.integers(0, 255))
    if rarely(draw):
        del section[draw(st.integers(0, len(section) - 1)) :]
    return bytes(section) or b"\0"


def store_of(section: bytes, policy: Policy, *, validation: bool = False) -> SectionStore:
    vmas = VmaList(
        [
            Vma(SFRAME, SFRAME + 0x8000, executable=False, path="/bin/prog"),
            Vma(TEXT, TEXT + 0x1000, executable=True, path="/bin/prog"),
        ]
    )
    return SectionStore(Watched(section), vmas, DebugLog(), policy=policy, validation=validation)


def register(store: SectionStore, section: bytes) -> int:
    return store.add(SFRAME, SFRAME + len(section), TEXT, TEXT + 0x1000)


policies = st.sampled_from(POLICIES)


@given(section=st.one_of(sections(), st.binary(min_size=1, max_size=64)), validation=st.booleans())
def test_registration(section: bytes, validation: bool) -> None:
    store = store_of(section, POLICIES[0], validation=validation)
    result = register(store, section)
    assert result in ADD_RESULTS
    assert len(store) == (result == 0)
    assert bool(store.log.drain()) == (result != 0)


@settings(max_examples=300)
@given(section=sections(), policy=policies, offsets=st.lists(st.integers(0, 200), min_size=1))
def test_lookups(section: bytes, policy: Policy, offsets: list[int]) -> None:
    store = store_of(section, policy)
    if register(store, section):
        return
    for offset in offsets:
        pure = store.lookup(TEXT + offset)
        before = len(store)
        found = store.find(TEXT + offset)
        if isinstance(pure, Row):
            assert found is pure.frame or found == pure.frame
            assert pure.start <= TEXT + offset
            assert len(store) == before
            assert str(found)
        else:
            assert isinstance(found, LookupFailure)
            assert found == pure
            assert found.errno in LOOKUP_ERRNOS
            assert found.reason
            if policy.name == "kernel-v15":
                assert len(store) == (before if found.errno is Errno.ENOENT else 0)


@given(section=sections(), offsets=st.lists(st.integers(0, 200), min_size=1))
def test_what_validation_accepts_no_lookup_finds_corrupt(
    section: bytes, offsets: list[int]
) -> None:
    # All that validation leaves open are the rules themselves, and functions without a row.
    store = store_of(section, POLICIES[0], validation=True)
    if register(store, section):
        return
    for offset in offsets:
        found = store.lookup(TEXT + offset)
        if isinstance(found, LookupFailure):
            assert found.errno in {Errno.ENOENT, Errno.EINVAL}
            assert found.errno is Errno.ENOENT or any(
                text in found.reason
                for text in ("control word", "no FREs", "first FRE", "behind the address")
            ), found


@settings(max_examples=300)
@given(
    section=sections(),
    policy=policies,
    data=st.data(),
    limit=st.integers(1, 40),
    word_size=st.sampled_from([8, 8, 8, 4]),
)
def test_walks(
    section: bytes, policy: Policy, data: st.DataObject, limit: int, word_size: int
) -> None:
    values = st.one_of(
        st.integers(TEXT, TEXT + 200),
        st.integers(STACK - 64, STACK + 600),
        st.integers(0, 64).map(lambda slot: STACK + 8 * slot),
        st.integers(0, (1 << 64) - 1),
    )
    words = data.draw(st.lists(values, min_size=1, max_size=64))
    memory = Stack(struct.pack(f"<{len(words)}Q", *words))
    registers = RegisterFile(data.draw(values), data.draw(st.tuples(*[values] * 16)))
    store = store_of(section, policy)
    register(store, section)
    trace = unwind_user(store, memory, registers, limit, word_size=word_size)
    assert trace.ret == 0
    assert 1 <= len(trace.frames) <= limit
    assert trace.ips[0] == registers.ip
    assert (trace.end.ending is Ending.LIMIT) == (len(trace.frames) == limit)
    assert memory.reads <= 5 * limit
    for state in trace.frames:
        for value in state[:3]:
            assert 0 <= value < 1 << 64
    if policy.name == "kernel-v15":
        stack_pointers = [state.sp for state in trace.frames]
        assert stack_pointers[1:] == sorted(set(stack_pointers[1:]))


@settings(max_examples=300)
@given(
    section=sections(),
    policy=policies,
    offsets=st.lists(st.integers(0, 200), min_size=1, max_size=8),
)
def test_remembered_lookups_are_the_same(
    section: bytes, policy: Policy, offsets: list[int]
) -> None:
    plain, stable = store_of(section, policy), store_of(section, policy)
    stable.stable = True
    assert register(plain, section) == register(stable, section)
    for offset in [*offsets, *range(0, 200, 3), *offsets]:
        assert plain.lookup(TEXT + offset) == stable.lookup(TEXT + offset)
    for offset in offsets * 2:
        assert plain.find(TEXT + offset) == stable.find(TEXT + offset)
        assert plain.records == stable.records
        assert plain.log.drain() == stable.log.drain()


@given(first=st.data(), second=st.data())
def test_frames_are_values(first: st.DataObject, second: st.DataObject) -> None:
    rules = st.builds(
        ValueRule, st.just(ValueBase.CFA), st.integers(-16, -14), st.booleans(), st.none()
    )
    frames = st.builds(
        Frame,
        st.builds(CfaRule, st.sampled_from([CfaBase.SP, CfaBase.FP]), st.just(16)),
        rules,
        rules,
    )
    one, other = first.draw(frames), second.draw(frames)
    assert (one == other) == (str(one) == str(other))
    assert len({one, other}) == (1 if one == other else 2)
