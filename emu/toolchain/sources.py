"""The machine's own apt sources, and the one among them that serves the distribution itself.

apt reads two forms (sources.list(5)): one-line entries in `*.list` files and deb822 stanzas in
`*.sources` files. Of either, only what is needed to ask the same archive for another suite is
kept: where it is, which components it has and which keys sign it. Options that weaken the
verification (`trusted=yes`, `allow-insecure=yes`) are dropped on purpose.
"""

import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from emu.toolchain.error import ToolchainError

ROLLING_SUITES = {"debian": ("testing", "unstable"), "ubuntu": ("devel",)}
"""Newer suites that an archive of each family always has, in the order they are tried."""

STANDING_NAMES = frozenset({"stable", "oldstable", "testing", "unstable", "sid", "devel"})
"""Suites a distribution's archive has besides the code name of the release."""

FREE_COMPONENTS = ("main", "universe")
"""Components that may hold toolchain packages; the others are never worth their index."""

FILE_NAME = re.compile(r"[A-Za-z0-9_.-]+\.(list|sources)")
"""What apt takes from the directory of sources; other names it ignores."""


@dataclass(frozen=True, slots=True)
class Release:
    """The distribution, from os-release(5)."""

    id: str
    id_like: tuple[str, ...]
    codename: str

    @property
    def rolling_suites(self) -> tuple[str, ...]:
        """The newer suites to try, best first. Raises `ToolchainError` for an unknown family."""
        # A derivative names its closest relative first: "ubuntu debian".
        for family in (self.id, *self.id_like):
            if family in ROLLING_SUITES:
                return ROLLING_SUITES[family]
        raise ToolchainError(f"no newer suite is known for the distribution '{self.id}'")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the sources: `types` are `deb` or `deb-src`.

    `signed_by` is the value apt takes: paths, fingerprints or a key block whose lines after the
    first are indented as in the file. It is empty if apt's default keys are meant.
    """

    types: tuple[str, ...]
    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str = ""


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive that serves the distribution: all its entries of the same place and keys."""

    uris: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str

    def stanza(self, suite: str, architecture: str) -> str:
        """A deb822 entry for binary and source packages of another suite of this archive."""
        lines = [
            "Types: deb deb-src",
            f"URIs: {' '.join(self.uris)}",
            f"Suites: {suite}",
            f"Components: {' '.join(self.components)}",
            f"Architectures: {architecture}",
        ]
        if self.signed_by:
            lines.append(f"Signed-By: {self.signed_by}")
        return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class OwnSuites:
    """The suites of the machine's own release, wherever the same keys sign them: the release, its
    updates, its security fixes."""

    entries: tuple[Entry, ...]

    def stanza(self, _suite: str, architecture: str) -> str:
        """A deb822 entry for the binary packages of each."""
        stanzas = []
        for entry in self.entries:
            lines = [
                "Types: deb",
                f"URIs: {' '.join(entry.uris)}",
                f"Suites: {' '.join(entry.suites)}",
                f"Components: {' '.join(entry.components)}",
                f"Architectures: {architecture}",
            ]
            if entry.signed_by:
                lines.append(f"Signed-By: {entry.signed_by}")
            stanzas.append("\n".join(lines) + "\n")
        return "\n".join(stanzas)


def parse_release(text: str) -> Release:
    """Read os-release(5). Missing fields are empty."""
    fields: dict[str, str] = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith("#"):
            try:
                fields[name] = " ".join(shlex.split(value))
            except ValueError:
                continue  # unbalanced quotes: a field nobody here needs is no reason to stop
    codename = fields.get("VERSION_CODENAME", "") or fields.get("UBUNTU_CODENAME", "")
    return Release(fields.get("ID", ""), tuple(fields.get("ID_LIKE", "").split()), codename)


def parse_one_line(text: str) -> Iterator[Entry]:
    """Read the one-line form: `deb [option=value ...] URI SUITE COMPONENT...`."""
    for raw in text.splitlines():
        line = raw.partition("#")[0].strip()
        options = ""
        found = re.fullmatch(r"(\S+)\s+\[([^]]*)\]\s*(.*)", line)
        if found:
            line, options = f"{found[1]} {found[3]}", found[2]
        words = line.split()
        if len(words) < 4 or words[0] not in {"deb", "deb-src"}:
            continue  # blank, or a flat repository without components: never the distribution
        signed_by = ""
        for option in options.split():
            name, _, value = option.partition("=")
            if name.lower() == "signed-by":
                signed_by = " ".join(value.split(","))
        yield Entry((words[0],), (words[1],), (words[2],), tuple(words[3:]), signed_by)


