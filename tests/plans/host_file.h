/* SPDX-License-Identifier: Apache-2.0 */
/* A host described in a file, hosts/NAME.json: its members are those of struct nook_host. */
#ifndef NOOK_TESTS_PLANS_HOST_FILE_H
#define NOOK_TESTS_PLANS_HOST_FILE_H

#include "host/host.h"
#include "nook/spec.h"

/**
 * host_file_read() - what nook_host_probe() would find for @spec on the machine that @path
 * describes
 *
 * Return: 0; a negative errno with @err, also for a member that is not known and for a user that
 * the machine's passwd has not.
 */
int host_file_read(struct nook_arena *a, const char *path, const struct nook_spec *spec,
		   struct nook_host *host, struct nook_error *err);

#endif
