/* A program that loads a plugin, is called back from it, and unloads it again. */
#include <dlfcn.h>
#include <stdio.h>
#include "../place.h"

static int calls;

PLACE(before)
PLACE(in_host)
PLACE(after)

static __attribute__((noinline)) int callback(int value)
{
	AT(in_host);
	calls++;
	return value + 1;
}

CALLED(int use(const char *path))
{
	void *plugin = dlopen(path, RTLD_NOW);
	int (*enter)(int (*)(int), int);
	int result;

	if (!plugin) {
		puts(dlerror());
		return -1;
	}
	enter = (int (*)(int (*)(int), int))dlsym(plugin, "enter");
	result = enter(callback, 5);
	dlclose(plugin);
	return result;
}

int main(int count, char **words)
{
	int first, second;

	if (count < 2)
		return 9;
	AT(before);
	first = use(words[1]);
	AT(after);
	second = use(words[1]);
	printf("%d %d %d\n", first, second, calls);
	return !(first == 16 && second == 16 && calls == 2);
}
