/* What host.c loads: two frames of its own between the host's. */
#include "../place.h"

PLACE(in_plugin)

static __attribute__((noinline)) int middle(int (*callback)(int), int value)
{
	int result;

	AT(in_plugin);
	result = callback(value);
	__asm__ volatile("" ::: "memory");
	return result;
}

CALLED(int enter(int (*callback)(int), int value))
{
	return middle(callback, value) + 10;
}
