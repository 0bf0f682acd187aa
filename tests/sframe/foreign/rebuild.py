"""Rebuild the objects beside this file: python tests/sframe/foreign/rebuild.py

Assemblers, linkers and readelf for other machines, and old ones for old versions of the format,
come from the suites of the archive that apt is configured for, into a temporary directory. Each
object is stored with the text that a readelf of its own release, or the newest, prints for it.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from emu.toolchain.apt import PrivateApt, machine_archives

HERE = Path(__file__).parent
LIBRARIES = "usr/lib/x86_64-linux-gnu"


@dataclass(frozen=True, slots=True)
class Recipe:
    """One pair of object and linked file: `<name>.o` and `<name>.elf`."""

    name: str
    source: str
    suite: str
    prefix: str
    as_flags: tuple[str, ...]
    ld_flags: tuple[str, ...] = ()
    dump_suite: str = "testing"
    """V1 is dumped by its own release only; the rest by the newest readelf."""


RECIPES = (
    Recipe("aarch64-v3", "aarch64.s", "testing", "aarch64-linux-gnu-", ("--gsframe-3",)),
    Recipe(
        "aarch64_be-v3", "aarch64.s", "testing", "aarch64-linux-gnu-",
        ("-EB", "--gsframe-3"), ("-EB",),
    ),
    Recipe("s390x-v3", "s390x.s", "testing", "s390x-linux-gnu-", ("--gsframe-3",)),
    Recipe("x86_64-v2", "x86_64.s", "trixie", "x86_64-linux-gnu-", ("--gsframe",)),
    Recipe("aarch64-v2", "aarch64.s", "trixie", "aarch64-linux-gnu-", ("--gsframe",)),
    Recipe("aarch64_be-v2", "aarch64.s", "trixie", "aarch64-linux-gnu-",
           ("-EB", "--gsframe"), ("-EB",)),
    Recipe("x86_64-v1", "x86_64.s", "bookworm", "x86_64-linux-gnu-", ("--gsframe",),
           dump_suite="bookworm"),
    Recipe("aarch64-v1", "aarch64.s", "bookworm", "aarch64-linux-gnu-", ("--gsframe",),
           dump_suite="bookworm"),
)  # fmt: skip


class Suites:
    """Binutils of several suites, unpacked when first used."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._roots: dict[tuple[str, str], Path] = {}

    def tool(self, suite: str, name: str) -> list[str]:
        """The command that runs a program of a suite with that suite's own libraries."""
        package = "binutils-" + name.rpartition("-")[0].replace("_", "-")
        root = self._roots.get((suite, package)) or self._unpack(suite, package)
        loader = next(root.glob(f"{LIBRARIES}/ld-linux-x86-64.so.2"), None) or next(
            root.glob("lib*/**/ld-linux-x86-64.so.2")
        )
        paths = f"{root}/{LIBRARIES}:{root}/lib/x86_64-linux-gnu"
        return [str(loader), "--library-path", paths, str(root / "usr/bin" / name)]

    def _unpack(self, suite: str, package: str) -> Path:
        root = self._directory / f"{suite}-{package}"
        (root / "apt").mkdir(parents=True)
        archives, _ = machine_archives()
        for archive in archives:
            apt = PrivateApt(root / "apt", archive, suite)
            apt.update()
            if apt.has(package):
                for deb in apt.download([package]):
                    subprocess.run(["dpkg-deb", "-x", deb, root], check=True)
                self._roots[suite, package] = root
                return root
        raise SystemExit(f"{package} is not in suite {suite}")


def output(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=HERE).stdout


def build(recipe: Recipe, suites: Suites) -> dict[str, dict[str, str]]:
    """Make both files and their dumps; the manifest's records of them."""
    assembler = suites.tool(recipe.suite, recipe.prefix + "as")
    linker = suites.tool(recipe.suite, recipe.prefix + "ld")
    dumper = suites.tool(recipe.dump_suite, recipe.prefix + "readelf")
    output(*assembler, *recipe.as_flags, "-o", recipe.name + ".o", recipe.source)
    flags = ("-z", "max-page-size=4096", "-z", "noseparate-code", "-e", "0", *recipe.ld_flags)
    output(*linker, *flags, "-o", recipe.name + ".elf", recipe.name + ".o")
    records = {}
    for ending, tool, options in (
        (".o", assembler, recipe.as_flags),
        (".elf", linker, recipe.ld_flags),
    ):
        file = HERE / (recipe.name + ending)
        file.with_name(file.name + ".txt").write_text(output(*dumper, "--sframe", file.name))
        records[file.name] = {
            "source": recipe.source,
            "tool": output(*tool, "--version").partition("\n")[0],
            "flags": " ".join(options),
            "readelf": output(*dumper, "--version").partition("\n")[0],
            "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        }
    return records


def main() -> int:
    manifest = HERE / "manifest.json"
    before = json.loads(manifest.read_text()) if manifest.exists() else {}
    found: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory() as directory:
        suites = Suites(Path(directory))
        for recipe in RECIPES:
            found |= build(recipe, suites)
    manifest.write_text(json.dumps(found, indent=2) + "\n")
    changed = sorted(name for name in found if found[name] != before.get(name))
    print(f"{len(found)} files, changed: {', '.join(changed) or 'none'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
