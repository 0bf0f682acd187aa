"""A function that calls back, as an iterator that its caller can leave at any time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Abandoned(BaseException):
    """Raised in the callback once nobody wants another item."""


class Lockstep(Generic[Item]):
    """Runs `produce(show)` in a thread that stands still while the consumer has an item."""

    def __init__(self, produce: Callable[[Callable[[Item], None]], object]) -> None:
        self._produce = produce
        self._shown: list[Item] = []
        self._failure: BaseException | None = None
        self._abandoned = False
        self._done = False
        self._wanted = threading.Semaphore(0)
        self._ready = threading.Semaphore(0)

    def __iter__(self) -> Iterator[Item]:
        """Yield what `show` is called with. What `produce` raises is raised here."""
        thread = threading.Thread(target=self._work, name="lockstep", daemon=True)
        thread.start()
        try:
            while True:
                self._wanted.release()
                self._ready.acquire()
                if self._done:
                    break
                yield self._shown.pop()
        finally:
            self._abandoned = True
            self._wanted.release()
            thread.join()
        if self._failure is not None:
            raise self._failure

    def _work(self) -> None:
        self._wanted.acquire()
        try:
            if not self._abandoned:
                self._produce(self._show)
        except Abandoned:
            pass
        except BaseException as error:  # noqa: BLE001 -- handed to the consumer
            self._failure = error
        self._done = True
        self._ready.release()

    def _show(self, item: Item) -> None:
        self._shown.append(item)
        self._ready.release()
        self._wanted.acquire()
        if self._abandoned:
            raise Abandoned
