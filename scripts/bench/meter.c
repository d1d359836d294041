/*
 * meter.c VERB ...: what is measured from within the namespaces of an init. Times are nanoseconds
 * on stdout, one a line, unless a verb says otherwise.
 *
 *   exec PROGRAM ARGS...      notes the moment and executes an init
 *   hold PROGRAM ARGS...      waits for a file /bench/go first, so that a profiler can be attached
 *   ask PROGRAM ARGS...       notes the moment and executes a command
 *   floor COUNT PROGRAM       as PID 1: starts COUNT processes in a loop, the least there can be;
 *                             what ends is started again, until SIGUSR2 stops all
 *   crash COUNT PAUSE         kills a service with SIGKILL every PAUSE us: until the next one starts
 *   restart COUNT PAUSE PROGRAM ARGS...  "LATENCY TOOK": until the next service starts, until the
 *                             command has ended
 *   spawn COUNT PROGRAM ARGS...          how long a command takes
 *   orphans COUNT             COUNT orphans that are dead at once: from the last until none is left
 *   lines BYTES               prints lines of 100 bytes
 *   talk SOCKET COUNT LINE    asks LINE, waits for one line, COUNT times
 *   request SOCKET COUNT PAUSE LINE      writes LINE: until the next service starts
 *   write FIFO COUNT PAUSE TEXT          writes TEXT: until the next service starts
 *   console COUNT             says on the console when COUNT services have started
 *   cost                      "PROCESSES PSS CPU" of all but services and this: KiB, ns
 *   idle MS                   "SWITCHES CPU" of the same, in so many milliseconds
 *   forget FILES...           has the kernel read them anew when they are next used
 *   reap PROGRAM ARGS...      "WALL CPU": how long a command takes, and its CPU time
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
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

enum { LINE_BYTES = 100, LINES_AT_ONCE = 655, PATIENCE_S = 10, LOOK_US = 20, SELDOM_US = 10000 };

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

__attribute__((noinline)) static pid_t vfork_and_execute(char **argv)
{
	pid_t pid = vfork();
	if (pid == 0) {
		execve(argv[0], argv, environ);
		_exit(111);
	}
	return pid;
}

static volatile sig_atomic_t floor_is_over;

static void floor_stop(int signal)
{
	(void)signal;
	floor_is_over = 1;
	kill(-1, SIGTERM);
}

static void floor_of(int count, char *program)
{
	char *argv[] = {program, NULL};
	pid_t *pids = calloc((size_t)count + 1, sizeof *pids), ended;
	signal(SIGUSR2, floor_stop);
	for (int i = 0; i < count; i++)
		pids[i] = vfork_and_execute(argv);
	for (;;) {
		ended = wait(NULL);
		if (ended < 0 && errno == ECHILD)
			pause();
		for (int i = 0; i < count && ended > 0 && !floor_is_over; i++)
			if (pids[i] == ended) {
				pids[i] = vfork_and_execute(argv);
				break;
			}
	}
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

/* Who is asked through a FIFO does not answer. */
static void request(int fd, int answers, int count, int pause_us, const char *text)
{
	int stamps = open_stamps();
	while (count-- > 0) {
		struct stat all;
		struct stamp born;
		long long at;
		off_t end;
		usleep(pause_us);
		fstat(stamps, &all);
		end = all.st_size;
		at = now();
		if (dprintf(fd, "%s", text) < 0)
			fail("write");
		born = next_start(stamps, &end, PATIENCE_S);
		if (born.pid == 0)
			fail("no new process");
		printf("%lld\n", born.at - at);
		if (answers)
			hear(fd);
	}
}

static void request_line(const char *path, int count, int pause_us, const char *line)
{
	static char text[4096];
	snprintf(text, sizeof text, "%s\n", line);
	request(dial(path), 1, count, pause_us, text);
}

static int open_fifo(const char *path)
{
	int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		fail(path);
	return fd;
}

