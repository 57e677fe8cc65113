/* SPDX-License-Identifier: Apache-2.0 */
#include "oci.h"

#include "run/oci.h"

#include <stdlib.h>

int oci_start(struct oci *o, const void *words)
{
	const char *notify = getenv("NOTIFY_SOCKET");
	const struct nook_oci_start start = {
		.arena = o->arena,
		.state_dir = o->root,
		.id = o->argv[0],
		.notify_socket = notify && notify[0] ? notify : NULL,
	};
	struct nook_error err = { 0 };

	(void)words;
	if (nook_oci_start(&start, &err) < 0)
		return oci_failed(o, &err);
	return 0;
}
