/*
 * tick.c: the service of the benchmark, as small as a program can be: no C library, no start-up.
 *
 * It appends a record to /bench/stamps when it starts, another when it is ready, waits for a signal
 * and appends a third when it is told to end. Compiled with -DREADY_MS=N it is ready N ms after its
 * start, and says so in the way it was asked to: a datagram to NOTIFY_SOCKET, or a newline on
 * descriptor 3 (s6, svinit). Without READY_MS it says nothing.
 */
#include <asm/unistd.h>
#include "stamp.h"

#ifdef __x86_64__
static long call(long number, long a, long b, long c, long d)
{
	long result;
	register long r10 __asm__("r10") = d;
	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return result;
}
__asm__(".globl _start\n_start: mov %rsp, %rdi\nand $-16, %rsp\ncall begin\n");
#else
static long call(long number, long a, long b, long c, long d)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
	return x0;
}
__asm__(".globl _start\n_start: mov x0, sp\nbl begin\n");
#endif

enum { OPEN_FLAGS = 01 | 02000, AT_CWD = -100, MONOTONIC = 1, BLOCK = 0, SIGSET_BYTES = 8 };
enum { HUP = 1, INT = 2, TERM = 15 };

static void stamp(unsigned kind)
{
	long long now[2];
	struct stamp record = {0, (unsigned)call(__NR_getpid, 0, 0, 0, 0), kind};
	long fd = call(__NR_openat, AT_CWD, (long)STAMPS, OPEN_FLAGS, 0);
	call(__NR_clock_gettime, MONOTONIC, (long)now, 0, 0);
	record.at = now[0] * 1000000000ll + now[1];
	call(__NR_write, fd, (long)&record, sizeof record, 0);
	call(__NR_close, fd, 0, 0, 0);
}

#ifdef READY_MS
/* NOTIFY_SOCKET of sd_notify(3): a path, or @NAME for an abstract name. */
static const char *notify_socket(char **environment)
{
	static const char key[] = "NOTIFY_SOCKET=";
	for (; *environment; environment++) {
		unsigned i = 0;
		while (key[i] && (*environment)[i] == key[i])
			i++;
		if (!key[i])
			return *environment + i;
	}
	return 0;
}

static void say_ready(char **environment)
{
	const char *path = notify_socket(environment);
	struct { unsigned short family; char path[108]; } address = {1, {0}};
	unsigned length = 0;
	long fd;
	if (!path) {
		call(__NR_write, 3, (long)"\n", 1, 0);
		return;
	}
	for (; path[length] && length < 107; length++)
		address.path[length] = path[length];
	if (address.path[0] == '@')
		address.path[0] = 0;
	fd = call(__NR_socket, 1, 2, 0, 0);
	call(__NR_connect, fd, (long)&address, 2 + length, 0);
	call(__NR_write, fd, (long)"READY=1", 7, 0);
	call(__NR_close, fd, 0, 0, 0);
}
#endif

void begin(long *stack)
{
	unsigned long long ends = 1ull << (HUP - 1) | 1ull << (INT - 1) | 1ull << (TERM - 1);
	call(__NR_rt_sigprocmask, BLOCK, (long)&ends, 0, SIGSET_BYTES);
	stamp(STARTED);
#ifdef READY_MS
	long long pause[2] = {0, READY_MS * 1000000ll};
	if (READY_MS)
		call(__NR_nanosleep, (long)pause, 0, 0, 0);
	stamp(READY);
	say_ready((char **)(stack + stack[0] + 2));
#else
	(void)stack;
#endif
	while (call(__NR_rt_sigtimedwait, (long)&ends, 0, 0, SIGSET_BYTES) < 0)
		;
	stamp(ENDED);
	call(__NR_exit_group, 0, 0, 0, 0);
	for (;;)
		;
}