/* Beside an init in a machine of its own, whose clock begins with the kernel. */
static void console(int count)
{
	int fd = open_stamps(), out;
	off_t offset = 0;
	struct stat all;
	struct stamp last = {0, 1, 0};
	/* Each look takes time of the one processor from what is measured. */
	while (fstat(fd, &all) == 0 && all.st_size < count * (off_t)sizeof last)
		usleep(SELDOM_US);
	while (count-- > 0 && last.pid != 0)
		last = next_start(fd, &offset, PATIENCE_S);
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

/* CPU time of all threads it has and had (clock_getcpuclockid(3)). */
static long long cpu_of(pid_t pid)
{
	clockid_t clock;
	struct timespec used;
	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
		return 0;
	return used.tv_sec * 1000000000ll + used.tv_nsec;
}

/* Calls `each` with every process but services, and this. */
static void each_process(void (*each)(pid_t pid))
{
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
		if (!strstr(program, "/bench/tick") && strcmp(basename(program), "run") != 0)
			each((pid_t)atoi(pid));
	}
	closedir(proc);
}

static long long counted, all_pss, all_cpu;

static void add_cost(pid_t pid)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
	all_pss += sum_of(path, "Pss:");
	all_cpu += cpu_of(pid);
	counted += 1;
}

static void cost(void)
{
	each_process(add_cost);
	printf("%lld %lld %lld\n", counted, all_pss, all_cpu);
}

enum { THREADS_MAX = 1 << 16 };

/* Switches are counted by thread: those of a thread that ends are lost, and never less than none. */
static struct thread {
	pid_t tid;
	long long switches;
} threads[THREADS_MAX];
static int threads_known;
static long long all_switches;

static long long switches_before(pid_t tid)
{
	for (int i = 0; i < threads_known; i++)
		if (threads[i].tid == tid)
			return threads[i].switches;
	return 0;
}

static void each_thread(pid_t pid, void (*each)(pid_t tid, long long switches))
{
	char path[600];
	DIR *tasks;
	snprintf(path, sizeof path, "/proc/%d/task", pid);
	tasks = opendir(path);
	if (!tasks)
		return;
	for (struct dirent *entry; (entry = readdir(tasks));) {
		long long switches;
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "/proc/%d/task/%s/status", pid, entry->d_name);
		switches = sum_of(path, "voluntary_ctxt_switches:");
		each((pid_t)atoi(entry->d_name), switches + sum_of(path, "nonvoluntary_ctxt_switches:"));
	}
	closedir(tasks);
}

static void note_thread(pid_t tid, long long switches)
{
	if (threads_known < THREADS_MAX)
		threads[threads_known++] = (struct thread){tid, switches};
}

static void add_thread(pid_t tid, long long switches)
{
	all_switches += switches - switches_before(tid);
}

static void note_threads(pid_t pid)
{
	all_cpu -= cpu_of(pid);
	each_thread(pid, note_thread);
}

static void add_threads(pid_t pid)
{
	all_cpu += cpu_of(pid);
	each_thread(pid, add_thread);
}

static void idle(int ms)
{
	each_process(note_threads);
	usleep(1000 * (useconds_t)ms);
	each_process(add_threads);
	printf("%lld %lld\n", all_switches, all_cpu);
}

/*
 * A file that was just written lies in memory in large pieces, and a program that is such a file has
 * up to twice as much of it mapped as one that was read bit by bit, as after a boot.
 */
static void forget(char **paths)
{
	for (; *paths; paths++) {
		int fd = open(*paths, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			fail(*paths);
		fsync(fd);
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		close(fd);
	}
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
		request_line(rest[0], atoi(rest[1]), atoi(rest[2]), rest[3]);
	else if (!strcmp(verb, "write") && argc == 6)
		request(open_fifo(rest[0]), 0, atoi(rest[1]), atoi(rest[2]), rest[3]);
	else if (!strcmp(verb, "console") && argc == 3)
		console(atoi(rest[0]));
	else if (!strcmp(verb, "cost"))
		cost();
	else if (!strcmp(verb, "idle") && argc == 3)
		idle(atoi(rest[0]));
	else if (!strcmp(verb, "forget") && argc > 2)
		forget(rest);
	else if (!strcmp(verb, "reap") && argc > 2)
		reap(rest);
	else
		return fprintf(stderr, "meter: unknown verb or arguments: %s\n", verb), 2;
	return 0;
}
