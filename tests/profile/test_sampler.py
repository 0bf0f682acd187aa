"""An emulated process that drives deferred unwinding and perf (kernel behaviour: 12, 13)."""

import shutil
import subprocess
from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from emu.asm import assemble
from emu.check import Verdict, snapshots
from emu.check.guest_options import ENVIRONMENT
from emu.machine import Image, OutcomeKind, Process
from emu.machine.symbols import SymbolTable
from emu.profile import (
    Context,
    DeferredRecord,
    Form,
    Period,
    ProfileError,
    ProfileOutput,
    Record,
    Sample,
    Sampler,
    Unit,
    merged,
    period,
)
from emu.toolchain.prebuilt import unpack_programs
from emu.unwind import MAX_ENTRIES, LookupFailure, Tracer, policy

ROOT = Path(__file__).parent.parent.parent
CASES = ROOT / "asm_cases"
KERNEL, DEFERRED = Context.KERNEL, Context.USER_DEFERRED

CALLS = """\
#@ title: Two frames, system calls in the inner one
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call work
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc
work:   .cfi_startproc
        mov eax, 39
        syscall
        mov ecx, 5
.Lloop: dec ecx
        jnz .Lloop
        mov eax, 39
        syscall
        ret
        .cfi_endproc
"""

BACK, AFTER_FIRST, AFTER_SECOND = 5, 7, 23
"""Offsets behind the call in _start and behind the two system calls in work."""

DEEP = """\
#@ title: 601 frames, and a loop in the innermost
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov edi, 600
        call down
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc
down:   .cfi_startproc
        dec edi
        jz bottom
        call down
        ret
bottom: mov ecx, 50
spin:   dec ecx
        jnz spin
        ret
        .cfi_endproc
"""

REMOVES = """\
#@ title: Removes its own section by prctl
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        call work
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc
work:   .cfi_startproc
        mov eax, 157
        mov edi, 80
        mov esi, SECTION
        xor edx, edx
        xor r10d, r10d
        xor r8d, r8d
        syscall
        nop
        ret
        .cfi_endproc
"""

THREADS = """
#include <pthread.h>
static long sums[3];
__attribute__((noinline)) static void work(long n)
{
    for (volatile long i = 0; i < 3000; i++) sums[n] += i;
}
static void *start(void *n) { work((long)n); return 0; }
int main(void)
{
    pthread_t t[3];
    for (long i = 0; i < 3; i++) pthread_create(&t[i], 0, start, (void *)i);
    for (int i = 0; i < 3; i++) pthread_join(t[i], 0);
    return 0;
}
"""

FORKS = """
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void)
{
    if (fork() == 0) {
        for (int i = 0; i < 50; i++) syscall(SYS_getppid);
        _exit(0);
    }
    wait(0);
    return 0;
}
"""

SLEEP = """\
#@ title: Sleeps 100 microseconds, then computes
        .intel_syntax noprefix
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_undefined rip
        mov eax, 35
        lea rdi, [rip+time]
        xor esi, esi
        syscall
        mov ecx, 1000
spin:   dec ecx
        jnz spin
        mov eax, 60
        xor edi, edi
        syscall
        .cfi_endproc
        .data
time:   .quad 0, 100000
"""


def image(source: str | Path) -> Image:
    case = assemble(source)
    return Image.from_bytes(case.elf, "/bin/case")


def address(program: Image, name: str) -> int:
    found = program.address_of(name)
    assert found is not None
    return found


def process_of(program: Image) -> Process:
    return Process(program, [program.path], ENVIRONMENT, stdout=len, stderr=len)


class Profiled:
    """A profile of a whole run."""

    def __init__(
        self,
        program: Image,
        every: str = "0",
        *,
        on_system_call: bool = False,
        policy_text: str = "kernel-v15",
        verify: bool = False,
        convert: Collection[str] = (),
        prepare: Callable[[Sampler], object] = id,
    ) -> None:
        self.records: list[Record] = []
        self.sampler = Sampler(
            process_of(program),
            period=period(every),
            on_system_call=on_system_call,
            policy=policy(policy_text),
            verify=verify,
            convert=convert,
        )
        self.sampler.on_record.append(self.records.append)
        prepare(self.sampler)
        self.outcome = self.sampler.run(10_000_000)
        assert self.outcome.kind is OutcomeKind.EXIT

    @property
    def samples(self) -> list[Sample]:
        return [record for record in self.records if isinstance(record, Sample)]

    @property
    def chains(self) -> list[tuple[int, ...]]:
        """The addresses of the callchains that came later."""
        return [record.addresses for record in self.records if isinstance(record, DeferredRecord)]

    @property
    def verdicts(self) -> dict[Verdict, int]:
        assert self.sampler.verification is not None
        return dict(self.sampler.verification.verdicts)

    def text(self, form: Form) -> str:
        written: list[str] = []
        output = ProfileOutput(form, self.sampler.symbols, self.sampler.event_names, written.append)
        for record in self.records:
            output.add(record)
        output.finish()
        return "".join(written)


