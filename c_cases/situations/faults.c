/* title: Faults whose handlers do not return
 * shows: SIGSEGV, SIGFPE and SIGILL are raised by an instruction; the handler is called as if by
 *        that instruction, on a stack of its own or not, and leaves by siglongjmp, or mends the
 *        registers and goes on; SIGTRAP interrupts behind its instruction.
 * exit: 0
 * stack: in_segv on_fault __restore_rt reads catches main ... _start*
 * stack: in_fpe on_fault __restore_rt divides catches main ... _start*
 * stack: in_ill on_fault __restore_rt wrong_code catches main ... _start*
 * stack: landed catches main ... _start*
 * stack: landed catches main ... _start*
 * stack: landed catches main ... _start*
 * stack: in_repair on_repair __restore_rt repaired main ... _start*
 * stack: in_trap on_trap __restore_rt traps main ... _start*
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>
#include "place.h"

static sigjmp_buf escape;
static char stack[65536];
static volatile int zero, codes[4];
static volatile uintptr_t address;
static int *volatile nowhere = (int *)16;

PLACE(in_segv)
PLACE(in_fpe)
PLACE(in_ill)
PLACE(landed)
PLACE(in_repair)
PLACE(in_trap)

CALLED(int reads(void)) { return *nowhere + 1; }
CALLED(int divides(void)) { return 7 / zero; }
CALLED(int wrong_code(void)) { __asm__ volatile("ud2"); return 0; }

CALLED(int repaired(void))
{
	int value;

	/* two bytes long, at the label: the handler steps over it */
	__asm__ volatile("mov (%1), %0" : "=r"(value) : "r"(nowhere));
	return value;
}

CALLED(int traps(void)) { __asm__ volatile("int3"); return 5; }

CALLED(void on_fault(int number, siginfo_t *info, void *context))
{
	(void)context;
	address = (uintptr_t)info->si_addr;
	if (number == SIGSEGV) {
		codes[0] = info->si_code == SEGV_MAPERR;
		AT(in_segv);
	} else if (number == SIGFPE) {
		codes[1] = info->si_code == FPE_INTDIV;
		AT(in_fpe);
	} else {
		codes[2] = info->si_code == ILL_ILLOPN;
		AT(in_ill);
	}
	siglongjmp(escape, number);
	__builtin_trap();
}

CALLED(void on_repair(int number, siginfo_t *info, void *context))
{
	ucontext_t *state = context;

	(void)number;
	(void)info;
	AT(in_repair);
	state->uc_mcontext.gregs[REG_RIP] += 2;
	state->uc_mcontext.gregs[REG_RAX] = 99;
}

CALLED(void on_trap(int number, siginfo_t *info, void *context))
{
	(void)number;
	(void)context;
	codes[3] = info->si_code;
	AT(in_trap);
}

static void install(int number, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action;

	memset(&action, 0, sizeof action);
	action.sa_sigaction = handler;
	action.sa_flags = SA_SIGINFO | flags;
	sigaction(number, &action, NULL);
}

CALLED(int catches(int (*faulting)(void)))
{
	int number = sigsetjmp(escape, 1);

	if (number == 0)
		return faulting();
	AT(landed);
	return number;
}

int main(void)
{
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack };
	int first, second, third, fourth;

	sigaltstack(&alternate, NULL);
	install(SIGSEGV, on_fault, SA_ONSTACK);
	install(SIGFPE, on_fault, 0);
	install(SIGILL, on_fault, SA_ONSTACK);
	first = catches(reads);
	printf("%d at %#lx: %d\n", first, (unsigned long)address, codes[0]);
	second = catches(divides);
	printf("%d in divides: %d\n", second, address - (uintptr_t)divides < 64);
	third = catches(wrong_code);
	printf("%d in wrong_code: %d\n", third, address - (uintptr_t)wrong_code < 64);
	install(SIGSEGV, on_repair, SA_ONSTACK);
	fourth = repaired();
	install(SIGTRAP, on_trap, 0);
	printf("repaired, traps: %d\n", traps());
	return !(first == SIGSEGV && second == SIGFPE && third == SIGILL && codes[0] && codes[1] &&
		 codes[2] && fourth >= 0);
}
