/* title: Signals in every order
 * shows: a handler interrupted by another one, both on a stack of their own; one that interrupts
 *        itself because it asks for SA_NODEFER, and one that does not and runs twice in a row;
 *        siginfo of kill, raise and a timer.
 * exit: 0
 * stack: in_inner on_inner __restore_rt ... on_outer __restore_rt ... ordinary main ... _start*
 * stack: in_alternate on_inner __restore_rt ... on_outer __restore_rt ... on_stack main ... _start*
 * stack: in_itself on_itself __restore_rt ... on_itself __restore_rt ... on_itself __restore_rt
 *        ... main ... _start*
 * stack: in_deferred on_deferred __restore_rt ... main ... _start*
 * stack: in_deferred on_deferred __restore_rt ... main ... _start*
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "place.h"

static char stack[65536];
static volatile int inner_runs, depth, deferred, running;
static siginfo_t seen;

PLACE(in_inner)
PLACE(in_alternate)
PLACE(in_itself)
PLACE(in_deferred)

static void install(int number, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action;

	memset(&action, 0, sizeof action);
	action.sa_sigaction = handler;
	action.sa_flags = SA_SIGINFO | flags;
	sigaction(number, &action, NULL);
}

CALLED(void on_inner(int number, siginfo_t *info, void *context))
{
	(void)number;
	(void)context;
	seen = *info;
	if (inner_runs++ == 0)
		AT(in_inner);
	else
		AT(in_alternate);
}

CALLED(void on_outer(int number, siginfo_t *info, void *context))
{
	(void)number;
	(void)info;
	(void)context;
	kill(getpid(), SIGUSR2);
	__asm__ volatile("" ::: "memory");
}

CALLED(void on_itself(int number, siginfo_t *info, void *context))
{
	(void)info;
	(void)context;
	if (++depth < 3)
		raise(number);
	else
		AT(in_itself);
	__asm__ volatile("" ::: "memory");
}

CALLED(void on_deferred(int number, siginfo_t *info, void *context))
{
	(void)info;
	(void)context;
	if (running)
		_exit(9);
	running = 1;
	AT(in_deferred);
	if (++deferred < 2)
		raise(number);
	running = 0;
}

CALLED(void ordinary(void))
{
	install(SIGUSR1, on_outer, 0);
	install(SIGUSR2, on_inner, 0);
	raise(SIGUSR1);
	__asm__ volatile("" ::: "memory");
}

CALLED(void on_stack(void))
{
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack };

	sigaltstack(&alternate, NULL);
	install(SIGUSR1, on_outer, SA_ONSTACK);
	install(SIGUSR2, on_inner, SA_ONSTACK);
	raise(SIGUSR1);
	__asm__ volatile("" ::: "memory");
}

static void on_timer(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	seen = *info;
}

int main(void)
{
	struct sigevent event;
	struct itimerspec once = { .it_value = { .tv_nsec = 1000000 } };
	timer_t timer;
	sigset_t none;

	ordinary();
	printf("kill: %d %d\n", seen.si_code == SI_USER, seen.si_pid == getpid());
	on_stack();
	install(SIGHUP, on_itself, SA_NODEFER);
	raise(SIGHUP);
	install(SIGHUP, on_deferred, 0);
	raise(SIGHUP);
	install(SIGUSR2, on_timer, 0);
	raise(SIGUSR2);
	printf("raise: %d\n", seen.si_code == SI_TKILL);
	memset(&event, 0, sizeof event);
	event.sigev_notify = SIGEV_SIGNAL;
	event.sigev_signo = SIGUSR2;
	event.sigev_value.sival_int = 77;
	sigemptyset(&none);
	seen.si_code = 0;
	timer_create(CLOCK_MONOTONIC, &event, &timer);
	timer_settime(timer, 0, &once, NULL);
	while (seen.si_code == 0)
		usleep(2000);
	printf("timer: %d %d\n", seen.si_code == SI_TIMER, seen.si_value.sival_int);
	printf("%d inner, %d deep, %d in a row\n", inner_runs, depth, deferred);
	return !(inner_runs == 2 && depth == 3 && deferred == 2);
}
