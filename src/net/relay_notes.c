/* SPDX-License-Identifier: Apache-2.0 */
/* Who a container's relays are: a symbolic link that is replaced by rename, and so always names
 * all. */
#include "relay_parts.h"

#include "base/own.h"
#include "base/text.h"
#include "state/files.h"
#include "sys/pidfd.h"
#include "sys/process.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define FOLDER    "relays"
#define PATH_SIZE 300 /* "net/relays/" and 255 bytes */
#define TEXT_SIZE (NOOK_RELAY_NOTES * 40)
#define STOP_MS   5000

static void path_of(const struct nook_state *state, char out[PATH_SIZE])
{
	(void)nook_format(out, PATH_SIZE, "net/" FOLDER "/%s", state->name);
}

/* While it is written. */
static void path_aside(const struct nook_state *state, char out[PATH_SIZE])
{
	char aside[NOOK_NAME_ASIDE];

	nook_name_aside(state->name, aside);
	(void)nook_format(out, PATH_SIZE, "net/" FOLDER "/%s", aside);
}

static int fail(int error, const char *call, const char *path, struct nook_error *err)
{
	return nook_fail(err, error, "%s %s in the state directory", call, path);
}

static int delete_notes(const struct nook_state *state, struct nook_error *err)
{
	char path[PATH_SIZE], aside[PATH_SIZE];

	path_of(state, path);
	path_aside(state, aside);
	if (unlinkat(state->base, path, 0) < 0 && errno != ENOENT)
		return fail(errno, "unlink", path, err);
	if (unlinkat(state->base, aside, 0) < 0 && errno != ENOENT)
		return fail(errno, "unlink", aside, err);
	return 0;
}

int nook_relay_notes_write(const struct nook_state *state, const struct nook_relay_notes *notes,
			   struct nook_error *err)
{
	char path[PATH_SIZE], aside[PATH_SIZE], text[TEXT_SIZE];
	auto_close int folder = nook_net_folder(state->base, FOLDER, true, err);
	size_t len = 0;

	if (folder < 0)
		return folder;
	if (!notes->n)
		return delete_notes(state, err);
	for (unsigned i = 0; i < notes->n; i++)
		len += nook_format(text + len, sizeof(text) - len, "%s%d:%lu", i ? "," : "",
				   notes->of[i].pid, notes->of[i].start);
	path_of(state, path);
	path_aside(state, aside);
	/* Left by who was killed. */
	if (unlinkat(state->base, aside, 0) < 0 && errno != ENOENT)
		return fail(errno, "unlink", aside, err);
	if (symlinkat(text, state->base, aside) < 0)
		return fail(errno, "symlink", aside, err);
	if (renameat(state->base, aside, state->base, path) < 0) {
		int error = errno;

		(void)unlinkat(state->base, aside, 0); /* the first failure is told */
		return fail(error, "rename", path, err);
	}
	return 0;
}

static bool read_one(char *text, struct nook_relay_note *ret)
{
	char *start = strchr(text, ':');
	uint64_t pid = 0;

	if (!start)
		return false;
	*start++ = '\0';
	if (nook_parse_u64(text, NOOK_PID_MAX, &pid) < 0 || pid == 0 ||
	    nook_parse_u64(start, UINT64_MAX, &ret->start) < 0)
		return false;
	ret->pid = (int)pid;
	return true;
}

/* Those that live. */
int nook_relay_notes_read(const struct nook_state *state, struct nook_relay_notes *ret,
			  struct nook_error *err)
{
	char path[PATH_SIZE], text[TEXT_SIZE];

	*ret = (struct nook_relay_notes){ 0 };
	path_of(state, path);

	ssize_t n = readlinkat(state->base, path, text, sizeof(text) - 1);

	if (n < 0)
		return errno == ENOENT ? 0 : fail(errno, "readlink", path, err);
	text[n] = '\0';

	bool first = true;

	for (char *save = NULL, *one = strtok_r(text, ",", &save); one && ret->n < NOOK_RELAY_NOTES;
	     one = strtok_r(NULL, ",", &save), first = false) {
		struct nook_relay_note *note = &ret->of[ret->n];

		if (!read_one(one, note))
			continue; /* it names nobody */

		auto_close int fd = NO_FD;
		int rc = nook_process_open(note->pid, note->start, &fd, err);

		if (rc < 0 && rc != -ESRCH)
			return rc;
		ret->serves |= rc == 0 && first;
		ret->n += rc == 0;
	}
	return 0;
}

int nook_relay_is_there(const struct nook_state *state, struct nook_error *err)
{
	struct nook_relay_notes notes;
	int rc = nook_relay_notes_read(state, &notes, err);

	return rc < 0 ? rc : notes.serves;
}

/* ---- their end ---- */

void nook_relay_let_go(const struct nook_relay_notes *notes)
{
	for (unsigned i = 0; i < notes->n; i++) {
		const struct nook_relay_note *note = &notes->of[i];
		auto_close int fd = NO_FD;

		if (nook_process_open(note->pid, note->start, &fd, NULL) == 0)
			(void)nook_pidfd_send_signal(fd,
						     SIGTERM); /* or it ends with the container */
	}
}

static int end_process(const struct nook_relay_note *note, struct nook_error *err)
{
	auto_close int fd = NO_FD;
	int rc = nook_process_open(note->pid, note->start, &fd, err);

	if (rc < 0)
		return rc == -ESRCH ? 0 : rc;
	rc = nook_pidfd_send_signal(fd, SIGKILL);
	if (rc < 0 && rc != -ESRCH)
		return nook_fail(err, -rc, "kill the relay, pid %d", note->pid);
	rc = nook_pidfd_wait(fd, STOP_MS);
	if (rc < 0)
		return nook_fail(err, -rc, "wait for the relay, pid %d", note->pid);
	while (waitpid(note->pid, NULL, __WALL) < 0 && errno == EINTR)
		; /* ECHILD: it is another nook's */
	return 0;
}

int nook_relay_stop(const struct nook_state *state, struct nook_error *err)
{
	struct nook_relay_notes notes;
	int rc = nook_relay_notes_read(state, &notes, err);

	for (unsigned i = 0; i < notes.n && rc == 0; i++)
		rc = end_process(&notes.of[i], err);
	return rc < 0 ? rc : delete_notes(state, err);
}
