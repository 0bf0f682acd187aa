"""Programs with other libraries than the machine's: a root of their own, a loader of their own."""

import io
import subprocess
from pathlib import Path
from typing import Any

import pytest

from emu.check import Result, Verdict, run
from emu.toolchain import Toolchain, cache
from emu.toolchain.install import BINUTILS


def clean(result: Result) -> None:
    assert (result.ended, result.exit_code) == ("exit", 0), result.message
    assert result.tally.checked == result.instructions
    assert result.figures.violations == 0
    assert result.figures.returns == result.figures.returns_verified


def checked(program: Path, **options: Any) -> tuple[Result, bytes]:
    output = io.BytesIO()
    result = run(program, stdout=output, **options)
    clean(result)
    return result, output.getvalue()


def test_program_of_another_suite_in_its_own_root(toolchain: Toolchain) -> None:
    copy = cache.find_copy(BINUTILS)
    if copy is None:
        pytest.skip("as and ld on PATH serve, so no other suite is unpacked")
    root = copy.directory / "root"
    program = root / "usr/bin/x86_64-linux-gnu-objdump.elf"
    result, output = checked(program, args=["--info"], root=root)
    native = subprocess.run([copy.bin / "objdump", "--info"], capture_output=True, check=True)
    assert output == native.stdout
    libraries = [module.path for module in result.modules if ".so" in module.path]
    assert any(path.endswith("/libc.so.6") for path in libraries)
    assert all(path.startswith("/usr/lib") for path in libraries), "as the guest names them"


def test_its_own_name_below_the_root(toolchain: Toolchain, tmp_path: Path) -> None:
    source = tmp_path / "program.c"
    source.write_text(
        "#include <stdio.h>\n#include <unistd.h>\n"
        'int main(void) { char name[99] = {0}; readlink("/proc/self/exe", name, 98);'
        " puts(name); return access(name, X_OK); }\n"
    )
    (tmp_path / "root/bin").mkdir(parents=True)
    program = toolchain.compile([source], tmp_path / "root/bin/program", ["-static"])
    assert checked(program, root=tmp_path / "root")[1] == b"/bin/program\n"
    assert checked(program)[1] == f"{program}\n".encode()


CXX = """\
#include <cstdio>
#include <stdexcept>
#include <string>
static int thrown(int depth)
{
	std::string name(depth, 'x');
	if (!depth)
		throw std::runtime_error("caught");
	return thrown(depth - 1) + name.size();
}
int main()
{
	try {
		return thrown(4);
	} catch (const std::exception &error) {
		std::puts(error.what());
	}
}
"""


def test_program_with_another_dynamic_loader(
    toolchain_with_gcc_16: Toolchain, tmp_path: Path
) -> None:
    (tmp_path / "throw.cc").write_text(CXX)
    program = toolchain_with_gcc_16.compile(
        [tmp_path / "throw.cc"], tmp_path / "throw", ["-O1", "-g"], compiler="gcc-16"
    )
    result, output = checked(program)
    assert output == b"caught\n"
    assert result.tally.steps[Verdict.OK] > 0
    assert {f.key.function for f in result.findings} <= {"__cxa_finalize@plt"}


def test_library_path_chooses(toolchain: Toolchain, tmp_path: Path) -> None:
    for word in ("one", "two"):
        (tmp_path / word).mkdir()
        source = tmp_path / word / "word.c"
        source.write_text(f'const char *word(void) {{ return "{word}"; }}\n')
        flags = ["-O1", "-shared", "-fPIC", "-Wl,-soname,libword.so"]
        toolchain.compile([source], tmp_path / word / "libword.so", flags)
    main = tmp_path / "main.c"
    main.write_text(
        "#include <stdio.h>\nconst char *word(void);\nint main(void) { return puts(word()) < 0; }\n"
    )
    linked = [main, f"-L{tmp_path}/one", "-lword"]
    program = toolchain.compile(linked, tmp_path / "main", ["-O1", f"-Wl,-rpath,{tmp_path}/one"])
    assert checked(program)[1] == b"one\n"
    result, output = checked(program, env={"LD_LIBRARY_PATH": f"{tmp_path}/two"})
    assert output == b"two\n"
    (library,) = (module for module in result.modules if module.path.endswith("libword.so"))
    assert library.path == f"{tmp_path}/two/libword.so"
    assert library.sframe == "present"
