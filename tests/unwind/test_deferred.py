"""Deferred unwinding: cookies, requests, execution, cache, cancelling (behaviour: 12)."""

import pytest

from emu.unwind import MAX_ENTRIES, DeferredTask, DeferredUnwinding, Errno, Tracer


class Recorder:
    """A tracer that keeps what it was called with."""

    def __init__(self, kernel: DeferredUnwinding) -> None:
        self.calls: list[tuple[tuple[int, ...], int]] = []
        tracer = kernel.register(lambda entries, cookie: self.calls.append((entries, cookie)))
        assert isinstance(tracer, Tracer)
        self.tracer = tracer


@pytest.fixture
def kernel() -> DeferredUnwinding:
    return DeferredUnwinding()


class Stack:
    """A walk that counts how often it was made."""

    def __init__(self, *ips: int) -> None:
        self.ips = ips
        self.walks = 0

    def __call__(self, limit: int) -> tuple[int, ...]:
        self.walks += 1
        return self.ips[:limit]


def cookie(count: int, cpu: int = 0) -> int:
    return count << 32 | cpu + 1


def test_size_of_the_cache() -> None:
    assert MAX_ENTRIES == 510


def test_cookies_are_odd_counts_per_cpu(kernel) -> None:
    recorder = Recorder(kernel)
    task = DeferredTask(kernel, Stack(1))
    given = []
    for cpu in (0, 0, 3, 0, 3):
        given.append(task.request(recorder.tracer, cpu=cpu).cookie)
        task.resume_user()
    assert given == [cookie(3), cookie(5), cookie(3, 3), cookie(7), cookie(5, 3)]
    assert [call[1] for call in recorder.calls] == given


def test_cookie_lasts_for_one_kernel_entry(kernel) -> None:
    first, second = Recorder(kernel), Recorder(kernel)
    task = DeferredTask(kernel, Stack(1))
    assert task.request(first.tracer, cpu=0).cookie == cookie(3)
    assert task.request(second.tracer, cpu=1).cookie == cookie(3)
    task.resume_user()
    assert task.request(second.tracer, cpu=1).cookie == cookie(3, 1)


def test_each_entry_is_walked_once_and_anew(kernel) -> None:
    recorder = Recorder(kernel)
    stack = Stack(1, 2)
    task = DeferredTask(kernel, stack)
    for entry in range(3):
        assert task.request(recorder.tracer).ret == 0
        assert task.request(recorder.tracer).ret == 1
        task.resume_user()
        assert stack.walks == entry + 1
    task.resume_user()
    assert len(recorder.calls) == 3


def test_request_from_a_callback_is_served_from_the_cache(kernel) -> None:
    late = Recorder(kernel)
    stack = Stack(7, 8)
    task = DeferredTask(kernel, stack)
    asked: list[int] = []

    def callback(entries: tuple[int, ...], cookie: int) -> None:
        asked.append(task.request(late.tracer).ret)
        asked.append(task.request(early).ret)

    early = kernel.register(callback)
    assert isinstance(early, Tracer)
    assert task.request(early).ret == 0
    task.resume_user()
    assert asked == [0, 1]  # the second would be called again: it has its answer
    assert late.calls == [((7, 8), cookie(3))]
    assert stack.walks == 1


def test_callback_comes_with_an_empty_trace_if_unwinding_fails(kernel) -> None:
    recorder = Recorder(kernel)
    task = DeferredTask(kernel, Stack(1), allocate=lambda: False)
    assert task.request(recorder.tracer) == (0, cookie(3))
    task.resume_user()
    assert recorder.calls == [((), cookie(3))]
    assert task.unwind_faultable() == (-Errno.ENOMEM, ())


def test_empty_walks_are_not_cached(kernel) -> None:
    stack = Stack()
    task = DeferredTask(kernel, stack)
    assert task.unwind_faultable() == (0, ())
    assert task.unwind_faultable() == (0, ())
    assert stack.walks == 2


def test_a_walk_without_request_is_forgotten_on_the_way_out(kernel) -> None:
    stack = Stack(1)
    task = DeferredTask(kernel, stack)
    for walks in (1, 2):
        assert task.unwind_faultable() == (0, (1,))
        assert task.unwind_faultable() == (0, (1,))
        assert stack.walks == walks
        task.resume_user()


def test_kernel_threads_and_exiting_tasks(kernel) -> None:
    recorder = Recorder(kernel)
    thread = DeferredTask(kernel, None)
    assert thread.request(recorder.tracer) == (-Errno.EINVAL, 0)
    assert thread.unwind_faultable() == (-Errno.EINVAL, ())
    task = DeferredTask(kernel, Stack(1))
    assert task.request(recorder.tracer).ret == 0
    task.exit()
    assert recorder.calls == [((1,), cookie(3))]
    assert task.request(recorder.tracer) == (-Errno.EINVAL, 0)


def test_nmi() -> None:
    for nmi_safe, expected in ((True, 0), (False, -Errno.EINVAL)):
        kernel = DeferredUnwinding(nmi_safe=nmi_safe)
        recorder = Recorder(kernel)
        assert DeferredTask(kernel, Stack(1)).request(recorder.tracer, nmi=True).ret == expected


def test_62_tracers(kernel) -> None:
    recorders = [Recorder(kernel) for _ in range(62)]
    assert [recorder.tracer.bit for recorder in recorders] == list(range(2, 64))
    assert kernel.register(recorders[0].tracer.callback) is Errno.EBUSY
    kernel.cancel(recorders[5].tracer)
    assert Recorder(kernel).tracer.bit == 7


def test_cancelling(kernel) -> None:
    cancelled, kept = Recorder(kernel), Recorder(kernel)
    tasks = [DeferredTask(kernel, Stack(1)) for _ in range(2)]
    for task in tasks:
        assert task.request(cancelled.tracer).ret == 0
        assert task.request(kept.tracer).ret == 0
    kernel.cancel(cancelled.tracer)
    kernel.cancel(cancelled.tracer)
    for task in tasks:
        assert task.request(cancelled.tracer) == (-Errno.EINVAL, 0)
        task.resume_user()
    assert cancelled.calls == []
    assert len(kept.calls) == 2


def test_a_reused_bit_is_a_new_tracer(kernel) -> None:
    old = Recorder(kernel)
    task = DeferredTask(kernel, Stack(1))

    def replace(entries: tuple[int, ...], cookie: int) -> None:
        kernel.cancel(old.tracer)

    second = kernel.register(replace)
    assert isinstance(second, Tracer)
    assert task.request(old.tracer).ret == 0
    assert task.request(second).ret == 0
    task.resume_user()
    new = Recorder(kernel)
    assert new.tracer.bit == 2
    assert task.request(new.tracer).ret == 0
    task.resume_user()
    assert (len(old.calls), len(new.calls)) == (1, 1)
