/* SPDX-License-Identifier: Apache-2.0 */
#include "command_words.h"
#include "each.h"

#include "base/own.h"
#include "run/oci.h"

#define AT(member) offsetof(struct oci_delete_words, member)

static const struct oci_option rows[] = {
	{ "force", 'f', OCI_FLAG, AT(force), NULL,
	  "kill it first where it runs; one that isn't there is no error" },
	{ "regex", 'r', OCI_FLAG, AT(regex), NULL,
	  "ID is a regular expression: every container that it finds" },
	OCI_HELP_ROW,
};

const struct oci_table oci_delete_table = { .rows = rows, .n = ARRAY_SIZE(rows) };

static int delete_one(struct oci *o, const char *id, const void *data, struct nook_error *err)
{
	const struct oci_delete_words *w = data;

	const struct nook_oci_log log = { oci_warn, o };

	return nook_oci_delete(o->root, id, w->force, o->arena, &log, err);
}

int oci_delete(struct oci *o, const void *words)
{
	const struct oci_delete_words *w = words;

	return oci_each(o, w->regex, delete_one, w);
}