@pytest.fixture(scope="module")
def prebuilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("profiled")
    unpack_programs(ROOT / "c_cases" / "prebuilt", directory)
    return directory


@pytest.fixture(scope="module")
def calls() -> Image:
    return image(CALLS)


# The timer --------------------------------------------------------------------------------


@pytest.mark.parametrize("every", [1, 2, 7, 40])
@pytest.mark.parametrize("case", ["recursion", "rep_stos", "longjmp"])
def test_the_timer_interrupts_when_as_many_instructions_were_executed(case, every) -> None:
    program = image(CASES / f"{case}.s")
    pcs = [snapshot.pc for snapshot in snapshots(program)]
    profile = Profiled(program, str(every))
    assert [chain[0] for chain in profile.chains] == pcs[every::every]
    assert profile.sampler.instructions == len(pcs)


@pytest.mark.parametrize("case", ["recursion", "leaf", "frame_pointer", "lazy_binding"])
def test_every_walk_is_the_true_stack_where_all_rows_are_right(case) -> None:
    program = image(CASES / f"{case}.s")
    true = [tuple(frame.ip for frame in snapshot.frames) for snapshot in snapshots(program)]
    profile = Profiled(program, "1")
    assert profile.chains == true[1:]


def test_following_the_true_stack_changes_no_record(calls) -> None:
    for options in ({"every": "3"}, {"every": "1us"}, {"on_system_call": True}):
        assert Profiled(calls, **options).records == Profiled(calls, verify=True, **options).records


def test_equal_runs_give_equal_records(calls) -> None:
    one, other = (Profiled(calls, "2", on_system_call=True) for _ in range(2))
    assert one.records == other.records


def test_a_user_sample_is_a_cookie_and_its_callchain_follows_at_once(calls) -> None:
    profile = Profiled(calls, "9")
    sample, record = profile.records[:2]
    assert isinstance(sample, Sample)
    assert isinstance(record, DeferredRecord)
    assert sample.chain == (DEFERRED, 3 << 32 | 1)
    assert (record.cookie, record.tid) == (sample.cookie, sample.tid)
    assert [s.cookie for s in profile.samples] == [3 << 32 | 1, 5 << 32 | 1]
    assert len(profile.records) == 2 * len(profile.samples)


def test_a_run_that_is_stopped_has_its_samples(calls) -> None:
    sampler = Sampler(process_of(calls), period=Period(2))
    records: list[Record] = []
    sampler.on_record.append(records.append)
    assert sampler.run(9).kind is OutcomeKind.LIMIT
    assert sampler.instructions == 9
    assert len(records) == 2 * 4


def test_guest_time_passes_in_sleep_and_with_instructions() -> None:
    # The sleep overruns ten expiries; one sample is taken, in the kernel.
    profile = Profiled(image(SLEEP), "10us")
    in_kernel = [sample for sample in profile.samples if sample.chain[0] == KERNEL]
    assert profile.samples[:1] == in_kernel
    assert in_kernel[0].time >= 100_000
    # 2,002 instructions of 10 ns are 20 microseconds.
    expiries = [sample.time for sample in profile.samples[1:]]
    assert expiries == [110_000, 120_000]


# System calls -----------------------------------------------------------------------------


def test_a_request_within_a_system_call_is_served_at_its_exit(calls) -> None:
    profile = Profiled(calls, on_system_call=True)
    work, back = address(calls, "work"), address(calls, "_start") + BACK
    assert profile.chains == [(work + AFTER_FIRST, back), (work + AFTER_SECOND, back)]
    first = profile.samples[0]
    kernel = first.chain[1:-2]
    assert first.chain[0] == KERNEL
    assert all(address >> 47 == (1 << 17) - 1 for address in kernel)
    assert first.chain[-2] == DEFERRED
    # exit does not return: nothing was sampled there, and nothing is left to be done.
    assert len(profile.records) == 4


def test_two_events_in_one_system_call_share_the_walk() -> None:
    profile = Profiled(image(SLEEP), "10us", on_system_call=True)
    call, timer, record = profile.records[:3]
    assert isinstance(call, Sample)
    assert isinstance(timer, Sample)
    assert isinstance(record, DeferredRecord)
    assert (call.event.name, timer.event.name) == ("raw_syscalls:sys_exit", "cpu-clock")
    assert call.cookie == timer.cookie == record.cookie
    assert profile.sampler.walks == len(profile.chains) == len(profile.samples) - 1
    deliveries = list(merged(profile.records[:3]))
    assert [delivery.chain[-1:] for delivery in deliveries] == [record.addresses] * 2


