"""The private copy: made from the machine's own apt in an empty cache, once, by anyone."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from emu.toolchain import Extra, Toolchain, ToolchainError, cache, install, probe
from emu.toolchain.install import BINUTILS, install_copies
from emu.toolchain.tools import Origin, find_pair

needs_apt = pytest.mark.skipif(shutil.which("apt-get") is None, reason="there is no apt")

REPOSITORY = Path(__file__).parent.parent.parent
INSTALL = "from emu.toolchain.install import install_copies; install_copies()"


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty home directory, then two installations in it at once."""
    home = tmp_path_factory.mktemp("home with space")
    environment = {**os.environ, "HOME": str(home), "PYTHONPATH": str(REPOSITORY)}
    environment.pop("XDG_CACHE_HOME", None)
    command = [sys.executable, "-c", INSTALL]
    running = [subprocess.Popen(command, env=environment, cwd=home) for _ in range(2)]
    assert [process.wait() for process in running] == [0, 0]
    return home


@pytest.fixture
def installed(shared_home: Path, monkeypatch: pytest.MonkeyPatch) -> cache.Copy:
    monkeypatch.setenv("XDG_CACHE_HOME", str(shared_home / ".cache"))
    copy = cache.find_copy(BINUTILS)
    assert copy is not None
    return copy


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "sframe-testbed"


@needs_apt
def test_two_at_once_make_one_copy(installed: cache.Copy) -> None:
    names = sorted(path.name for path in installed.directory.parent.iterdir())
    assert names == sorted(["lock", "binutils.json", installed.directory.name])
    assert dict(installed.packages)["binutils"] >= "2.46"
    assert not (installed.directory / "apt").exists()


@needs_apt
def test_copy_works_with_gcc(installed: cache.Copy, tmp_path: Path) -> None:
    source = tmp_path / "one.c"
    source.write_text("int main(void) { return 41; }\n")
    program = tmp_path / "one"
    command = ["gcc", f"-B{installed.bin}", "-Wa,--gsframe-3", "-o", str(program), str(source)]
    subprocess.run(command, check=True)
    assert probe.sframe_version(program) == 3
    assert subprocess.run([program], check=False).returncode == 41
    for name in ("readelf", "objdump", "objcopy", "strip", "nm"):
        assert probe.version_of(installed.bin / name) >= "2.46"


@needs_apt
def test_messages_name_the_tool(installed: cache.Copy, tmp_path: Path) -> None:
    command = [installed.bin / "ld", tmp_path / "none.o"]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    assert f"ld.bfd: cannot find {tmp_path}/none.o" in said


