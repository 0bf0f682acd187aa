"""`emu dump`: the text of `readelf --sframe`, or the same content as JSON."""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator

from emu.cli.sframe_file import SFrameFile, open_file, parse_address, reading
from emu.cli.usage import UsageError
from emu.sframe import Fde, PcType, Row, Rule, dump, flag_names, register_name

HELP = "the text of `readelf --sframe`, byte for byte"

EPILOG = """\
example:
  emu dump ./prog
  emu dump ./prog --function main --equations
  emu dump ./prog --json | jq '.functions[].function'

readelf prints `c-16` for a word stored at CFA-16 and for the address CFA-16 itself; --equations
shows each row as CFA, RA and FP: `CFA = rsp+16, RA = *(CFA-8), FP = *(CFA-16)`.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Print the .sframe section of an ELF file as GNU readelf 2.47 does."
    parser.epilog = EPILOG
    parser.add_argument("file", metavar="FILE", help="an ELF64 file; - is standard input")
    parser.add_argument("--json", action="store_true", help="the same content as one JSON object")
    parser.add_argument(
        "--equations", action="store_true", help="rows as equations, not in readelf's columns"
    )
    parser.add_argument("--function", metavar="NAME", help="only the function with this symbol")
    parser.add_argument("--address", metavar="A", help="only the function that contains address A")


def run(arguments: argparse.Namespace) -> int:
    with reading(arguments.file):
        file = open_file(arguments.file)
        fdes = _selected(arguments, file)
        if arguments.json:
            lines = json_lines(file, file.section.fdes if fdes is None else fdes)
        else:
            lines = dump(file.section, fdes=fdes, equations=arguments.equations)
        for line in lines:
            sys.stdout.write(line + "\n")
    return 0


def _selected(arguments: argparse.Namespace, file: SFrameFile) -> list[Fde] | None:
    if arguments.function is not None and arguments.address is not None:
        raise UsageError("--function and --address each select functions: give one of them")
    if arguments.function is not None:
        fdes = file.functions.find(arguments.function)
        if not fdes:
            raise UsageError(f"{arguments.file}: no FDE for a function {arguments.function!r}")
        return fdes
    if arguments.address is not None:
        address = parse_address(arguments.address)
        fde = file.section.fdes.find(address)
        if fde is None:
            raise UsageError(f"{arguments.file}: no FDE contains {address:#x}")
        return [fde]
    return None


def json_lines(file: SFrameFile, fdes: Iterable[Fde]) -> Iterator[str]:
    """The object line by line, one function on each, so that no section is too large.

    Addresses are hex strings, offsets in rules and sizes numbers of bytes.
    """
    header = file.section.header
    top = {
        "version": int(header.version),
        "abi": header.abi.name,
        "flags": flag_names(header) if header.flags else [],
        "fixed_fp_offset": header.fixed_fp_offset,
        "fixed_ra_offset": header.fixed_ra_offset,
        "num_fdes": header.num_fdes,
        "num_fres": header.num_fres,
        "address": f"{file.section.address:#x}",
        "size": header.length,
    }
    yield json.dumps(top)[:-1] + ', "functions": ['
    last = None
    for fde in fdes:
        if last is not None:
            yield last + ","
        last = json.dumps(_function(file, fde))
    yield (last or "") + "]}"


def _function(file: SFrameFile, fde: Fde) -> dict[str, object]:
    attributes = fde.attributes
    return {
        "index": fde.index,
        "function": file.functions.label(fde),
        "pc": f"{fde.start:#x}",
        "size": fde.size,
        "pc_type": attributes.pc_type.name,
        "rep_size": attributes.rep_size,
        "fde_type": "FLEXIBLE" if attributes.flexible else "DEFAULT",
        "signal": attributes.signal,
        "pauth_key": ("B" if attributes.pauth_b_key else "A") if file.elf.abi.is_aarch64 else None,
        "rows": [_row(file, fde, row, attributes.pc_type) for row in fde.rows],
    }


def _row(file: SFrameFile, fde: Fde, row: Row, pc_type: PcType) -> dict[str, object]:
    rules = row.rules
    abi = file.section.abi
    return {
        "start": row.start,
        "pc": None if pc_type is PcType.MASK else f"{fde.start + row.start:#x}",
        "undefined": rules.outermost,
        "cfa": _rule(rules.cfa, file),
        "ra": _rule(rules.ra, file),
        "fp": _rule(rules.fp, file),
        "mangled": rules.mangled,
        "equations": rules.text(abi),
    }


def _rule(rule: Rule | None, file: SFrameFile) -> dict[str, object] | None:
    if rule is None:
        return None
    base = "CFA" if rule.base is None else register_name(rule.base, file.section.abi)
    return {"base": base, "offset": rule.offset, "deref": rule.deref}
