"""What a function is about to return to, and where it has copied its own return address."""

from dataclasses import dataclass, field

import pytest

from emu.truth.arrival import Arrival, arrival
from emu.truth.copies import copies
from emu.truth.instruction import Decoder
from emu.unwind import MemoryFault

CODE = 0x1000
STACK = 0x7000_0000
CONTEXT = 0x5000_0000
TARGET = 0x3005
RDX, RBP, RDI, RSP, R10 = 1, 6, 5, 7, 10


@dataclass
class Guest:
    """Instructions as hexadecimal, one a string, from `CODE` on, and words of memory."""

    instructions: list[str]
    words: dict[int, int] = field(default_factory=dict)

    def word(self, address: int, /) -> int:
        if address not in self.words:
            raise MemoryFault(address)
        return self.words[address]

    def read(self, address: int, size: int, /) -> bytes:
        code = bytes.fromhex("".join(self.instructions))
        if not CODE <= address < CODE + len(code):
            raise MemoryFault(address)
        return code[address - CODE :][:size]

    def writable(self, address: int, /) -> bool:
        return address < CODE

    @property
    def addresses(self) -> list[int]:
        sizes = [len(bytes.fromhex(text)) for text in self.instructions]
        return [CODE + sum(sizes[:number]) for number in range(len(sizes))]

    def arrives(self, **registers: int) -> Arrival | None:
        return arrival(Decoder(self), self, CODE, values(**registers))


def values(**registers: int) -> list[int]:
    numbers = {"rdx": RDX, "rbp": RBP, "rdi": RDI, "rsp": RSP, "r10": R10, "rcx": 2, "rax": 0}
    result = [0xDEAD_0000 + number for number in range(17)]
    for name, value in registers.items():
        result[numbers[name]] = value
    return result


def test_a_loaded_address_that_is_pushed_and_returned_to() -> None:
    guest = Guest(
        [
            "488b6a20",  # mov rbp, [rdx+0x20]
            "488b4a28",  # mov rcx, [rdx+0x28]
            "51",  # push rcx
            "31c0",  # xor eax, eax
            "c3",  # ret
        ],
        {CONTEXT + 0x20: 7, CONTEXT + 0x28: TARGET},
    )
    assert guest.arrives(rsp=STACK, rdx=CONTEXT) == Arrival(TARGET, STACK - 8, 7)


def test_an_address_stored_over_the_top_word() -> None:
    guest = Guest(["48890c24", "c3"], {STACK: 0x9999})  # mov [rsp], rcx; ret
    assert guest.arrives(rsp=STACK, rcx=TARGET, rbp=1) == Arrival(TARGET, STACK, 1)


def test_a_word_that_lies_behind_popped_registers() -> None:
    guest = Guest(["5d", "c3"], {STACK: 3, STACK + 8: TARGET})  # pop rbp; ret
    assert guest.arrives(rsp=STACK) == Arrival(TARGET, STACK + 8, 3)


def test_a_frame_pointer_that_cannot_be_known() -> None:
    guest = Guest(["480fbcea", "c3"], {STACK: TARGET})  # bsf rbp, rdx; ret
    assert guest.arrives(rsp=STACK) == Arrival(TARGET, STACK, None)


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(["750e", "c3"], id="a branch"),
        pytest.param(["ffd0", "c3"], id="a call"),
        pytest.param(["ffe1"], id="a jump"),
        pytest.param(["4883e4e0", "c3"], id="rsp rounded"),
        pytest.param(["480fc18a00000000", "c3"], id="memory changed by arithmetic"),
        pytest.param(["488b09", "51", "c3"], id="an address from unreadable memory"),
        pytest.param(["90"] * 40, id="no end in sight"),
    ],
)
def test_what_tells_nothing(code: list[str]) -> None:
    guest = Guest(code, {STACK: TARGET})
    assert guest.arrives(rsp=STACK) is None


FFI_CALL = [
    "4c8b1424",  # mov r10, [rsp]
    "488d0437",  # lea rax, [rdi+rsi]
    "4c895018",  # mov [rax+0x18], r10
    "4889c5",  # mov rbp, rax
    "4989fa",  # mov r10, rdi
    "31c0",  # xor eax, eax
]


def found(guest: Guest, **registers: int) -> list[int]:
    executed = guest.addresses
    return copies(Decoder(guest), guest, executed, values(**registers), STACK, TARGET)


def test_a_copy_whose_address_another_register_still_shows() -> None:
    guest = Guest(FFI_CALL, {STACK: TARGET, CONTEXT + 0x18: TARGET})
    assert found(guest, rsp=STACK, rbp=CONTEXT) == [CONTEXT + 0x18]


def test_a_copy_that_was_overwritten_is_none() -> None:
    guest = Guest(FFI_CALL, {STACK: TARGET, CONTEXT + 0x18: TARGET + 1})
    assert found(guest, rsp=STACK, rbp=CONTEXT) == []


def test_equal_words_that_were_not_copied_are_none() -> None:
    guest = Guest(["90", "488b0424"], {STACK: TARGET, STACK + 8: TARGET})  # nop; mov rax, [rsp]
    assert found(guest, rsp=STACK) == []


def test_a_copy_of_another_word_is_none() -> None:
    # mov rax, [rsp+8]; mov [rdi+8], rax
    guest = Guest(["488b442408", "48894708"], {STACK: TARGET, STACK + 8: TARGET})
    guest.words[CONTEXT + 8] = TARGET
    assert found(guest, rsp=STACK, rdi=CONTEXT) == []


def test_a_pushed_copy() -> None:
    # lea r10, [rsp+8]; push [r10-8]
    guest = Guest(["4c8d542408", "41ff72f8"], {STACK: TARGET, STACK - 8: TARGET})
    assert found(guest, rsp=STACK - 8, r10=STACK + 8) == [STACK - 8]


def test_nothing_is_known_across_a_system_call() -> None:
    guest = Guest(["488b0424", "0f05", "48894708"], {STACK: TARGET, CONTEXT + 8: TARGET})
    assert found(guest, rsp=STACK, rdi=CONTEXT) == []
