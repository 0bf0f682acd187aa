"""`emu lookup`: the row that applies at an address, and how it was found."""

import argparse
from collections.abc import Iterator

from emu.cli.sframe_file import SFrameFile, open_file, parse_address, reading
from emu.sframe import Fde, Match, PcType
from emu.sframe.printable import printable

HELP = "the row for an address, and why"

EPILOG = """\
example:
  emu lookup ./prog 0x401136 0x401150

Addresses are those of the file (a position-independent file begins near 0). The search is the
format document's: the last function that starts at or below the address, in it the last row that
starts at or below the address minus the function's start (PC type MASK: that modulo the block).
Exit status 1 if an address has no row.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Print the SFrame row that applies at each address, and why."
    parser.epilog = EPILOG
    parser.add_argument("file", metavar="FILE", help="an ELF64 file; - is standard input")
    parser.add_argument("addresses", metavar="ADDRESS", nargs="+", help="such as 0x401136")


def run(arguments: argparse.Namespace) -> int:
    addresses = [parse_address(text) for text in arguments.addresses]
    status = 0
    with reading(arguments.file):
        file = open_file(arguments.file)
        for address in addresses:
            match = file.section.lookup(address)
            if match is None or match.rules is None:
                status = 1
            print("\n".join(map(printable, explain(file, address, match))))
    return status


def explain(file: SFrameFile, address: int, match: Match | None) -> Iterator[str]:
    """The lines for one address: the rules or that there are none, then the way to them."""
    if match is None:
        yield f"{address:#x}: no row: no FDE contains this address"
        yield from _neighbours(file, address)
        return
    rules = match.rules
    if rules is not None:
        yield f"{address:#x}: {rules.text(file.section.abi)}"
    elif match.fde.attributes.num_fres:
        yield f"{address:#x}: no row: the first row of the function starts above"
    else:
        yield f"{address:#x}: no row: a signal frame without rows, its rules cannot be expressed"
    yield "  " + _function(file, match.fde)
    yield "  " + _distance(address, match)
    yield "  " + _row(file, match)


def _function(file: SFrameFile, fde: Fde) -> str:
    attributes = fde.attributes
    kinds = [attributes.pc_type.name, "flexible" if attributes.flexible else "default"]
    if attributes.signal:
        kinds.append("signal")
    name = file.functions.label(fde)
    entry = file.section.file_offset + fde.offset
    return (
        f"FDE {fde.index}{f' {name}' if name else ''}: {fde.start:#x} to {fde.end:#x},"
        f" {', '.join(kinds)}; index entry at offset {fde.offset:#x} (file {entry:#x})"
    )


def _distance(address: int, match: Match) -> str:
    fde = match.fde
    plain = address - fde.start
    text = f"pc - start = {address:#x} - {fde.start:#x} = {plain:#x}"
    if fde.attributes.pc_type is PcType.MASK:
        size = fde.attributes.rep_size
        text += f"; modulo the block of {size:#x}: {plain:#x} mod {size:#x} = {match.distance:#x}"
    return text


def _row(file: SFrameFile, match: Match) -> str:
    rows = match.fde.rows
    row = match.row
    if row is None:
        return f"{len(rows)} rows" + (f", the first at {rows[0].start:#x}" if rows else "")
    number = next(i for i, other in enumerate(rows) if other.offset == row.offset)
    reach = f"below {rows[number + 1].start:#x}" if number + 1 < len(rows) else "the last one"
    data = bytes(file.section.data[row.offset : row.end]).hex(" ")
    return (
        f"row {number} of {len(rows)} starts at {row.start:#x}, {reach};"
        f" {data} at offset {row.offset:#x} (file {file.section.file_offset + row.offset:#x})"
    )


def _neighbours(file: SFrameFile, address: int) -> Iterator[str]:
    below = above = None
    for fde in file.section.fdes:
        if fde.start <= address and (below is None or fde.start >= below.start):
            below = fde
        if fde.start > address and (above is None or fde.start < above.start):
            above = fde
    if below is not None:
        yield "  below it: " + _function(file, below)
    if above is not None:
        yield "  above it: " + _function(file, above)
