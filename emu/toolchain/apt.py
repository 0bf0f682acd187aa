"""A private apt: another suite of the machine's own archive, without root and without traces.

State, lists, caches and the package database are directories of ours (apt.conf(5), `Dir`). The
database is empty, so that apt resolves a package's dependencies completely, or a copy of the
machine's, so that it fetches only what the machine has not. The keys, the proxies and the
credentials stay the machine's: apt verifies every file by its signatures.
"""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from emu.toolchain.error import ToolchainError
from emu.toolchain.sources import (
    Archive,
    Entry,
    OwnSuites,
    Release,
    distribution_archives,
    own_suites,
    parse_release,
    read_entries,
)

ARCHITECTURE = "amd64"
"""dpkg's name of the one architecture the testbed checks."""

OS_RELEASE = (Path("/etc/os-release"), Path("/usr/lib/os-release"))

TIMEOUT = 1800.0
"""Seconds that one run of apt may take; a slow line needs some minutes."""

WATCH = 5.0
LEAST_SPACE = 1 << 20
"""Every so many seconds somebody looks whether so many bytes are free: on a full disk some
versions of apt wait for ever."""

HOOKS = (
    "APT::Update::Pre-Invoke",
    "APT::Update::Post-Invoke",
    "APT::Update::Post-Invoke-Success",
    "DPkg::Pre-Invoke",
    "DPkg::Post-Invoke",
    "DPkg::Pre-Install-Pkgs",
)
"""Commands that the machine's apt runs around its work: they concern the machine, not us."""


@dataclass(frozen=True, slots=True)
class PrivateApt:
    """An apt whose every file is below `directory` and whose only source is `archive`'s `suite`.

    `installed` is the package database of a machine (dpkg's `status`) whose packages need not be
    fetched; None: none is there.
    """

    directory: Path
    archive: Archive | OwnSuites
    suite: str
    installed: Path | None = None

    def update(self) -> None:
        """Fetch and verify the suite's package lists. Raises `ToolchainError`."""
        for name in ("lists/partial", "archives/partial", "empty"):
            (self.directory / name).mkdir(parents=True, exist_ok=True)
        if self.installed is None:
            (self.directory / "status").touch()
        else:
            # A copy: apt locks the directory of the database, which is the machine's only.
            shutil.copyfile(self.installed, self.directory / "status")
        stanza = self.archive.stanza(self.suite, ARCHITECTURE)
        (self.directory / "suite.sources").write_text(stanza, "utf-8", "surrogateescape")
        (self.directory / "apt.conf").write_bytes(os.fsencode(configuration(self.directory)))
        self._run(["apt-get", "update"], self.directory)

    def has(self, package: str) -> bool:
        """Whether the suite has a package of this name."""
        shown = self._run(["apt-cache", "policy", package], self.directory)
        return bool(re.search(r"^  Candidate: (?!\(none\))", shown, re.MULTILINE))

    def download(self, packages: Sequence[str], *, again: bool = False) -> list[Path]:
        """Fetch and verify the packages with all they depend on; the `.deb` files, sorted.

        `again`: the packages themselves even if they are installed.
        """
        options = ["--yes", "--download-only", "--no-install-recommends"]
        if again:
            options.append("--reinstall")
        self._run(["apt-get", "install", *options, *packages], self.directory)
        return sorted((self.directory / "archives").glob("*.deb"))

    def source(self, package: str, into: Path) -> list[Path]:
        """Fetch and verify a source package's files (not unpacked) into a directory."""
        into.mkdir(parents=True, exist_ok=True)
        self._run(["apt-get", "source", "--download-only", "--only-source", package], into)
        return sorted(path for path in into.iterdir() if path.is_file())

    def _run(self, command: list[str], cwd: Path) -> str:
        configured = [command[0], "-c", str(self.directory / "apt.conf"), *command[1:]]
        environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
        verb = " ".join(command[:2])
        try:
            with subprocess.Popen(
                configured,
                cwd=cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                process_group=0,
            ) as process:
                try:
                    output, complaints = self._end_of(process, verb)
                except BaseException:
                    # With the processes that fetch and unpack for it.
                    with suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)
                    raise
        except OSError as error:
            raise ToolchainError(f"{command[0]}: {error.strerror}") from error
        if process.returncode != 0:
            cause = first_complaint(output + complaints)
            raise ToolchainError(f"{verb} (suite {self.suite}): {cause}")
        return output

    def _end_of(self, process: subprocess.Popen[str], verb: str) -> tuple[str, str]:
        """What a run of apt wrote. Raises `ToolchainError` if it will not end."""
        waited = 0.0
        while waited < TIMEOUT:
            try:
                return process.communicate(timeout=WATCH)
            except subprocess.TimeoutExpired:
                waited += WATCH
            if shutil.disk_usage(self.directory).free < LEAST_SPACE:
                raise ToolchainError(f"{verb}: no space left in {self.directory.parent}")
        raise ToolchainError(f"{verb}: no end after {TIMEOUT / 60:.0f} minutes")


