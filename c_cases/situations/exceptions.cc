/* title: C++ exceptions
 * shows: one thrown through many frames, with destructors on the way, caught and thrown again;
 *        one caught in a callback of C code and one thrown through it; one inside a destructor
 *        that runs because of another; one in a thread, carried to main and thrown there.
 * exit: 0
 * linked: dynamic
 * flags: -pthread -static-libstdc++ -static-libgcc
 * finds: __cxa_finalize@plt wrong pc, __cxa_finalize@plt wrong sp, ?carries wrong pc,
 *        ?carries wrong sp, ?rethrows wrong pc, ?rethrows wrong sp, ?refuses wrong pc, ?refuses wrong sp
 * stack: at_throw thrower thrower thrower thrower carries rethrows catches main ... _start*
 * stack: at_throw thrower thrower thrower worker ...
 * stack: in_cleanup _ZN5GuardD1Ev carries rethrows catches main ... _start*
 * stack: in_rethrow rethrows catches main ... _start*
 * stack: caught catches main ... _start*
 * stack: caught_in_callback compare ... callbacks main ... _start*
 * stack: through_c callbacks main ... _start*
 * stack: caught_in_cleanup _ZN7TroubleD1Ev nested main ... _start*
 * stack: caught_nested nested main ... _start*
 * stack: caught_in_thread worker ...
 * stack: carried_over main ... _start*
 */
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <pthread.h>
#include <stdexcept>
#include "place.h"

static int cleanups, sum;
static std::exception_ptr kept;

PLACE(at_throw)
PLACE(in_cleanup)
PLACE(in_rethrow)
PLACE(caught)
PLACE(caught_in_callback)
PLACE(through_c)
PLACE(caught_in_cleanup)
PLACE(caught_nested)
PLACE(caught_in_thread)
PLACE(carried_over)

struct Guard {
	__attribute__((noinline)) ~Guard() { cleanups++; AT(in_cleanup); }
};

struct Trouble {
	__attribute__((noinline)) ~Trouble()
	{
		try {
			throw 3;
		} catch (int value) {
			sum += value;
			AT(caught_in_cleanup);
		}
	}
};

CALLED(int thrower(int depth))
{
	if (depth == 0) {
		AT(at_throw);
		throw std::runtime_error("bottom");
	}
	int below = thrower(depth - 1);
	__asm__ volatile("" ::: "memory");
	return below + 1;
}

CALLED(int carries(int depth))
{
	Guard guard;
	int below = thrower(depth);
	__asm__ volatile("" ::: "memory");
	return below;
}

CALLED(int rethrows(int depth))
{
	try {
		return carries(depth);
	} catch (...) {
		AT(in_rethrow);
		throw;
	}
}

CALLED(int catches(int depth))
{
	try {
		return rethrows(depth);
	} catch (std::exception &error) {
		AT(caught);
		return error.what()[0];
	}
}

CALLED(int compare(const void *one, const void *two))
{
	try {
		if (*(const int *)one != *(const int *)two)
			throw *(const int *)one - *(const int *)two;
		return 0;
	} catch (int difference) {
		AT(caught_in_callback);
		return difference;
	}
}

CALLED(int refuses(const void *, const void *)) { throw 11L; }

CALLED(int callbacks(void))
{
	int numbers[] = {5, 3, 9, 1};
	qsort(numbers, 4, sizeof *numbers, compare);
	try {
		qsort(numbers, 4, sizeof *numbers, refuses);
	} catch (long value) {
		AT(through_c);
		return numbers[0] * 100 + value;
	}
	return 0;
}

CALLED(int nested(void))
{
	try {
		Trouble trouble;
		throw 4L;
	} catch (long value) {
		AT(caught_nested);
		return sum + value;
	}
}

extern "C" __attribute__((noinline)) void *worker(void *)
{
	try {
		thrower(2);
	} catch (std::exception &) {
		AT(caught_in_thread);
		kept = std::current_exception();
	}
	return nullptr;
}

int main()
{
	pthread_t thread;
	int letter = catches(3), called = callbacks(), both = nested(), late = 0;

	pthread_create(&thread, nullptr, worker, nullptr);
	pthread_join(thread, nullptr);
	try {
		std::rethrow_exception(kept);
	} catch (std::runtime_error &error) {
		AT(carried_over);
		late = error.what()[0];
	}
	kept = nullptr;
	printf("%c %d %d %c %d\n", letter, called, both, late, cleanups);
	return !(letter == 'b' && called == 111 && both == 7 && late == 'b' && cleanups == 1);
}
