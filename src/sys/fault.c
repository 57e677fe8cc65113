/* SPDX-License-Identifier: Apache-2.0 */
#include "call.h"

#ifdef NOOK_FAULTS

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define LIST_SIZE ((size_t)1 << 18)

struct list {
	uint64_t used;
	char text[LIST_SIZE - sizeof(uint64_t)];
};

/*
 * NOOK_FAULT_CALL=N[:ERRNO|:kill]  the Nth call fails, with ENOMEM if not said; or this process is
 *                                  killed just before it. What follows works again. The stage's
 *                                  calls are counted from 1000000 up
 * NOOK_FAULT_STEP=[SIDE:]NAME      every time, the step of this name fails; SIDE is outside or
 *                                  inside, where both lists have it
 * NOOK_FAULT_LIST=FD               each step and each call is noted in this file, a line of side,
 *                                  number (or "step") and name; what is failed has a "!" at its
 *                                  end. In memory that all our processes share, since they close
 *                                  their descriptors: eight bytes count what follows
 */
static struct {
	bool read;
	bool kill;
	unsigned long call; /* 0: none */
	int errnum;
	char step[64];     /* "": none */
	const char *side;  /* of the step; NULL: both */
	struct list *list; /* NULL: nobody wants it */
} settings = { .errnum = ENOMEM };

static unsigned long calls;
static bool inside;

/* These builds are for tests, but never for a setuid start: secure_getenv(3). Once, for pid 1 wipes
 * the environment. */
static void read_settings(void)
{
	static const char *const sides[] = { "outside:", "inside:" };
	const char *call = secure_getenv("NOOK_FAULT_CALL");
	const char *step = secure_getenv("NOOK_FAULT_STEP");
	const char *list = secure_getenv("NOOK_FAULT_LIST");
	char *end = NULL;

	settings.read = true;
	for (size_t i = 0; step && i < 2; i++) {
		if (strncmp(step, sides[i], strlen(sides[i])) == 0) {
			settings.side = sides[i];
			step += strlen(sides[i]);
		}
	}
	if (step)
		(void)snprintf(settings.step, sizeof(settings.step), "%s", step);
	if (list) {
		long at = syscall(SYS_mmap, NULL, LIST_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
				  atoi(list), 0);

		settings.list = at < 0 ? NULL : (void *)at;
	}
	if (!call)
		return;

	settings.call = strtoul(call, &end, 10);
	if (strcmp(end, ":kill") == 0)
		settings.kill = true;
	else if (*end == ':')
		settings.errnum = atoi(end + 1);
}

static const char *our_side(void)
{
	return inside ? "inside:" : "outside:";
}

static void tell(const char *number, const char *what, bool failed)
{
	char line[160];
	int len = snprintf(line, sizeof(line), "%.*s %s %.100s%s\n", inside ? 6 : 7, our_side(),
			   number, what, failed ? " !" : "");

	if (len < 0)
		return;

	uint64_t at = __atomic_fetch_add(&settings.list->used, (uint64_t)len, __ATOMIC_RELAXED);

	if (at + (uint64_t)len < sizeof(settings.list->text))
		memcpy(settings.list->text + at, line, (size_t)len);
}

int nook_fault_call(const char *what)
{
	int saved = errno;

	if (!settings.read)
		read_settings();

	bool now = ++calls == settings.call;

	if (settings.list) {
		char number[24];

		(void)snprintf(number, sizeof(number), "%lu", calls);
		tell(number, what, now);
	}
	errno = saved;
	if (now && settings.kill)
		(void)syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
	return now ? -settings.errnum : 0;
}

int nook_fault_step(const char *name)
{
	if (!settings.read)
		read_settings();

	bool now = settings.step[0] && strcmp(settings.step, name) == 0 &&
		   (!settings.side || strcmp(settings.side, our_side()) == 0);

	if (settings.list)
		tell("step", name, now);
	return now ? -ENOMEM : 0;
}

void nook_fault_in_stage(void)
{
	inside = true;
	calls = 1000000;
}

#else
typedef int nook_no_faults_in_this_build; /* ISO C wants something in a file */
#endif
