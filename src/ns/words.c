/* SPDX-License-Identifier: Apache-2.0 */
#include "words.h"

#include "base/own.h"
#include "base/text.h"
#include "sys/nsfs.h"
#include "sys/process.h"
#include "target.h"
#include "translate.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

#define PID_LAST 4194304 /* PID_MAX_LIMIT */

static int parse_pid(const char *text, struct nook_error *err)
{
	uint64_t pid = 0;

	if (nook_parse_u64(text, PID_LAST, &pid) < 0 || pid == 0)
		return nook_refuse(err, EINVAL, "'%s' is no pid: these go from 1 to %d", text,
				   PID_LAST);
	return (int)pid;
}

/* The pid namespace that a name keeps, as its path. NULL: it keeps none. */
static const char *kept_pidns(const struct nook_ns_target *t)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->item[i].kind == NOOK_NS_PID)
			return t->item[i].path;
	}
	return NULL;
}

static int open_path(const char *path, struct nook_error *err)
{
	auto_close int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return nook_fail(err, errno, "open %s", path);
	if (nook_nsfs_type(fd) != CLONE_NEWPID)
		return nook_refuse(err, EINVAL, "%s is no pid namespace", path);
	return move_fd(&fd);
}

static int find_name(const char *state_dir, const char *name, struct nook_arena *a,
		     struct nook_ns_target *ret, struct nook_error *err)
{
	int rc = nook_arena_open(a, err);

	if (rc < 0)
		return rc;
	return nook_ns_target_find(state_dir, name, a, ret, err);
}

/* The first process of a container, or of a pid namespace that is kept. */
static int named_pid(const char *state_dir, const char *name, struct nook_error *err)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_ns_target t;
	int rc = find_name(state_dir, name, &a, &t, err);

	if (rc < 0)
		return rc;
	if (t.pid > 0)
		return t.pid;
	if (!kept_pidns(&t))
		return nook_refuse(err, ESRCH,
				   "the name %s keeps no pid namespace, so it means no process",
				   name);

	auto_close int ns = open_path(kept_pidns(&t), err);

	if (ns < 0)
		return ns;
	rc = nook_translate_out(ns, 1, NOOK_TRANSLATE_ANY);
	if (rc == -ESRCH)
		return nook_refuse(err, ESRCH, "the pid namespace of %s has no process", name);
	return rc < 0 ? nook_fail(err, -rc, "translate pid 1 of %s", name) : rc;
}

int nook_ns_words_pid(const char *state_dir, const char *word, struct nook_error *err)
{
	if (strcmp(word, "self") == 0)
		return getpid();
	if (*word && !word[strspn(word, "0123456789")])
		return parse_pid(word, err);
	if (!nook_valid_id(word))
		return nook_refuse(err, EINVAL, "'%s' is neither a pid nor a name", word);
	return named_pid(state_dir, word, err);
}

static int open_pidns(int pid, struct nook_error *err)
{
	auto_close int dir = nook_translate_open(pid, err);
	uint64_t ino;
	int fd;

	if (dir < 0)
		return dir;
	fd = nook_translate_ns(dir, "pid", &ino);
	if (fd >= 0)
		return fd;
	if (fd == -EACCES || fd == -EPERM)
		nook_hint(err, "It is another user's, or has more rights than you: ask as root.");
	return nook_fail(err, -fd, "open /proc/%d/ns/pid", pid);
}

int nook_ns_words_inner(const char *state_dir, const char *word, struct nook_error *err)
{
	const char *colon = strrchr(word, ':');
	char outer[512];

	if (!colon)
		return nook_ns_words_pid(state_dir, word, err);
	if ((size_t)(colon - word) >= sizeof(outer))
		return nook_fail(err, ENAMETOOLONG, "find %s", word);
	(void)nook_format(outer, sizeof(outer), "%.*s", (int)(colon - word), word);

	int inner = parse_pid(colon + 1, err);

	if (inner < 0)
		return inner;

	auto_close int ns = nook_ns_words_pidns(state_dir, outer, err);

	if (ns < 0)
		return ns;

	int pid = nook_translate_out(ns, inner, NOOK_TRANSLATE_ANY);

	if (pid == -ESRCH)
		return nook_refuse(err, ESRCH,
				   "no process has the pid %d in the pid namespace of %s", inner,
				   outer);
	if (pid < 0)
		return nook_fail(err, -pid, "translate pid %d of %s", inner, outer);
	return pid;
}

int nook_ns_words_pidns(const char *state_dir, const char *word, struct nook_error *err)
{
	if (!strchr(word, '/')) {
		int pid = nook_ns_words_inner(state_dir, word, err);

		return pid < 0 ? pid : open_pidns(pid, err);
	}

	return open_path(word, err);
}