@needs_apt
def test_what_is_there_is_left_alone(
    installed: cache.Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = installed.directory.stat().st_mtime_ns
    messages: list[str] = []
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    install_copies(progress=messages.append)
    assert messages == []
    assert cache.find_copy(BINUTILS) == installed
    assert installed.directory.stat().st_mtime_ns == before


@needs_apt
def test_copy_that_was_moved_is_none(
    installed: cache.Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(installed.directory.parent, tmp_path / "sframe-testbed", symlinks=True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.find_copy(BINUTILS) is None


@needs_apt
def test_private_pair_where_path_has_none(
    installed: cache.Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    pair, ready = find_pair()
    assert ready
    assert (pair.as_, pair.origin) == (installed.bin / "as", Origin.PRIVATE)
    assert pair.compiler_options == [f"-B{installed.bin}/"]


@needs_apt
def test_pair_on_path_goes_first(
    installed: cache.Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("as", "ld"):
        (tmp_path / name).symlink_to(installed.bin / name)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    pair, ready = find_pair()
    assert ready
    assert (pair.as_, pair.origin) == (tmp_path / "as", Origin.PATH)


@pytest.mark.parametrize("manifest", ["", "[]", "{}", '{"layout": 0}', '{"layout": 2}'])
def test_damaged_manifest_is_no_copy(empty_cache: Path, manifest: str) -> None:
    empty_cache.mkdir()
    (empty_cache / "binutils.json").write_text(manifest)
    assert cache.find_copy(BINUTILS) is None


def test_interrupted_construction_leaves_nothing(empty_cache: Path) -> None:
    (empty_cache / "thing.left").mkdir(parents=True)

    def construct() -> None:
        with cache.under_construction("thing") as directory:
            (directory / "file").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        construct()
    assert list(empty_cache.iterdir()) == []


def test_new_copy_replaces_the_old_one(empty_cache: Path) -> None:
    empty_cache.mkdir()
    for suite in ("testing", "unstable"):
        with cache.under_construction("thing") as directory:
            cache.publish(cache.Copy("thing", directory, suite, (("package", "1"),)))
        copy = cache.find_copy("thing")
        assert copy == cache.Copy("thing", directory, suite, (("package", "1"),))
    left = sorted(path.name for path in empty_cache.iterdir())
    assert left == sorted([directory.name, "thing.json"])


def test_lock_lets_one_wait(empty_cache: Path) -> None:
    waiting: list[str] = []
    script = (
        "import sys\nfrom emu.toolchain import cache\n"
        "with cache.locked(lambda: None):\n    print(flush=True)\n    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        other.stdout.readline()
        stdin = other.stdin

        def release() -> None:
            waiting.append("waiting")
            stdin.close()

        with cache.locked(release):
            assert other.wait() == 0
    assert waiting == ["waiting"]


@needs_apt
def test_no_space(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=5 << 20))
    with pytest.raises(ToolchainError, match=r"no space left; binutils needs 200 MB and 5 MB"):
        install_copies()


def test_cache_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc")
    with pytest.raises(ToolchainError, match="/proc/sframe-testbed: "):
        install_copies()


@needs_apt
def test_no_network_is_one_line(empty_cache: Path, tmp_path: Path) -> None:
    settings = tmp_path / "apt.conf"
    settings.write_text('Acquire::http::Proxy "http://127.0.0.1:9";\nAcquire::Retries "0";\n')
    script = (
        "import sys\nfrom emu.toolchain import ToolchainError\n"
        "from emu.toolchain.install import install_copies\n"
        "try:\n    install_copies()\n"
        "except ToolchainError as error:\n    sys.exit(str(error))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "APT_CONFIG": str(settings)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr.startswith("apt-get update (suite ")
    assert result.stderr.count("\n") == 1
    assert [path.name for path in empty_cache.iterdir()] == ["lock"]


def usable_by_nobody() -> Iterator[str]:
    """Interpreters that the user nobody may run, with this package readable for it."""
    for python in (sys.executable, "/usr/bin/python3"):
        check = "import sys, emu.toolchain; sys.exit(sys.version_info < (3, 11))"
        try:
            result = subprocess.run(
                [python, "-B", "-c", check],
                user="nobody",
                env={"PYTHONPATH": str(REPOSITORY), "PATH": os.environ["PATH"]},
                cwd="/",
                capture_output=True,
                check=False,
            )
        except (OSError, KeyError):
            continue
        if result.returncode == 0:
            yield python


@needs_apt
@pytest.mark.skipif(os.geteuid() != 0, reason="every other test here is run by such a user")
def test_user_without_privileges(tmp_path_factory: pytest.TempPathFactory) -> None:
    python = next(usable_by_nobody(), None)
    if python is None:
        pytest.skip("the user nobody may not run this Python or read the package")
    home = Path("/tmp").resolve() / f"home-of-nobody-{os.getpid()}"
    home.mkdir()
    try:
        shutil.chown(home, "nobody")
        result = subprocess.run(
            [python, "-B", "-m", "emu", "toolchain", "install", "--json"],
            user="nobody",
            group=65534,
            extra_groups=[],
            env={"HOME": str(home), "PYTHONPATH": str(REPOSITORY), "PATH": os.environ["PATH"]},
            cwd=home,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.stderr == ""
        assert result.returncode == 0
        assert 3 in json.loads(result.stdout)["as"]["sframe"]
    finally:
        shutil.rmtree(home)


CXX = """\
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
int main()
{
	std::map<std::string, int> rows{{"CFA", 8}};
	try {
		throw std::runtime_error("caught");
	} catch (const std::exception &error) {
		std::cout << error.what() << rows["CFA"] << std::endl;
	}
	return 3;
}
"""


@needs_apt
@pytest.mark.parametrize("flags", [[], ["-static"], ["-static-pie"], ["-O2", "-flto"]])
@pytest.mark.parametrize("language", ["c", "c++"])
def test_gcc_16_builds_programs_that_run_here(
    tmp_path: Path, flags: list[str], language: str
) -> None:
    toolchain = install([Extra.GCC_16])
    assert toolchain.compilers["gcc-16"].version.startswith("16.")
    source = tmp_path / ("one.cc" if language == "c++" else "one.c")
    plain = '#include <stdio.h>\nint main(void) { puts("caught8"); return 3; }\n'
    source.write_text(CXX if language == "c++" else plain)
    program = toolchain.compile([source], tmp_path / "one", flags, compiler="gcc-16")
    result = subprocess.run([program], capture_output=True, text=True, check=False)
    assert (result.stdout, result.returncode) == ("caught8\n", 3)
    assert probe.sframe_version(program) == 3


def test_fixture_gives_a_toolchain_that_is_ready(toolchain: Toolchain) -> None:
    assert toolchain.ready
    assert "gcc" in toolchain.compilers
