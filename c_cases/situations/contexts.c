/* title: makecontext and swapcontext
 * shows: two coroutines that hand control to each other and to main, each on a stack of its own
 *        that begins in libc's trampoline; one ends by returning and goes on with uc_link.
 * exit: 0
 * stack: in_first deeper first __start_context*
 * stack: in_second second __start_context*
 * stack: in_first deeper first __start_context*
 * stack: in_main main ... _start*
 */
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>
#include "place.h"

static ucontext_t main_context, first_context, second_context;
static int steps;

PLACE(in_first)
PLACE(in_second)
PLACE(in_main)

CALLED(void deeper(int rounds))
{
	for (int round = 0; round < rounds; round++) {
		AT(in_first);
		steps = steps * 10 + 1;
		swapcontext(&first_context, &second_context);
	}
}

CALLED(void first(int rounds))
{
	deeper(rounds);
	__asm__ volatile("" ::: "memory");
}

CALLED(void second(int one, int two))
{
	AT(in_second);
	steps = steps * 10 + one;
	swapcontext(&second_context, &first_context);
	steps = steps * 10 + two;
}

int main(void)
{
	getcontext(&first_context);
	first_context.uc_stack.ss_sp = malloc(65536);
	first_context.uc_stack.ss_size = 65536;
	first_context.uc_link = &main_context;
	makecontext(&first_context, (void (*)(void))first, 1, 2);
	getcontext(&second_context);
	second_context.uc_stack.ss_sp = malloc(65536);
	second_context.uc_stack.ss_size = 65536;
	second_context.uc_link = &main_context;
	makecontext(&second_context, (void (*)(void))second, 2, 2, 3);
	swapcontext(&main_context, &first_context);
	AT(in_main);
	printf("%d\n", steps);
	free(first_context.uc_stack.ss_sp);
	free(second_context.uc_stack.ss_sp);
	return steps != 1213;
}
