/* title: setjmp and longjmp
 * shows: out of many frames, to a frame that has grown by alloca since, back and forth between
 *        two live frames, and with the signal mask; the frames left behind are gone at once.
 * exit: 0
 * stack: at_bottom dive dive dive dive catcher main ... _start*
 * stack: landed catcher main ... _start*
 * stack: landed_in_growing growing main ... _start*
 * stack: after_jumps main ... _start*
 */
#include <alloca.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include "place.h"

static jmp_buf buffer;
static sigjmp_buf with_mask;

PLACE(at_bottom)
PLACE(landed)
PLACE(landed_in_growing)
PLACE(after_jumps)

CALLED(int dive(int depth))
{
	volatile char kept[48];

	kept[0] = (char)depth;
	if (depth < 0)
		return 0;
	if (depth == 0) {
		AT(at_bottom);
		longjmp(buffer, 5);
	}
	return dive(depth - 1) + kept[0];
}

CALLED(int catcher(void))
{
	int value = setjmp(buffer);

	if (value == 0)
		return dive(3);
	AT(landed);
	return value;
}

CALLED(int jump_back(char *text)) { longjmp(buffer, text[0] + 1); return 1; }

CALLED(int growing(int size))
{
	volatile int rounds = 0;
	int value = setjmp(buffer);
	char *grown = alloca(size + value);

	memset(grown, 3, size);
	rounds++;
	if (value == 0)
		return jump_back(grown);
	AT(landed_in_growing);
	return value + rounds;
}

CALLED(int masked(void))
{
	sigset_t set, now;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	if (sigsetjmp(with_mask, 1) == 0) {
		sigprocmask(SIG_BLOCK, &set, NULL);
		siglongjmp(with_mask, 1);
	}
	sigprocmask(SIG_BLOCK, NULL, &now);
	return sigismember(&now, SIGUSR1);
}

int main(void)
{
	int caught = catcher(), grown = growing(100), mask = masked();

	AT(after_jumps);
	printf("%d %d %d\n", caught, grown, mask);
	return !(caught == 5 && grown == 6 && mask == 0);
}
