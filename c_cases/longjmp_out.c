/* title: Leaving frames without returning
 * shows: longjmp over several frames, from user code and from a callback of libc; `call longjmp`
 *        is the last instruction of its function, so that the return address lies behind it.
 * exit: 7
 * finds: ?give_up wrong pc, ?give_up wrong sp, ?give_up wrong fp, ?impatient wrong pc,
 *        ?impatient wrong sp, ?impatient wrong fp
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

static jmp_buf escape;
static int visits;

__attribute__((noinline, noreturn)) static void give_up(int code)
{
	longjmp(escape, code);
}

__attribute__((noinline)) static int descend(int level)
{
	volatile int here = level;

	visits++;
	if (level == 0) {
		if (visits == 7)
			give_up(5);
		return 0;
	}
	return descend(level - 1) + here;
}

static int impatient(const void *left, const void *right)
{
	if (++visits % 8 == 0)
		give_up(2);
	return *(const int *)left - *(const int *)right;
}

__attribute__((noinline)) static int attempt(int way)
{
	int numbers[] = {9, 4, 7, 1, 8, 2, 6, 3};
	int code = setjmp(escape);

	if (code)
		return code;
	if (way == 0)
		return descend(6);
	qsort(numbers, 8, sizeof numbers[0], impatient);
	return numbers[0];
}

int main(void)
{
	int first = attempt(0);
	int second;

	visits = 0;
	second = attempt(1);
	printf("%d %d %d\n", first, second, visits);
	return first + second;
}
