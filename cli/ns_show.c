/* SPDX-License-Identifier: Apache-2.0 */
/* `nook ns show` */
#include "ns_show.h"

#include "base/own.h"
#include "base/text.h"
#include "nook/container.h"
#include "ns/kinds.h"
#include "ns_names.h"
#include "options.h"
#include "state/state.h"
#include "table.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

struct show_words {
	bool json, verbose;
};

static const struct nook_option rows[] = {
	{ .name = "json",
	  .set = nook_option_flag,
	  .at = offsetof(struct show_words, json),
	  .help = "print it as JSON" },
	{ .name = "verbose",
	  .letter = 'v',
	  .set = nook_option_flag,
	  .at = offsetof(struct show_words, verbose),
	  .help = "list the mounts, too" },
	NOOK_OPTION_HELP_ROW,
};

const struct nook_option_table nook_ns_show_table = { .command = "nook ns show",
						      .rows = rows,
						      .n = ARRAY_SIZE(rows) };

/* ---- what is meant ---- */

/* Namespaces that a word means. */
struct meant {
	const struct nook_ns *all[NOOK_NS_COUNT];
	size_t n;
	const struct nook_ns_process
		*process; /* whose they are; NULL: they were meant themselves */
};

static void add(struct meant *m, const struct nook_ns *ns)
{
	if (ns && m->n < NOOK_NS_COUNT)
		m->all[m->n++] = ns;
}

static int add_process(const struct nook_ns_graph *g, int pid, const char *word, struct meant *ret,
		       struct nook_error *err)
{
	ret->process = nook_ns_graph_process(g, pid);
	if (!ret->process) {
		if (g->unseen.processes)
			nook_hint(err, "It may be another user's: root sees all.");
		return nook_refuse(err, ESRCH, "no process %s can be seen", word);
	}
	for (int k = 0; k < NOOK_NS_COUNT; k++)
		add(ret, ret->process->in[k]);
	return 0;
}

static int add_path(const struct nook_ns_graph *g, const char *path, struct meant *ret,
		    struct nook_error *err)
{
	const struct nook_ns *ns;
	int rc = nook_ns_graph_at(g, path, &ns, err);

	if (rc == 0)
		add(ret, ns);
	return rc;
}

/* "net:[4026531840]" or "net:4026531840" */
static int add_inode(const struct nook_ns_graph *g, const char *word, int kind, const char *digits,
		     struct meant *ret, struct nook_error *err)
{
	char number[24];
	size_t len = strlen(digits);
	uint64_t inode;

	if (len > 2 && digits[0] == '[' && digits[len - 1] == ']') {
		digits++;
		len -= 2;
	}
	snprintf(number, sizeof(number), "%.*s", (int)len, digits);
	if (len >= sizeof(number) || nook_parse_u64(number, UINT32_MAX, &inode) < 0)
		return nook_refuse(err, EINVAL, "'%s' is not written as net:[4026531840]", word);
	add(ret, nook_ns_graph_find(g, kind, inode));
	return ret->n ? 0 : nook_refuse(err, ENOENT, "there is no namespace %s", word);
}

static int add_container(const struct nook_ns_graph *g, const char *word, struct nook_arena *a,
			 struct meant *ret, struct nook_error *err)
{
	struct nook_state_entry *entries;
	const char *dir;
	size_t n;

	if (nook_state_dir(&dir, NULL) == 0 && nook_state_list(dir, a, &entries, &n, NULL) == 0) {
		for (size_t i = 0; i < n; i++) {
			if (strcmp(entries[i].record.name, word) == 0 && !entries[i].error.errnum &&
			    entries[i].life == NOOK_LIFE_RUNNING)
				return add_process(g, entries[i].record.pid, word, ret, err);
		}
	}
	nook_hint(err, "nook ns ls lists the namespaces and their names, nook ps the containers.");
	return nook_refuse(err, ENOENT, "no namespace and no running container has the name '%s'",
			   word);
}

static int find(const struct nook_ns_graph *g, const char *word, struct nook_arena *a,
		struct meant *ret, struct nook_error *err)
{
	const char *colon = strchr(word, ':');
	uint64_t pid;

	if (strchr(word, '/'))
		return add_path(g, word, ret, err);
	if (nook_parse_u64(word, INT_MAX, &pid) == 0)
		return add_process(g, (int)pid, word, ret, err);
	if (colon) {
		int kind = nook_ns_kind(nook_strndup(a, word, (size_t)(colon - word)));

		if (kind >= 0)
			return add_inode(g, word, kind, colon + 1, ret, err);
	}
	for (int k = 0; k < NOOK_NS_COUNT; k++)
		add(ret, nook_ns_graph_named(g, word, k));
	return ret->n ? 0 : add_container(g, word, a, ret, err);
}