def configuration(directory: Path) -> str:
    """The apt.conf(5) text that makes `directory` apt's whole world, read after the machine's."""
    if '"' in str(directory):
        raise ToolchainError(
            f"{directory}: apt cannot work in a directory with a quote in its name"
        )
    settings = {
        "Dir::State": "",
        "Dir::State::lists": "lists/",
        "Dir::State::status": "status",
        "Dir::State::extended_states": "extended_states",
        "Dir::Cache": "",
        "Dir::Cache::archives": "archives/",
        "Dir::Etc::sourcelist": "suite.sources",
        "Dir::Etc::sourceparts": "empty/",
        "Dir::Etc::preferences": "empty/preferences",
        "Dir::Etc::preferencesparts": "empty/",
        "Dir::Log": "log/",
    }
    lines = [f"#clear {hook};" for hook in HOOKS]
    lines += [f'{name} "{directory}/{value}";' for name, value in settings.items()]
    lines += [
        'Dir::Cache::pkgcache "";',
        'Dir::Cache::srcpkgcache "";',
        f'APT::Architecture "{ARCHITECTURE}";',
        f'#clear APT::Architectures; APT::Architectures {{ "{ARCHITECTURE}"; }};',
        "#clear APT::Default-Release;",
        'APT::Get::AllowUnauthenticated "false";',
        'Acquire::AllowInsecureRepositories "false";',
        'Acquire::AllowWeakRepositories "false";',
        'Acquire::AllowDowngradeToInsecureRepositories "false";',
        'Acquire::Languages "none";',
        'APT::Update::Error-Mode "any";',
        'APT::Keep-Downloaded-Packages "true";',
    ]
    if os.geteuid() == 0:
        # Otherwise apt hands downloads to a user that cannot write below root's home.
        lines.append('APT::Sandbox::User "root";')
    return "\n".join(lines) + "\n"


def first_complaint(output: str) -> str:
    """The line of apt's output that says why: the first error or, failing that, warning."""
    lines = output.splitlines()
    signature = re.compile(r"NO_PUBKEY|not signed|signature|EXPKEYSIG|KEYEXPIRED", re.IGNORECASE)
    for line in lines:
        if line.startswith(("E:", "W:", "Err:")) and signature.search(line):
            return f"{line.partition(':')[2].strip()} (is the distribution's keyring up to date?)"
    for mark in ("E: Failed", "E:", "W:"):
        for line in lines:
            if line.startswith(mark):
                return line[2:].strip()
    return lines[-1].strip() if lines else "failed without a word"


def machine_archives() -> tuple[list[Archive], Release]:
    """The distribution's archives by the machine's own configuration.

    Raises `ToolchainError` without apt or dpkg-deb, on another architecture, or if no entry
    serves the distribution.
    """
    archives, release, _ = _machine_sources()
    return archives, release


def machine_suites() -> tuple[OwnSuites, Release, Path]:
    """What the machine's own packages come from, and dpkg's database of those it has.

    Raises `ToolchainError` as `machine_archives` does, and without such a database.
    """
    archives, release, entries = _machine_sources()
    settings = _output(["apt-config", "shell", "S", "Dir::State::status/f"])
    status = Path(dict(re.findall(r"^(S)='(.*)'$", settings, re.MULTILINE)).get("S", "/"))
    if not status.is_file():
        raise ToolchainError(f"{status}: there is no package database")
    return own_suites(entries, archives[0], release), release, status


def _machine_sources() -> tuple[list[Archive], Release, list[Entry]]:
    for tool in ("apt-get", "apt-cache", "apt-config", "dpkg", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise ToolchainError(
                f"{tool} is not here; install GNU binutils >= 2.46 (as and ld on PATH)"
            )
    architecture = _output(["dpkg", "--print-architecture"]).strip()
    if architecture != ARCHITECTURE:
        raise ToolchainError(f"packages for {architecture} do not serve; {ARCHITECTURE} is needed")
    text = next((path.read_text(errors="replace") for path in OS_RELEASE if path.exists()), "")
    release = parse_release(text)
    settings = _output(
        ["apt-config", "shell", "L", "Dir::Etc::sourcelist/f", "P", "Dir::Etc::sourceparts/d"]
    )
    values = dict(re.findall(r"^([LP])='(.*)'$", settings, re.MULTILINE))
    places = Path(values.get("L", "/")), Path(values.get("P", "/nonexistent"))
    entries = list(read_entries(*places))
    archives = distribution_archives(entries, release)
    if not archives:
        raise ToolchainError(
            f"no entry of apt's sources serves the distribution ({release.id} {release.codename})"
        )
    return archives, release, entries


def _output(command: list[str]) -> str:
    try:
        return os.fsdecode(subprocess.run(command, capture_output=True, check=True).stdout)
    except (OSError, subprocess.CalledProcessError) as error:
        raise ToolchainError(f"{command[0]}: {error}") from error
