/*
 * The yardstick of bench.py: step PROGRAM one instruction at a time with ptrace and unwind its
 * stack with libunwind after every step.
 *
 *     step_unwind STEPS SKIPPED PROGRAM
 *
 * prints steps per second of processor time and frames per step. The first SKIPPED steps are not counted. Links with
 * libunwind-ptrace.so.0 and libunwind-x86_64.so.8; their headers are often not installed, so what
 * is used of them is declared here.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef struct space *space_t;
typedef struct { uint64_t opaque[512]; } cursor_t; /* libunwind's has 127 words */

extern char _UPT_accessors[];
extern void *_UPT_create(pid_t);
extern space_t _Ux86_64_create_addr_space(void *accessors, int byte_order);
extern int _Ux86_64_set_caching_policy(space_t, int policy);
extern int _Ux86_64_init_remote(cursor_t *, space_t, void *);
extern int _Ux86_64_step(cursor_t *);
extern int _Ux86_64_get_reg(cursor_t *, int number, uint64_t *value);

enum { CACHE_GLOBAL = 1, IP = 16, MOST = 256 };

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void fail(const char *what)
{
    perror(what);
    exit(2);
}

static long walk(space_t space, void *target)
{
    cursor_t cursor;
    uint64_t ip;
    long frames = 0;
    if (_Ux86_64_init_remote(&cursor, space, target) < 0)
        fail("libunwind");
    do {
        if (_Ux86_64_get_reg(&cursor, IP, &ip) < 0)
            fail("libunwind");
        frames++;
    } while (frames < MOST && _Ux86_64_step(&cursor) > 0);
    return frames;
}

int main(int count, char **words)
{
    if (count != 4) {
        fprintf(stderr, "usage: step_unwind STEPS SKIPPED PROGRAM\n");
        return 2;
    }
    long steps = atol(words[1]), skipped = atol(words[2]), frames = 0;
    pid_t child = fork();
    if (child < 0)
        fail("fork");
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        execl(words[3], words[3], (char *)0);
        fail(words[3]);
    }
    int status;
    if (waitpid(child, &status, 0) < 0 || !WIFSTOPPED(status))
        fail("ptrace");
    space_t space = _Ux86_64_create_addr_space(_UPT_accessors, 0);
    void *target = _UPT_create(child);
    if (!space || !target)
        fail("libunwind");
    _Ux86_64_set_caching_policy(space, CACHE_GLOBAL);
    double start = 0;
    for (long step = 0; step < skipped + steps; step++) {
        if (step == skipped)
            start = now();
        if (ptrace(PTRACE_SINGLESTEP, child, 0, 0) < 0 || waitpid(child, &status, 0) < 0)
            fail("ptrace");
        if (!WIFSTOPPED(status)) {
            fprintf(stderr, "step_unwind: the program ended after %ld steps\n", step);
            return 2;
        }
        if (step >= skipped)
            frames += walk(space, target);
    }
    printf("%f %f\n", steps / (now() - start), (double)frames / steps);
    ptrace(PTRACE_KILL, child, 0, 0);
    return 0;
}
