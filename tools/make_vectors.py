#!/usr/bin/env python3
"""Make random vectors with the plain kernel, of the form replay_vectors.py reads.

    python tools/make_vectors.py [--seed N] [--cases N] -o FILE

A third each of lookups, walks and store operations. Equal seeds make equal files.
"""

import argparse
import json
import random
import struct
import sys
from pathlib import Path

from plain_kernel import Json, PlainKernel, Read

SFRAME, TEXT, TEXT_END, STACK = 0x10000, 0x20000, 0x21000, 0x7FFD0000
WINDOW = 0x8000
U64 = (1 << 64) - 1
CONTROLS = (0x39, 0x31, 0x33, 0x3B, 0x51, 0x53, 0x03, 0x01, 0x02, 0x1B, 0, 0, 4, 8, 0x10, 0xF9)
CALM_CONTROLS = ((0x39, 0x39, 0x31, 0x3B, 0x51), (0x02, 0x02, 0), (0x02, 0x33))
OFFSETS = (8, 16, 24, 40, -8, -16, -24, 0, 4)
CALM_OFFSETS = ((8, 8, 16, 16, 24), (-16, -16, -24, 0))
FIXED = (0, 0, 0, -8, -8, -16, 127, -128)


def memory_of(*regions: tuple[int, bytes]) -> Read:
    """Reads regions, none of which touches another."""

    def read(address: int, size: int) -> bytes | None:
        for start, block in regions:
            if start <= address and address + size <= start + len(block):
                return block[address - start : address - start + size]
        return None

    return read


