/* title: A program that asks for its own backtrace
 * shows: backtrace() of glibc, from a frame in the middle and from a signal handler: what the
 *        program finds by .eh_frame can be compared with the truth.
 * exit: 0
 * linked: dynamic
 * finds: __cxa_finalize@plt wrong pc, __cxa_finalize@plt wrong sp
 * stack: shown show ask level level level main ... _start*
 * stack: shown show on_signal ... ask_by_signal main ... _start*
 */
#include <execinfo.h>
#include <signal.h>
#include <stdio.h>
#include "place.h"

static void *addresses[64];

PLACE(shown)

CALLED(void show(void))
{
	int count = backtrace(addresses, 64);

	AT(shown);
	/* where libc lies differs from run to run, so the addresses are no part of the output */
	for (int index = 0; index < count; index++)
		fprintf(stderr, " %p", addresses[index]);
	fprintf(stderr, "\n");
	printf("%d\n", count);
}

CALLED(void ask(void))
{
	show();
	__asm__ volatile("" ::: "memory");
}

CALLED(void level(int depth))
{
	volatile char kept[100];

	kept[depth] = 1;
	if (depth < kept[depth])
		ask();
	else
		level(depth - 1);
	__asm__ volatile("" ::: "memory");
}

CALLED(void on_signal(int number))
{
	(void)number;
	show();
	__asm__ volatile("" ::: "memory");
}

CALLED(void ask_by_signal(void))
{
	signal(SIGUSR1, on_signal);
	raise(SIGUSR1);
	__asm__ volatile("" ::: "memory");
}

int main(void)
{
	level(2);
	ask_by_signal();
	return 0;
}
