/* title: Variable arguments
 * shows: register save areas in user code, with %al tested before the vector registers are
 *        stored, and a va_list that travels through three functions into libc.
 * exit: 4
 */
#include <stdarg.h>
#include <stdio.h>

__attribute__((noinline)) static int vlog(char *out, size_t size, const char *format, va_list list)
{
	va_list again;
	int needed;

	va_copy(again, list);
	needed = vsnprintf(0, 0, format, again);
	va_end(again);
	return needed < (int)size ? vsnprintf(out, size, format, list) : -1;
}

__attribute__((noinline, format(printf, 3, 4)))
static int log_line(char *out, size_t size, const char *format, ...)
{
	va_list list;
	int written;

	va_start(list, format);
	written = vlog(out, size, format, list);
	va_end(list);
	return written;
}

/* More arguments than there are registers for: the rest is read from the caller's frame. */
__attribute__((noinline)) static long sum(int count, ...)
{
	va_list list;
	long total = 0;

	va_start(list, count);
	for (int i = 0; i < count; i++)
		total += va_arg(list, long);
	va_end(list);
	return total;
}

__attribute__((noinline)) static double mean(int count, ...)
{
	va_list list;
	double total = 0;

	va_start(list, count);
	for (int i = 0; i < count; i++)
		total += va_arg(list, double);
	va_end(list);
	return total / count;
}

int main(void)
{
	char line[80];
	int length;

	length = log_line(line, sizeof line, "CFA=%s%+d RA=*(CFA%+d) %c %#lx %5.2f", "rsp", 16, -8,
			  'x', 0xdee2L, mean(4, 1.0, 2.0, 3.5, 4.5));
	printf("%d|%s|\n", length, line);
	printf("%ld\n", sum(9, 1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L));
	return length > 0 ? 4 : 1;
}
