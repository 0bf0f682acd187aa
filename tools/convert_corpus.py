"""`.eh_frame` of real files converted to SFrame, held against DWARF and against GNU as.

    python tools/convert_corpus.py files [FILE...]     libc, libstdc++, libcrypto, python3, ...
    python tools/convert_corpus.py objects             every C case x compilers x flags, and forms
    python tools/convert_corpus.py programs [FILE...]  linked programs with a .sframe of their own

`files`: the time a conversion takes and its limit, what is represented or refused in as's words
(>= 99 %), what is refused or corrected although as would not; and at every row boundary of every
function the row that is found in the converted section, by lookup, against the DWARF rules there.
`objects`: the whole section, byte for byte, against the assembler's. `programs`: function by
function against the linker's section; without FILE those that tools/corpus.py has built. Without
a word all three. Exit status 1 if anything is not as it should be.
"""

import argparse
import itertools
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from time import perf_counter

from emu.cfi import CfiError, Conversion, FrameTable, convert, sframe_rules
from emu.sframe import Elf, Section, SFrameError, find_section
from emu.toolchain import Toolchain, find
from emu.toolchain.cache import cache_root

ROOT = Path(__file__).resolve().parent.parent
LIBRARIES = ("libc.so.6", "libstdc++.so.6", "libcrypto.so.3", "ld-linux-x86-64.so.2")
PROGRAMS = ("python3", "perl", "bash")
SECONDS = {"libc.so.6": 4.0}
OTHER_SECONDS = 10.0
LEAST_SHARE = 0.99

LEVELS = ("-O0", "-O1", "-O2", "-O3", "-Os")
VARIANTS = (
    "",
    "-fno-omit-frame-pointer",
    "-fno-plt -fPIC",
    "-fcf-protection",
    "-mstackrealign",
    "-ffunction-sections -fstack-clash-protection",
)
COMPILERS = ("gcc", "gcc-16", "clang")

KNOWN_OBJECTS = {
    "words_by_cfa_offset": "negative CFA offsets that are no multiples of 8 (Offsets)",
}
"""Sources whose section differs, with the heading of docs/as-differences.md that says why."""


def system_files(toolchain: Toolchain) -> Iterator[Path]:
    """The distribution's libraries and interpreters, as far as they are here."""
    compiler = toolchain.compilers.get("gcc")
    for name in LIBRARIES if compiler is not None else ():
        assert compiler is not None
        said = subprocess.run(
            [compiler.path, f"-print-file-name={name}"], capture_output=True, text=True, check=True
        ).stdout.strip()
        if Path(said).is_absolute():
            yield Path(said)
    for name in PROGRAMS:
        found = shutil.which(name, path="/usr/bin:/bin")
        if found is not None:
            yield Path(found).resolve()


def wrong_rows(file: Path, made: Conversion) -> list[str]:
    """Row boundaries of DWARF at which the section says something else; and their number."""
    table = FrameTable.from_elf(file)
    section = Section(made.data, made.address)
    without = {refused.start for refused in made.refused}
    tables = {fde.start for fde in section.fdes if fde.attributes.rep_size}
    wrong, count = [], 0
    for fde in table.fdes:
        if fde.start in without or fde.start in tables or fde.start + 16 in tables:
            continue
        for row in table.rows(fde):
            if row.start >= fde.size:
                continue
            pc = fde.start + row.start
            count += 1
            match = section.lookup(pc)
            said = None if match is None else match.rules
            if said != sframe_rules(row):
                wrong.append(f"{pc:#x}: {said}, by .eh_frame {row}")
    print(f"  {count:,} row boundaries, {len(wrong)} differ from DWARF")
    return wrong


def check_file(file: Path) -> bool:
    """Convert one file and print what came of it; whether all is as it should be."""
    started = perf_counter()
    try:
        made = convert(file)
    except (CfiError, OSError) as error:
        print(f"{file}: {error}")
        return False
    seconds = perf_counter() - started
    limit = SECONDS.get(file.name, OTHER_SECONDS)
    as_it_would = sum(refused.as_refuses for refused in made.refused)
    share = (made.converted + as_it_would) / made.fdes
    print(
        f"{file}: {seconds:.2f} s; {made.fdes:,} FDEs: {made.converted:,} converted,"
        f" {as_it_would} refused in as's words, {len(made.refused) - as_it_would} otherwise;"
        f" {len(made.corrected)} corrected; {share:.2%}"
    )
    reasons = Counter((one.reason, one.as_refuses) for one in made.refused)
    for (reason, as_refuses), count in reasons.most_common():
        print(f"  {count} x {reason}{'' if as_refuses else ' (as would not refuse it)'}")
    wrong = wrong_rows(file, made)
    for line in wrong[:10]:
        print(f"  {line}")
    slow = seconds > limit
    if slow:
        print(f"  slower than {limit} s")
    return not wrong and not slow and share >= LEAST_SHARE


