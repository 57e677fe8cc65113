/* SPDX-License-Identifier: Apache-2.0 */
#include "ns_graph.h"

#include "nook/container.h"
#include "nook/ns_names.h"
#include "ns/kinds.h"
#include "options.h"
#include "table.h"

#include <inttypes.h>
#include <unistd.h>

/* Names that nook keeps, for namespaces that are there. Without them the graph is as true, so a
 * failure is only said. */
static void add_names(struct nook_arena *a, struct nook_ns_graph *g)
{
	struct nook_error err = { 0 };
	struct nook_ns_name *names = NULL;
	const char *dir;
	size_t n = 0;

	if (nook_state_dir(&dir, &err) < 0 || nook_ns_names(dir, a, &names, &n, &err) < 0)
		(void)nook_cli_refused(&err);
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < names[i].n_held; k++) {
			const struct nook_ns_held *h = &names[i].held[k];

			/* One that was released a moment ago isn't in the graph. */
			if (h->there)
				(void)nook_ns_graph_name(g, h->ino, h->kind, names[i].name);
		}
	}
}

int nook_cli_ns_graph(struct nook_arena *a, unsigned flags, struct nook_ns_graph **ret)
{
	struct nook_error err = { 0 };

	if (nook_ns_discover(flags, ret, &err) < 0)
		return nook_cli_failed(&err, NULL, NOOK_EXIT_FAILURE);
	add_names(a, *ret);
	return -1;
}

static void say(size_t n, const char *one, const char *many)
{
	if (n > 0)
		fprintf(stderr, "nook: %zu %s\n", n, n == 1 ? one : many);
}

void nook_cli_ns_unseen(const struct nook_ns_graph *g)
{
	const struct nook_ns_unseen *u = &g->unseen;

	say(u->processes, "process could not be looked into: what only it holds is not shown",
	    "processes could not be looked into: what only they hold is not shown");
	say(u->fds, "process did not let its descriptors be listed",
	    "processes did not let their descriptors be listed");
	say(u->mounts, "mount namespace did not let its mounts be listed",
	    "mount namespaces did not let their mounts be listed");
	say(u->sockets, "socket could not be asked for its net namespace",
	    "sockets could not be asked for their net namespaces");
	say(u->parents, "namespace has an owner or parent outside of this user namespace",
	    "namespaces have an owner or parent outside of this user namespace");
	if (u->hidden)
		fputs("nook: /proc hides processes of other users (hidepid)\n", stderr);
	if (u->skipped)
		fprintf(stderr, "nook: %s\n", u->skipped);
	if (u->processes && geteuid() != 0)
		fputs("  try:   As root, nook sees all of this machine\n", stderr);
}

const char *nook_cli_ns_holder(struct nook_arena *a, const struct nook_ns_holder *h)
{
	const char *how = nook_ns_how_word(h->how);

	switch (h->how) {
	case NOOK_NS_HOW_MOUNT:
		return nook_printf(a, "%s %s", how, nook_cli_safe(a, h->path));
	case NOOK_NS_HOW_FD:
	case NOOK_NS_HOW_SOCKET:
		return nook_printf(a, "%s %d/%d", how, h->tid ? h->tid : h->pid, h->fd);
	case NOOK_NS_HOW_THREAD:
		return nook_printf(a, "%s %d/%d", how, h->pid, h->tid);
	case NOOK_NS_HOW_CHILDREN:
		return nook_printf(a, "%s of %d", how, h->tid ? h->tid : h->pid);
	default:
		return how;
	}
}

/* What processes, namespaces and the kernel hold has no list of holders. */
static const char *unlisted(struct nook_arena *a, const struct nook_ns *ns, enum nook_ns_how how)
{
	size_t n = ns->held[how];

	switch (how) {
	case NOOK_NS_HOW_PROCESS:
		return nook_printf(a, n == 1 ? "%zu process" : "%zu processes", n);
	case NOOK_NS_HOW_NESTED:
		return nook_printf(a, "parent of %zu", n);
	case NOOK_NS_HOW_OWNER:
		return nook_printf(a, "owner of %zu", n);
	default:
		return "the kernel's list";
	}
}

const char *nook_cli_ns_held(struct nook_arena *a, const struct nook_ns *ns, bool all)
{
	const char *text = "";

	for (int how = 0; how < NOOK_NS_HOW_COUNT; how++) {
		const struct nook_ns_holder *h = ns->holders;
		bool below = how == NOOK_NS_HOW_NESTED || how == NOOK_NS_HOW_OWNER;

		if (!ns->held[how] ||
		    (!all && (how == NOOK_NS_HOW_PROCESS || (below && ns->first))))
			continue;
		while (h && (int)h->how != how)
			h = h->next;
		text = nook_printf(a, "%s%s%s", text, text[0] ? ", " : "",
				   h ? nook_cli_ns_holder(a, h) : unlisted(a, ns, how));
		if (h && ns->held[how] > 1)
			text = nook_printf(a, "%s +%zu", text, ns->held[how] - 1);
	}
	return text;
}

