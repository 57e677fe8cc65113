/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ranges of ids, held by symbolic links ids/FIRST whose text is the container's name. A link is
 * made with its text in one call, so nobody ever sees a range without its holder; it leads nowhere
 * and is never followed.
 *
 * Whoever holds a range holds its container's lock: claimed after it, released before. So a link
 * whose lock is free belongs to a dead container.
 */
#include "files.h"

#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Directory services draw their ids from 200,000 to 2,000,200,000 by default (sssd, FreeIPA) and
 * need not list them in any file: slots past that are tried first. */
#define PREFERRED ((2000200000u - NOOK_RANGE_FIRST) / NOOK_RANGE_SIZE + 1)

/* Begins the text of a range that a kept user namespace holds, without a process. No container's
 * name has a colon. */
#define KEPT "ns:"

static void range_name(uint32_t first, char out[12])
{
	(void)nook_format(out, 12, "%u", first); /* ten digits at most */
}

/* Who holds a range. Return: 0; -ENOENT nobody does; others. */
static int read_holder(int ids, uint32_t first, char out[256], struct nook_error *err)
{
	char name[12];

	range_name(first, name);

	ssize_t n = readlinkat(ids, name, out, 256);

	if (n < 0 && errno == ENOENT)
		return -ENOENT;
	if (n < 0)
		return nook_fail(err, errno, "readlink ids/%s in the state directory", name);
	out[n < 256 ? n : 255] = '\0';

	const char *kept = nook_after(out, KEPT);

	if (n == 256 || !nook_valid_id(kept ? kept : out))
		return nook_refuse(err, EINVAL, "ids/%s in the state directory names no container",
				   name);
	return 0;
}

/* Is the range free, or its holder dead? What can't be read is taken: one odd file must not keep
 * everybody from the others. */
static bool is_free(int base, int ids, uint32_t first)
{
	struct nook_holder holder;
	char name[256];
	int rc = read_holder(ids, first, name, NULL);

	if (rc == -ENOENT)
		return true;
	if (rc == 0 && nook_starts(name, KEPT))
		return false;
	return rc == 0 && nook_lock_holder(base, name, &holder, NULL) == 0 && !holder.held;
}

/* A place to begin that others who look at the same time don't have: two who find the same range
 * cost one of them a new plan. */
static unsigned somewhere(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* fails only for a bad clock or address */

	uint64_t seed = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;

	seed = (seed ^ (uint64_t)getpid() << 32) * UINT64_C(0x9e3779b97f4a7c15);
	return (unsigned)(seed >> 40);
}

/* Looks at slots from @from to before @to, once around. -EUSERS: none is free. */
static int find_between(int base, int ids, const uint64_t *taken, unsigned from, unsigned to,
			uint32_t *ret)
{
	unsigned n = to - from, start = somewhere() % n;

	for (unsigned i = 0; i < n; i++) {
		unsigned slot = from + (start + i) % n;
		uint32_t first = NOOK_RANGE_FIRST + slot * NOOK_RANGE_SIZE;

		if (taken[slot / 64] >> slot % 64 & 1)
			continue;

		if (ids < 0 || is_free(base, ids, first)) {
			*ret = first;
			return 0;
		}
	}
	return -EUSERS;
}

