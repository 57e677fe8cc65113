/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NOOK_OCI_STATE_JSON_H
#define NOOK_OCI_STATE_JSON_H

#include "oci.h"
#include "run/oci.h"

struct nook_json_writer;

/* A container as `state` and `list` print it. */
void oci_state_json(struct nook_json_writer *w, const struct nook_oci_state *s, const char *owner);

/* Whose the containers are: those of a root belong to one user. */
const char *oci_owner(struct nook_arena *a);

/* --format table|json; NULL: table. */
int oci_format(const char *format, bool *ret_json, struct nook_error *err);

#endif
