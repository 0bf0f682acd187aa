"""Real programs end as they do natively: same output, same exit status."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from emu.machine import MappingEvent, Module, OutcomeKind

HELLO = r"""
#include <stdio.h>
int main(void) { puts("hello"); return 0; }
"""

FLOATS = r"""
#include <math.h>
#include <stdio.h>
int main(void) {
    volatile double x = 2;
    printf("%.17g %Lf %a %d %5.2f|%-8s|%08x\n", sqrt(x), 1.0L / 3, 0.1, 42, 3.14159, "ab", 0xbeef);
    printf("%.15g %.15g %.15g\n", sin(x), exp(x), pow(x, 0.5));
    return 0;
}
"""

SORT = r"""
#include <stdio.h>
#include <stdlib.h>
static int order(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
int main(void) {
    int v[500];
    unsigned x = 1;
    for (int i = 0; i < 500; i++) v[i] = (x = x * 1103515245 + 12345) >> 16 & 0x7fff;
    qsort(v, 500, sizeof *v, order);
    for (int i = 1; i < 500; i++) if (v[i - 1] > v[i]) return 1;
    printf("%d %d %d\n", v[0], v[250], v[499]);
    return 0;
}
"""

ARGUMENTS = r"""
#include <stdio.h>
extern char **environ;
int main(int argc, char **argv) {
    for (int i = 0; i < argc; i++) printf("%d=%s\n", i, i ? argv[i] : "");
    for (char **e = environ; *e; e++) puts(*e);
    return argc;
}
"""

READ_FILE = r"""
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/mman.h>
#include <fcntl.h>
int main(int argc, char **argv) {
    char line[200];
    FILE *f = fopen(argv[1], "r");
    if (!f) { perror(argv[1]); return 2; }
    long lines = 0;
    while (fgets(line, sizeof line, f)) lines++;
    printf("%ld lines, at %ld\n", lines, ftell(f));
    fseek(f, -5, SEEK_END);
    printf("%zu\n", fread(line, 1, 100, f));
    struct stat s;
    stat(argv[1], &s);
    printf("%lld %o\n", (long long)s.st_size, s.st_mode);
    char *m = mmap(0, s.st_size, PROT_READ, MAP_PRIVATE, fileno(f), 0);
    unsigned sum = 0;
    for (long i = 0; i < s.st_size; i++) sum = sum * 31 + (unsigned char)m[i];
    printf("%u %d\n", sum, access("/no/such", F_OK));
    return 0;
}
"""

ALLOCATE = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(void) {
    static char *kept[2000];
    unsigned x = 7, sum = 0;
    for (int i = 0; i < 20000; i++) {
        x = x * 1103515245 + 12345;
        unsigned at = (x >> 8) % 2000, size = (x >> 4) % 9000 + 1;
        if (i % 1000 == 0) size = 3 << 20;
        kept[at] = realloc(kept[at], size);
        memset(kept[at], i, size < 64 ? size : 64);
        sum += kept[at][0];
    }
    for (int i = 0; i < 2000; i++) free(kept[i]);
    printf("%u\n", sum);
    return 0;
}
"""

STRINGS = r"""
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <wchar.h>
/* Every variant libc may pick by CPUID must be one the processor can run. */
int main(void) {
    static char a[4096], b[4096];
    unsigned sum = 0;
    for (int n = 0; n < 300; n += 7) {
        for (int o = 0; o < 20; o += 3) {
            memset(a, 'a' + n % 26, sizeof a);
            a[o + n] = 0;
            memcpy(b + o, a, 2000);
            memmove(b + o + 3, b + o, 1000);
            sum = sum * 31 + strlen(a + o) + (strchr(a + o, 0) - a);
            sum = sum * 31 + (memchr(a, 0, sizeof a) != 0) + (strcmp(a, b) > 0) + !memcmp(a, b, n);
            sum = sum * 31 + (strrchr(a, 'c') != 0) + strspn(a + o, "abcdefgh") + strcspn(a, "xyz");
            sum = sum * 31 + (strstr(a, "aab") != 0) + strncasecmp(a, b, n) + strnlen(b, n);
        }
    }
    strcpy(b, "one,two,three"); strcat(b, ",four");
    for (char *t = strtok(b, ","); t; t = strtok(0, ",")) puts(t);
    printf("%u %zu\n", sum, wcslen(L"wide"));
    return 0;
}
"""

TIMES = r"""
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include <sys/time.h>
int main(void) {
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    sleep(1); usleep(10);
    clock_gettime(CLOCK_MONOTONIC, &b);
    puts(b.tv_sec - a.tv_sec >= 1 ? "one" : "less");
    struct timeval v;
    gettimeofday(&v, 0);
    printf("%d %d\n", time(0) - v.tv_sec < 2, isatty(1));
    return 0;
}
"""

EXIT = "#include <stdlib.h>\nint main(int c, char **v) { exit(atoi(v[1])); }"

STDIN = r"""
#include <stdio.h>
int main(void) {
    int c, n = 0, lines = 0;
    while ((c = getchar()) != EOF) n++, lines += c == '\n';
    printf("%d %d\n", n, lines);
    fprintf(stderr, "done\n");
    return 0;
}
"""

PROGRAMS = {
    "hello": (HELLO, [], b""),
    "floats": (FLOATS, [], b""),
    "sort": (SORT, [], b""),
    "arguments": (ARGUMENTS, ["one", "", "two words", "\xe4"], b""),
    "read_file": (READ_FILE, ["/usr/include/stdio.h"], b""),
    "missing_file": (READ_FILE, ["/no/such/file"], b""),
    "allocate": (ALLOCATE, [], b""),
    "strings": (STRINGS, [], b""),
    "times": (TIMES, [], b""),
    "exit_0": (EXIT, ["0"], b""),
    "exit_300": (EXIT, ["300"], b""),
    "stdin": (STDIN, [], b"a line\n" * 5000),
}
KINDS = {"static": ("-static",), "static_pie": ("-static-pie",), "dynamic": ("-pie",)}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_ends_as_natively(
    name: str, kind: str, compile_guest: Callable[..., Path], same_as_native: Callable[..., object]
) -> None:
    source, arguments, stdin = PROGRAMS[name]
    program = compile_guest(source, "-O2", kind=KINDS[kind][0])
    finished = same_as_native(program, *arguments, stdin=stdin)
    calls = finished.process.system_calls
    assert not [name for name, call in calls.items() if call.unsupported]


COMMANDS = {
    "true": ([], b""),
    "false": ([], b""),
    "ls": (["-l", "--time-style=+%s", "/usr/include/linux"], b""),
    "sort": (["-n", "-r"], b"3\n10\n2\n"),
    "sed": (["s/a/<&>/g"], b"banana\n"),
    "grep": (["-n", "an"], b"one\nbanana\n"),
    "awk": (["{ s += $1 } END { print s / 3 }"], b"1\n2\n4\n"),
    "bc": (["-l"], b"scale=30; 4*a(1)\n"),
    "xz": (["-9", "-c"], b"squeeze me " * 500),
    "gzip": (["-c", "-n"], b"squeeze me " * 500),
    "sqlite3": (
        [":memory:"],
        b"create table t(a); insert into t values(1),(2); select sum(a) from t;",
    ),
    "perl": (["-e", "print join ',', map { $_ ** 2 } 1..5"], b""),
    "dash": (["-c", "for i in 1 2 3; do echo $i; done; exit 4"], b""),
    "md5sum": ([], b"abc"),
    "tr": (["a-z", "A-Z"], b"hello\n"),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_of_the_system(command: str, same_as_native: Callable[..., object]) -> None:
    path = shutil.which(command)
    if path is None:
        pytest.skip(f"no {command} on this machine")
    real = Path(path).resolve()
    if real.read_bytes()[:4] != b"\x7fELF":
        pytest.skip(f"{command} is a script here")
    arguments, stdin = COMMANDS[command]
    same_as_native(Path(path), *arguments, stdin=stdin)


def test_two_runs_are_equal(
    compile_guest: Callable[..., Path], emulate: Callable[..., object]
) -> None:
    program = compile_guest(
        "#include <stdio.h>\n#include <stdlib.h>\n#include <time.h>\n#include <sys/random.h>\n"
        "int main(void) { unsigned r; getrandom(&r, 4, 0); long t = __builtin_ia32_rdtsc();"
        ' printf("%u %ld %ld %p\\n", r, t, (long)time(0), malloc(9)); }'
    )
    runs = []
    for seed in (0, 0, 1):
        trace: list[int] = []
        finished = emulate(
            program,
            argv=["prog"],
            seed=seed,
            on_instruction=lambda _engine, address, _size, _data, trace=trace: trace.append(
                address
            ),
        )
        runs.append((finished.output, trace))
    assert runs[0] == runs[1]
    assert runs[0][0] != runs[2][0]


def test_modules_of_a_dynamic_program_come_and_go(
    compile_guest: Callable[..., Path], emulate: Callable[..., object]
) -> None:
    source = """
    #include <dlfcn.h>
    #include <stdio.h>
    int main(void) {
        void *m = dlopen("libm.so.6", RTLD_NOW);
        if (!m) return 1;
        double (*f)(double) = (double (*)(double))dlsym(m, "cbrt");
        printf("%.3f\\n", f(27));
        dlclose(m);
        return 0;
    }
    """
    from emu.machine import Image, Process

    program = compile_guest(source, "-O1", kind="-pie")
    output = bytearray()
    process = Process(Image.from_file(program), env={"LC_ALL": "C"}, stdout=output.extend)
    events: list[tuple[MappingEvent, Module]] = []
    process.on_mapping.append(lambda event, module: events.append((event, module)))
    at_start = [module.path for module in process.modules]
    assert process.run().exit_code == 0
    assert output == b"3.000\n"
    names = [(event.value, Path(module.path).name) for event, module in events]
    assert names == [("loaded", "libc.so.6"), ("loaded", "libm.so.6"), ("unloaded", "libm.so.6")]
    assert len(at_start) == 2, "the program and its dynamic loader"
    libm = events[1][1]
    assert libm.image.symbol_at(libm.image.address_of("cbrt") or 0) is not None
    assert process.system_calls["mmap"].count >= 8


def test_a_program_that_never_ends(
    compile_guest: Callable[..., Path], emulate: Callable[..., object]
) -> None:
    program = compile_guest("int main(void) { for (;;); }")
    finished = emulate(program, max_instructions=100_000)
    assert finished.outcome.kind is OutcomeKind.LIMIT
    assert finished.outcome.message == "stopped after 100000 instructions"


PYTHON = """
import concurrent.futures, subprocess, threading
seen = []
threads = [threading.Thread(target=lambda n=n: seen.append(sum(range(n)))) for n in range(5)]
[thread.start() for thread in threads], [thread.join() for thread in threads]
print(sorted(seen))
with concurrent.futures.ThreadPoolExecutor(3) as pool:
    print(list(pool.map(lambda n: n * n, range(9))))
print(subprocess.run(["/bin/echo", "from a child"], capture_output=True).stdout)
"""
THREADED = {
    "xz": ["-T2", "-1", "-c", "--block-size=20000", "/usr/include/stdlib.h"],
    "python3": ["-S", "-c", PYTHON],
}


@pytest.mark.parametrize("command", THREADED)
def test_commands_with_threads(command: str, same_as_native: Callable[..., object]) -> None:
    path = shutil.which(command, path="/usr/bin:/bin")
    if path is None:
        pytest.skip(f"no {command} on this machine")
    same_as_native(Path(path), *THREADED[command])
