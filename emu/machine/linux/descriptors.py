"""The table of file descriptors."""

from __future__ import annotations

from dataclasses import dataclass

from emu.machine.linux.descriptions import Description
from emu.machine.linux.errno import Errno, SystemCallError

MAX_DESCRIPTORS = 1024


@dataclass(slots=True)
class Slot:
    """One descriptor."""

    description: Description
    close_on_exec: bool = False


class DescriptorTable:
    """Descriptor number -> open file description."""

    def __init__(self) -> None:
        self._slots: dict[int, Slot] = {}
        self.limit = MAX_DESCRIPTORS
        """New numbers are below it."""

    def add(self, description: Description, *, close_on_exec: bool = False, lowest: int = 0) -> int:
        """The lowest free descriptor not below `lowest`, now referring to `description`."""
        number = lowest
        while number in self._slots:
            number += 1
        if number >= self.limit:
            description.unused()
            raise SystemCallError(Errno.EMFILE)
        self.put(number, description, close_on_exec=close_on_exec)
        return number

    def put(self, number: int, description: Description, *, close_on_exec: bool = False) -> None:
        """Make `number` refer to `description`, closing what it referred to."""
        if not 0 <= number < self.limit:
            raise SystemCallError(Errno.EBADF)
        description.references += 1
        if number in self._slots:
            self.close(number)
        self._slots[number] = Slot(description, close_on_exec)

    def slot(self, number: int) -> Slot:
        """EBADF if `number` is not open."""
        slot = self._slots.get(number)
        if slot is None:
            raise SystemCallError(Errno.EBADF)
        return slot

    def __getitem__(self, number: int) -> Description:
        return self.slot(number).description

    def numbers(self) -> list[int]:
        """The open descriptors."""
        return sorted(self._slots)

    def close(self, number: int) -> None:
        """Forget a descriptor; its description goes with the last one."""
        description = self[number]
        del self._slots[number]
        description.references -= 1
        if not description.references:
            description.close()

    def fork(self) -> DescriptorTable:
        """The same descriptions under the same numbers."""
        other = DescriptorTable()
        for number, slot in self._slots.items():
            other.put(number, slot.description, close_on_exec=slot.close_on_exec)
        return other

    def close_for_exec(self) -> None:
        """Close what the next program must not have."""
        for number in self.numbers():
            if self._slots[number].close_on_exec:
                self.close(number)

    def close_all(self) -> None:
        """The process is gone."""
        for number in self.numbers():
            self.close(number)
