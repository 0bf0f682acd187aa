/* title: C++20 coroutines
 * shows: the body of a coroutine is called by whoever resumes it: first by the caller of the
 *        function, later by somebody else; one coroutine awaits another and gets control back
 *        from it, and an exception crosses from one to the other. It resumes by a
 *        tail call, so that the stack does not show who awaits.
 * exit: 0
 * linked: dynamic
 * flags: -std=c++20 -static-libstdc++ -static-libgcc
 * finds: __cxa_finalize@plt wrong pc, __cxa_finalize@plt wrong sp
 * stack: in_generator numbers pull first_caller main ... _start*
 * stack: in_generator numbers pull second_caller main ... _start*
 * stack: in_inner inner main ... _start*
 * stack: caught outer main ... _start*
 */
#include <coroutine>
#include <cstdio>
#include <exception>
#include "place.h"

PLACE(in_generator)
PLACE(in_inner)
PLACE(caught)

struct Generator {
	struct promise_type {
		int value = 0;
		Generator get_return_object()
		{
			return {std::coroutine_handle<promise_type>::from_promise(*this)};
		}
		std::suspend_always initial_suspend() { return {}; }
		std::suspend_always final_suspend() noexcept { return {}; }
		std::suspend_always yield_value(int next) { value = next; return {}; }
		void return_void() {}
		void unhandled_exception() { std::terminate(); }
	};
	std::coroutine_handle<promise_type> handle;
};

struct Task {
	struct promise_type {
		int value = 0;
		std::exception_ptr failure;
		std::coroutine_handle<> awaiting;
		Task get_return_object()
		{
			return {std::coroutine_handle<promise_type>::from_promise(*this)};
		}
		std::suspend_always initial_suspend() { return {}; }
		struct Final {
			bool await_ready() noexcept { return false; }
			std::coroutine_handle<> await_suspend(
				std::coroutine_handle<promise_type> done) noexcept
			{
				auto next = done.promise().awaiting;
				return next ? next : std::noop_coroutine();
			}
			void await_resume() noexcept {}
		};
		Final final_suspend() noexcept { return {}; }
		void return_value(int result) { value = result; }
		void unhandled_exception() { failure = std::current_exception(); }
	};
	std::coroutine_handle<promise_type> handle;
	bool await_ready() { return false; }
	std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller)
	{
		handle.promise().awaiting = caller;
		return handle;
	}
	int await_resume()
	{
		if (handle.promise().failure)
			std::rethrow_exception(handle.promise().failure);
		return handle.promise().value;
	}
};

__attribute__((noinline)) Generator numbers(int from)
{
	for (;; from++) {
		AT(in_generator);
		co_yield from;
	}
}

__attribute__((noinline)) Task inner(int value)
{
	AT(in_inner);
	if (value == 2)
		throw value;
	co_return value;
}

__attribute__((noinline)) Task outer()
{
	int sum = 0;
	for (int value = 1; value <= 2; value++) {
		Task task = inner(value);
		try {
			sum += co_await task;
		} catch (int thrown) {
			AT(caught);
			sum += thrown * 10;
		}
		task.handle.destroy();
	}
	co_return sum;
}

CALLED(int pull(Generator *generator))
{
	generator->handle.resume();
	__asm__ volatile("" ::: "memory");
	return generator->handle.promise().value;
}

CALLED(int first_caller(Generator *generator)) { return pull(generator) + 100; }
CALLED(int second_caller(Generator *generator)) { return pull(generator) + 200; }

int main()
{
	Generator generator = numbers(7);
	int first = first_caller(&generator), second = second_caller(&generator);
	generator.handle.destroy();
	Task task = outer();
	task.handle.resume();
	int sum = task.handle.promise().value;
	task.handle.destroy();
	printf("%d %d %d\n", first, second, sum);
	return !(first == 107 && second == 208 && sum == 21);
}
