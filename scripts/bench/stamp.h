/*
 * stamp.h: what is noted of a moment, and where. life.ts reads it.
 */
#define STAMPS "/bench/stamps"

struct stamp {
	/* Nanoseconds of CLOCK_MONOTONIC. */
	long long at;
	/* As its PID namespace numbers it. */
	unsigned pid;
	unsigned kind;
};

enum {
	STARTED = 1,
	READY = 2,
	ENDED = 3,
	/* The init that is measured is executed now. */
	BEGAN = 4,
	/* A command is executed now, of which the effect is measured. */
	ASKED = 5,
};
