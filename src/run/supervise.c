/* SPDX-License-Identifier: Apache-2.0 */
/* Staying while the program runs: its terminal's bytes, our signals, its end. */
#include "supervise_parts.h"

#include "base/own.h"
#include "sys/trim.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

/* Until the program ends. */
static int watch(struct nook_supervisor *s, struct nook_error *err)
{
	struct pollfd p[NOOK_POLL_COUNT];
	nfds_t n = s->terminal ? NOOK_POLL_COUNT : NOOK_POLL_INPUT;
	int timeout = NOOK_TRIM_AFTER_MS;

	for (;;) {
		nook_supervise_want(&p[NOOK_POLL_SIGNALS], s->signals, true, POLLIN);
		nook_supervise_want(&p[NOOK_POLL_PROGRAM], s->pidfd, true, POLLIN);
		nook_supervise_want(&p[NOOK_POLL_ALSO], s->also ? s->also->fd : -1, s->also,
				    POLLIN);
		if (s->terminal)
			nook_supervise_want_bytes(s, p);

		int ready = poll(p, n, timeout);

		if (ready < 0) {
			if (errno == EINTR)
				continue;
			return nook_fail(err, errno, "poll the program's pidfd");
		}
		if (ready == 0) {
			timeout = -1;
			nook_trim();
			continue;
		}
		/* What it said last comes before its end. */
		if (s->also && (p[NOOK_POLL_ALSO].revents || p[NOOK_POLL_PROGRAM].revents) &&
		    !s->also->readable(s->also->data))
			s->also = NULL;
		if (p[NOOK_POLL_PROGRAM].revents)
			return 0;
		if (p[NOOK_POLL_SIGNALS].revents) {
			int rc = nook_supervise_handle(s, err);

			if (rc < 0)
				return rc;
		}
		if (s->terminal)
			nook_supervise_move_bytes(s, p);
	}
}

static int reap(struct nook_supervisor *s, int *ret_status, struct nook_error *err)
{
	int status;

	/* __WALL: whatever signal the clone has chosen to tell of its end. */
	while (waitpid(s->pid, &status, __WALL) < 0) {
		if (errno != EINTR)
			return nook_fail(err, errno, "wait for pid %d", s->pid);
	}

	*ret_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return 0;
}

static int begin(struct nook_supervisor *s, struct nook_error *err)
{
	sigset_t set;

	nook_supervise_signals(&set);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signals < 0)
		return nook_fail(err, errno, "signalfd");
	return s->terminal ? nook_supervise_begin_bytes(s, err) : 0;
}

static void end(struct nook_supervisor *s)
{
	if (s->terminal)
		nook_supervise_end_bytes(s);
	close_fd(&s->signals);
}

int nook_supervise(int pidfd, int pid, int master, int *ret_status, struct nook_error *err)
{
	return nook_supervise_also(pidfd, pid, master, NULL, ret_status, err);
}

int nook_supervise_also(int pidfd, int pid, int master, const struct nook_supervise_also *also,
			int *ret_status, struct nook_error *err)
{
	struct nook_supervisor s; /* not zeroed: see nook_supervise_init_bytes() */
	int rc;

	s.pidfd = pidfd;
	s.pid = pid;
	s.signals = NO_FD;
	s.also = also;
	nook_supervise_init_bytes(&s, master);

	rc = begin(&s, err);
	if (rc == 0)
		rc = watch(&s, err);
	if (rc == 0)
		rc = reap(&s, ret_status, err);
	if (rc == 0 && s.terminal)
		nook_supervise_last_words(&s);

	end(&s);
	return rc;
}
