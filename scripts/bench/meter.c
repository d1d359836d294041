/*
 * meter.c VERB ...: what is measured from within the namespaces of an init. Times are nanoseconds
 * on stdout, one a line, unless a verb says otherwise.
 *
 *   exec PROGRAM ARGS...      notes the moment and executes an init
 *   hold PROGRAM ARGS...      waits for a file /bench/go first, so that a profiler can be attached
 *   ask PROGRAM ARGS...       notes the moment and executes a command
 *   floor COUNT PROGRAM       as PID 1: starts COUNT processes in a loop, the least there can be
 *   crash COUNT PAUSE         kills a service with SIGKILL every PAUSE us: until the next one starts
 *   restart COUNT PAUSE PROGRAM ARGS...  "LATENCY TOOK": until the next service starts, until the
 *                             command has ended
 *   spawn COUNT PROGRAM ARGS...          how long a command takes
 *   orphans COUNT             COUNT orphans that are dead at once: from the last until none is left
 *   lines BYTES               prints lines of 100 bytes
 *   talk SOCKET COUNT LINE    asks LINE, waits for one line, COUNT times
 *   request SOCKET COUNT PAUSE LINE      writes LINE: until the next service starts
 *   console COUNT             says on the console when COUNT services have started
 *   cost                      "PROCESSES PSS CPU SWITCHES" of all but services and this: KiB, ns
 *   reap PROGRAM ARGS...      "WALL CPU": how long a command takes, and its CPU time
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "stamp.h"

extern char **environ;

enum { LINE_BYTES = 100, LINES_AT_ONCE = 655, PATIENCE_S = 10, LOOK_US = 20 };

static long long now(void)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec * 1000000000ll + at.tv_nsec;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void stamp(unsigned kind)
{
	struct stamp record = {0, (unsigned)getpid(), kind};
	int fd = open(STAMPS, O_WRONLY | O_APPEND | O_CLOEXEC);
	record.at = now();
	if (fd < 0 || write(fd, &record, sizeof record) != sizeof record)
		fail(STAMPS);
	close(fd);
}

static void execute(char **argv)
{
	execvp(argv[0], argv);
	fail(argv[0]);
}

static void hold(void)
{
	while (access("/bench/go", F_OK) != 0)
		usleep(1000 * LOOK_US);
}

static pid_t start(char **argv)
{
	pid_t pid;
	if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ) != 0)
		fail(argv[0]);
	return pid;
}

__attribute__((noinline)) static void vfork_and_execute(char **argv)
{
	if (vfork() == 0) {
		execve(argv[0], argv, environ);
		_exit(111);
	}
}

static void floor_of(int count, char *program)
{
	char *argv[] = {program, NULL};
	while (count-- > 0)
		vfork_and_execute(argv);
	for (;;)
		if (wait(NULL) < 0)
			pause();
}

/* The first service that started at or after `offset` of the stamps; moves `offset` behind it. */
static struct stamp next_start(int fd, off_t *offset, int patience)
{
	struct stamp record;
	long long until = now() + patience * 1000000000ll;
	for (;;) {
		while (pread(fd, &record, sizeof record, *offset) == sizeof record) {
			*offset += sizeof record;
			if (record.kind == STARTED)
				return record;
		}
		if (now() > until) {
			record.pid = 0;
			return record;
		}
		usleep(LOOK_US);
	}
}