def parse_deb822(text: str) -> Iterator[Entry]:
    """Read the deb822 form: stanzas of `Field: value`, continued on indented lines."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for stanza in re.split(r"\n(?:[ \t]*\n)+", "\n".join(lines)):
        fields: dict[str, str] = {}
        name = ""
        for line in stanza.splitlines():
            if line[:1] in {" ", "\t"}:
                if name:
                    fields[name] += "\n" + line.rstrip()
            else:
                name, _, value = line.partition(":")
                name = name.strip().lower()
                fields[name] = value.strip()
        if fields.get("enabled", "yes").lower() in {"no", "false", "0", "off", "disable"}:
            continue
        entry = Entry(
            types=tuple(fields.get("types", "").split()),
            uris=tuple(fields.get("uris", "").split()),
            suites=tuple(fields.get("suites", "").split()),
            components=tuple(fields.get("components", "").split()),
            signed_by=fields.get("signed-by", ""),
        )
        if entry.types and entry.uris and entry.suites and entry.components:
            yield entry


def read_entries(source_list: Path, source_parts: Path) -> Iterator[Entry]:
    """All enabled entries of apt's main file and its directory of further ones, in apt's order."""
    parts = sorted(source_parts.iterdir()) if source_parts.is_dir() else []
    for path in [source_list, *(part for part in parts if FILE_NAME.fullmatch(part.name))]:
        try:
            text = path.read_text("utf-8", "surrogateescape")
        except (FileNotFoundError, IsADirectoryError, PermissionError):
            continue
        yield from (parse_deb822 if path.suffix == ".sources" else parse_one_line)(text)


def distribution_archives(entries: Iterable[Entry], release: Release) -> list[Archive]:
    """The archives that serve the distribution, likeliest first; several only if equally likely.

    Security archives and those of third parties do not have the newer suite, or have other
    packages under the same name. What tells the right one: it has the release's own suite with
    the component `main`, its `-updates` suite too, keys named after the distribution, and a path
    that ends with its name.
    """
    groups: dict[tuple[tuple[str, ...], str], list[Entry]] = {}
    for entry in entries:
        if "deb" in entry.types:
            uris = tuple(uri.rstrip("/") for uri in entry.uris)
            groups.setdefault((uris, entry.signed_by), []).append(entry)
    names = {release.codename, *STANDING_NAMES} - {""}
    scored: list[tuple[int, Archive]] = []
    for (uris, signed_by), members in groups.items():
        own = [entry for entry in members if names & set(entry.suites)]
        components = {component for entry in own for component in entry.components}
        if "main" not in components:
            continue
        suites = {suite for entry in members for suite in entry.suites}
        families = {release.id, *release.id_like}
        score = (
            (release.codename in suites)
            + 2 * any(f"{name}-updates" in suites for name in names)
            + 2 * any(f"{family}-archive-keyring" in signed_by for family in families)
            + 2 * any(uri.rpartition("/")[2] in families for uri in uris)
        )
        kept = tuple(name for name in FREE_COMPONENTS if name in components)
        scored.append((score, Archive(uris, kept, signed_by)))
    best = max((score for score, _ in scored), default=0)
    return [archive for score, archive in scored if score == best]


def own_suites(entries: Iterable[Entry], archive: Archive, release: Release) -> OwnSuites:
    """What the machine's packages come from: of the entries with the archive's keys, the suites
    named after the release (`NAME`, `NAME-updates`, `NAME-security`)."""
    names = {release.codename, *STANDING_NAMES} - {""}
    kept = []
    for entry in entries:
        if "deb" not in entry.types or entry.signed_by != archive.signed_by:
            continue
        suites = tuple(s for s in entry.suites if re.split(r"[-/]", s, maxsplit=1)[0] in names)
        components = tuple(name for name in FREE_COMPONENTS if name in entry.components)
        if suites and components:
            kept.append(Entry(("deb",), entry.uris, suites, components, entry.signed_by))
    return OwnSuites(tuple(kept))
