/* title: Threads that end in the middle
 * shows: pthread_exit deep in a thread and pthread_cancel of one that waits: both unwind the
 *        thread's stack by force, with cleanup handlers and landing pads on the way.
 * exit: 0
 * linked: dynamic
 * flags: -pthread -fexceptions
 * finds: __cxa_finalize@plt wrong pc, __cxa_finalize@plt wrong sp, ?leaves wrong pc,
 *        ?leaves wrong sp, ?waits wrong pc, ?waits wrong sp, ?works wrong pc, ?works wrong sp
 * stack: in_cleanup on_exit_of leaves works ...
 * stack: in_cleanup on_exit_of waits ...
 * stack: in_landing_pad on_scope_end works ...
 * stack: in_landing_pad on_scope_end waits ...
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
#include "place.h"

static int ends[2];
static int cleanups, scopes;

PLACE(in_cleanup)
PLACE(in_landing_pad)

CALLED(void on_exit_of(void *number))
{
	cleanups = cleanups * 10 + *(int *)number;
	AT(in_cleanup);
}

CALLED(void on_scope_end(int *number))
{
	scopes = scopes * 10 + *number;
	AT(in_landing_pad);
}

CALLED(void leaves(int *number))
{
	pthread_cleanup_push(on_exit_of, number);
	if (*number)
		pthread_exit((void *)42L);
	pthread_cleanup_pop(0);
	__asm__ volatile("" ::: "memory");
}

CALLED(void *works(void *data))
{
	int number __attribute__((cleanup(on_scope_end))) = 7;

	(void)data;
	leaves(&number);
	__asm__ volatile("" ::: "memory");
	return NULL;
}

CALLED(void *waits(void *data))
{
	int number __attribute__((cleanup(on_scope_end))) = 8;
	char byte;

	(void)data;
	pthread_cleanup_push(on_exit_of, &number);
	if (read(ends[0], &byte, 1) < 0)
		byte = 0;
	pthread_cleanup_pop(0);
	return NULL;
}

int main(void)
{
	pthread_t first, second;
	void *one, *two;

	if (pipe(ends))
		return 9;
	pthread_create(&first, NULL, works, NULL);
	pthread_join(first, &one);
	pthread_create(&second, NULL, waits, NULL);
	usleep(1000);
	pthread_cancel(second);
	pthread_join(second, &two);
	printf("%ld %d, %d %d\n", (long)one, two == PTHREAD_CANCELED, cleanups, scopes);
	return !(one == (void *)42L && two == PTHREAD_CANCELED && cleanups == 78 && scopes == 78);
}
