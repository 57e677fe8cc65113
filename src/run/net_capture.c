/* SPDX-License-Identifier: Apache-2.0 */
#include "net_capture.h"

#include "net_place.h"
#include "sys/process.h"

#include <errno.h>
#include <unistd.h>

static int enter(const struct nook_place *place, struct nook_error *err)
{
	int rc = place->user < 0 ? 0 : nook_setns(place->user, CLONE_NEWUSER);

	if (rc == 0 && !place->own)
		rc = nook_setns(place->net, CLONE_NEWNET);
	return rc < 0 ? nook_fail(err, -rc, "setns(the network of %s)", place->name) : 0;
}

int nook_net_capture(const char *state_dir, const char *target, char *const *argv, int *ret_status,
		     struct nook_error *err)
{
	struct nook_arena a = { 0 };
	struct nook_place place;
	int rc = nook_arena_open(&a, err);

	*ret_status = 125;
	if (rc < 0)
		return rc;
	rc = nook_place_open(state_dir, target, target, &a, &place, err);
	if (rc == 0)
		rc = enter(&place, err);
	nook_place_close(&place);
	nook_arena_free(&a);
	if (rc < 0)
		return rc;

	(void)execvp(argv[0], argv);
	*ret_status = errno == ENOENT ? 127 : 126;
	nook_hint(err, "it is a program of the host's that is run, not of the container's");
	return nook_fail(err, errno, "execute %s", argv[0]);
}