def test_two_tracers_in_one_kernel_entry_share_cookie_and_walk(calls) -> None:
    seen: list[tuple[tuple[int, ...], int]] = []
    replies = []

    def trace(sampler: Sampler) -> None:
        tracer = sampler.deferred.register(lambda entries, cookie: seen.append((entries, cookie)))
        assert isinstance(tracer, Tracer)
        for _ in range(2):
            sampler.on_event.append(lambda thread: replies.append(thread.deferred.request(tracer)))

    profile = Profiled(calls, "4", on_system_call=True, prepare=trace)
    cookies = [sample.cookie for sample in profile.samples]
    assert len(set(cookies)) == len(cookies) == profile.sampler.walks == 6
    assert seen == list(zip(profile.chains, cookies, strict=True))
    # It asked twice each time: the second request is told that there was one.
    assert [reply.ret for reply in replies] == [0, 1] * 6
    assert [reply.cookie for reply in replies[::2]] == cookies


def test_a_system_call_that_a_signal_ends_is_walked_before_the_handlers_frame(prebuilt) -> None:
    program = Image.from_file(prebuilt / "signal_handlers-O2")
    handler = program.address_of("on_user")
    profile = Profiled(program, on_system_call=True, verify=True, policy_text="glibc")
    assert set(profile.verdicts) <= {Verdict.OK, Verdict.GAP}
    assert handler not in {chain[0] for chain in profile.chains}


# Depth, truth -----------------------------------------------------------------------------


def test_a_walk_records_510_entries_at_most() -> None:
    profile = Profiled(image(DEEP), "50", verify=True)
    lengths = {len(chain) for chain in profile.chains}
    assert max(lengths) == MAX_ENTRIES == 510
    assert set(profile.verdicts) == {Verdict.OK, Verdict.LIMIT}
    assert profile.verdicts[Verdict.LIMIT] == sum(len(chain) == 510 for chain in profile.chains)


def test_wrong_rows_are_wrong_walks() -> None:
    profile = Profiled(image(CASES / "wrong_cfa.s"), "1", verify=True)
    assert profile.verdicts[Verdict.WRONG] > 0
    assert profile.sampler.verification is not None
    assert profile.sampler.verification.faults == profile.verdicts[Verdict.WRONG]


@pytest.mark.parametrize("level", ["O0", "O2", "Os"])
def test_callbacks_from_libc_are_true_as_far_as_rows_reach(prebuilt, level) -> None:
    program = Image.from_file(prebuilt / f"qsort_callback-{level}")
    profile = Profiled(program, "5")
    checked = 0
    chains = iter(profile.chains)
    for snapshot in snapshots(program):
        if snapshot.instruction == 0 or snapshot.instruction % 5:
            continue
        chain = next(chains)
        true = [frame.ip for frame in snapshot.frames]
        reach = 1
        while reach < len(true) and not isinstance(snapshot.place(reach - 1).found, LookupFailure):
            reach += 1
        assert list(chain[:reach]) == true[:reach]
        checked += reach > 1
    assert next(chains, None) is None
    assert checked > 50


@pytest.mark.parametrize("case", ["qsort_callback", "longjmp_out", "deep_recursion"])
def test_with_rows_for_libc_nearly_every_walk_is_whole(prebuilt, case) -> None:
    program = Image.from_file(prebuilt / f"{case}-O2")
    profile = Profiled(program, "7", on_system_call=True, verify=True, convert=["all"])
    assert set(profile.verdicts) <= {Verdict.OK, Verdict.GAP}
    assert profile.verdicts[Verdict.OK] > 10 * profile.verdicts[Verdict.GAP]


# Threads, children, sections of the guest's own ----------------------------------------------


@pytest.fixture(scope="module")
def compiled(tmp_path_factory) -> Callable[[str], Image]:
    if shutil.which("gcc") is None:
        pytest.skip("no gcc")

    def build(source: str) -> Image:
        program = tmp_path_factory.mktemp("guest") / "prog"
        command = ["gcc", "-O1", "-static", "-x", "c", "-", "-o", program]
        subprocess.run(command, input=source.encode(), check=True)
        return Image.from_file(program)

    return build


