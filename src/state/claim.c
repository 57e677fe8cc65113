/* SPDX-License-Identifier: Apache-2.0 */
/* Taking a name and giving it back. */
#include "files.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* How long a keeper that is just dying or cleaning up is waited for. */
#define PATIENCE_MS 300

static bool have_record(const struct nook_state *s)
{
	struct stat st;

	return fstatat(s->dirs[NOOK_FOLDER_RECORDS], s->name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* "2025-11-22 03:03:12", in local time. */
static void since(const struct nook_state *s, char *out, size_t size)
{
	struct stat st;
	struct tm tm;

	/* The lock file is made when the container is claimed. */
	if (fstatat(s->dirs[NOOK_FOLDER_LOCKS], s->name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !localtime_r(&st.st_mtime, &tm) || !strftime(out, size, "%Y-%m-%d %H:%M:%S", &tm))
		(void)nook_format(out, size, "just now"); /* fits */
}

static int refuse_taken(const struct nook_state *s, struct nook_error *err)
{
	char when[40];

	since(s, when, sizeof(when));
	nook_where(err, "--name %s", s->name);
	nook_hint(err, "Choose another --name, or `nook rm --force %s`.", s->name);
	return nook_refuse(err, EEXIST, "container %s has been running since %s", s->name, when);
}

static void pause_ms(int ms)
{
	struct timespec t = { .tv_nsec = (long)ms * 1000000 };

	(void)nanosleep(&t, NULL); /* a signal only makes it shorter */
}

/*
 * A lock that is held with a record beside it and a holder with a pid is a living container. Else
 * its keeper is just taking the name, just cleaning up, or was killed, with a child about to follow
 * it that still has a copy of the descriptor. None of that lasts.
 */
static int take_lock(struct nook_state *s, struct nook_error *err)
{
	for (int waited = 0;; waited++) {
		struct nook_holder holder;
		int rc = nook_lock_take(s, err);

		if (rc != -EBUSY)
			return rc;

		rc = nook_lock_holder(s->base, s->name, &holder, err);
		if (rc < 0)
			return rc;
		if (waited >= PATIENCE_MS || (holder.held && holder.pid && have_record(s)))
			return refuse_taken(s, err);
		if (holder.held)
			pause_ms(1);
	}
}

int nook_state_claim(const char *state_dir, const char *name, struct nook_state *ret,
		     struct nook_error *err)
{
	struct nook_state s = NOOK_STATE_NONE;
	int rc = nook_state_open(state_dir, name, true, &s, err);

	if (rc < 0)
		return rc;

	rc = take_lock(&s, err);
	if (rc == 0 && have_record(&s))
		rc = nook_state_clear(&s, err);
	if (rc < 0) {
		nook_state_close(&s);
		return rc;
	}

	*ret = s;
	return 0;
}

int nook_state_drop(struct nook_state *state, struct nook_error *err)
{
	/* The lock last: who sees a record must find it locked, or may take it for a leftover. */
	static const enum nook_folder order[] = { NOOK_FOLDER_SECCOMP, NOOK_FOLDER_NEW,
						  NOOK_FOLDER_RECORDS, NOOK_FOLDER_LOCKS };
	int rc = 0;

	for (size_t i = 0; i < ARRAY_SIZE(order) && rc == 0; i++) {
		if (unlinkat(state->dirs[order[i]], state->name, 0) < 0 && errno != ENOENT)
			rc = nook_fail(err, errno, "unlink %s/%s in the state directory",
				       nook_folder_name(order[i]), state->name);
	}

	nook_state_close(state);
	return rc;
}
