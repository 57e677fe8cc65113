/* SPDX-License-Identifier: Apache-2.0 */
#include "oci.h"

#include "run/oci.h"

int oci_start(struct oci *o, const void *words)
{
	struct nook_error err = { 0 };

	(void)words;
	if (nook_oci_start(o->root, o->argv[0], &err) < 0)
		return oci_failed(o, &err);
	return 0;
}
