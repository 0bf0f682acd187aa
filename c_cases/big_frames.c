/* title: Frames of every size
 * shows: CFA offsets that need one, two and four bytes: below 128 bytes, below 32 KB, above.
 * exit: 9
 */
#include <stdio.h>

__attribute__((noinline)) static int touch(volatile char *first, volatile char *last)
{
	*first = 1;
	*last = 2;
	return *first + *last;
}

__attribute__((noinline)) static int small_frame(void)
{
	volatile char room[64];

	return touch(room, room + sizeof room - 1);
}

__attribute__((noinline)) static int middle_frame(void)
{
	volatile char room[4000];

	return touch(room, room + sizeof room - 1) + small_frame();
}

__attribute__((noinline)) static int large_frame(void)
{
	volatile char room[40000];

	return touch(room, room + sizeof room - 1) + middle_frame();
}

int main(void)
{
	int sum = large_frame();

	printf("%d\n", sum);
	return sum;
}