class Maker:
    """Draws sections, stacks and operations.

    A `calm` maker draws what an assembler could have written, so that walks get somewhere.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.calm = False
        self.extent = 1
        """Bytes of code that the functions of the last section span."""

    def rarely(self, one_in: int = 12) -> bool:
        return self.random.randrange(one_in * (20 if self.calm else 1)) == 0

    def fre(self, kind: int, start: int, *, flexible: bool) -> bytes:
        pick = self.random
        code = 3 if self.rarely(60) else pick.choice((0, 0, 1, 2))
        if self.calm:
            usual: tuple[int, ...] = (2, 4, 5, 6) if flexible else (1, 1, 2)
        else:
            usual = (0, 2, 2, 4, 4, 5, 6, 6) if flexible else (0, 1, 1, 1, 2, 2, 3)
        count = pick.randrange(16) if self.rarely(8) else pick.choice(usual)
        size = 1 << min(code, 2)
        words = b""
        for index in range(count):
            if flexible and index % 2 == 0:
                word = pick.choice(CALM_CONTROLS[index // 2 % 3] if self.calm else CONTROLS)
                word |= pick.choice((0, 0x100, 0xFF00)) if size > 1 and self.rarely() else 0
            elif self.rarely(6):
                word = pick.getrandbits(8 * size)
            else:
                offsets = CALM_OFFSETS[min(index, 1)] if self.calm and not flexible else OFFSETS
                word = pick.choice(offsets) % (1 << 8 * size)
            words += (word & ((1 << 8 * size) - 1)).to_bytes(size, "little")
        sp = 1 if self.calm and pick.randrange(5) else pick.randrange(2)
        info = sp | count << 1 | code << 5 | pick.choice((0, 0, 0x80))
        return (start % (1 << 8 * kind)).to_bytes(kind, "little") + bytes([info]) + words

    def function(self, size: int) -> bytes:
        """An attribute block with its FREs."""
        pick = self.random
        kind = pick.choice((0, 0, 0, 1, 2))
        mask = self.rarely(5)
        repetition = pick.choice((0, 1, 3, 5, 7, 16, 255)) if mask or self.rarely() else 0
        flexible = self.rarely(3)
        block = max(repetition if mask else size, 1)
        count = pick.choice((1, 1, 2, 3) if self.calm else (0, 1, 1, 2, 2, 3, 5))
        starts = sorted({0, *(pick.randrange(block) for _ in range(count))})[:count]
        if self.rarely(10) and starts:
            starts[pick.randrange(len(starts))] = pick.choice((0, block, block - 1, 255, 1 << 16))
        body = b"".join(self.fre(1 << kind, start, flexible=flexible) for start in starts)
        info = kind | mask << 4 | pick.choice((0, 0, 0x20, 0x80, 0xE0))
        info = info | 3 if self.rarely(40) else info
        fde_type = pick.randrange(256) if self.rarely(12) else flexible
        announced = pick.choice((0, count + 1, size + 1)) if self.rarely() else len(starts)
        return struct.pack("<HBBB", announced & 0xFFFF, info, fde_type, repetition) + body

    def section(self, at: int, text: tuple[int, int]) -> bytes:
        """A section that is mostly right, for code at `text`, to be mapped at `at`."""
        pick = self.random
        count = pick.randrange(1, 8)
        position = text[0] + (0 if self.calm else pick.choice((0, 0, 8)))
        gap = pick.choice((0, 0, 0, 1, 64))
        functions = []
        body = b""
        for _ in range(count):
            size = 0 if self.rarely(20) else pick.randrange(1, 64)
            functions.append((position, size, len(body)))
            body += self.function(size)
            position += size + (0 if self.calm else pick.choice((0, 0, 0, 5, 16)))
        self.extent = max(position - text[0], 1)
        self.disturb(functions, text)
        index = b""
        for number, (start, size, attributes) in enumerate(functions):
            entry = at + 28 + gap + 16 * number
            offset = (start - entry + (1 << 63)) % (1 << 64) - (1 << 63)
            index += struct.pack("<qII", offset, size & 0xFFFFFFFF, attributes & 0xFFFFFFFF)
        return self.mangle(self.header(count, len(index), len(body), gap), gap, index, body)

    def header(self, count: int, index: int, body: int, gap: int) -> bytes:
        pick = self.random
        off_by = [pick.choice((-1, 1, 5)) if self.rarely(40) else 0 for _ in range(4)]
        return struct.pack(
            "<HBBBbbBIIIII",
            pick.choice((0xE2DE, 0)) if self.rarely(80) else 0xDEE2,
            2 if self.rarely(80) else 3,
            pick.randrange(256) if self.rarely(30) else 5,
            pick.choice((3, 3, 2, 99)),
            0 if self.calm or pick.randrange(3) else pick.choice(FIXED),
            -8 if self.calm or pick.randrange(3) else pick.choice(FIXED),
            4 if self.rarely(80) else 0,
            max(count + off_by[0], 0),
            1 if off_by[1] == 0 else 0,
            max(body + off_by[2], 0),
            gap,
            max(gap + index + off_by[3], 0),
        )

    def disturb(self, functions: list[tuple[int, int, int]], text: tuple[int, int]) -> None:
        """Now and then another start, size, attribute block or order."""
        pick = self.random
        if not self.rarely(3):
            return
        at = pick.randrange(len(functions))
        start, size, attributes = functions[at]
        other = functions[pick.randrange(len(functions))]
        functions[at] = pick.choice(
            (
                (other[0], size, attributes),
                (start + pick.randrange(-40, 40), size, attributes),
                (text[0] - pick.choice((1, 16)), size, attributes),
                (text[1] - size, size, attributes),
                (text[1] - size + 1, size, attributes),
                (pick.choice((0, -16, -size, 1 << 63)), size, attributes),
                (start, pick.choice((0, 1 << 31, (1 << 32) - 1, 300)), attributes),
                (start, size, other[2]),
                (start, size, attributes + pick.choice((1, 5, 200, 1 << 31, (1 << 32) - 1))),
            )
        )
        if self.rarely(4):
            pick.shuffle(functions)

    def mangle(self, header: bytes, gap: int, index: bytes, body: bytes) -> bytes:
        """The whole section, now and then with changed bytes or cut, or with more after it."""
        pick = self.random
        section = bytearray(header + bytes(gap) + index + body)
        if self.rarely(6):
            for _ in range(pick.randrange(1, 4)):
                section[pick.randrange(len(section))] ^= 1 << pick.randrange(8)
        if self.rarely(20):
            del section[pick.randrange(1, len(section)) :]
        elif self.rarely():
            section += pick.randbytes(pick.randrange(1, 40))
        return bytes(section)

    def addresses(self, count: int, text: tuple[int, int]) -> list[int]:
        near = [text[0] + self.random.randrange(self.extent + 8) for _ in range(count)]
        return [*near, text[0], text[1] - 1, *((text[0] - 1, text[1]) if self.rarely() else ())]

    # What follows are the three kinds of cases -------------------------------------------

    def find_case(self) -> Json:
        section = self.section(SFRAME, (TEXT, TEXT_END))
        validation = self.rarely(3)
        kernel = single(section, validation=validation)
        case = {
            "kind": "find", "sframe_start": SFRAME, "section": section.hex(),
            "text": [TEXT, TEXT_END], "validation": validation,
            "add": register(kernel, section), "debug": kernel.drain(), "finds": [],
        }  # fmt: skip
        if case["add"]:
            return case
        for ip in self.addresses(12, (TEXT, TEXT_END)):
            if not kernel.records:
                register(kernel, section)
            ret, frame = kernel.find(ip)
            case["finds"].append(
                {
                    "ip": ip, "ret": ret, "frame": frame,
                    "records": len(kernel.records), "debug": kernel.drain(),
                }
            )  # fmt: skip
        return case

    def value(self) -> int:
        pick = self.random
        return pick.choice(
            (
                TEXT + pick.randrange(self.extent),
                TEXT + pick.randrange(self.extent),
                TEXT + pick.randrange(self.extent),
                STACK + 8 * pick.randrange(64),
                pick.choice(
                    (
                        STACK + 4 * pick.randrange(128),
                        pick.getrandbits(64),
                        *(0, U64, STACK - 8, STACK + pick.randrange(520)),
                    )
                ),
            )
        )

    def walk_case(self) -> Json:
        self.calm = self.random.randrange(4) > 0
        section = self.section(SFRAME, (TEXT, TEXT_END))
        content = b"".join(
            struct.pack("<Q", self.value()) for _ in range(self.random.randrange(1, 65))
        )
        calm, self.calm = self.calm, False
        content = content[: -self.random.randrange(1, 8)] if self.rarely() else content
        registers = [self.value() for _ in range(16)]
        registers[7] = STACK + (8 if not self.rarely(6) else 1) * self.random.randrange(32)
        if calm:
            registers[7] = STACK + 8 * self.random.randrange(8)
            registers[6] = registers[7] + 8 * self.random.randrange(12)
        ip = TEXT + self.random.randrange(self.extent)
        stack = memory_of((SFRAME, section), (STACK, content))
        limit = self.random.choice((1, 2, 3, 8, 16, 127))
        kernel = single(section)
        register(kernel, section)
        ret, addresses = kernel.walk(ip, registers, stack, limit)
        left = len(kernel.records)
        kernel = single(section)
        register(kernel, section)
        steps = [kernel.start(ip, registers)]
        while not steps[-1]["done"]:
            steps.append(kernel.step(steps[-1], registers, stack))
        return {
            "kind": "walk", "sframe_start": SFRAME, "section": section.hex(),
            "text": [TEXT, TEXT_END], "stack": {"addr": STACK, "bytes": content.hex()},
            "regs": {"ip": ip, "dwarf": registers}, "max": limit,
            "ret": ret, "ips": addresses, "steps": steps, "records_after": left,
        }  # fmt: skip

    def store_case(self) -> Json:
        pick = self.random
        texts = [(0x20000, 0x21000), (0x30000, 0x31000), (0x31000, 0x32000)]
        places = [0x100000, 0x110000, 0x111000]
        homes = [pick.choice(texts) for _ in places]
        parts = [
            (at, self.section(at, home)[:0x1000]) for at, home in zip(places, homes, strict=True)
        ]
        vmas = [
            *((start, end, True) for start, end in texts),
            (0x40000, 0x41000, False),
            *((at, at + 0x1000, False) for at in places),
        ]
        spaces = {0: PlainKernel(memory_of(*gapped(parts)), vmas)}
        current, operations = 0, []
        for _ in range(pick.randrange(4, 16)):
            kernel = spaces[current]
            kind = pick.choice(("add", "add", "add", "find", "find", "find", "remove", "fork"))
            if len(spaces) > 1 and self.rarely(5):
                kind, current = "use", pick.choice(sorted(spaces))
            operation: Json = {"space": current, "op": kind}
            if kind in {"add", "fork"} and self.rarely(5):
                operation["fail_allocation"] = kernel.fail_allocation = pick.randrange(1, 4)
            self.operate(spaces, current, operation, parts, homes)
            kernel.fail_allocation = 0
            operation["records"] = len(spaces[current].records)
            operation["debug"] = kernel.drain()
            operations.append(operation)
        return {
            "kind": "store", "vmas": [list(vma) for vma in vmas],
            "memory": [{"addr": at, "bytes": block.hex()} for at, block in parts],
            "ops": operations,
        }  # fmt: skip

    def operate(
        self,
        spaces: dict[int, PlainKernel],
        current: int,
        operation: Json,
        parts: list[tuple[int, bytes]],
        homes: list[tuple[int, int]],
    ) -> None:
        """Carry out one operation on the plain kernel and write down its results."""
        pick, kernel = self.random, spaces[current]
        number = pick.randrange(len(parts))
        at, block = parts[number]
        match operation["op"]:
            case "add":
                sframe, text = (
                    [at, at + len(block)],
                    list(homes[number if pick.randrange(4) else 0]),
                )
                if self.rarely(5):
                    sframe[pick.randrange(2)] += pick.choice((-1, 1, 0x1000, -0x1000, 1 << 40))
                if self.rarely(5):
                    text[pick.randrange(2)] += pick.choice((-1, 1, 0x800, -0x800, -0x20000))
                operation |= {"sframe": sframe, "text": text, "ret": kernel.add(*sframe, *text)}
            case "remove":
                start = at + (1 if self.rarely(6) else 0)
                operation |= {"sframe_start": start, "ret": kernel.remove(start)}
            case "find":
                ip = pick.choice(self.addresses(8, homes[number]))
                ret, frame = kernel.find(ip)
                operation |= {"ip": ip, "ret": ret, "frame": frame}
            case "fork":
                ret, child = kernel.fork()
                operation |= {"ret": ret, "child_records": None}
                if child is not None:
                    operation |= {"child": len(spaces), "child_records": len(child.records)}
                    spaces[len(spaces)] = child


def gapped(parts: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """Adjacent blocks joined, as one read may cross from one to the next."""
    joined: list[tuple[int, bytes]] = []
    for at, block in sorted(parts):
        if joined and joined[-1][0] + len(joined[-1][1]) == at:
            joined[-1] = joined[-1][0], joined[-1][1] + block
        else:
            joined.append((at, block))
    return joined


def single(section: bytes, *, validation: bool = False) -> PlainKernel:
    """An address space with `section` mapped at SFRAME, and code at TEXT."""
    vmas = [(SFRAME, SFRAME + WINDOW, False), (TEXT, TEXT_END, True)]
    return PlainKernel(memory_of((SFRAME, section)), vmas, validation=validation)


def register(kernel: PlainKernel, section: bytes) -> int:
    ret = kernel.add(SFRAME, SFRAME + len(section), TEXT, TEXT_END)
    if kernel.records:
        kernel.drain()
    return ret


def cases(seed: int, count: int) -> list[Json]:
    """`count` cases, equal for equal seeds."""
    maker = Maker(seed)
    makers = (maker.find_case, maker.walk_case, maker.store_case)
    return [makers[number % 3]() for number in range(count)]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", type=int, default=999)
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args(arguments)
    options.output.write_text(json.dumps({"cases": cases(options.seed, options.cases)}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
