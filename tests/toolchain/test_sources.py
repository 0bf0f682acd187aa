"""The distribution's own archive is found in apt sources of every form."""

from pathlib import Path

import pytest

from emu.toolchain import ToolchainError
from emu.toolchain.sources import (
    Archive,
    Entry,
    Release,
    distribution_archives,
    parse_deb822,
    parse_one_line,
    parse_release,
    read_entries,
)

BOOKWORM = Release("debian", (), "bookworm")
NOBLE = Release("ubuntu", ("debian",), "noble")

MAIN_STANZA = """\
Types: deb
# where the image was made from: http://snapshot.example/archive
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""

SECURITY_STANZA = """\
Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""

DEBIAN_SOURCES = f"{MAIN_STANZA}\n{SECURITY_STANZA}"

UBUNTU_SOURCES = """\
Types: deb
URIs: http://mirror.example/ubuntu/
Suites: noble noble-updates noble-backports
Components: main universe restricted multiverse
Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg

Types: deb
URIs: http://security.example/ubuntu/
Suites: noble-security
Components: main universe restricted multiverse
Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg
"""

THIRD_PARTIES = """\
Types: deb
URIs: https://vendor.example/node_20.x
Suites: nodistro
Components: main
Signed-By: /usr/share/keyrings/vendor.gpg

Types: deb
URIs: https://tools.example
Suites: bookworm
Components: main
Signed-By: /usr/share/keyrings/tools.gpg

Types: deb
URIs: https://database.example/apt
Suites: bookworm-pgdg
Components: main

Types: deb
URIs: https://charts.example/deb
Suites: stable
Components: main
"""


def test_deb822_of_a_debian_image() -> None:
    entries = list(parse_deb822(DEBIAN_SOURCES))
    assert entries[0] == Entry(
        types=("deb",),
        uris=("http://mirror.example/debian",),
        suites=("bookworm", "bookworm-updates"),
        components=("main",),
        signed_by="/usr/share/keyrings/debian-archive-keyring.gpg",
    )
    assert [entry.suites[-1] for entry in entries] == ["bookworm-updates", "bookworm-security"]


def test_one_line_entries() -> None:
    text = (
        "# deb cdrom:[Debian 12]/ bookworm main\n"
        "deb http://mirror.example/debian bookworm main contrib # the main archive\n"
        "deb-src http://mirror.example/debian bookworm main\n"
        "deb [arch=amd64 signed-by=/a.gpg,/b.gpg trusted=yes] http://vendor.example stable main\n"
        "deb http://flat.example/packages ./\n"
        "\n"
    )
    assert list(parse_one_line(text)) == [
        Entry(("deb",), ("http://mirror.example/debian",), ("bookworm",), ("main", "contrib")),
        Entry(("deb-src",), ("http://mirror.example/debian",), ("bookworm",), ("main",)),
        Entry(("deb",), ("http://vendor.example",), ("stable",), ("main",), "/a.gpg /b.gpg"),
    ]


@pytest.mark.parametrize("text", ["no", "No", "false", "0"])
def test_disabled_stanza_is_left_out(text: str) -> None:
    assert not list(parse_deb822(f"Enabled: {text}\n{MAIN_STANZA}"))


def test_key_in_the_stanza_survives_into_ours() -> None:
    key = "\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mDMEY\n -----END PGP PUBLIC KEY BLOCK-----"
    text = MAIN_STANZA.rpartition("Signed-By:")[0] + f"Signed-By:{key}\n"
    (entry,) = parse_deb822(text)
    assert entry.signed_by == key
    (archive,) = distribution_archives([entry], BOOKWORM)
    assert archive.stanza("testing", "amd64").endswith(f"Signed-By: {key}\n")


def test_main_archive_among_security_and_third_parties() -> None:
    entries = [*parse_deb822(THIRD_PARTIES), *parse_deb822(DEBIAN_SOURCES)]
    (archive,) = distribution_archives(entries, BOOKWORM)
    assert archive.uris == ("http://mirror.example/debian",)
    assert archive.stanza("testing", "amd64") == (
        "Types: deb deb-src\n"
        "URIs: http://mirror.example/debian\n"
        "Suites: testing\n"
        "Components: main\n"
        "Architectures: amd64\n"
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
    )


def test_ubuntu_with_entries_per_component() -> None:
    old_style = (
        "deb http://mirror.example/ubuntu/ noble main restricted\n"
        "deb http://mirror.example/ubuntu/ noble-updates main restricted\n"
        "deb http://mirror.example/ubuntu/ noble universe\n"
        "deb http://security.example/ubuntu/ noble-security main restricted\n"
    )
    for entries in (parse_one_line(old_style), parse_deb822(UBUNTU_SOURCES)):
        (archive,) = distribution_archives(entries, NOBLE)
        assert archive.uris == ("http://mirror.example/ubuntu",)
        assert archive.components == ("main", "universe")
    assert NOBLE.rolling_suites == ("devel",)


def test_mirror_lists_of_cloud_images() -> None:
    text = DEBIAN_SOURCES.replace("http://mirror.example/", "mirror+file:/etc/apt/mirrors/")
    (archive,) = distribution_archives(parse_deb822(text), BOOKWORM)
    assert archive.uris == ("mirror+file:/etc/apt/mirrors/debian",)


def test_machine_that_follows_the_rolling_suite() -> None:
    entries = parse_one_line("deb http://mirror.example/debian sid main\n")
    release = Release("debian", (), "")
    assert distribution_archives(entries, release) == [
        Archive(("http://mirror.example/debian",), ("main",), "")
    ]
    assert release.rolling_suites == ("testing", "unstable")


def test_equally_likely_mirrors_are_all_kept() -> None:
    text = "".join(f"deb http://{host}.example/debian bookworm main\n" for host in ("a", "b"))
    archives = distribution_archives(parse_one_line(text), BOOKWORM)
    assert [archive.uris[0] for archive in archives] == [
        "http://a.example/debian",
        "http://b.example/debian",
    ]


def test_no_archive_of_the_distribution() -> None:
    security = parse_deb822(SECURITY_STANZA)
    assert distribution_archives(security, BOOKWORM) == []


def test_os_release() -> None:
    text = 'NAME="Linux Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\nUBUNTU_CODENAME=noble\nX="\n'
    release = parse_release(text)
    assert release == Release("linuxmint", ("ubuntu", "debian"), "noble")
    assert release.rolling_suites == ("devel",)


def test_unknown_family() -> None:
    with pytest.raises(ToolchainError, match=r"no newer suite is known .* 'fedora'"):
        _ = parse_release("ID=fedora\n").rolling_suites


def test_files_apt_reads(tmp_path: Path) -> None:
    parts = tmp_path / "sources.list.d"
    parts.mkdir()
    (tmp_path / "sources.list").write_text("deb http://first.example/debian bookworm main\n")
    (parts / "b.sources").write_text(DEBIAN_SOURCES)
    (parts / "a.list").write_text("deb http://second.example/debian bookworm main\n")
    (parts / "c.list.disabled").write_text("deb http://never.example/debian bookworm main\n")
    (parts / "d e.list").write_text("deb http://never.example/debian bookworm main\n")
    entries = read_entries(tmp_path / "sources.list", parts)
    assert [entry.uris[0] for entry in entries] == [
        "http://first.example/debian",
        "http://second.example/debian",
        "http://mirror.example/debian",
        "http://mirror.example/debian-security",
    ]
    assert list(read_entries(tmp_path / "none", tmp_path / "none.d")) == []
