/* SPDX-License-Identifier: Apache-2.0 */
#include "command_words.h"
#include "each.h"

#include "base/own.h"
#include "run/oci.h"
#include "sys/names.h"

#include <signal.h>
#include <string.h>

#define AT(member) offsetof(struct oci_kill_words, member)

static const struct oci_option rows[] = {
	{ "all", 'a', OCI_FLAG, AT(all), NULL, "send it to every process of the container" },
	{ "regex", 'r', OCI_FLAG, AT(regex), NULL,
	  "ID is a regular expression: every container that it finds" },
	OCI_HELP_ROW,
};

const struct oci_table oci_kill_table = { .rows = rows, .n = ARRAY_SIZE(rows) };

struct killing {
	int signal;
	bool all;
};

static int kill_one(struct oci *o, const char *id, const void *data, struct nook_error *err)
{
	const struct killing *k = data;

	return nook_oci_kill(o->root, id, k->signal, k->all, o->arena, err);
}

int oci_kill(struct oci *o, const void *words)
{
	const struct oci_kill_words *w = words;
	struct killing k = { SIGTERM, w->all };
	struct nook_error err = { 0 };

	/* 0 asks whether it is there, kill(2). */
	if (o->n > 1)
		k.signal = strcmp(o->argv[1], "0") == 0 ? 0 : nook_signal_number(o->argv[1]);
	if (k.signal < 0) {
		(void)nook_refuse(&err, EINVAL,
				  "'%s' is no signal: write its name or its number, from 1 to 64",
				  o->argv[1]);
		return oci_failed(o, &err);
	}
	return oci_each(o, w->regex, kill_one, &k);
}
