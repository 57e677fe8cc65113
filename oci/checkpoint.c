/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint_words.h"
#include "oci.h"

#include "base/own.h"

#define AT(member) offsetof(struct oci_checkpoint_words, member)

static const struct oci_option rows[] = {
	OCI_CRIU_ROWS(0),
	{ "parent-path", 0, OCI_TEXT, AT(parent_path), "DIR",
	  "the files of an earlier --pre-dump, relative to those of this one" },
	{ "leave-running", 0, OCI_FLAG, AT(leave_running), NULL, "let it run on" },
	{ "status-fd", 0, OCI_TEXT, AT(status_fd), "N",
	  "CRIU writes a NUL byte there when --lazy-pages is ready" },
	{ "page-server", 0, OCI_TEXT, AT(page_server), "ADDRESS:PORT",
	  "send the memory to a page server" },
	{ "pre-dump", 0, OCI_FLAG, AT(pre_dump), NULL, "save the memory only, and let it run on" },
	{ "tcp-skip-in-flight", 0, OCI_FLAG, AT(tcp_skip_in_flight), NULL,
	  "leave out connections that are being made" },
	{ "link-remap", 0, OCI_FLAG, AT(link_remap), NULL,
	  "with files that were deleted and are still open" },
	OCI_HELP_ROW,
};

const struct oci_table oci_checkpoint_table = { .rows = rows, .n = ARRAY_SIZE(rows) };

int oci_checkpoint(struct oci *o, const void *words)
{
	struct nook_error err = { 0 };

	(void)words;
	nook_hint(&err, "use a runtime that was built with CRIU");
	(void)nook_refuse(&err, EOPNOTSUPP, "this nook-oci was built without CRIU");
	return oci_failed(o, &err);
}
