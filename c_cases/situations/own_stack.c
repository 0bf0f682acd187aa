/* title: A function that calls on another stack and comes back
 * shows: what inline assembly makes of it: CFI that leads back by the frame pointer, on a stack
 *        from malloc and on one in an array of the caller's frame; a profiler's signal may come
 *        at any instruction of it.
 * exit: 0
 * flags: -fno-omit-frame-pointer
 * stack: on_other deeper work call_on*
 * stack: on_other deeper work call_on*
 * stack: back main ... _start*
 * stack: back main ... _start*
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include "place.h"

#ifndef ROUNDS
#define ROUNDS 0
#endif

static volatile int ticks;

PLACE(on_other)
PLACE(back)

static void on_tick(int number)
{
	(void)number;
	ticks++;
}

CALLED(int deeper(int value))
{
	AT(on_other);
	return value * 2;
}

CALLED(int work(int value))
{
	int result = deeper(value) + 1;

	__asm__ volatile("" ::: "memory");
	return result;
}

CALLED(int call_on(char *top, int (*function)(int), int value))
{
	int result;

	/* rbx keeps the way back for the code, rbp for the tables */
	__asm__ volatile("mov %%rsp, %%rbx\n\t"
			 "mov %1, %%rsp\n\t"
			 "call *%2\n\t"
			 "mov %%rbx, %%rsp"
			 : "=a"(result)
			 : "r"(top), "r"(function), "D"(value)
			 : "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc");
	return result;
}

int main(void)
{
	char inside[16384] __attribute__((aligned(16)));
	char *allocated = malloc(16384);
	int first, second;

	signal(SIGPROF, on_tick);
	first = call_on(allocated + 16384, work, 3);
	AT(back);
	second = call_on(inside + 16384, work, 4);
	AT(back);
	for (int round = 0; round < ROUNDS; round++)
		second = call_on(round % 2 ? allocated + 16384 : inside + 16384, work, 4);
	free(allocated);
	printf("%d %d\n", first, second);
	return !(first == 7 && second == 9);
}