static int open_stamps(void)
{
	int fd = open(STAMPS, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail(STAMPS);
	return fd;
}

/* Kills those that have lived longest, one after the other. */
static void crash(int count, int pause_us)
{
	int fd = open_stamps();
	struct stat all;
	fstat(fd, &all);
	off_t victim = 0, end = all.st_size;
	for (int i = 0; i < count; i++) {
		struct stamp dead = next_start(fd, &victim, 0), born;
		long long at = now();
		if (dead.pid == 0 || kill((pid_t)dead.pid, SIGKILL) != 0)
			fail("kill");
		born = next_start(fd, &end, PATIENCE_S);
		if (born.pid == 0)
			fail("no new process");
		printf("%lld\n", born.at - at);
		usleep(pause_us);
	}
}

/* What commands print goes nowhere; the descriptor is for what is measured. */
static int quiet(void)
{
	int out = fcntl(1, F_DUPFD_CLOEXEC, 3), null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	dup2(null, 1);
	return out;
}

static void restart(int count, int pause_us, char **argv)
{
	int fd = open_stamps(), out = quiet();
	for (int i = 0; i < count; i++) {
		struct stat all;
		struct stamp born;
		long long at, ended;
		off_t end;
		usleep(pause_us);
		fstat(fd, &all);
		end = all.st_size;
		at = now();
		waitpid(start(argv), NULL, 0);
		ended = now();
		born = next_start(fd, &end, PATIENCE_S);
		if (born.pid == 0)
			fail("no new process");
		dprintf(out, "%lld %lld\n", born.at - at, ended - at);
	}
}

static void spawn_many(int count, char **argv)
{
	int out = quiet();
	for (int i = 0; i < count; i++) {
		long long at = now();
		waitpid(start(argv), NULL, 0);
		dprintf(out, "%lld\n", now() - at);
	}
}

static int processes(void)
{
	int count = 0;
	DIR *proc = opendir("/proc");
	if (!proc)
		fail("/proc");
	for (struct dirent *entry; (entry = readdir(proc));)
		count += entry->d_name[0] >= '1' && entry->d_name[0] <= '9';
	closedir(proc);
	return count;
}

/* A child whose own child is dead already when it ends. */
__attribute__((noinline)) static void vfork_orphan(void)
{
	if (vfork() == 0) {
		vfork();
		_exit(0);
	}
	wait(NULL);
}

static void orphans(int count)
{
	int before = processes();
	long long last, until;
	while (count-- > 0)
		vfork_orphan();
	last = now();
	until = last + PATIENCE_S * 1000000000ll;
	while (processes() > before) {
		if (now() > until) {
			printf("never %d\n", processes() - before);
			return;
		}
		usleep(200);
	}
	printf("%lld\n", now() - last);
}

static void lines(long long bytes)
{
	static char block[LINE_BYTES * LINES_AT_ONCE];
	memset(block, 'x', sizeof block);
	for (int i = 0; i < LINES_AT_ONCE; i++)
		block[(i + 1) * LINE_BYTES - 1] = '\n';
	while (bytes > 0) {
		size_t part = bytes < (long long)sizeof block ? (size_t)bytes : sizeof block;
		for (size_t done = 0; done < part;) {
			ssize_t wrote = write(1, block + done, part - done);
			if (wrote < 0)
				fail("write");
			done += (size_t)wrote;
		}
		bytes -= (long long)part;
	}
}

static int dial(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	strncpy(address.sun_path, path, sizeof address.sun_path - 1);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
		fail(path);
	return fd;
}

static void say(int fd, const char *line)
{
	if (dprintf(fd, "%s\n", line) < 0)
		fail("write");
}

static void hear(int fd)
{
	static char answer[1 << 20];
	ssize_t got;
	do {
		got = read(fd, answer, sizeof answer);
		if (got <= 0)
			fail("read");
	} while (answer[got - 1] != '\n');
}

static void talk(const char *path, int count, const char *line)
{
	int fd = dial(path);
	while (count-- > 0) {
		long long at = now();
		say(fd, line);
		hear(fd);
		printf("%lld\n", now() - at);
	}
}

static void request(const char *path, int count, int pause_us, const char *line)
{
	int fd = dial(path), stamps = open_stamps();
	while (count-- > 0) {
		struct stat all;
		struct stamp born;
		long long at;
		off_t end;
		usleep(pause_us);
		fstat(stamps, &all);
		end = all.st_size;
		at = now();
		say(fd, line);
		born = next_start(stamps, &end, PATIENCE_S);
		if (born.pid == 0)
			fail("no new process");
		printf("%lld\n", born.at - at);
		hear(fd);
	}
}

/* Beside an init in a machine of its own, whose clock begins with the kernel. */
static void console(int count)
{
	int fd = open_stamps(), out;
	off_t offset = 0;
	struct stamp last = {0, 1, 0};
	while (count-- > 0 && last.pid != 0)
		last = next_start(fd, &offset, 10 * PATIENCE_S);
	out = open("/dev/console", O_WRONLY | O_NOCTTY);
	dprintf(out, "\nbench: up at %lld\n", last.at);
	for (;;)
		pause();
}

/* The sum of the numbers behind `key` in a file of /proc; 0 when it is gone. */
static long long sum_of(const char *path, const char *key)
{
	char line[512];
	long long sum = 0, value;
	FILE *file = fopen(path, "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof line, file))
		if (!strncmp(line, key, strlen(key)) && sscanf(line + strlen(key), "%lld", &value) == 1)
			sum += value;
	fclose(file);
	return sum;
}

static void add_threads(const char *pid, long long *cpu, long long *switches)
{
	char path[600];
	DIR *tasks;
	snprintf(path, sizeof path, "/proc/%s/task", pid);
	tasks = opendir(path);
	if (!tasks)
		return;
	for (struct dirent *entry; (entry = readdir(tasks));) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "/proc/%s/task/%s/schedstat", pid, entry->d_name);
		*cpu += sum_of(path, "");
		snprintf(path, sizeof path, "/proc/%s/task/%s/status", pid, entry->d_name);
		*switches += sum_of(path, "voluntary_ctxt_switches:");
		*switches += sum_of(path, "nonvoluntary_ctxt_switches:");
	}
	closedir(tasks);
}

