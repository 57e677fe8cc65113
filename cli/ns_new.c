/* SPDX-License-Identifier: Apache-2.0 */
#include "ns_names.h"

#include "base/own.h"
#include "nook/container.h"
#include "ns/kinds.h"
#include "spec/values.h"

#include <errno.h>

struct new_words {
	struct nook_ns_new_spec spec;
	bool json;
};

static int set_kind(const struct nook_option_use *use)
{
	int kind = nook_ns_kind(use->option->name);

	((struct new_words *)use->into)->spec.kinds |= NOOK_NS_BIT(kind); /* only kinds have rows */
	return 0;
}

static int set_all(const struct nook_option_use *use)
{
	((struct new_words *)use->into)->spec.kinds = NOOK_NS_ALL;
	return 0;
}

static int set_hostname(const struct nook_option_use *use)
{
	((struct new_words *)use->into)->spec.hostname = use->value;
	return nook_value_hostname(use->value, use->err);
}

static const struct nook_option rows[] = {
	{ .name = "user", .set = set_kind, .help = "users, groups and capabilities" },
	{ .name = "mnt", .set = set_kind, .help = "mounts: a private copy of yours" },
	{ .name = "cgroup", .set = set_kind, .help = "the root of the cgroups that are seen" },
	{ .name = "ipc", .set = set_kind, .help = "System V IPC and POSIX message queues" },
	{ .name = "uts", .set = set_kind, .help = "host name and domain name" },
	{ .name = "net",
	  .set = set_kind,
	  .help = "network devices, addresses, routes, ports; root's also has its name for ip "
		  "netns" },
	{ .name = "pid", .set = set_kind, .help = "process ids, with nook-hold as pid 1" },
	{ .name = "time", .set = set_kind, .help = "boot time and monotonic clocks" },
	{ .name = "all", .set = set_all, .help = "all eight" },
	{ .name = "hostname",
	  .value = "NAME",
	  .set = set_hostname,
	  .help = "host name in the new uts namespace; default: yours" },
	{ .name = "json",
	  .set = nook_option_flag,
	  .at = offsetof(struct new_words, json),
	  .help = "print what was made as JSON" },
	NOOK_OPTION_HELP_ROW,
};

const struct nook_option_table nook_ns_new_table = { .command = "nook ns new",
						     .rows = rows,
						     .n = ARRAY_SIZE(rows) };

int nook_cmd_ns_new(int argc, char **argv)
{
	auto_arena struct nook_arena a = { 0 };
	struct new_words words = { 0 };
	struct nook_option_words read;
	struct nook_ns_name made;
	struct nook_error err = { 0 };
	const char *state_dir;
	int status = nook_cli_read(&a, &nook_ns_new_table, argv, &words, &read);

	(void)argc;
	if (status >= 0)
		return status;
	if (read.n_words != 1) {
		nook_hint(&err, "nook ns new blue --net --uts");
		(void)nook_refuse(&err, EINVAL, "one NAME is needed: nook ns new NAME --KIND...");
		return nook_cli_refused(&err);
	}
	words.spec.name = read.words[0];
	if (nook_state_dir(&state_dir, &err) < 0 ||
	    nook_ns_new(state_dir, &words.spec, &a, &made, &err) < 0)
		return nook_cli_failed(&err, NULL, NOOK_EXIT_FAILURE);
	return nook_cli_show_name(&made, words.json);
}
