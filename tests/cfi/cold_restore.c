/*
 * The cold part of `both` begins inside the frame, with rbp saved, and goes on in a block that is
 * outside of it: gcc 16 says so with .cfi_restore 6. GNU as takes the rule of the first row for
 * that, which in a cold part says that rbp is saved. `fill` leaves something else in its slot.
 */
__attribute__((cold, noinline)) static void warn(int x)
{
	volatile int y = x;
	(void)y;
}

__attribute__((noinline)) static int work(int x)
{
	volatile int y = x;
	return y;
}

__attribute__((noinline)) static int both(int count, int x, int deep)
{
	if (deep) {
		int sum = work(x);
		for (int i = 0; i < count; i++) {
			sum += work(i) + x;
			if (sum < 0) {
				warn(sum);
				sum += work(sum) + x + i;
				return sum;
			}
		}
		return sum + x;
	}
	if (count < 0) {
		warn(x);
		return 3;
	}
	return 7;
}

__attribute__((noinline)) static void fill(void)
{
	volatile unsigned char bytes[256];
	for (int i = 0; i < 256; i++)
		bytes[i] = 0x5a;
}

int main(void)
{
	fill();
	return both(-1, 1, 0) + both(3, -5, 1) + 30;
}
