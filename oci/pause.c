/* SPDX-License-Identifier: Apache-2.0 */
#include "oci.h"

#include "run/oci.h"

static int freeze(struct oci *o, bool pause)
{
	struct nook_error err = { 0 };

	return nook_oci_pause(o->root, o->argv[0], pause, &err) < 0 ? oci_failed(o, &err) : 0;
}

int oci_pause(struct oci *o, const void *words)
{
	(void)words;
	return freeze(o, true);
}

int oci_resume(struct oci *o, const void *words)
{
	(void)words;
	return freeze(o, false);
}
