/* SPDX-License-Identifier: Apache-2.0 */
/* For the parts of src/run/oci.h that are still being written. Each goes as its own comes. */
#include "run/oci.h"

#include <errno.h>

#define STUB __attribute__((weak))

static int missing(struct nook_error *err)
{
	return nook_refuse(err, ENOSYS, "this part of nook-oci isn't built yet");
}

STUB int nook_oci_update(const char *state_dir, const char *id,
			 const struct nook_bundle_resources *r, struct nook_error *err)
{
	return missing(err);
}

STUB int nook_oci_stats(const struct nook_record *record, struct nook_json_writer *w,
			const char *key, struct nook_error *err)
{
	return missing(err);
}

STUB int nook_oci_watch_open(const struct nook_record *record, struct nook_oci_watch *ret,
			     struct nook_error *err)
{
	return missing(err);
}

STUB int nook_oci_watch_oom(struct nook_oci_watch *w)
{
	return -ENOSYS;
}

