/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NOOK_OCI_EACH_H
#define NOOK_OCI_EACH_H

#include "oci.h"

typedef int oci_one(struct oci *o, const char *id, const void *data, struct nook_error *err);

/**
 * oci_each() - do something with one container, or with all that an expression finds
 * @regex: argv[0] is an extended regular expression, as crun has it
 *
 * A failure is told, and the next one tried. Return: the exit status.
 */
int oci_each(struct oci *o, bool regex, oci_one *one, const void *data);

#endif
