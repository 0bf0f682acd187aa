#!/usr/bin/env python3
"""Fuzz registration, lookups and walks, guided by the coverage of emu.unwind.

    make fuzz-unwind
    python tools/fuzz_unwind.py [-max_total_time=SECONDS] [CORPUS] [libFuzzer options]
    python tools/fuzz_unwind.py FILE...        run these inputs only

What must hold is in tools/unwind_properties.py. Without CORPUS it is build/fuzz-unwind, begun
with sections of tools/make_vectors.py; an input that fails is written there. Needs atheris
(`pip install -e '.[fuzz]'`), which has wheels for CPython 3.11 to 3.14 on Linux. Exit status 2
without it; libFuzzer's otherwise.
"""

import random
import struct
import sys
from pathlib import Path

import make_vectors

CORPUS = Path(__file__).parents[1] / "build" / "fuzz-unwind"
SEEDS = 400


def seeds(directory: Path) -> None:
    """Inputs that register: random sections with registers and stacks that fit them."""
    maker = make_vectors.Maker(1)
    draw = random.Random(1)
    for number in range(SEEDS):
        maker.calm = number % 2 == 0
        section = maker.section(make_vectors.SFRAME, (make_vectors.TEXT, make_vectors.TEXT_END))
        words = draw.randrange(1, 33)
        flags = draw.choice((0, 0, 0, 0, 1, 2, 3)) | draw.choice((0, 0, 4, 8, 16, 32))
        stack = [draw.choice((draw.randrange(0x100), 0x4000 | 3 * n + 8)) for n in range(words)]
        selectors = [draw.randrange(maker.extent), 0, 0, 0x4000 | draw.randrange(32), 0x4000]
        prefix = struct.pack(f"<{5 + words}H", *selectors, *stack)
        data = bytes([flags, draw.randrange(64), words]) + prefix + section
        (directory / f"seed-{number:03}").write_bytes(data)


def main() -> int:
    try:
        import atheris
    except ImportError:
        print(
            "fuzz_unwind: atheris is not installed (pip install -e '.[fuzz]'; it has wheels for"
            " CPython 3.11 to 3.14 on Linux)",
            file=sys.stderr,
        )
        return 2
    with atheris.instrument_imports(include=["emu.unwind"]):
        import unwind_properties

    options = sys.argv[1:]
    if all(option.startswith("-") for option in options):
        corpus = CORPUS / "corpus"
        corpus.mkdir(parents=True, exist_ok=True)
        if not any(corpus.iterdir()):
            seeds(corpus)
        options = [f"-artifact_prefix={CORPUS}/", *options, str(corpus)]
    atheris.Setup([sys.argv[0], *options], unwind_properties.check)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
