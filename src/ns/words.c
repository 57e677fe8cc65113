/* SPDX-License-Identifier: Apache-2.0 */
#include "words.h"

#include "base/own.h"
#include "base/text.h"
#include "state/state.h"
#include "sys/nsfs.h"
#include "sys/process.h"
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

static int container_pid(const char *state_dir, const char *name, struct nook_error *err)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_record record;
	enum nook_life life;
	int rc = nook_arena_init(&a);

	if (rc < 0)
		return nook_fail(err, -rc, "mmap of %zu bytes of address space", NOOK_ARENA_SIZE);
	rc = nook_state_read(state_dir, name, &a, &record, &life, err);
	if (rc < 0)
		return rc;
	if (life == NOOK_LIFE_RUNNING && record.pid > 0)
		return record.pid;
	nook_hint(err, "nook ps lists the containers.");
	return nook_refuse(err, ESRCH, "the container %s is not running", name);
}

int nook_ns_words_pid(const char *state_dir, const char *word, struct nook_error *err)
{
	if (strcmp(word, "self") == 0)
		return getpid();
	if (*word && !word[strspn(word, "0123456789")])
		return parse_pid(word, err);
	if (!nook_valid_id(word))
		return nook_refuse(err, EINVAL, "'%s' is neither a pid nor a container's name",
				   word);
	return container_pid(state_dir, word, err);
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

	auto_close int fd = open(word, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return nook_fail(err, errno, "open %s", word);
	if (nook_nsfs_type(fd) != CLONE_NEWPID)
		return nook_refuse(err, EINVAL, "%s is no pid namespace", word);
	return move_fd(&fd);
}
