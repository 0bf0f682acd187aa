/* title: A stack that is realigned
 * shows: _Alignas(64) and alloca in one function: gcc keeps the CFA in a register and finds it
 *        again through the frame (DRAP).
 * exit: 6
 * finds: realigned wrong fp, realigned refused
 *
 * After `leave` or `pop rbp` in the epilogue gcc's CFI still finds the caller's frame pointer at
 * rbp, which holds something else by then: CFA and return address are right, FP is not. While
 * another function is called from here, the CFA needs a register rule below the top of the
 * stack, which the kernel's unwinder refuses.
 */
#include <alloca.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct block {
	_Alignas(64) unsigned char bytes[64];
};

__attribute__((noinline)) static void fill(unsigned char *bytes, size_t size, unsigned seed)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)(seed + i * 7);
}

__attribute__((noinline)) static unsigned checksum(const unsigned char *bytes, size_t size)
{
	unsigned sum = 1;

	for (size_t i = 0; i < size; i++)
		sum = sum * 31 + bytes[i];
	return sum & 0xffff;
}

__attribute__((noinline)) static unsigned mixed(unsigned char *scratch, size_t size,
						const struct block *block)
{
	fill(scratch, size, block->bytes[1]);
	return checksum(scratch, size);
}

/* Is called with the stack at different distances from a multiple of 64. */
__attribute__((noinline)) static unsigned realigned(size_t size)
{
	struct block block;
	unsigned char *scratch = alloca(size);

	fill(block.bytes, sizeof block.bytes, (unsigned)size);
	if ((uintptr_t)&block % 64)
		return 0;
	return mixed(scratch, size, &block) ^ checksum(block.bytes, sizeof block.bytes);
}

__attribute__((noinline)) static unsigned shifted(size_t by)
{
	volatile unsigned char *gap = alloca(by);

	gap[0] = 1;
	return realigned(by / 2 + 5) + gap[0];
}

int main(void)
{
	int good = 0;

	for (size_t by = 16; by <= 96; by += 16) {
		unsigned sum = shifted(by);

		printf("%u%c", sum, by < 96 ? ' ' : '\n');
		good += sum > 1;
	}
	return good;
}
