/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint_words.h"
#include "creating.h"

#include "base/own.h"

#define AT(member) offsetof(struct oci_restore_words, member)

static const struct oci_option rows[] = {
	OCI_CRIU_ROWS(AT(criu)),
	{ "bundle", 'b', OCI_TEXT, AT(bundle), "DIR",
	  "the bundle; default: the working directory" },
	{ "console-socket", 0, OCI_TEXT, AT(console_socket), "SOCKET",
	  "a unix socket that gets the master of the container's terminal" },
	{ "detach", 'd', OCI_FLAG, AT(detach), NULL, "don't wait for the program" },
	{ "keep", 0, OCI_FLAG, AT(keep), NULL, "don't remove the container at its end" },
	{ "pid-file", 0, OCI_TEXT, AT(pid_file), "FILE",
	  "write the pid of the container's first process there" },
	{ "no-subreaper", 0, OCI_FLAG, AT(no_subreaper), NULL, NULL },
	{ "no-pivot", 0, OCI_FLAG, AT(no_pivot), NULL,
	  "use chroot(2) in place of pivot_root(2): where the root is an initramfs" },
	{ "lsm-profile", 0, OCI_TEXT, AT(lsm_profile), "TYPE:NAME",
	  "another AppArmor profile or SELinux label" },
	{ "lsm-mount-context", 0, OCI_TEXT, AT(lsm_mount_context), "CONTEXT",
	  "another SELinux context of its mounts" },
	{ "tcp-close", 0, OCI_FLAG, AT(tcp_close), NULL, "close its TCP connections" },
	OCI_HELP_ROW,
};

const struct oci_table oci_restore_table = { .rows = rows, .n = ARRAY_SIZE(rows) };

int oci_restore(struct oci *o, const void *words)
{
	const struct oci_restore_words *w = words;
	const struct oci_creating creating = {
		.bundle = w->bundle,
		.console_socket = w->console_socket,
		.pid_file = w->pid_file,
		.detach = w->detach,
		.keep = w->keep,
		.no_pivot = w->no_pivot,
	};
	struct nook_error err = { 0 };
	struct nook_oci_create c;
	struct nook_oci_criu criu;
	int status = OCI_FAILURE;

	oci_creating(o, &creating, &c);
	/* Nobody proxies what a program says that has said it before. */
	c.options.notify_socket = NULL;
	oci_criu_words(o, &w->criu, &criu);
	criu.lsm_profile = w->lsm_profile;
	criu.lsm_mount_context = w->lsm_mount_context;
	criu.tcp_close = w->tcp_close;
	c.restore = &criu;
	return nook_oci_run(&c, &status, &err) < 0 ? oci_failed(o, &err) : status;
}
