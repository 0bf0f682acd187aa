/* title: A callback from the C library
 * shows: user code above and below libc's qsort: compare <- qsort (libc) <- sort_words <- main.
 * exit: 3
 *
 * Distribution libc has no .sframe, so the frames of qsort are gaps in the middle of a stack
 * whose both ends have rows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int comparisons;

static int by_length_then_text(const void *left, const void *right)
{
	const char *a = *(const char *const *)left;
	const char *b = *(const char *const *)right;
	size_t la = strlen(a), lb = strlen(b);

	comparisons++;
	if (la != lb)
		return la < lb ? -1 : 1;
	return strcmp(a, b);
}

__attribute__((noinline)) static void sort_words(const char **words, size_t count)
{
	qsort(words, count, sizeof *words, by_length_then_text);
}

int main(void)
{
	const char *words[] = {
		"return", "frame", "row", "stack", "unwind", "call", "rule",
		"offset", "register", "base", "snapshot", "pc", "image",
	};
	size_t count = sizeof words / sizeof *words;

	sort_words(words, count);
	for (size_t i = 0; i < count; i++)
		printf("%s%c", words[i], i + 1 < count ? ' ' : '\n');
	return comparisons > 0 ? 3 : 1;
}