const char *nook_cli_ns_names(struct nook_arena *a, const struct nook_ns *ns)
{
	const char *text = "";

	for (const struct nook_ns_label *l = ns->names; l; l = l->next)
		text = nook_printf(a, "%s%s%s", text, text[0] ? ", " : "",
				   nook_cli_safe(a, l->name));
	return text;
}

const char *nook_cli_ns_ref(struct nook_arena *a, const struct nook_ns *ns)
{
	if (!ns)
		return "-";
	return nook_printf(a, "%s:[%" PRIu64 "]", nook_ns_kinds[ns->kind].name, ns->inode);
}

const char *nook_cli_ns_first(struct nook_arena *a, struct nook_ns_graph *g,
			      const struct nook_ns *ns)
{
	if (!ns->first)
		return "-";
	return nook_printf(a, "%d (%s)", ns->first->pid,
			   nook_cli_safe(a, nook_ns_command(g, ns->first)));
}

/* ---- JSON ---- */

void nook_cli_ns_json_ref(struct nook_json_writer *w, const char *key, const struct nook_ns *ns)
{
	if (!ns) {
		nook_json_put_null(w, key);
		return;
	}
	nook_json_object(w, key);
	nook_json_put_text(w, "kind", nook_ns_kinds[ns->kind].name);
	nook_json_put_u64(w, "inode", ns->inode);
	nook_json_end(w);
}

static void put_creator(struct nook_json_writer *w, const struct nook_ns *user)
{
	if (user && user->asked)
		nook_json_put_u64(w, "creator", user->creator);
	else
		nook_json_put_null(w, "creator");
}

void nook_cli_ns_json(struct nook_json_writer *w, const char *key, struct nook_ns_graph *g,
		      const struct nook_ns *ns)
{
	nook_json_object(w, key);
	nook_json_put_text(w, "kind", nook_ns_kinds[ns->kind].name);
	nook_json_put_u64(w, "inode", ns->inode);
	if (ns->id)
		nook_json_put_u64(w, "id", ns->id);
	else
		nook_json_put_null(w, "id");
	nook_json_put_bool(w, "own", ns == g->own[ns->kind]);
	nook_json_put_u64(w, "processes", ns->held[NOOK_NS_HOW_PROCESS]);
	if (ns->first) {
		nook_json_object(w, "first");
		nook_json_put_i64(w, "pid", ns->first->pid);
		nook_json_put_text(w, "command", nook_ns_command(g, ns->first));
		nook_json_end(w);
	} else {
		nook_json_put_null(w, "first");
	}
	nook_cli_ns_json_ref(w, "owner", ns->owner);
	nook_cli_ns_json_ref(w, "parent", ns->parent);
	put_creator(w, ns->kind == NOOK_NS_USER ? ns : ns->owner);
	nook_json_object(w, "held");
	for (int how = 0; how < NOOK_NS_HOW_COUNT; how++)
		nook_json_put_u64(w, nook_ns_how_word(how), ns->held[how]);
	nook_json_end(w);
	nook_json_array(w, "holders");
	for (const struct nook_ns_holder *h = ns->holders; h; h = h->next) {
		nook_json_object(w, NULL);
		nook_json_put_text(w, "how", nook_ns_how_word(h->how));
		if (h->pid)
			nook_json_put_i64(w, "pid", h->pid);
		if (h->tid)
			nook_json_put_i64(w, "tid", h->tid);
		if (h->fd >= 0)
			nook_json_put_i64(w, "fd", h->fd);
		if (h->path) {
			nook_json_put_text(w, "path", h->path);
			nook_cli_ns_json_ref(w, "mount_namespace", h->mount_ns);
		}
		nook_json_end(w);
	}
	nook_json_end(w);
	nook_json_array(w, "names");
	for (const struct nook_ns_label *l = ns->names; l; l = l->next)
		nook_json_put_text(w, NULL, l->name);
	nook_json_end(w);
	nook_json_end(w);
}

void nook_cli_ns_json_unseen(struct nook_json_writer *w, const struct nook_ns_graph *g)
{
	const struct nook_ns_unseen *u = &g->unseen;

	nook_json_object(w, "unseen");
	nook_json_put_u64(w, "processes", u->processes);
	nook_json_put_u64(w, "fds", u->fds);
	nook_json_put_u64(w, "mounts", u->mounts);
	nook_json_put_u64(w, "sockets", u->sockets);
	nook_json_put_u64(w, "parents", u->parents);
	nook_json_put_bool(w, "hidden", u->hidden);
	nook_json_put_text(w, "skipped", u->skipped);
	nook_json_end(w);
}

int nook_cli_ns_json_end(struct nook_json_writer *w)
{
	struct nook_error err = { 0 };
	int rc;

	nook_json_end(w);
	rc = nook_json_finish(w, NULL, NULL);
	if (rc == 0)
		return nook_cli_end(0);
	(void)nook_fail(&err, -rc, "write to stdout");
	return nook_cli_refused(&err);
}
