/* title: A system call that is interrupted
 * shows: a read that waits is interrupted by a timer; with SA_RESTART it begins again when the
 *        handler has returned, without it fails with EINTR. Below the handler is the interrupted
 *        instruction behind the system call.
 * exit: 0
 * stack: in_handler on_alarm __restore_rt read wait_for_byte main ... _start*
 * stack: in_handler on_alarm __restore_rt read wait_for_byte main ... _start*
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>
#include "place.h"

static int ends[2];
static volatile int answers;

PLACE(in_handler)

CALLED(void on_alarm(int number))
{
	(void)number;
	AT(in_handler);
	if (answers && write(ends[1], "x", 1) != 1)
		_exit(9);
}

CALLED(int wait_for_byte(int flags))
{
	struct sigaction action;
	struct itimerval once = { .it_value = { .tv_usec = 20000 } };
	char byte = 0;
	ssize_t got;

	memset(&action, 0, sizeof action);
	action.sa_handler = on_alarm;
	action.sa_flags = flags;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &once, NULL);
	got = read(ends[0], &byte, 1);
	return got == 1 ? byte : -errno;
}

int main(void)
{
	int restarted, failed;

	if (pipe(ends))
		return 8;
	answers = 1;
	restarted = wait_for_byte(SA_RESTART);
	answers = 0;
	failed = wait_for_byte(0);
	printf("%c, then %s\n", restarted, strerror(-failed));
	return !(restarted == 'x' && failed == -EINTR);
}
