/* SPDX-License-Identifier: Apache-2.0 */
/* A created container waits for its start. */
#include "stage.h"

#include "base/own.h"
#include "sys/process.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#define TRIES 500 /* of 10 ms */

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

	if (s->start < 0)
		return 0; /* it comes on the channel */

	const struct timespec slice = { .tv_nsec = 10000000 };

	close_fd(&s->walk.channel);

	for (int tries = 0;;) {
		int fd = accept4(s->start, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		/* A shortage, mostly. Nobody is there to be told, so we wait for its end. */
		if (fd < 0 && ++tries < TRIES) {
			(void)nanosleep(&slice, NULL); /* shorter after a signal */
			continue;
		}
		if (fd < 0)
			return nook_fail(err, errno, "accept4");

		/* A `start` that was killed before it could say so is none: the next one is heard.
		 */
		s->walk.channel = fd;
		if (nook_wait(&s->walk, NOOK_MSG_START, NULL) == 0)
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
