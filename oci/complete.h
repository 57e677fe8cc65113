/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Completion scripts from the tables: what a value or a word may be is told by how --help names it.
 * Static text, but for the ids of containers, for which the scripts ask `nook-oci list --quiet`.
 */
#ifndef NOOK_OCI_COMPLETE_H
#define NOOK_OCI_COMPLETE_H

#include "oci.h"

#include <stdio.h>

enum oci_complete {
	OCI_COMPLETE_NOTHING,
	OCI_COMPLETE_FILE,
	OCI_COMPLETE_DIR,
	OCI_COMPLETE_WORDS, /* "text|json": these */
	OCI_COMPLETE_ID,
	OCI_COMPLETE_SIGNAL,
	OCI_COMPLETE_COMMAND, /* of nook-oci */
	OCI_COMPLETE_PROGRAM, /* and its arguments */
};

/* What an option's value is. @value: as in struct oci_option; NULL: it takes none. */
enum oci_complete oci_complete_value(const char *value);

/* Must a value follow? OCI_OPTIONAL takes one by "=" alone. */
bool oci_complete_needs_value(const struct oci_option *o);

/* What the word number @n, from 0, behind the options of @c is. */
enum oci_complete oci_complete_operand(const struct oci_command *c, size_t n);

/* "text|json" with @between in place of each "|". */
void oci_complete_put_words(FILE *out, const char *words, char between);

void oci_complete_bash(FILE *out);
void oci_complete_zsh(FILE *out);

#endif
