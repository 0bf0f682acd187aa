"""Ordinary programs: from PATH, else from the machine's own suites, unpacked privately."""

import shutil
import subprocess
from pathlib import Path

import pytest

from emu.toolchain import ToolchainError, tools
from emu.toolchain.programs import Program, Wanted, find_program, provide
from emu.toolchain.sources import Archive, Entry, OwnSuites, Release, own_suites
from emu.toolchain.tools import Origin

needs_apt = pytest.mark.skipif(shutil.which("apt-get") is None, reason="there is no apt")

LUA = Wanted(("lua5.4", "lua"), "lua5.4")
KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"


@pytest.fixture
def nothing_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the machine had none of the programs; apt and dpkg are still found."""
    monkeypatch.setattr(tools, "which", lambda _name: None)


def entry(uri: str, suites: str, components: str = "main", keys: str = KEYS) -> Entry:
    return Entry(("deb",), (uri,), tuple(suites.split()), tuple(components.split()), keys)


def test_own_suites_are_those_of_the_release_with_the_archives_keys() -> None:
    main = entry("http://m.example/debian", "bookworm bookworm-updates testing", "main contrib")
    security = entry("http://m.example/debian-security", "bookworm-security")
    old_security = entry("http://m.example/debian-security", "bookworm/updates")
    strangers = [
        entry("http://v.example/apt", "cloud-sdk-bookworm"),
        entry("http://v.example/apt", "bookworm", keys="/usr/share/keyrings/vendor.gpg"),
        entry("http://v.example/apt", "trixie"),
        entry("http://v.example/apt", "bookworm", "non-free"),
    ]
    archive = Archive(main.uris, ("main",), KEYS)
    found = own_suites(
        [main, security, old_security, *strangers], archive, Release("debian", (), "bookworm")
    )
    assert found == OwnSuites(
        (
            entry("http://m.example/debian", "bookworm bookworm-updates testing"),
            security,
            old_security,
        )
    )
    assert found.stanza("", "amd64").startswith(
        "Types: deb\nURIs: http://m.example/debian\n"
        "Suites: bookworm bookworm-updates testing\nComponents: main\n"
        f"Architectures: amd64\nSigned-By: {KEYS}\n\nTypes: deb\n"
    )


def test_program_on_path_goes_first() -> None:
    found = find_program(Wanted(("no-such-program", "sh"), "no-such-package"))
    assert found is not None
    assert (found.path.name, found.origin, found.root) == ("sh", Origin.PATH, None)
    assert found.environment({"HOME": "/"}) == {"HOME": "/"}


def test_fonts_that_the_machine_lacks_are_found(tmp_path: Path) -> None:
    root = tmp_path / "root"
    program = Program(root / "usr/bin/browser", Origin.PRIVATE, root)
    (root / "usr/share/fonts").mkdir(parents=True)
    assert program.environment({}) == {}
    (root / "etc/fonts").mkdir(parents=True)
    assert program.environment({}) == {"FONTCONFIG_SYSROOT": str(root)}


@needs_apt
def test_program_that_path_has_not(
    nothing_on_path: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "with space"))
    assert find_program(LUA) is None
    lines: list[str] = []
    lua = provide(LUA, lines.append)
    assert lines[0].startswith("lua5.4: reading the package lists of ")
    assert (lua.path.name, lua.origin) == ("lua5.4", Origin.PRIVATE)
    assert lua.path.is_relative_to(tmp_path)
    environment = lua.environment({"PATH": "/usr/bin"})
    assert environment["PATH"] == f"{lua.path.parent}:/usr/bin"
    said = subprocess.run(
        [lua.path, "-e", "print(6*7)"], env=environment, capture_output=True, check=True
    )
    assert said.stdout == b"42\n"
    # The second time nothing is fetched.
    monkeypatch.setenv("PATH", str(tmp_path))
    assert provide(LUA) == lua


@needs_apt
def test_libraries_the_machine_lacks_come_along(
    nothing_on_path: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A machine on which dpkg has nothing installed: all comes but the C library, which goes with
    # the machine's dynamic loader.
    (tmp_path / "status").touch()
    (tmp_path / "apt.conf").write_text(f'Dir::State::status "{tmp_path}/status";\n')
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    lua = provide(LUA)
    assert lua.root is not None
    (readline,) = (path for path in lua.libraries if list(path.glob("libreadline.so.*")))
    assert not list(lua.root.rglob("libc.so.6"))
    environment = lua.environment({"LD_LIBRARY_PATH": "/nonexistent"})
    assert environment["LD_LIBRARY_PATH"].startswith(str(lua.libraries[0]))
    assert environment["LD_LIBRARY_PATH"].endswith(":/nonexistent")
    needed = subprocess.run(
        ["ldd", lua.path], env=environment, capture_output=True, text=True, check=True
    )
    assert f" => {readline}/libreadline.so" in needed.stdout


@needs_apt
@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (Wanted(("x",), "no-such-package-anywhere"), "Unable to locate package"),
        (Wanted(("not-in-lua",), "lua5.4"), "the package lua5.4 of .* has no not-in-lua"),
        (Wanted(("x",), "lua5.4", megabytes=1 << 30), "no space left; lua5.4 needs"),
    ],
)
def test_program_that_cannot_be_had(
    nothing_on_path: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    wanted: Wanted,
    reason: str,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(ToolchainError, match=reason):
        provide(wanted)
    assert [path.name for path in (tmp_path / "sframe-testbed").iterdir()] == ["lock"]
