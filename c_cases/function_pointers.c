/* title: Calls through pointers
 * shows: indirect calls through a table, a structure and a parameter; a pointer to a function
 *        that tail-calls through another pointer.
 * exit: 1
 */
#include <stdio.h>

typedef long (*operation)(long, long);

static long add(long a, long b) { return a + b; }
static long subtract(long a, long b) { return a - b; }
static long multiply(long a, long b) { return a * b; }

struct instruction {
	operation apply;
	long operand;
};

static operation selected;

/* At -O2 and -Os a jump, not a call: the frame is gone before the callee begins. */
__attribute__((noinline)) static long dispatch(long a, long b)
{
	return selected(b, a);
}

__attribute__((noinline)) static long fold(operation apply, const long *values, int count)
{
	long result = values[0];

	for (int i = 1; i < count; i++)
		result = apply(result, values[i]);
	return result;
}

int main(void)
{
	static const struct instruction program[] = {
		{add, 5}, {multiply, 6}, {subtract, 4}, {dispatch, 100}, {add, -3},
	};
	static const operation all[] = {add, subtract, multiply, dispatch};
	static const long values[] = {9, 8, 7, 6, 5};
	long accumulator = 1;

	selected = subtract;
	for (unsigned i = 0; i < sizeof program / sizeof *program; i++)
		accumulator = program[i].apply(accumulator, program[i].operand);
	printf("%ld", accumulator);
	for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
		printf(" %ld", fold(all[i], values, 5));
	putchar('\n');
	return accumulator > 0;
}
