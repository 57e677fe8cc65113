/* SPDX-License-Identifier: Apache-2.0 */
/* The program nook-oci, what container engines call: makes itself safe, reads the words before the
 * command, then calls the command's function. */
#include "oci.h"

#include "base/nearest.h"
#include "base/own.h"
#include "host/state_dir.h"
#include "run/safe.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#define AT(member) (offsetof(struct oci_globals, member))

static const struct oci_option rows[] = {
	{ "root", 0, OCI_TEXT, AT(root), "DIR",
	  "where the containers' records are kept; default: /run/nook-oci, without the machine's "
	  "root $XDG_RUNTIME_DIR/nook-oci" },
	{ "log", 0, OCI_TEXT, AT(log), "FILE", "append the log to it; default: stderr" },
	{ "log-format", 0, OCI_TEXT, AT(log_format), "text|json",
	  "how its lines are written; default: text" },
	{ "debug", 0, OCI_FLAG, AT(debug), NULL, "log each step" },
	{ "systemd-cgroup", 0, OCI_FLAG, AT(systemd_cgroup), NULL,
	  "let systemd make the cgroups; cgroupsPath is SLICE:PREFIX:NAME then" },
	{ "cgroup-manager", 0, OCI_TEXT, AT(cgroup_manager), "cgroupfs|systemd|disabled",
	  "who makes the cgroups; disabled: nobody, the container stays in the caller's" },
	{ "rootless", 0, OCI_TEXT, AT(rootless), "true|false|auto",
	  "for other runtimes' callers: it is always found out" },
	{ "criu", 0, OCI_TEXT, AT(criu), "FILE", "the program criu, for checkpoint and restore" },
	{ "version", 'v', OCI_FLAG, AT(version), NULL, "print the version" },
	OCI_HELP_ROW,
};

const struct oci_table oci_global_table = { .rows = rows, .n = ARRAY_SIZE(rows), .in_order = true };

static const char *program_name(const char *path)
{
	static const char *const names[] = { "runc", "crun" };
	const char *slash = path ? strrchr(path, '/') : NULL;
	const char *base = slash ? slash + 1 : path ? path : "";

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(base, names[i]) == 0)
			return names[i];
	}
	return "nook-oci";
}

static int check_words(struct oci *o, struct nook_error *err)
{
	struct oci_globals *g = &o->globals;
	const char *format = g->log_format, *manager = g->cgroup_manager;

	o->log_json = format && strcmp(format, "json") == 0;
	if (format && !o->log_json && strcmp(format, "text") != 0) {
		nook_where(err, "--log-format %s", format);
		return nook_refuse(err, EINVAL, "the formats are text and json");
	}
	if (manager && strcmp(manager, "systemd") == 0)
		g->systemd_cgroup = true;
	else if (manager && strcmp(manager, "cgroupfs") != 0 && strcmp(manager, "disabled") != 0) {
		nook_where(err, "--cgroup-manager %s", manager);
		return nook_refuse(err, EINVAL,
				   "the cgroup managers are cgroupfs, systemd and disabled");
	}
	return 0;
}

static int find_root(struct oci *o, struct nook_error *err)
{
	if (!o->globals.root || !o->globals.root[0])
		return nook_oci_state_dir(&o->root, err);
	o->root = oci_absolute(o->arena, o->globals.root);
	return 0;
}

static int count_words(const struct oci_command *c, size_t n, struct nook_error *err)
{
	if (n >= c->least && n <= c->most)
		return 0;
	nook_hint(err, "nook-oci %s %s", c->name, c->synopsis);
	if (n < c->least)
		return nook_refuse(err, EINVAL, "nook-oci %s needs %s", c->name,
				   c->least > n + 1 ? "more words" : "one more word");
	return nook_refuse(err, EINVAL, "nook-oci %s takes at most %zu word%s, not %zu", c->name,
			   c->most, c->most == 1 ? "" : "s", n);
}

static int call_command(struct oci *o, const struct oci_command *c, char **argv)
{
	struct nook_error err = { 0 };
	void *words = nook_alloc(o->arena, c->size ? c->size : 1);
	size_t at = 0;

	o->command = c;

	int rc = oci_read_words(c->name, c->options, o->arena, argv, words, &at, &o->n, &err);

	if (rc == -ECANCELED)
		return oci_help_command(o, c);
	if (rc == 0)
		rc = count_words(c, o->n, &err);
	if (rc == 0 && !c->no_root)
		rc = find_root(o, &err);
	if (rc < 0)
		return oci_failed(o, &err);

	o->argv = argv + at;
	return c->main(o, words);
}

static const char *command_name(const void *list, size_t i)
{
	(void)list;
	return i < oci_n_commands ? oci_commands[i].name : NULL;
}

static int no_command(const struct oci *o, const char *word)
{
	struct nook_error err = { 0 };
	const char *near = nook_nearest(word, command_name, NULL);

	if (near)
		nook_hint(&err, "did you mean %s?", near);
	nook_hint(&err, "nook-oci --help lists the commands");
	(void)nook_refuse(&err, EINVAL, "there is no command '%s'", word);
	return oci_failed(o, &err);
}

/* From the words before the command on. */
static int go(struct oci *o, char **argv)
{
	struct nook_error err = { 0 };
	size_t at, n;
	int rc = oci_read_words("", &oci_global_table, o->arena, argv, &o->globals, &at, &n, &err);

	if (rc == -ECANCELED)
		return oci_help_commands(o);
	if (rc == 0)
		rc = check_words(o, &err);
	if (rc < 0)
		return oci_failed(o, &err);
	if (o->globals.version)
		return oci_version(o);
	if (n == 0)
		return oci_help_commands(o);

	const struct oci_command *c = oci_command_find(argv[at]);

	return c ? call_command(o, c, argv + at + 1) : no_command(o, argv[at]);
}

int main(int argc, char **argv, char **env)
{
	struct nook_arena arena = { 0 }; /* its end is ours: to unmap it takes longer */
	struct oci o = { .program = program_name(argv[0]), .arena = &arena };
	struct nook_error err = { 0 };

	if (nook_safe_start("nook-oci", OCI_FAILURE, argc, argv, env, &err) < 0)
		return oci_failed(&o, &err);
	/* A hook, or an engine, that doesn't read is no error. */
	(void)signal(SIGPIPE, SIG_IGN); /* fails for a wrong number only */

	int rc = nook_arena_open(&arena, &err);

	if (rc < 0)
		return oci_failed(&o, &err);

	if (argc == 0)
		return oci_help_commands(&o);

	/* A sealed self is executed with the words as they were, and reading them moves them. */
	char **words = nook_alloc_array(&arena, (size_t)argc + 1, sizeof(*words));

	memcpy(words, argv, (size_t)argc * sizeof(*words));
	return go(&o, words + 1);
}
