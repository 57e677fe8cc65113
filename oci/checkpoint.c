/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint_words.h"
#include "oci.h"
#include "run/oci.h"

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

void oci_criu_words(const struct oci *o, const struct oci_checkpoint_words *w,
		    struct nook_oci_criu *ret)
{
	*ret = (struct nook_oci_criu){
		.program = o->globals.criu && o->globals.criu[0] ? o->globals.criu : NULL,
		.image_path = w->image_path,
		.work_path = w->work_path,
		.parent_path = w->parent_path,
		.page_server = w->page_server,
		.cgroups_mode = w->cgroups_mode,
		.status_fd = w->status_fd,
		.empty_ns = w->empty_ns.items,
		.leave_running = w->leave_running,
		.pre_dump = w->pre_dump,
		.tcp_established = w->tcp_established,
		.tcp_skip_in_flight = w->tcp_skip_in_flight,
		.link_remap = w->link_remap,
		.ext_unix_sk = w->ext_unix_sk,
		.shell_job = w->shell_job,
		.lazy_pages = w->lazy_pages,
		.file_locks = w->file_locks,
		.auto_dedup = w->auto_dedup,
	};
}

int oci_checkpoint(struct oci *o, const void *words)
{
	struct nook_error err = { 0 };
	struct nook_oci_criu criu;

	oci_criu_words(o, words, &criu);
	return nook_oci_checkpoint(o->root, o->argv[0], &criu, &err) < 0 ? oci_failed(o, &err) : 0;
}