/* ---- one namespace ---- */

static void print_head(const struct nook_show *s, const struct nook_ns *ns)
{
	const char *names = nook_cli_ns_names(s->a, ns);

	printf("%s\n", nook_cli_ns_ref(s->a, ns));
	if (names[0])
		printf("  names    %s\n", names);
	nook_cli_show_kept(s->a, ns->kind, ns->inode);
	if (ns->id)
		printf("  id       %" PRIu64 "\n", ns->id);
	printf("  held by  %s\n", nook_cli_ns_held(s->a, ns, true));
	if (ns->first)
		printf("  first    %s\n", nook_cli_ns_first(s->a, s->g, ns));
	for (const struct nook_ns_holder *h = ns->holders; h; h = h->next)
		printf("           %s%s%s\n", nook_cli_ns_holder(s->a, h),
		       h->mount_ns ? " in " : "",
		       h->mount_ns ? nook_cli_ns_ref(s->a, h->mount_ns) : "");
	if (ns->parent && ns->kind == NOOK_NS_PID)
		printf("  parent   %s\n", nook_cli_ns_ref(s->a, ns->parent));
	if (ns->kind == NOOK_NS_USER && ns->asked)
		printf("  made by  uid %u\n", ns->creator);
	if (ns->owner)
		puts("  owners");
	for (const struct nook_ns *o = ns->owner; o; o = o->owner)
		printf("    %s made by uid %u\n", nook_cli_ns_ref(s->a, o), o->creator);
	if (ns->owner_hidden)
		puts("  its owner is outside of this user namespace");
}

static void put_owners(const struct nook_show *s, const struct nook_ns *ns)
{
	nook_json_array(s->w, "owners");
	for (const struct nook_ns *o = ns->owner; o; o = o->owner) {
		nook_json_object(s->w, NULL);
		nook_json_put_u64(s->w, "inode", o->inode);
		nook_json_put_u64(s->w, "creator", o->creator);
		nook_json_end(s->w);
	}
	nook_json_end(s->w);
}

static void show(const struct nook_show *s, const struct nook_ns *ns)
{
	if (!s->w) {
		print_head(s, ns);
		nook_show_inside(s, ns);
		return;
	}
	nook_json_object(s->w, NULL);
	nook_cli_ns_json(s->w, "namespace", s->g, ns);
	put_owners(s, ns);
	nook_cli_put_kept(s->w, s->a, ns->kind, ns->inode);
	nook_show_inside(s, ns);
	nook_json_end(s->w);
}

static int show_all(struct nook_show *s, const struct meant *m, bool json)
{
	struct nook_json_writer w;

	if (json) {
		s->w = &w;
		nook_json_to_file(&w, stdout, true);
		nook_json_object(&w, NULL);
		nook_json_put_u64(&w, "version", 1);
		if (m->process)
			nook_json_put_i64(&w, "pid", m->process->pid);
		else
			nook_json_put_null(&w, "pid");
		nook_json_array(&w, "namespaces");
	} else if (m->process) {
		printf("process %d (%s)\n\n", m->process->pid,
		       nook_cli_safe(s->a, nook_ns_command(s->g, m->process)));
	}
	for (size_t i = 0; i < m->n; i++) {
		if (!json && i > 0)
			putchar('\n');
		show(s, m->all[i]);
	}
	if (!json)
		return nook_cli_end(0);
	nook_json_end(&w);
	nook_cli_ns_json_unseen(&w, s->g);
	return nook_cli_ns_json_end(&w);
}

int nook_cmd_ns_show(int argc, char **argv)
{
	auto_arena struct nook_arena a = { 0 };
	struct show_words words = { 0 };
	struct nook_option_words read;
	struct nook_show s = { .a = &a };
	struct meant meant = { .n = 0 };
	struct nook_error err = { 0 };
	int status = nook_cli_read(&a, &nook_ns_show_table, argv, &words, &read);

	(void)argc;
	if (status < 0 && read.n_words != 1) {
		nook_hint(&err, "nook ns ls lists the namespaces.");
		(void)nook_refuse(&err, EINVAL,
				  "nook ns show takes one NAME, PID, PATH or KIND:[INODE]");
		return nook_cli_refused(&err);
	}
	if (status < 0)
		status = nook_cli_ns_graph(&a, 0, &s.g);
	if (status >= 0)
		return status;

	s.verbose = words.verbose;
	if (find(s.g, read.words[0], &a, &meant, &err) < 0)
		status = nook_cli_refused(&err);
	else
		status = show_all(&s, &meant, words.json);
	if (status == 0 && !words.json)
		nook_cli_ns_unseen(s.g);
	nook_ns_graph_free(s.g);
	return status;
}
