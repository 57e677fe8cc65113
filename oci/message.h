/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NOOK_OCI_MESSAGE_H
#define NOOK_OCI_MESSAGE_H

#include "nook/error.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * oci_message() - an error as one line, with the words that engines look for
 * @command: "create"
 * @out:     receives the text, that a terminal may be shown: nook_safe_text()
 *
 * Engines tell errors apart by runc's texts: Podman takes "no such file or directory" and
 * "executable file not found in" as 127 and "permission denied" as 126, Docker the same in lower
 * case only, containerd takes "container not running" and "does not exist" as gone.
 */
void oci_message(const char *command, const struct nook_error *err, char *out, size_t size);

/* Did a call fail? Else it is a refusal, which says all there is to say. */
bool oci_message_of_call(const struct nook_error *err);

#endif
