/* SPDX-License-Identifier: Apache-2.0 */
#include "creating.h"

#include "base/own.h"

static const struct oci_option rows[] = {
	{ "detach", 'd', OCI_FLAG, OCI_CREATING(detach), NULL, "don't wait for the program" },
	{ "keep", 0, OCI_FLAG, OCI_CREATING(keep), NULL, "don't remove the container at its end" },
	OCI_CREATING_ROWS,
};

const struct oci_table oci_run_table = { .rows = rows, .n = ARRAY_SIZE(rows) };

int oci_run(struct oci *o, const void *words)
{
	const struct oci_creating *w = words;
	struct nook_error err = { 0 };
	struct nook_oci_create c;
	int status = OCI_FAILURE;

	oci_creating(o, w, &c);
	if (w->plan)
		return oci_creating_plan(o, &c, w->plan);
	return nook_oci_run(&c, &status, &err) < 0 ? oci_failed_why(o, &err, c.bundle) : status;
}
