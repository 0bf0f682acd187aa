"""The private apt: what it is told, and what it says when it fails."""

import os
import shutil
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from emu.toolchain import ToolchainError, apt
from emu.toolchain.apt import PrivateApt, configuration, first_complaint
from emu.toolchain.sources import Archive

needs_apt = pytest.mark.skipif(shutil.which("apt-get") is None, reason="there is no apt")


@needs_apt
def test_apt_takes_the_configuration(tmp_path: Path) -> None:
    directory = tmp_path / "with space"
    directory.mkdir()
    (directory / "apt.conf").write_text(configuration(directory))
    shown = subprocess.run(
        ["apt-config", "-c", str(directory / "apt.conf"), "dump"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stderr == ""
    pairs = (line.removesuffix('";').split(' "', 1) for line in shown.stdout.splitlines())
    settings = {name: value for name, value in pairs if value}
    assert settings["Dir::State"] == f"{directory}/"
    assert settings["Dir::Etc::sourcelist"] == f"{directory}/suite.sources"
    assert settings["Acquire::AllowInsecureRepositories"] == "false"
    # The machine's hooks do not run, its proxies and keys stay.
    assert not [name for name in settings if "Post-Invoke" in name]
    assert settings["Dir::Etc::parts"] == "apt.conf.d"
    assert settings["Dir::Etc::trustedparts"] == "trusted.gpg.d"
    assert (settings["APT::Sandbox::User"] == "root") == (os.geteuid() == 0)


def test_directory_that_apt_cannot_be_told(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match="quote in its name"):
        configuration(tmp_path / 'a"b')


BAD_SIGNATURE = """\
Err:1 http://m.example/debian testing InRelease
W: GPG error: http://m.example/debian testing InRelease: NO_PUBKEY 12
E: The repository 'http://m.example/debian testing InRelease' is not signed.
"""
NO_NETWORK = """\
E: Failed to fetch http://m.example/x  Could not resolve 'm.example'
E: Some index files failed to download.
"""


@pytest.mark.parametrize(
    ("output", "complaint"),
    [
        (BAD_SIGNATURE, "GPG error: http://m.example/debian testing InRelease: NO_PUBKEY 12"),
        (NO_NETWORK, "Failed to fetch http://m.example/x  Could not resolve 'm.example'"),
        ("Reading...\nE: Unable to locate package x\n", "Unable to locate package x"),
        ("", "failed without a word"),
    ],
)
def test_one_line_of_apts_many(output: str, complaint: str) -> None:
    hint = " (is the distribution's keyring up to date?)" if output is BAD_SIGNATURE else ""
    assert first_complaint(output) == complaint + hint


@needs_apt
def test_archive_that_cannot_be_reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # .invalid never resolves (RFC 2606).
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "once.conf"))
    (tmp_path / "once.conf").write_text('Acquire::Retries "0";\n')
    archive = Archive(("http://mirror.invalid/debian",), ("main",), "")
    with pytest.raises(
        ToolchainError, match=r"apt-get update \(suite testing\): .*mirror\.invalid"
    ):
        PrivateApt(tmp_path, archive, "testing").update()


@needs_apt
def test_unsigned_archive_is_refused(tmp_path: Path) -> None:
    suite = tmp_path / "archive/dists/testing"
    suite.mkdir(parents=True)
    (suite / "Release").write_text("Suite: testing\nDate: Thu, 01 Jan 2026 00:00:00 UTC\nSHA256:\n")
    archive = Archive((f"file:{quote(bytes(tmp_path))}/archive",), ("main",), "")
    with pytest.raises(ToolchainError, match="not signed"):
        PrivateApt(tmp_path / "apt", archive, "testing").update()


@needs_apt
def test_machine_without_a_fitting_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    settings = tmp_path / "apt.conf"
    settings.write_text(
        f'Dir::Etc::sourcelist "{tmp_path}/none";\nDir::Etc::sourceparts "{tmp_path}/empty";\n'
    )
    monkeypatch.setenv("APT_CONFIG", str(settings))
    with pytest.raises(ToolchainError, match="no entry of apt's sources serves the distribution"):
        apt.machine_archives()


def test_machine_without_apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolchainError, match="apt-get is not here; install GNU binutils"):
        apt.machine_archives()


@pytest.mark.parametrize(
    ("free", "limit", "said"),
    [
        (0, 1800.0, r"apt-get update: no space left in "),
        (1 << 30, 0.1, r"apt-get update: no end after 0 minutes"),
    ],
)
def test_apt_that_waits_for_ever(
    free: int, limit: float, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = tmp_path / "apt-get"
    waiting.write_text("#!/bin/sh\nsleep 1000 &\necho $! > $2.child\nwait\n")
    waiting.chmod(0o755)
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=free))
    monkeypatch.setattr(apt, "WATCH", 0.2)
    monkeypatch.setattr(apt, "TIMEOUT", limit)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    private = PrivateApt(tmp_path / "apt", Archive(("http://m.example",), ("main",), ""), "testing")
    with pytest.raises(ToolchainError, match=said):
        private.update()
    # What it had started is ended too.
    child = Path(f"{private.directory}/apt.conf.child")
    if child.exists():
        stat = Path(f"/proc/{int(child.read_text())}/stat")
        for _ in range(100):
            try:
                state = stat.read_text().rpartition(") ")[2][0]
            except (FileNotFoundError, ProcessLookupError):
                return
            if state in "ZX":
                return
            time.sleep(0.05)
        raise AssertionError("it goes on")
