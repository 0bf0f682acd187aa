/* title: Frame pointers everywhere
 * shows: push rbp; mov rsp,rbp; ...; pop rbp at every level, leaves included, so that SFrame and
 *        frame pointers can be compared at every instruction: they differ in prologue and
 *        epilogue.
 * exit: 0
 * flags: -fno-omit-frame-pointer -mno-omit-leaf-frame-pointer
 */
#include <stdio.h>

static int board[6];

__attribute__((noinline)) static int attacked(int column, int row)
{
	for (int i = 0; i < column; i++) {
		int distance = column - i;

		if (board[i] == row || board[i] == row - distance || board[i] == row + distance)
			return 1;
	}
	return 0;
}

__attribute__((noinline)) static int place(int column)
{
	if (column == 6)
		return 1;
	for (int row = 0; row < 6; row++) {
		if (attacked(column, row))
			continue;
		board[column] = row;
		if (place(column + 1))
			return 1;
	}
	return 0;
}

int main(void)
{
	if (!place(0))
		return 1;
	for (int column = 0; column < 6; column++)
		printf("%d%c", board[column], column < 5 ? ' ' : '\n');
	return 0;
}
