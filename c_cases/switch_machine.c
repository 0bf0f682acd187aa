/* title: An interpreter loop
 * shows: a switch that becomes a jump table; calls from some arms, recursion from one, returns
 *        from others.
 * exit: 55
 */
#include <stdio.h>

enum opcode { PUSH, ADD, MULTIPLY, DUPLICATE, LOAD, STORE, JUMP_IF, PRINT, CALL, RETURN, HALT };
enum variable { COUNTER, TOTAL };

struct machine {
	int stack[16];
	int variables[2];
	int top;
	int steps;
};

__attribute__((noinline)) static int pop(struct machine *machine)
{
	return machine->stack[--machine->top];
}

__attribute__((noinline)) static void push(struct machine *machine, int value)
{
	machine->stack[machine->top++] = value;
}

/* Runs until RETURN or HALT; CALL recurses. */
__attribute__((noinline)) static void execute(struct machine *machine, const int *code, int pc)
{
	for (;;) {
		int a, b;

		machine->steps++;
		switch ((enum opcode)code[pc++]) {
		case PUSH:
			push(machine, code[pc++]);
			break;
		case ADD:
			a = pop(machine);
			b = pop(machine);
			push(machine, a + b);
			break;
		case MULTIPLY:
			a = pop(machine);
			b = pop(machine);
			push(machine, a * b);
			break;
		case DUPLICATE:
			a = pop(machine);
			push(machine, a);
			push(machine, a);
			break;
		case LOAD:
			push(machine, machine->variables[code[pc++]]);
			break;
		case STORE:
			machine->variables[code[pc++]] = pop(machine);
			break;
		case JUMP_IF:
			a = code[pc++];
			if (pop(machine))
				pc = a;
			break;
		case PRINT:
			printf("%d ", machine->variables[TOTAL]);
			break;
		case CALL:
			execute(machine, code, code[pc++]);
			break;
		case RETURN:
		case HALT:
			return;
		}
	}
}

int main(void)
{
	/* The sum of the squares from 5 down to 1. */
	static const int code[] = {
		/*  0 */ PUSH, 5, STORE, COUNTER,
		/*  4 */ CALL, 18, LOAD, COUNTER, PUSH, -1, ADD, STORE, COUNTER,
		/* 13 */ LOAD, COUNTER, JUMP_IF, 4, HALT,
		/* 18 */ LOAD, COUNTER, CALL, 29, LOAD, TOTAL, ADD, STORE, TOTAL, PRINT, RETURN,
		/* 29 */ DUPLICATE, MULTIPLY, RETURN,
	};
	struct machine machine = {.top = 0};

	execute(&machine, code, 0);
	printf("in %d steps\n", machine.steps);
	return machine.variables[TOTAL];
}
