/* SPDX-License-Identifier: Apache-2.0 */
/* A created container waits for its start. */
#include "stage.h"

#include "base/own.h"
#include "sys/pidfd.h"
#include "sys/process.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/socket.h>

/*
 * Before we say that we are ready: our maker may end as soon as it has answered, before we get to
 * read that. Should it end without an answer, the channel's end says so.
 */
int outlive_maker(void *ctx, struct nook_error *err)
{
	int rc = nook_prctl(PR_SET_PDEATHSIG, 0, 0);

	(void)ctx;
	return rc < 0 ? nook_fail(err, -rc, "prctl(PR_SET_PDEATHSIG, none)") : 0;
}

void outlive_maker_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	(void)plan;
	nook_show(rows, "it outlives us", "prctl(PR_SET_PDEATHSIG, none)");
}

int await_start(void *ctx, struct nook_error *err)
{
	struct nook_stage *s = ctx;
	int rc;

	if (s->start < 0)
		return 0; /* it comes on the channel */

	close_fd(&s->walk.channel);

	/* What the engine's process had open is nobody's business for as long as we wait: Buildah,
	 * for one, waits for the end of a pipe that it has leaked to us. */
	rc = nook_close_others_from(3 + (int)s->plan->process.preserve_fds,
				    (int[]){ s->start, s->console }, 2);
	if (rc < 0)
		return nook_fail(err, -rc, "close_range");

	for (;;) {
		int fd = accept4(s->start, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (fd < 0)
			return nook_fail(err, errno, "accept4");

		/* A `start` that was killed before it could say so is none: the next one is heard.
		 */
		s->walk.channel = fd;
		rc = nook_wait(&s->walk, NOOK_MSG_START, NULL);
		if (rc == 0)
			break;
		close_fd(&s->walk.channel);
	}
	close_fd(&s->start); /* whoever comes now is refused: it is started */
	return 0;
}

void await_start_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	(void)plan;
	nook_show(rows, "`start` comes by its socket", "accept4, recvmsg");
}
