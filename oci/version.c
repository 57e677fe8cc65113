/* SPDX-License-Identifier: Apache-2.0 */
#include "oci.h"

#include <string.h>

/* Podman, Docker and go-runc read it: "NAME version X" is the first line, and no other may have the
 * word "version". */
int oci_version(struct oci *o)
{
	const char *text = nook_printf(o->arena,
				       "%s version " NOOK_VERSION "\n"
				       "commit: " NOOK_VERSION "\n"
				       "spec: " OCI_SPEC_VERSION "\n",
				       o->program);

	return oci_print(o, text, strlen(text));
}
