/* title: Exceptions that leave a signal handler
 * shows: the handlers of SIGSEGV and SIGFPE throw: the exception unwinds the handler, the restorer
 *        and the interrupted frame, from a stack of its own or not, and is caught far below, in a
 *        frame that has grown since or pushes arguments.
 * exit: 0
 * linked: dynamic
 * flags: -fnon-call-exceptions -static-libstdc++ -static-libgcc
 * finds: __cxa_finalize@plt wrong pc, __cxa_finalize@plt wrong sp, ?on_fault wrong pc,
 *        ?on_fault wrong sp, ?on_fault wrong fp, ?on_fault refused, ?reads wrong pc, ?reads wrong sp
 * stack: in_handler on_fault ... reads many_arguments catches main ... _start*
 * stack: in_handler on_fault ... divides many_arguments catches main ... _start*
 * stack: in_handler on_fault ... divides many_arguments catches main ... _start*
 * stack: caught catches main ... _start*
 * stack: caught catches main ... _start*
 * stack: caught catches main ... _start*
 */
#include <alloca.h>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <sys/mman.h>
#include "place.h"

static int *volatile nowhere = (int *)16;
static volatile int zero;

PLACE(in_handler)
PLACE(caught)

CALLED(int reads(int value)) { return *nowhere + value; }
CALLED(int divides(int value)) { return value / zero; }

CALLED(int many_arguments(int (*faulting)(int), int a, int b, int c, int d, int e, int f, int g,
			  int h))
{
	int result = faulting(a + b + c + d + e + f + g + h);
	__asm__ volatile("" ::: "memory");
	return result;
}

CALLED(int catches(int (*faulting)(int), int size))
{
	try {
		char *grown = (char *)alloca(size);
		memset(grown, 1, size);
		return many_arguments(faulting, 1, 2, 3, 4, 5, 6, 7, grown[0]);
	} catch (int number) {
		AT(caught);
		return number;
	}
}

CALLED(void on_fault(int number, siginfo_t *, void *))
{
	sigset_t none;

	AT(in_handler);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, nullptr);
	throw number;
}

static void install(int number, int flags)
{
	struct sigaction action;

	memset(&action, 0, sizeof action);
	action.sa_sigaction = on_fault;
	action.sa_flags = SA_SIGINFO | flags;
	sigaction(number, &action, nullptr);
}

int main()
{
	stack_t alternate;

	memset(&alternate, 0, sizeof alternate);
	alternate.ss_size = 65536;
	alternate.ss_sp = mmap(nullptr, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			       -1, 0);
	sigaltstack(&alternate, nullptr);
	install(SIGSEGV, SA_ONSTACK);
	install(SIGFPE, SA_ONSTACK);
	int first = catches(reads, 100), second = catches(divides, 200);
	install(SIGFPE, 0);
	int third = catches(divides, 300);
	printf("%d %d %d\n", first, second, third);
	return !(first == SIGSEGV && second == SIGFPE && third == SIGFPE);
}