static void cost(void)
{
	long long count = 0, pss = 0, cpu = 0, switches = 0;
	DIR *proc = opendir("/proc");
	if (!proc)
		fail("/proc");
	for (struct dirent *entry; (entry = readdir(proc));) {
		char path[600], program[600];
		ssize_t length;
		const char *pid = entry->d_name;
		if (*pid < '1' || *pid > '9' || atoi(pid) == getpid())
			continue;
		snprintf(path, sizeof path, "/proc/%s/exe", pid);
		length = readlink(path, program, sizeof program - 1);
		if (length < 0)
			continue;
		program[length] = 0;
		if (strstr(program, "/bench/tick") || !strcmp(basename(program), "run"))
			continue;
		snprintf(path, sizeof path, "/proc/%s/smaps_rollup", pid);
		pss += sum_of(path, "Pss:");
		add_threads(pid, &cpu, &switches);
		count += 1;
	}
	closedir(proc);
	printf("%lld %lld %lld %lld\n", count, pss, cpu, switches);
}

static void reap(char **argv)
{
	struct rusage used;
	long long at = now(), ended;
	waitpid(start(argv), NULL, 0);
	ended = now();
	getrusage(RUSAGE_CHILDREN, &used);
	printf("%lld %lld\n", ended - at,
	       (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000000ll +
	       (used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1000ll);
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	char **rest = argv + 2;
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	if (!strcmp(verb, "exec") && argc > 2)
		stamp(BEGAN), execute(rest);
	else if (!strcmp(verb, "hold") && argc > 2)
		hold(), stamp(BEGAN), execute(rest);
	else if (!strcmp(verb, "ask") && argc > 2)
		stamp(ASKED), execute(rest);
	else if (!strcmp(verb, "floor") && argc == 4)
		floor_of(atoi(rest[0]), rest[1]);
	else if (!strcmp(verb, "crash") && argc == 4)
		crash(atoi(rest[0]), atoi(rest[1]));
	else if (!strcmp(verb, "restart") && argc > 4)
		restart(atoi(rest[0]), atoi(rest[1]), rest + 2);
	else if (!strcmp(verb, "spawn") && argc > 3)
		spawn_many(atoi(rest[0]), rest + 1);
	else if (!strcmp(verb, "orphans") && argc == 3)
		orphans(atoi(rest[0]));
	else if (!strcmp(verb, "lines") && argc == 3)
		lines(atoll(rest[0]));
	else if (!strcmp(verb, "talk") && argc == 5)
		talk(rest[0], atoi(rest[1]), rest[2]);
	else if (!strcmp(verb, "request") && argc == 6)
		request(rest[0], atoi(rest[1]), atoi(rest[2]), rest[3]);
	else if (!strcmp(verb, "console") && argc == 3)
		console(atoi(rest[0]));
	else if (!strcmp(verb, "cost"))
		cost();
	else if (!strcmp(verb, "reap") && argc > 2)
		reap(rest);
	else
		return fprintf(stderr, "meter: unknown verb or arguments: %s\n", verb), 2;
	return 0;
}
