/* title: A call that never returns ends its function
 * shows: at -O1 and -Os nothing follows the call: the return address is the first byte of the
 *        next function. Whoever looks it up without subtracting one finds the wrong row.
 * exit: 42
 * finds: ?fail wrong pc, ?fail wrong sp, ?fail wrong fp, ?insist wrong pc, ?insist wrong sp,
 *        ?start wrong pc, ?start wrong sp, ?start wrong fp
 */
#include <stdio.h>
#include <stdlib.h>

static int attempts;

__attribute__((noinline, noreturn)) static void fail(int status)
{
	printf("failing with %d\n", status);
	exit(status);
}

/* Big, so that rows of the function behind it would give a wrong CFA. */
__attribute__((noinline)) static int insist(const volatile char *what)
{
	volatile char room[200];

	room[0] = what[0];
	attempts++;
	if (attempts > 3)
		fail(38 + attempts);
	return room[0];
}

__attribute__((noinline, noreturn)) static void loop_forever(volatile char *what)
{
	for (;;)
		insist(what);
}

__attribute__((noinline, noreturn)) static void start(void)
{
	volatile char room[48];

	room[0] = 'r';
	loop_forever(room);
}

static void farewell(void)
{
	puts("farewell");
}

int main(void)
{
	atexit(farewell);
	start();
}
