/* title: A deep stack
 * shows: the same function some hundred frames deep, each with the same return address.
 * exit: 0
 *
 * Frames can only be told apart by their stack pointers: whoever matches calls and returns by
 * address alone gets lost here.
 */
#include <stdio.h>

struct node {
	struct node *left, *right;
	int value;
};

static struct node nodes[128];

/* Not a tail call: the frame is needed after it returns. */
__attribute__((noinline)) static int depth(const struct node *node)
{
	int left, right;

	if (!node)
		return 0;
	left = depth(node->left);
	right = depth(node->right);
	return 1 + (left > right ? left : right);
}

__attribute__((noinline)) static unsigned countdown(unsigned n)
{
	volatile unsigned here = n;

	if (n == 0)
		return 0;
	return countdown(n - 1) + here;
}

int main(void)
{
	/* A list that leans left as far as it goes, and a twig on the right of every eighth node. */
	for (int i = 0; i < 120; i++) {
		nodes[i].value = i;
		nodes[i].left = i + 1 < 112 ? &nodes[i + 1] : 0;
	}
	for (int i = 0; i < 8; i++)
		nodes[i * 8].right = &nodes[112 + i];
	nodes[119].left = nodes[118].left = 0;
	printf("%d %u\n", depth(&nodes[0]), countdown(200));
	return 0;
}
