/* title: Calls that are jumps
 * shows: at -O2 and -Os sibling calls reuse the caller's slot on the stack: the function changes,
 *        the entry of the call stack does not.
 * exit: 0
 */
#include <stdio.h>

__attribute__((noinline)) static unsigned finish(unsigned value, unsigned steps)
{
	volatile unsigned kept = value;

	return kept * 2 + steps;
}

__attribute__((noinline)) static unsigned collatz_even(unsigned value, unsigned steps);

__attribute__((noinline)) static unsigned collatz_odd(unsigned value, unsigned steps)
{
	if (value == 1)
		return finish(value, steps);
	return collatz_even(3 * value + 1, steps + 1);
}

__attribute__((noinline)) static unsigned collatz_even(unsigned value, unsigned steps)
{
	value /= 2;
	if (value % 2)
		return collatz_odd(value, steps + 1);
	return collatz_even(value, steps + 1);
}

/* Has a frame of its own, which is gone before the jump. */
__attribute__((noinline)) static unsigned with_frame(unsigned value)
{
	volatile unsigned copies[10];

	for (unsigned i = 0; i < 10; i++)
		copies[i] = value + i;
	return collatz_odd(copies[9], 0);
}

int main(void)
{
	printf("%u %u\n", collatz_odd(27, 0), with_frame(18));
	return 0;
}