def own_section(data: bytes) -> bytes:
    """The .sframe of an object, not relocated."""
    elf = Elf(data)
    section = find_section(elf)
    return b"" if section is None else bytes(elf.contents(section))


def compiled(toolchain: Toolchain, directory: Path) -> Iterator[tuple[str, bytes]]:
    """Objects of every C case by every compiler at every level and variant."""
    flags = [f"{level} {variant}".strip() for level, variant in itertools.product(LEVELS, VARIANTS)]
    sources = sorted((ROOT / "c_cases").glob("*.c"))
    for compiler in COMPILERS:
        if compiler not in toolchain.compilers:
            print(f"{compiler} is not here")
            continue
        for source, chosen in itertools.product(sources, flags):
            made = directory / "object"
            toolchain.compile([source], made, ["-c", "-w", *chosen.split()], compiler)
            yield f"{compiler} {chosen} {source.stem}", made.read_bytes()


def assembled(toolchain: Toolchain, directory: Path) -> Iterator[tuple[str, bytes]]:
    """Objects of what is written by hand: the asm cases and the forms of the format's tests."""
    assert toolchain.as_ is not None
    sources = [*(ROOT / "asm_cases").glob("*.s"), *(ROOT / "tests/sframe/forms").glob("*.s")]
    for source in sorted(sources):
        made = directory / "object"
        subprocess.run(
            [toolchain.as_.path, "--gsframe-3", source, "-o", made],
            check=True,
            capture_output=True,
        )
        yield source.stem, made.read_bytes()


def check_objects(toolchain: Toolchain) -> bool:
    """Compare sections byte for byte; whether only known differences are left."""
    counts: Counter[str] = Counter()
    good = True
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        objects = itertools.chain(compiled(toolchain, directory), assembled(toolchain, directory))
        for title, data in objects:
            made = convert(data, as_gnu=True)
            counts["objects"] += 1
            counts["functions"] += made.fdes
            counts["rows"] += made.rows
            if made.data == own_section(data):
                counts["same"] += 1
            elif title in KNOWN_OBJECTS:
                print(f"{title}: differs as known: {KNOWN_OBJECTS[title]}")
            else:
                print(f"{title}: the section differs from the assembler's")
                good = False
            for one in convert(data).corrected:
                counts["corrected"] += 1
                print(f"{title}: {one.start:#x}+{one.offset}: as {one.of_as}; CFI {one.of_cfi}")
    print(
        f"{counts['objects']} objects, {counts['functions']:,} functions, {counts['rows']:,} rows:"
        f" {counts['same']} sections byte for byte as the assembler's;"
        f" {counts['corrected']} functions in which the assembler contradicts the CFI"
    )
    return good


def built_programs() -> list[Path]:
    """What tools/corpus.py has left in the cache."""
    return [
        file
        for directory in sorted(cache_root().glob("corpus-*.*/"))
        for file in sorted(directory.iterdir())
        if file.is_file() and directory.name.startswith(f"corpus-{file.name}.")
    ]


def check_programs(files: Iterable[Path]) -> bool:
    """Compare every function of linked sections; whether all are the same."""
    good = True
    for file in files:
        try:
            theirs = Section.from_elf(file)
            made = convert(file, as_gnu=True)
        except (SFrameError, CfiError) as error:
            print(f"{file}: {error}")
            good = False
            continue
        ours = {fde.start: fde for fde in Section(made.data, made.address).fdes}
        different = [
            fde.start
            for fde in theirs.fdes
            if (other := ours.get(fde.start)) is None
            or (fde.size, fde.attributes.info, fde.attributes.info2)
            != (other.size, other.attributes.info, other.attributes.info2)
            or [(row.start, row.rules) for row in fde.rows]
            != [(row.start, row.rules) for row in other.rows]
        ]
        print(f"{file}: {len(theirs.fdes)} functions of ld, {len(different)} differ")
        for start in different[:10]:
            print(f"  {start:#x}")
        good = good and not different
    return good


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n")[0],
        epilog=(__doc__ or "").partition("\n\n")[2],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", nargs="?", choices=("files", "objects", "programs"))
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
    arguments = parser.parse_args(argv)
    toolchain = find()
    good = True
    if arguments.what in {None, "files"}:
        for file in arguments.files or system_files(toolchain):
            good = check_file(file) and good
    if arguments.what in {None, "objects"}:
        good = check_objects(toolchain) and good
    if arguments.what in {None, "programs"}:
        good = check_programs(arguments.files or built_programs()) and good
    print("all as it should be" if good else "something is wrong")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
