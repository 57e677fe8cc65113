/* SPDX-License-Identifier: Apache-2.0 */
#include "creating.h"

#include "base/own.h"

#include <string.h>

static const struct oci_option rows[] = { OCI_CREATING_ROWS };

const struct oci_table oci_create_table = { .rows = rows, .n = ARRAY_SIZE(rows) };

void oci_creating(struct oci *o, const struct oci_creating *w, struct nook_oci_create *ret)
{
	const char *notify = getenv("NOTIFY_SOCKET");

	*ret = (struct nook_oci_create){
		.arena = o->arena,
		.options = {
			.id = o->argv[0],
			.state_dir = o->root,
			.systemd_cgroup = o->globals.systemd_cgroup,
			.no_cgroups = o->globals.cgroup_manager &&
				      strcmp(o->globals.cgroup_manager, "disabled") == 0,
			.no_pivot = w->no_pivot,
			.no_new_keyring = w->no_new_keyring,
			.preserve_fds = w->preserve_fds,
			.notify_socket = notify && notify[0] ? notify : NULL,
		},
		.bundle = w->bundle && w->bundle[0] ? w->bundle : ".",
		.config = w->config,
		.pid_file = w->pid_file,
		.console_socket = w->console_socket,
		.pidfd_socket = w->pidfd_socket,
		.detach = w->detach,
		.keep = w->keep,
		.trace = oci_trace(o),
		.log = { oci_warn, o },
	};
}

int oci_creating_plan(struct oci *o, const struct nook_oci_create *c, const char *format)
{
	bool json = strcmp(format, "json") == 0;
	struct nook_error err = { 0 };

	if (!json && format[0] && strcmp(format, "text") != 0) {
		nook_where(&err, "--plan=%s", format);
		(void)nook_refuse(&err, EINVAL, "a plan is printed as text or json");
		return oci_failed(o, &err);
	}
	if (nook_oci_plan(c, json ? NOOK_PLAN_JSON : NOOK_PLAN_TEXT, stdout, &err) < 0)
		return oci_failed_why(o, &err, c->bundle);
	return oci_print_end(o);
}

int oci_create(struct oci *o, const void *words)
{
	const struct oci_creating *w = words;
	struct nook_error err = { 0 };
	struct nook_oci_create c;

	oci_creating(o, w, &c);
	c.options.start_later = true;
	if (w->plan)
		return oci_creating_plan(o, &c, w->plan);
	return nook_oci_create(&c, &err) < 0 ? oci_failed_why(o, &err, c.bundle) : 0;
}
