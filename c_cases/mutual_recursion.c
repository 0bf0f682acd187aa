/* title: Functions that call each other
 * shows: a recursive-descent parser: three functions with different frames, in an order that the
 *        input decides.
 * exit: 2
 */
#include <stdio.h>

static const char *input;
static int errors;

static long expression(int depth);

__attribute__((noinline)) static long number(void)
{
	long value = 0;

	if (*input < '0' || *input > '9')
		errors++;
	while (*input >= '0' && *input <= '9')
		value = value * 10 + (*input++ - '0');
	return value;
}

__attribute__((noinline)) static long factor(int depth)
{
	long value;

	if (*input == '-') {
		input++;
		return -factor(depth + 1);
	}
	if (*input != '(')
		return number();
	input++;
	value = expression(depth + 1);
	if (*input == ')')
		input++;
	else
		errors++;
	return value;
}

__attribute__((noinline)) static long term(int depth)
{
	long value = factor(depth);

	while (*input == '*' || *input == '%') {
		char operator = *input++;
		long right = factor(depth);

		value = operator == '*' ? value * right : right ? value % right : 0;
	}
	return value;
}

__attribute__((noinline)) static long expression(int depth)
{
	long value = term(depth);

	while (*input == '+' || *input == '-') {
		char operator = *input++;
		long right = term(depth);

		value = operator == '+' ? value + right : value - right;
	}
	return value;
}

int main(void)
{
	static const char *const inputs[] = {
		"1+2*3", "((((((((7))))))))", "-(-(2*(3+4*(5-6)))%5)+1", "(1+", "2*(3",
	};

	for (unsigned i = 0; i < sizeof inputs / sizeof *inputs; i++) {
		input = inputs[i];
		printf("%s = %ld\n", inputs[i], expression(0));
	}
	return errors - 1;
}
