"""Fuzz the section reader, ELF reader, dump, lookup, lint and write-back of emu.sframe.

    python tools/fuzz_sframe.py [-max_total_time=SECONDS] [CORPUS] [libFuzzer options]
    python tools/fuzz_sframe.py FILE...        run these inputs only

`check` is what must hold. Without CORPUS it is build/fuzz-sframe, begun with the sections and
files of tests/sframe; an input that fails is written there. Needs atheris, which has wheels for
Linux. Exit status 2 without it; libFuzzer's otherwise.
"""

import contextlib
import sys
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).parents[1]
CORPUS = ROOT / "build" / "fuzz-sframe"
ADDRESS = 0x402000
MOST_ROWS = 5000
MOST_FDES = 200
"""Functions may share rows: what is decoded is limited here, not in the library."""

try:
    import atheris
except ImportError:
    atheris = None

with contextlib.ExitStack() as stack:
    if atheris is not None and __name__ == "__main__":
        stack.enter_context(atheris.instrument_imports(include=["emu.sframe"]))
    from emu.sframe import (
        Elf,
        FunctionNames,
        Rules,
        Section,
        SFrameError,
        Version,
        dump,
        rewrite,
    )
    from emu.sframe.lint import lint, measure


def check(data: bytes) -> int:
    """Use every part of what `data` may be; the number of rows decoded.

    Anything but `SFrameError`, and any disagreement between two ways to the same answer, is a
    fault.
    """
    if data[:4] == b"\x7fELF":
        return _check_elf(data)
    try:
        section = Section(data, ADDRESS)
    except SFrameError:
        return 0
    return _check_section(section)


def _check_elf(data: bytes) -> int:
    with contextlib.suppress(SFrameError):
        elf = Elf(data)
        section = Section.from_elf(elf)
        rows = _check_section(section)
        names = FunctionNames(elf, section)
        for fde in islice(section.fdes, MOST_FDES):
            label = names.label(fde)
            if label is not None and len(section.fdes) <= MOST_FDES:
                assert fde in names.find(label)
        _check_lint(section, elf)
        return rows
    return 0


def _check_section(section: Section) -> int:
    count = 0
    whole = True
    for fde in islice(section.fdes, MOST_FDES):
        rows = []
        try:
            for row in islice(fde.iter_rows(), MOST_ROWS - count):
                rows.append(row)
                count += 1
                rules = row.rules
                assert Rules.parse(rules.text(section.abi), section.abi) == rules
        except SFrameError:
            whole = False
        for pc in (fde.start - 1, fde.start, fde.start + fde.size // 2, fde.end - 1, fde.end):
            with contextlib.suppress(SFrameError):
                match = section.lookup(pc % (1 << 64))
                if match is not None:
                    assert (pc - match.fde.start) % (1 << 64) < match.fde.size
                    assert match.row is None or match.row.start <= match.distance
                    _ = match.rules
    if count >= MOST_ROWS or len(section.fdes) > MOST_FDES:
        return count
    with contextlib.suppress(SFrameError):
        assert all("\n" not in line for line in dump(section))
    if whole and section.version is Version.V3:
        _check_write_back(section)
    _check_lint(section, None)
    return count


def _check_write_back(section: Section) -> None:
    again = Section(rewrite(section, raw=True), section.address)
    assert again.header.num_fdes == section.header.num_fdes
    for fde, copy in zip(section.fdes, again.fdes, strict=True):
        assert (fde.start, fde.size) == (copy.start, copy.size)
        old = [(row.start, row.body.encoded) for row in fde.iter_rows()]
        assert old == [(row.start, row.body.encoded) for row in copy.iter_rows()]


def _check_lint(section: Section, elf: Elf | None) -> None:
    for finding in lint(section, elf):
        assert str(finding)
        assert finding.offset >= 0
    assert measure(section, section.fdes, elf).lines()


def seeds(directory: Path) -> None:
    """The objects kept for the tests, and the sections in them by themselves."""
    for file in sorted((ROOT / "tests" / "sframe" / "foreign").glob("*-v?.*")):
        if file.suffix in {".o", ".elf"}:
            (directory / file.name).write_bytes(file.read_bytes())
            section = Section.from_elf(file)
            (directory / f"{file.name}.sframe").write_bytes(bytes(section.data))


def main() -> int:
    if atheris is None:
        print("fuzz_sframe: atheris is not installed (pip install atheris)", file=sys.stderr)
        return 2
    options = sys.argv[1:]
    if all(option.startswith("-") for option in options):
        corpus = CORPUS / "corpus"
        corpus.mkdir(parents=True, exist_ok=True)
        if not any(corpus.iterdir()):
            seeds(corpus)
        options = [f"-artifact_prefix={CORPUS}/", *options, str(corpus)]
    atheris.Setup([sys.argv[0], *options], check)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
