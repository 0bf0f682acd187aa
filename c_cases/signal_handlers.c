/* title: Signal handlers
 * shows: a handler that calls on, one inside another, one on a stack of its own, and siglongjmp
 *        out of that one. Below each handler lie the restorer and the interrupted frame, whose pc
 *        is an instruction and not a return address.
 * exit: 8
 * finds: ?on_fault wrong pc, ?on_fault wrong sp, ?on_fault wrong fp
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static volatile sig_atomic_t visits;
static sigjmp_buf escape;
static char handler_stack[16384];
static int *volatile nowhere = (int *)8;

__attribute__((noinline)) static int work(int depth)
{
	volatile char kept[64];

	kept[0] = (char)depth;
	if (depth < 2)
		return depth;
	return work(depth - 1) + work(depth - 2) + kept[0] - depth;
}

static void on_user(int number, siginfo_t *info, void *context)
{
	(void)info;
	(void)context;
	visits++;
	work(3);
	if (number == SIGUSR1)
		raise(SIGUSR2);
}

static void on_fault(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	(void)context;
	work(2);
	siglongjmp(escape, 1);
}

static void install(int number, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action;

	memset(&action, 0, sizeof action);
	action.sa_sigaction = handler;
	action.sa_flags = SA_SIGINFO | flags;
	sigaction(number, &action, NULL);
}

__attribute__((noinline)) static int fault(void)
{
	return *nowhere + 1;
}

int main(void)
{
	stack_t stack = {.ss_sp = handler_stack, .ss_size = sizeof handler_stack};
	volatile int caught = 0;

	sigaltstack(&stack, NULL);
	install(SIGUSR1, on_user, 0);
	install(SIGUSR2, on_user, 0);
	install(SIGSEGV, on_fault, SA_ONSTACK);
	raise(SIGUSR1);
	for (int round = 0; round < 3; round++) {
		if (!sigsetjmp(escape, 1))
			visits += fault();
		else
			caught++;
	}
	install(SIGUSR2, on_user, SA_ONSTACK);
	raise(SIGUSR2);
	printf("%d visits, %d faults caught, %d\n", (int)visits, caught, work(6));
	return caught + visits + 2;
}
