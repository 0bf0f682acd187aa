/* title: Threads with variables of their own
 * shows: three threads that wait for each other, each with its stack, its thread-local variables
 *        and its recursion.
 * exit: 0
 * flags: -pthread
 * stack: in_turn turn turn worker start_thread clone3*
 * stack: in_turn turn turn turn worker start_thread clone3*
 * stack: in_turn turn turn turn turn worker start_thread clone3*
 * stack: joined main ... _start*
 */
#include <pthread.h>
#include <stdio.h>
#include "place.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int next = 1, sum;
static __thread int own = 5;

PLACE(in_turn)
PLACE(joined)

CALLED(int turn(int depth))
{
	int below;

	if (depth == 0) {
		AT(in_turn);
		return own;
	}
	below = turn(depth - 1);
	__asm__ volatile("" ::: "memory");
	return below + 1;
}

CALLED(void *worker(void *number))
{
	int mine = (int)(long)number;

	own += mine;
	pthread_mutex_lock(&lock);
	while (next != mine)
		pthread_cond_wait(&changed, &lock);
	sum = sum * 100 + turn(mine);
	next++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(void)
{
	pthread_t threads[3];

	for (long number = 3; number > 0; number--)
		pthread_create(&threads[number - 1], NULL, worker, (void *)number);
	for (int number = 0; number < 3; number++)
		pthread_join(threads[number], NULL);
	AT(joined);
	printf("%d %d\n", sum, own);
	return !(sum == 70911 && own == 5);
}
