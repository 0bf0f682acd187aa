"""The private apt: what it is told, and what it says when it fails."""

import os
import subprocess
from pathlib import Path

import pytest

from emu.toolchain import ToolchainError, apt
from emu.toolchain.apt import PrivateApt, configuration, first_complaint
from emu.toolchain.sources import Archive

needs_apt = pytest.mark.skipif(
    subprocess.run(["which", "apt-get"], capture_output=True, check=False).returncode != 0,
    reason="there is no apt",
)


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
    archive = Archive((f"file:{tmp_path}/archive",), ("main",), "")
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
