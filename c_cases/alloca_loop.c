/* title: A stack pointer that moves inside the function
 * shows: alloca in a loop and a variable-length array: the CFA can only be found from rbp.
 * exit: 10
 */
#include <alloca.h>
#include <stdio.h>

struct link {
	struct link *next;
	int value;
};

__attribute__((noinline)) static int sum(const struct link *link)
{
	int total = 0;

	for (; link; link = link->next)
		total += link->value;
	return total;
}

/* A list whose every element lies in this frame. */
__attribute__((noinline)) static int list_on_the_stack(int count)
{
	struct link *head = 0;
	int total = 0;

	for (int i = 1; i <= count; i++) {
		struct link *link = alloca(sizeof *link + (size_t)i * 8);

		link->next = head;
		link->value = i;
		head = link;
		total += sum(head);
	}
	return total;
}

/* The array's memory is given back at the end of each round. */
__attribute__((noinline)) static int triangles(int count)
{
	int total = 0;

	for (int i = 1; i <= count; i++) {
		struct link links[i];

		for (int k = 0; k < i; k++) {
			links[k].value = 1;
			links[k].next = k ? &links[k - 1] : 0;
		}
		total += sum(&links[i - 1]);
	}
	return total;
}

int main(void)
{
	int list = list_on_the_stack(12), array = triangles(4);

	printf("%d %d\n", list, array);
	return array;
}