def test_each_thread_has_its_own_samples_and_walks(compiled) -> None:
    program = compiled(THREADS)
    profile = Profiled(program, "100", on_system_call=True, verify=True, convert=["all"])
    assert set(profile.verdicts) <= {Verdict.OK, Verdict.GAP}
    assert profile.verdicts[Verdict.OK] > 10 * profile.verdicts[Verdict.GAP]
    assert {sample.tid for sample in profile.samples} == {1000, 1001, 1002, 1003}
    assert {sample.pid for sample in profile.samples} == {1000}
    cookies = {sample.cookie: sample.tid for sample in profile.samples}
    for record in profile.records:
        assert isinstance(record, Sample) or record.tid == cookies[record.cookie]
    folded = profile.text(Form.FOLDED)
    assert ";start;work " in folded
    again = Profiled(program, "100", on_system_call=True, convert=["all"])
    assert again.records == profile.records


def test_children_are_not_sampled(compiled) -> None:
    profile = Profiled(compiled(FORKS), on_system_call=True)
    assert {sample.pid for sample in profile.samples} == {1000}
    assert "getppid" not in profile.text(Form.FOLDED)
    assert 5 < len(profile.samples) < 40


def test_a_section_that_the_guest_removes_serves_no_more_walks() -> None:
    sframe = image(REMOVES.replace("SECTION", "0x400000")).sframe
    assert sframe is not None
    program = image(REMOVES.replace("SECTION", hex(sframe.address)))
    assert program.sframe is not None
    assert program.sframe.address == sframe.address
    profile = Profiled(program, "1")
    lengths = [len(chain) for chain in profile.chains]
    # Seven instructions of work are interrupted before the call, two and the rest after it.
    assert lengths == [2] * 7 + [1] * 5


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc")
def test_a_dynamic_program_with_its_loader_and_libraries(tmp_path) -> None:
    program = tmp_path / "sort"
    source = ROOT / "c_cases" / "qsort_callback.c"
    subprocess.run(["gcc", "-O2", source, "-o", program], check=True)
    profile = Profiled(Image.from_file(program), "20", on_system_call=True)
    text = profile.text(Form.MERGED)
    assert "_dl_" in text
    assert "/libc.so.6)" in text
    assert " by_length_then_text+0x" in text
    assert f" ({program})" in text


def test_periods() -> None:
    assert period("1000") == Period(1000)
    assert period("50us") == Period(50_000, Unit.NANOSECONDS)
    assert period("0") is period("0us") is None
    for text in ("", "-1", "1ms", "us", "1.5", "9" * 16, "0x10"):
        with pytest.raises(ProfileError, match="is no period"):
            period(text)
    with pytest.raises(ProfileError, match="at least 1"):
        Period(0)


# Output -----------------------------------------------------------------------------------


def test_perf_script_of_a_system_call(calls) -> None:
    after, back = address(calls, "work") + AFTER_FIRST, address(calls, "_start") + BACK
    user = [
        f"\t{after:16x} work+{AFTER_FIRST:#x} (/bin/case)",
        f"\t{back:16x} _start+{BACK:#x} (/bin/case)",
    ]
    kernel = [
        "\tffffffff81002000 syscall_exit_work+0x0 ([kernel.kallsyms])",
        "\tffffffff81001000 do_syscall_64+0x0 ([kernel.kallsyms])",
        "\tffffffff81000000 entry_SYSCALL_64_after_hwframe+0x0 ([kernel.kallsyms])",
    ]
    profile = Profiled(calls, on_system_call=True)
    head = "case    1000     0.000001:          1 raw_syscalls:sys_exit: "
    assert profile.text(Form.MERGED).split("\n\n")[0].split("\n") == [head, *kernel, *user]
    assert profile.text(Form.UNMERGED).split("\n\n")[:2] == [
        "\n".join([head, *kernel, "\t       300000001 (cookie) ([unknown])"]),
        "\n".join(["case    1000     0.000001: DEFERRED CALLCHAIN [cookie: 300000001]", *user]),
    ]


def test_folded_stacks_count_equal_ones(calls) -> None:
    assert Profiled(calls, "1").text(Form.FOLDED) == "case;_start 3\ncase;_start;work 16\n"
    kernel = "entry_SYSCALL_64_after_hwframe_[k];do_syscall_64_[k];syscall_exit_work_[k]"
    profile = Profiled(calls, on_system_call=True)
    assert profile.text(Form.FOLDED) == f"case;_start;work;{kernel} 2\n"


def test_code_without_symbols_is_unknown(calls) -> None:
    nameless = Image.from_bytes(assemble(CALLS).elf, "/bin/a;b\n")
    nameless.__dict__["_symbols"] = SymbolTable([], {})
    profile = Profiled(nameless, "19")
    assert profile.text(Form.FOLDED) == "a:b\\n;[unknown] 1\n"
    assert "[unknown] (/bin/a;b\\n)\n" in profile.text(Form.MERGED)
