/* title: Child processes
 * shows: fork in the middle of a stack, with a child that goes on in the same frames and ends;
 *        vfork, whose return address is kept in a register across the system call, and a child
 *        that executes another program; waiting for both.
 * exit: 0
 * stack: in_parent forks main ... _start*
 * stack: in_vfork_parent vforks main ... _start*
 * stack: waited main ... _start*
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "place.h"

PLACE(in_parent)
PLACE(in_vfork_parent)
PLACE(waited)

static int ends[2];

CALLED(int forks(int value))
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		if (write(ends[1], "from the child", 14) != 14)
			_exit(1);
		_exit(value + 2);
	}
	AT(in_parent);
	waitpid(child, &status, 0);
	return WEXITSTATUS(status);
}

CALLED(int vforks(const char *self))
{
	int status = 0;
	pid_t child = vfork();

	if (child == 0) {
		execl(self, self, "again", (char *)NULL);
		_exit(1);
	}
	AT(in_vfork_parent);
	waitpid(child, &status, 0);
	return WEXITSTATUS(status);
}

int main(int count, char **words)
{
	char text[15] = "";
	int first, second;

	if (count > 1)
		return 23;
	if (pipe(ends))
		return 9;
	first = forks(2);
	if (read(ends[0], text, 14) != 14)
		return 8;
	second = vforks(words[0]);
	AT(waited);
	printf("%d %d %s\n", first, second, text);
	return !(first == 4 && second == 23 && strcmp(text, "from the child") == 0);
}