int nook_range_find(const char *state_dir, uint32_t *ret, struct nook_error *err)
{
	uint64_t taken[NOOK_RANGE_SLOTS / 64] = { 0 };
	auto_close int etc = open("/etc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_close int base = nook_base_open(state_dir, false, err), ids = NO_FD;
	int rc = 0;

	if (base < 0 && base != -ENOENT)
		return base;
	if (base >= 0)
		ids = nook_folder_open(base, NOOK_FOLDER_IDS, false, err);
	if (ids < 0 && ids != NO_FD && ids != -ENOENT)
		return ids;

	if (etc >= 0)
		rc = nook_range_mark_etc(etc, taken, err);

	if (rc == 0)
		rc = find_between(base, ids, taken, PREFERRED, NOOK_RANGE_SLOTS, ret);
	if (rc == -EUSERS)
		rc = find_between(base, ids, taken, 0, PREFERRED, ret);
	if (rc == -EUSERS)
		return nook_refuse(err, EUSERS,
				   "all %u ranges of ids from %u up are taken by containers, "
				   "/etc/subuid, /etc/subgid or accounts",
				   NOOK_RANGE_SLOTS, NOOK_RANGE_FIRST);
	return rc;
}

static int check_range(uint32_t first, struct nook_error *err)
{
	if (first >= NOOK_RANGE_FIRST && first % NOOK_RANGE_SIZE == 0 &&
	    (first - NOOK_RANGE_FIRST) / NOOK_RANGE_SIZE < NOOK_RANGE_SLOTS)
		return 0;
	return nook_refuse(err, EINVAL, "%u begins no range of ids that nook hands out", first);
}

static int give_back(int ids, uint32_t first, const char *name, struct nook_error *err)
{
	char file[12], holder[256];
	int rc = read_holder(ids, first, holder, err);

	if (rc == -ENOENT || (rc == 0 && strcmp(holder, name) != 0))
		return 0;
	if (rc < 0)
		return rc;

	range_name(first, file);
	if (unlinkat(ids, file, 0) < 0 && errno != ENOENT)
		return nook_fail(err, errno, "unlink ids/%s in the state directory", file);
	return 0;
}

int nook_range_release(const struct nook_state *state, uint32_t first, struct nook_error *err)
{
	int ids = state->dirs[NOOK_FOLDER_IDS];

	/* Twice, as files are deleted. */
	return give_back(ids, first, state->name, NULL) == 0
		       ? 0
		       : give_back(ids, first, state->name, err);
}

/* Undoes a dead container, and takes its range from it. -EEXIST: it lives, or can't be undone. */
static int reclaim(int base, uint32_t first, const char *holder, struct nook_error *err)
{
	struct nook_state s = NOOK_STATE_NONE;
	int rc = nook_state_open_at(base, holder, &s, err);

	if (rc < 0)
		return rc;

	/* With its lock in our hands nobody else takes the name, and so not the range for it. */
	rc = nook_lock_take(&s, err);
	if (rc == 0)
		rc = nook_state_clear(&s, err);
	if (rc == 0)
		rc = nook_range_release(&s, first, err);
	if (rc < 0) {
		nook_state_close(&s);
		return -EEXIST;
	}
	return nook_state_drop(&s, err);
}

int nook_range_claim(const struct nook_state *state, uint32_t first, struct nook_error *err)
{
	char file[12], holder[256] = "";
	int ids = state->dirs[NOOK_FOLDER_IDS];
	int rc = check_range(first, err);

	if (rc < 0)
		return rc;

	range_name(first, file);
	for (int i = 0; i < 3; i++) {
		if (symlinkat(state->name, ids, file) == 0)
			return 0;
		if (errno != EEXIST)
			return nook_fail(err, errno, "symlink ids/%s in the state directory", file);

		rc = read_holder(ids, first, holder, err);
		if (rc == -ENOENT) /* given back just now */
			continue;
		if (rc < 0)
			return rc;
		if (strcmp(holder, state->name) == 0)
			return 0;
		if (nook_starts(holder, KEPT))
			break;
		rc = reclaim(state->base, first, holder, err);
		if (rc == -EEXIST)
			break;
		if (rc < 0)
			return rc;
	}
	return nook_refuse(err, EEXIST, "the range of ids from %u is held by container %s", first,
			   holder);
}

int nook_range_keep(int base, const char *name, uint32_t first, struct nook_error *err)
{
	char file[12], text[260];
	auto_close int ids = nook_folder_open(base, NOOK_FOLDER_IDS, true, err);
	int rc = ids < 0 ? ids : check_range(first, err);

	if (rc < 0)
		return rc;
	range_name(first, file);
	(void)nook_format(text, sizeof(text), KEPT "%s", name); /* 255 bytes and three fit */
	if (symlinkat(text, ids, file) < 0)
		return nook_fail(err, errno, "symlink ids/%s in the state directory", file);
	return 0;
}

int nook_range_unkeep(int base, const char *name, uint32_t first, struct nook_error *err)
{
	char text[260];
	auto_close int ids = nook_folder_open(base, NOOK_FOLDER_IDS, false, err);

	if (ids < 0)
		return ids == -ENOENT ? 0 : ids;
	(void)nook_format(text, sizeof(text), KEPT "%s", name); /* 255 bytes and three fit */
	return give_back(ids, first, text, err);
}

int nook_range_release_all(const struct nook_state *state, struct nook_error *err)
{
	auto_close int fd =
		nook_folder_file(state->base, NOOK_FOLDER_IDS, ".", O_RDONLY | O_DIRECTORY);

	if (fd == -ENOENT)
		return 0;

	auto_closedir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int rc = 0;

	if (!dir)
		return nook_fail(err, fd < 0 ? -fd : errno, "open ids in the state directory");
	(void)move_fd(&fd); /* closedir closes it */

	while (rc == 0) {
		uint64_t first = 0;

		errno = 0;
		const struct dirent *entry = readdir(dir);

		if (!entry)
			return errno ? nook_fail(err, errno, "read ids in the state directory") : 0;
		if (nook_parse_u64(entry->d_name, UINT32_MAX, &first) == 0)
			rc = nook_range_release(state, (uint32_t)first, err);
	}
	return rc;
}
