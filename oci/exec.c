/* SPDX-License-Identifier: Apache-2.0 */
#include "command_words.h"
#include "oci.h"

#include "base/own.h"
#include "run/oci.h"

#define AT(member) offsetof(struct oci_exec_words, member)

static const struct oci_option rows[] = {
	{ "process", 'p', OCI_TEXT, AT(process), "FILE",
	  "a process object as in config.json, in place of COMMAND and options" },
	{ "detach", 'd', OCI_FLAG, AT(detach), NULL, "don't wait for the program" },
	{ "tty", 't', OCI_FLAG, AT(terminal), NULL, "give it a terminal of its own" },
	{ "console-socket", 0, OCI_TEXT, AT(console_socket), "SOCKET",
	  "a unix socket that gets the master of its terminal" },
	{ "pid-file", 0, OCI_TEXT, AT(pid_file), "FILE", "write its pid there" },
	{ "pidfd-socket", 0, OCI_TEXT, AT(pidfd_socket), "SOCKET",
	  "a unix socket that gets a pidfd of it" },
	{ "cwd", 0, OCI_TEXT, AT(cwd), "DIR", "its working directory in the container" },
	{ "env", 'e', OCI_LIST, AT(env), "NAME=VALUE", "one more variable; may be repeated" },
	{ "user", 'u', OCI_TEXT, AT(user), "UID[:GID]", "its user" },
	{ "additional-gids", 'g', OCI_LIST, AT(groups), "GID", "one more group; may be repeated" },
	{ "cap", 'c', OCI_LIST, AT(caps), "CAP", "one more capability; may be repeated" },
	{ "no-new-privs", 0, OCI_TRISTATE, AT(no_new_privs), NULL,
	  "nothing that it executes gains privilege" },
	{ "process-label", 0, OCI_TEXT, AT(selinux), "LABEL", "its SELinux label" },
	{ "apparmor", 0, OCI_TEXT, AT(apparmor), "PROFILE", "its AppArmor profile" },
	{ "cgroup", 0, OCI_TEXT, AT(cgroup), "[CONTROLLER:]PATH",
	  "a cgroup below the container's that it runs in" },
	{ "preserve-fds", 0, OCI_NUMBER, AT(preserve_fds), "N",
	  "pass N descriptors on, behind the three standard ones" },
	{ "ignore-paused", 0, OCI_FLAG, AT(ignore_paused), NULL,
	  "in a paused container too, where it waits for resume" },
	OCI_HELP_ROW,
};

const struct oci_table oci_exec_table = { .rows = rows, .n = ARRAY_SIZE(rows), .in_order = true };

int oci_exec(struct oci *o, const void *words)
{
	const struct oci_exec_words *w = words;
	struct nook_error err = { 0 };
	int status = OCI_EXEC_FAILURE;
	const struct nook_oci_exec e = {
		.arena = o->arena,
		.state_dir = o->root,
		.id = o->argv[0],
		.process = w->process,
		.args = o->n > 1 ? (const char *const *)o->argv + 1 : NULL,
		.terminal = w->terminal,
		.cwd = w->cwd,
		.user = w->user,
		.env = w->env.items,
		.groups = w->groups.items,
		.caps = w->caps.items,
		.apparmor = w->apparmor,
		.selinux = w->selinux,
		.cgroup = w->cgroup,
		.no_new_privs = w->no_new_privs,
		.preserve_fds = w->preserve_fds,
		.detach = w->detach,
		.ignore_paused = w->ignore_paused,
		.pid_file = w->pid_file,
		.console_socket = w->console_socket,
		.pidfd_socket = w->pidfd_socket,
		.log = { oci_warn, o },
	};

	if (!e.process && !e.args) {
		(void)nook_refuse(&err, EINVAL, "the command is missing: nook-oci exec ID COMMAND");
		return oci_failed(o, &err);
	}
	return nook_oci_exec(&e, &status, &err) < 0 ? oci_failed(o, &err) : status;
}
