/* SPDX-License-Identifier: Apache-2.0 */
/* Taking a name and giving it back. */
#include "files.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

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
	nook_cause(err, "name-in-use", "a name belongs to one container at a time");
	return nook_refuse(err, EEXIST, "container %s has been running since %s", s->name, when);
}

int nook_state_claim(const char *state_dir, const char *name, struct nook_state *ret,
		     struct nook_error *err)
{
	struct nook_state s = NOOK_STATE_NONE;
	int rc = nook_state_open(state_dir, name, true, &s, err);

	if (rc < 0)
		return rc;

	rc = nook_lock_take_patiently(&s, err);
	if (rc == -EBUSY)
		rc = refuse_taken(&s, err);
	if (rc == 0 && nook_have_record(&s))
		rc = nook_state_clear(&s, err);
	if (rc < 0) {
		nook_state_close(&s);
		return rc;
	}

	*ret = s;
	return 0;
}

/* The directories above the last one, as runc makes them. */
static int make_parents(const char *state_dir, struct nook_error *err)
{
	char path[4096];

	if (strlen(state_dir) >= sizeof(path))
		return nook_refuse(err, ENAMETOOLONG, "the directory for the state has %zu bytes",
				   strlen(state_dir));
	strcpy(path, state_dir);
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return nook_fail(err, errno, "mkdir %s", path);
		*slash = '/';
	}
	return 0;
}

int nook_state_claim_new(const char *state_dir, const char *name, struct nook_state *ret,
			 struct nook_error *err)
{
	struct nook_state s = NOOK_STATE_NONE;
	struct stat st;
	int rc = stat(state_dir, &st) < 0 && errno == ENOENT ? make_parents(state_dir, err) : 0;

	if (rc == 0)
		rc = nook_state_open(state_dir, name, true, &s, err);
	if (rc < 0)
		return rc;
	rc = nook_lock_take_patiently(&s, err);
	if (rc == -EBUSY || (rc == 0 && nook_have_record(&s))) {
		nook_cause(err, "name-in-use",
			   "an id belongs to one container until it is deleted");
		nook_hint(err, "`delete %s` if it has ended, else give another id", name);
		rc = nook_refuse(err, EEXIST, "container with given ID already exists: %s", name);
	}
	if (rc < 0) {
		nook_state_close(&s);
		return rc;
	}
	*ret = s;
	return 0;
}

int nook_state_take(const char *state_dir, const char *name, int patience_ms,
		    struct nook_state *ret, struct nook_error *err)
{
	const struct timespec slice = { .tv_nsec = 1000000 };
	struct nook_state s = NOOK_STATE_NONE;
	int rc = nook_state_open(state_dir, name, false, &s, err);

	if (rc < 0)
		return rc;
	for (int waited = 0;; waited++) {
		/* Without either there is nothing to lock: taking it would make the file. */
		rc = nook_have_record(&s) || nook_have_file(&s, NOOK_FOLDER_LOCKS)
			     ? nook_lock_take(&s, err)
			     : -ENOENT;
		if (rc != -EBUSY || waited >= patience_ms)
			break;
		(void)nanosleep(&slice, NULL); /* shorter after a signal */
	}
	/* The holder before us has deleted it; or was killed before it wrote the record, and has
	 * left the lock's file and an unfinished record. */
	if (rc == 0 && !nook_have_record(&s)) {
		rc = nook_state_drop(&s, err);
		return rc < 0 ? rc : -ENOENT;
	}
	if (rc == -EBUSY)
		rc = nook_refuse(err, EBUSY, "another command is at work on container %s", name);
	if (rc < 0) {
		nook_state_close(&s);
		return rc;
	}
	*ret = s;
	return 0;
}

/* Tried twice: a shortage that hits once (memory, above all) must not leave anything behind. */
static int delete_file(const struct nook_state *s, enum nook_folder f, struct nook_error *err)
{
	if (unlinkat(s->dirs[f], s->name, 0) < 0 && errno != ENOENT &&
	    unlinkat(s->dirs[f], s->name, 0) < 0 && errno != ENOENT)
		return nook_fail(err, errno, "unlink %s/%s in the state directory",
				 nook_folder_name(f), s->name);
	return 0;
}

int nook_files_delete(struct nook_state *s, struct nook_error *err)
{
	if (s->bare)
		return 0;

	/* The record last: an undo that is cut short can still be repeated. */
	int rc = delete_file(s, NOOK_FOLDER_SECCOMP, err);

	if (rc == 0)
		rc = delete_file(s, NOOK_FOLDER_NEW, err);
	if (rc == 0)
		rc = delete_file(s, NOOK_FOLDER_RECORDS, err);
	s->bare = rc == 0;
	return rc;
}

int nook_state_drop(struct nook_state *state, struct nook_error *err)
{
	int rc = nook_files_delete(state, err);

	/* The lock after all else: who sees a record that nobody holds takes it for a leftover. */
	if (rc == 0)
		rc = delete_file(state, NOOK_FOLDER_LOCKS, err);
	nook_state_close(state);
	return rc;
}
