"""perf's view of deferred unwinding (kernel behaviour: 13, and idea 20 of 18)."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from emu.profile import (
    Context,
    DeferredRecord,
    Delivery,
    Location,
    Mode,
    PerfEvent,
    PerfSampling,
    ProfileError,
    Record,
    Recording,
    Sample,
    call_graph,
    immediate_chain,
    merged,
    perf_script,
    raw_chain,
    resolved,
    unmerged,
)
from emu.unwind import DeferredTask, DeferredUnwinding, RegionMemory, RegisterFile

USER, KERNEL, DEFERRED = Context.USER, Context.KERNEL, Context.USER_DEFERRED
STACK = 0x7FFF0000
MAIN, LEAF, SYSCALL = 0x401010, 0x401234, 0xFFFFFFFF81000042


def cookie(count: int, cpu: int = 0) -> int:
    return count << 32 | cpu + 1


@dataclass
class FakeThread:
    """A thread whose deferred walk gives `stack` and whose frame pointers lead through words."""

    kernel: DeferredUnwinding
    tid: int = 101
    stack: Sequence[int] = (LEAF, MAIN)
    pid: int = 100
    comm: str = "prog"
    cpu: int = 0
    words: Sequence[int] = ()
    ip: int = LEAF
    kernel_thread: bool = False
    deferred: DeferredTask = field(init=False)

    def __post_init__(self) -> None:
        walk = None if self.kernel_thread else lambda limit: tuple(self.stack)[:limit]
        self.deferred = DeferredTask(self.kernel, walk)

    @property
    def registers(self) -> RegisterFile | None:
        values = [0] * 16
        values[6] = values[7] = STACK
        return None if self.kernel_thread else RegisterFile(self.ip, values)

    @property
    def memory(self) -> RegionMemory:
        return RegionMemory([(STACK, struct.pack(f"<{len(self.words)}Q", *self.words))])


class Recorder:
    """A kernel with perf; every record takes a microsecond."""

    def __init__(self, *, nmi_safe: bool = True, **options: bool) -> None:
        self.kernel = DeferredUnwinding(nmi_safe=nmi_safe)
        self.records: list[Record] = []
        self.time = 5_000_000_000
        self.perf = PerfSampling(self.kernel, self.records.append, self.clock, **options)

    def clock(self) -> int:
        self.time += 1000
        return self.time

    def thread(self, **options: object) -> FakeThread:
        return FakeThread(self.kernel, **options)  # type: ignore[arg-type]  # as FakeThread says

    def open(self, name: str = "cycles", **options: object) -> PerfEvent:
        deferring: dict[str, object] = {"defer_callchain": True, "defer_output": True}
        event = PerfEvent(name, **(deferring | options))  # type: ignore[arg-type]  # likewise
        self.perf.open(event)
        return event


class Names:
    """main and leaf of /bin/prog; one kernel function."""

    def locate(self, _pid: int, address: int, mode: Mode) -> Location:
        if mode is Mode.KERNEL:
            return Location("do_syscall_64", address - SYSCALL, "[kernel.kallsyms]")
        for start, name in ((0x401000, "main"), (0x401200, "leaf")):
            if start <= address < start + 0x100:
                return Location(name, address - start, "/bin/prog")
        return Location(None)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


# The kernel's side (13.1) -----------------------------------------------------------------


def test_numbers_of_the_marks() -> None:
    assert (-640) % (1 << 64) == DEFERRED == 0xFFFFFFFFFFFFFD80
    assert (USER, KERNEL) == (0xFFFFFFFFFFFFFE00, 0xFFFFFFFFFFFFFF80)


def test_a_deferred_sample_ends_with_mark_and_cookie(recorder) -> None:
    event, thread = recorder.open(), recorder.thread()
    in_kernel = recorder.perf.sample(event, thread, kernel=[SYSCALL])
    assert in_kernel.chain == (KERNEL, SYSCALL, DEFERRED, cookie(3))
    in_user = recorder.perf.sample(event, thread)
    assert in_user.chain == (DEFERRED, cookie(3))  # the request that returns 1 counts as well
    assert recorder.records == [in_kernel, in_user]
    thread.deferred.resume_user()
    record = recorder.records[2]
    assert isinstance(record, DeferredRecord)
    assert (record.cookie, record.addresses) == (cookie(3), (LEAF, MAIN))
    assert (record.pid, record.tid, record.event) == (100, 101, event)
    assert len(recorder.records) == 3


def test_the_next_kernel_entry_has_another_cookie(recorder) -> None:
    event, thread = recorder.open(), recorder.thread(cpu=3)
    for count in (3, 5):
        assert recorder.perf.sample(event, thread).cookie == cookie(count, 3)
        thread.deferred.resume_user()
    assert [type(record) for record in recorder.records] == [Sample, DeferredRecord] * 2


def test_a_record_holds_510_addresses_at_most(recorder) -> None:
    event, thread = recorder.open(), recorder.thread(stack=[MAIN] * 600)
    recorder.perf.sample(event, thread)
    thread.deferred.resume_user()
    assert len(recorder.records[1].addresses) == 510


def test_a_failed_walk_still_writes_a_record(recorder) -> None:
    event, thread = recorder.open(), recorder.thread()
    thread.deferred.allocate = lambda: False
    recorder.perf.sample(event, thread)
    thread.deferred.resume_user()
    assert recorder.records[1].addresses == ()
    assert next(merged(recorder.records)).chain == (DEFERRED,)


def test_a_request_after_the_callback_writes_no_second_record(recorder) -> None:
    event, thread = recorder.open(), recorder.thread()
    late: list[Sample] = []
    recorder.kernel.register(lambda _entries, _cookie: late.append(perf.sample(event, thread)))
    perf = recorder.perf
    thread.deferred.request(recorder.kernel.tracers[1])
    perf.sample(event, thread)
    thread.deferred.resume_user()
    assert late[0].chain == (DEFERRED, cookie(3))  # asked again, answered already
    assert sum(isinstance(record, DeferredRecord) for record in recorder.records) == 1
    thread.deferred.resume_user()
    assert perf.sample(event, thread).cookie == cookie(5)


FRAMES = (STACK + 32, MAIN, 0, 0, 0, 0x400F00)


@pytest.mark.parametrize("why", ["not asked", "exiting", "nmi"])
def test_without_deferral_frame_pointers_are_followed_at_once(why) -> None:
    recorder = Recorder(nmi_safe=why != "nmi")
    event = recorder.open(defer_callchain=why != "not asked")
    thread = recorder.thread(words=FRAMES)
    if why == "exiting":
        thread.deferred.exit()
    sample = recorder.perf.sample(event, thread, kernel=[SYSCALL], nmi=why == "nmi")
    assert sample.chain == (KERNEL, SYSCALL, USER, LEAF, MAIN, 0x400F00)
    assert not sample.deferred
    thread.deferred.resume_user()
    assert recorder.records == [sample]


def test_no_user_part_at_all(recorder) -> None:
    thread = recorder.thread()
    for event, other in (
        (recorder.open(task=102), thread),  # cross-task: it watches another thread
        (recorder.open(user_callchain=False), thread),
        (recorder.open(), recorder.thread(kernel_thread=True)),
    ):
        assert recorder.perf.sample(event, other, kernel=[SYSCALL]).chain == (KERNEL, SYSCALL)
        other.deferred.resume_user()
    assert all(isinstance(record, Sample) for record in recorder.records)


def test_records_go_to_every_event_in_scope_that_wants_them(recorder) -> None:
    asking = recorder.open("asking", defer_output=False)
    everywhere = recorder.open("everywhere", defer_callchain=False)
    attached = recorder.open("attached", task=101, id=7)
    recorder.open("elsewhere", task=102)
    recorder.perf.close(recorder.open("closed"))
    thread = recorder.thread()
    recorder.perf.sample(asking, thread)
    thread.deferred.resume_user()
    assert [record.event for record in recorder.records] == [asking, everywhere, attached]
    assert {record.cookie for record in recorder.records} == {cookie(3)}


def test_perf_needs_a_tracer() -> None:
    kernel = DeferredUnwinding()
    for _ in range(62):
        kernel.register(lambda _entries, _cookie: None)
    with pytest.raises(ProfileError, match="EBUSY"):
        PerfSampling(kernel, print, lambda: 0)


def test_bytes_of_a_deferred_record() -> None:
    record = DeferredRecord(PerfEvent("cycles", id=9), 100, 101, "prog", 77, cookie(3), (5, 6))
    raw = record.encode()
    kind, misc, size = struct.unpack_from("<IHH", raw)
    assert (kind, misc, size) == (22, 2, len(raw))
    assert struct.unpack_from("<QQ2Q", raw, 8) == (cookie(3), 2, 5, 6)
    assert struct.unpack_from("<IIQQ", raw, 40) == (100, 101, 77, 9)


# The immediate chain ----------------------------------------------------------------------


def chain(words: Sequence[int], limit: int = 127, **options: object) -> tuple[int, ...]:
    memory = RegionMemory([(STACK, struct.pack(f"<{len(words)}Q", *words))])
    values = [0] * 16
    values[6] = values[7] = STACK
    return immediate_chain(RegisterFile(LEAF, values), memory, limit, **options)  # type: ignore[arg-type]  # options are its own


def test_immediate_chain_checks_nothing_but_readability() -> None:
    assert chain(FRAMES) == (LEAF, MAIN, 0x400F00)
    assert chain(()) == (LEAF,)
    assert chain((STACK, MAIN), limit=5) == (LEAF, *[MAIN] * 4)  # a circle, up to the limit
    assert chain((STACK + 9, MAIN, *[0] * 4)) == (LEAF, MAIN, 0)  # misaligned
    assert chain((1 << 63, MAIN)) == (LEAF, MAIN)  # beyond user space
    assert chain(FRAMES, limit=0) == ()


def test_immediate_chain_of_a_32_bit_task() -> None:
    memory = RegionMemory([(STACK, struct.pack("<4I", STACK + 8, 0x8048000, 0, 0x8049000))])
    values = [0] * 16
    values[6] = STACK
    found = immediate_chain(RegisterFile(LEAF, values), memory, 9, word_size=4)
    assert found == (LEAF, 0x8048000, 0x8049000)


def test_immediate_chain_at_a_probed_function_entry() -> None:
    words = (STACK + 32, 0xAAAA, 0, 0, 0, MAIN)
    assert chain(words, probed=b"\x55")[:2] == (LEAF, STACK + 32)
    assert chain(words, probed=b"\x90")[:2] == (LEAF, 0xAAAA)
    assert chain((), probed=b"\x55") == (LEAF,)


def test_a_sample_has_127_addresses_at_most(recorder) -> None:
    event = recorder.open(defer_callchain=False)
    thread = recorder.thread(words=(STACK, MAIN))
    sample = recorder.perf.sample(event, thread, kernel=[SYSCALL] * 100)
    assert len(sample.chain) == 2 + 127
    assert sample.chain[101] == USER
    sample = recorder.perf.sample(event, thread, kernel=[SYSCALL] * 200)
    assert len(sample.chain) == 1 + 127 + 1


# The tool's side (13.2) -------------------------------------------------------------------

EVENT = PerfEvent("cycles", period=249113, defer_callchain=True, defer_output=True)


def sample(tid: int, *entries: int, time: int = 1_000_000_000, event: PerfEvent = EVENT) -> Sample:
    return Sample(event, 100, tid, "prog", time, entries)


def later(tid: int, carries: int, *addresses: int) -> DeferredRecord:
    return DeferredRecord(EVENT, 100, tid, "prog", 2_000_000_000, carries, addresses)


def test_which_samples_are_deferred() -> None:
    assert sample(1, DEFERRED, 7).cookie == 7
    assert sample(1, KERNEL, SYSCALL, DEFERRED, 7).deferred
    for other in (
        sample(1),
        sample(1, DEFERRED),
        sample(1, DEFERRED, 7, 8),
        sample(1, USER, 7),
        sample(1, DEFERRED, 7, event=PerfEvent("cycles", defer_output=True)),
    ):
        assert not other.deferred
        assert other.cookie is None
        assert list(merged([other])) == [Delivery(other, other.chain)]


def test_20_merge_with_interleaved_threads_and_a_cookie_mismatch() -> None:
    first = sample(1, KERNEL, SYSCALL, DEFERRED, 3)
    other_thread = sample(2, DEFERRED, 3)
    again = sample(1, KERNEL, SYSCALL + 4, DEFERRED, 3)
    stale = sample(1, DEFERRED, 99)
    plain = sample(1, USER, LEAF)
    left = sample(3, DEFERRED, 5)
    records: list[Record] = [
        first, other_thread, left, again, stale, plain, later(1, 3, LEAF, MAIN),
        later(2, 4, MAIN), later(1, 3, LEAF),
    ]  # fmt: skip
    assert list(merged(records)) == [
        Delivery(plain, plain.chain),  # nothing to wait for
        # The record of thread 1 delivers all three that wait for it, in their order.
        Delivery(first, (KERNEL, SYSCALL, DEFERRED, LEAF, MAIN), 3),
        Delivery(again, (KERNEL, SYSCALL + 4, DEFERRED, LEAF, MAIN), 3),
        Delivery(stale, (DEFERRED, 99)),  # another cookie: as it is, no longer deferred
        Delivery(other_thread, (DEFERRED, 3)),  # its own thread's record, another cookie
        Delivery(left, (DEFERRED, 5), 5),  # the end of the data
    ]


def test_without_merging_everything_keeps_its_order() -> None:
    records: list[Record] = [sample(1, DEFERRED, 3), later(2, 3, MAIN), later(1, 3, LEAF)]
    first, *others = unmerged(records)
    assert first == Delivery(records[0], (DEFERRED, 3), 3)
    assert others == records[1:]


def test_threads_of_a_recording_are_merged_by_what_they_did(recorder) -> None:
    event = recorder.open()
    one, two = recorder.thread(tid=1, stack=[MAIN]), recorder.thread(tid=2, stack=[LEAF], cpu=1)
    recorder.perf.sample(event, one)
    recorder.perf.sample(event, two)
    two.deferred.resume_user()
    recorder.perf.sample(event, two)
    one.deferred.resume_user()
    assert [(d.sample.tid, d.chain, d.cookie) for d in merged(recorder.records)] == [
        (2, (DEFERRED, LEAF), cookie(3, 1)),
        (1, (DEFERRED, MAIN), cookie(3)),
        (2, (DEFERRED, cookie(5, 1)), cookie(5, 1)),
    ]


@pytest.mark.parametrize(
    ("text", "defer"), [("fp", False), ("fp,defer", True), ("dwarf", False), ("lbr", False)]
)
def test_call_graph_option(text, defer) -> None:
    parsed = call_graph(text)
    assert parsed.recording is Recording(text.split(",", maxsplit=1)[0])
    assert parsed.defer is defer


@pytest.mark.parametrize("text", ["dwarf,defer", "lbr,defer"])
def test_call_graph_defers_with_frame_pointers_only(text) -> None:
    with pytest.raises(ProfileError, match=r"^callchain: deferred callchain only works with FP$"):
        call_graph(text)


@pytest.mark.parametrize("text", ["", "sframe", "fp,later", "fp,"])
def test_call_graph_rejects_the_rest(text) -> None:
    with pytest.raises(ProfileError, match=r"^callchain: unknown"):
        call_graph(text)


# perf script ------------------------------------------------------------------------------

KERNEL_PART = (KERNEL, SYSCALL, DEFERRED, 0xB00000006)
RECORDS: list[Record] = [sample(2312, *KERNEL_PART), later(2312, 0xB00000006, LEAF, MAIN, 0x10)]


def test_script_text_merged() -> None:
    assert "".join(perf_script(merged(RECORDS), Names())) == (
        "prog    2312     1.000000:     249113 cycles: \n"
        "\tffffffff81000042 do_syscall_64+0x0 ([kernel.kallsyms])\n"
        "\t          401234 leaf+0x34 (/bin/prog)\n"
        "\t          401010 main+0x10 (/bin/prog)\n"
        "\t              10 [unknown] ([unknown])\n"
        "\n"
    )


def test_script_text_unmerged() -> None:
    assert "".join(perf_script(unmerged(RECORDS), Names())) == (
        "prog    2312     1.000000:     249113 cycles: \n"
        "\tffffffff81000042 do_syscall_64+0x0 ([kernel.kallsyms])\n"
        "\t       b00000006 (cookie) ([unknown])\n"
        "\n"
        "prog    2312     2.000000: DEFERRED CALLCHAIN [cookie: b00000006]\n"
        "\t          401234 leaf+0x34 (/bin/prog)\n"
        "\t          401010 main+0x10 (/bin/prog)\n"
        "\t              10 [unknown] ([unknown])\n"
        "\n"
    )


def test_script_text_of_what_could_not_be_merged() -> None:
    mismatch, left = sample(1, *KERNEL_PART), sample(2, *KERNEL_PART)
    texts = list(perf_script(merged([mismatch, left, later(1, 5, MAIN)]), Names()))
    assert "\t       b00000006 [unknown] ([unknown])\n" in texts[0]  # an address like any other
    assert "\t       b00000006 (cookie) ([unknown])\n" in texts[1]


def test_script_text_with_cpu_and_a_common_name_width() -> None:
    told = Sample(EVENT, 100, 7, "prog", 12_345_678_999, (USER, MAIN), cpu=3)
    assert next(perf_script(merged([told]), Names(), name_width=10)) == (
        "prog       7 [003]    12.345678:     249113     cycles: \n"
        "\t          401010 main+0x10 (/bin/prog)\n\n"
    )


def test_marks_switch_the_mode_of_what_follows() -> None:
    found = resolved((KERNEL, 1, USER, 2, KERNEL, 3, DEFERRED, 4))
    assert found == [(1, Mode.KERNEL), (2, Mode.USER), (3, Mode.KERNEL), (4, Mode.USER)]


@pytest.mark.parametrize("entry", [(1 << 64) - 1, (1 << 64) - 4095])
def test_a_return_address_in_the_place_of_marks_spoils_the_chain(entry) -> None:
    assert resolved((DEFERRED, LEAF, entry, MAIN)) == []
    assert resolved((DEFERRED, LEAF, (1 << 64) - 4096)) != []


def test_raw_dump() -> None:
    assert raw_chain(sample(1, *KERNEL_PART)) == (
        "... FP chain: nr:4\n"
        ".....  0: ffffffffffffff80 (PERF_CONTEXT_KERNEL)\n"
        ".....  1: ffffffff81000042\n"
        ".....  2: fffffffffffffd80 (PERF_CONTEXT_USER_DEFERRED)\n"
        ".....  3: 0000000b00000006\n"
        "...... (deferred)\n"
    )
    assert "(deferred)" not in raw_chain(sample(1, USER, MAIN))
