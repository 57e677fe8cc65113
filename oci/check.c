/* SPDX-License-Identifier: Apache-2.0 */
/* What of a bundle this host can't do. */
#include "command_words.h"
#include "oci.h"

#include "base/own.h"
#include "base/report.h"
#include "host/causes.h"
#include "message.h"
#include "run/oci.h"

#define AT(member) offsetof(struct oci_check_words, member)

static const struct oci_option rows[] = {
	{ "bundle", 'b', OCI_TEXT, AT(bundle), "DIR", "the same as BUNDLE" },
	OCI_HELP_ROW,
};

const struct oci_table oci_check_table = { .rows = rows, .n = ARRAY_SIZE(rows) };

/* Each as nook shows its errors, on stdout: they are what was asked for. */
static void tell(void *data, const struct nook_error *what)
{
	struct nook_error err = *what;

	(void)data;
	if (oci_message_of_call(&err) || err.id[0])
		nook_explain(&err, &(struct nook_explain_context){ .engine = true });
	nook_error_print(stdout, "nook-oci", &err);
}

int oci_check(struct oci *o, const void *words)
{
	const struct oci_check_words *w = words;
	struct nook_error err = { 0 };
	const struct nook_oci_create c = {
		.arena = o->arena,
		.options = { .id = "check",
			     .state_dir = o->root,
			     .systemd_cgroup = o->globals.systemd_cgroup },
		.bundle = o->n        ? o->argv[0]
			  : w->bundle ? w->bundle
				      : ".",
	};
	int n = nook_oci_check(&c, tell, o, &err);

	if (n < 0)
		return oci_failed_why(o, &err, c.bundle);
	if (n == 0)
		puts("nook-oci: this host can do all that the bundle asks for");

	int status = oci_print_end(o);

	return n > 0 ? OCI_FAILURE : status;
}
