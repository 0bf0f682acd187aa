/* title: Coroutines that a signal switches
 * shows: the handler of a signal goes on with another context and comes back later: the frames
 *        that were interrupted, the restorer and the handler wait together on their stack. One of
 *        the stacks is an array in main.
 * exit: 0
 * stack: in_handler on_tick __restore_rt ... rounds first __start_context*
 * stack: in_handler on_tick __restore_rt ... rounds second __start_context*
 * stack: in_handler on_tick __restore_rt ... rounds first __start_context*
 * stack: in_handler on_tick __restore_rt ... rounds second __start_context*
 * stack: in_main main ... _start*
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>
#include "place.h"

static ucontext_t main_context, contexts[2];
static volatile int current, switches, ticks;

PLACE(in_handler)
PLACE(in_main)

CALLED(void on_tick(int number))
{
	int self = current;

	(void)number;
	if (++ticks <= 4)
		AT(in_handler);
	current = 1 - self;
	switches++;
	swapcontext(&contexts[self], &contexts[1 - self]);
	__asm__ volatile("" ::: "memory");
}

CALLED(int rounds(int how_many))
{
	volatile int count = 0;

	while (switches < how_many) {
		count++;
		if (count % 50 == 0)
			raise(SIGUSR1);
	}
	return count;
}

CALLED(void first(void))
{
	rounds(9);
	__asm__ volatile("" ::: "memory");
}

CALLED(void second(void))
{
	rounds(10);
	__asm__ volatile("" ::: "memory");
}

static void prepare(ucontext_t *context, void (*body)(void), void *stack)
{
	getcontext(context);
	context->uc_stack.ss_sp = stack;
	context->uc_stack.ss_size = 16384;
	context->uc_link = &main_context;
	makecontext(context, body, 0);
}

int main(void)
{
	struct sigaction action = { .sa_handler = on_tick, .sa_flags = SA_NODEFER };
	char inside[16384];

	sigaction(SIGUSR1, &action, NULL);
	prepare(&contexts[0], first, malloc(16384));
	prepare(&contexts[1], second, inside);
	swapcontext(&main_context, &contexts[0]);
	AT(in_main);
	printf("%d\n", switches >= 9);
	return 0;
}
