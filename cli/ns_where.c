/* SPDX-License-Identifier: Apache-2.0 */
/* `nook ns where` */
#include "options.h"

#include "base/json.h"
#include "base/own.h"
#include "nook/container.h"
#include "nook/ns_where.h"
#include "table.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

struct where_words {
	bool json, quiet;
	const char *at;
	const char *state_dir, *what;
};

static int set_at(const struct nook_option_use *use)
{
	((struct where_words *)use->into)->at = use->value;
	return 0;
}

static const struct nook_option rows[] = {
	{ .name = "at",
	  .value = "NAME|PID|PATH",
	  .set = set_at,
	  .help = "only as it is there: in a container, in the namespaces of a process, in the pid "
		  "namespace of this file",
	  .more = "For a path of the host: where the container, or the process, sees it." },
	{ .name = "quiet",
	  .letter = 'q',
	  .set = nook_option_flag,
	  .at = offsetof(struct where_words, quiet),
	  .help = "print the number or the path only",
	  .more = "Without --at the pid as the host sees it." },
	{ .name = "json",
	  .set = nook_option_flag,
	  .at = offsetof(struct where_words, json),
	  .help = "print it as JSON" },
	NOOK_OPTION_HELP_ROW,
};

const struct nook_option_table nook_ns_where_table = { .command = "nook ns where",
						       .rows = rows,
						       .n = ARRAY_SIZE(rows) };

/* ---- a process ---- */

static const char *inode_text(struct nook_arena *a, uint64_t inode)
{
	return inode ? nook_printf(a, "%" PRIu64, inode) : "?";
}

static const char *number_text(struct nook_arena *a, int number)
{
	return number > 0 ? nook_printf(a, "%d", number) : "-";
}

/* Whose namespace a level is. */
static const char *level_text(const struct nook_ns_where *w, size_t i, size_t n, bool at)
{
	if (at)
		return "";
	if (i == 0)
		return n == 1 ? "yours, and the process'" : "yours";
	(void)w;
	return i + 1 == n ? "the process'" : "";
}

static void print_pids(struct nook_arena *a, const struct nook_ns_where *w, bool at)
{
	enum { NS, PID, TGID, PGID, SID, WHOSE, COLUMNS };
	const char *(*cells)[COLUMNS] = nook_alloc_array(a, w->n_pids + 1, sizeof(*cells));
	static const char *const heads[COLUMNS] = { "PID NAMESPACE", "PID", "TGID",
						    "PGID",          "SID", "" };
	bool outside = false;

	memcpy(cells[0], heads, sizeof(heads));
	for (size_t i = 0; i < w->n_pids; i++) {
		const struct nook_ns_where_pid *p = &w->pids[i];
		const char **row = cells[i + 1];

		row[NS] = inode_text(a, p->inode);
		row[PID] = number_text(a, p->pid);
		row[TGID] = number_text(a, p->tgid);
		row[PGID] = number_text(a, p->pgid);
		row[SID] = number_text(a, p->sid);
		row[WHOSE] = level_text(w, i, w->n_pids, at);
		outside |= p->pgid <= 0 || p->sid <= 0;
	}
	nook_cli_table(cells[0], w->n_pids + 1, COLUMNS);
	if (outside)
		puts("-: the leader of its process group or session is outside of this namespace.");
}

static const char *id_text(struct nook_arena *a, const struct nook_ns_where_id *id)
{
	return id->mapped ? nook_printf(a, "%" PRIu32, id->id) : "-";
}

/* The effective one, and the others where they differ: "0 (real 1000)". */
static const char *ids_text(struct nook_arena *a, const struct nook_ns_where_id ids[4])
{
	static const char *const names[4] = { "real", NULL, "saved", "fs" };
	const char *effective = id_text(a, &ids[1]), *others = "";

	for (size_t i = 0; i < 4; i++) {
		const char *text = id_text(a, &ids[i]);

		if (names[i] && strcmp(text, effective) != 0)
			others = nook_printf(a, "%s%s%s %s", others, *others ? ", " : " (",
					     names[i], text);
	}
	return nook_printf(a, "%s%s%s", effective, others, *others ? ")" : "");
}

static void print_users(struct nook_arena *a, const struct nook_ns_where *w)
{
	enum { NS, USER, GROUP, WHOSE, COLUMNS };
	const char *(*cells)[COLUMNS] = nook_alloc_array(a, w->n_users + 1, sizeof(*cells));
	static const char *const heads[COLUMNS] = { "USER NAMESPACE", "UID", "GID", "" };
	bool unmapped = false, unknown = false;

	memcpy(cells[0], heads, sizeof(heads));
	for (size_t i = 0; i < w->n_users; i++) {
		const struct nook_ns_where_user *u = &w->users[i];
		const char **row = cells[i + 1];

		row[NS] = inode_text(a, u->inode);
		row[USER] = u->known ? ids_text(a, u->uid) : "?";
		row[GROUP] = u->known ? ids_text(a, u->gid) : "?";
		row[WHOSE] = w->users_hidden ? "yours" : level_text(w, i, w->n_users, false);
		unknown |= !u->known;
		for (size_t k = 0; k < 4; k++)
			unmapped |= u->known && (!u->uid[k].mapped || !u->gid[k].mapped);
	}
	nook_cli_table(cells[0], w->n_users + 1, COLUMNS);
	if (unmapped)
		puts("-: this namespace has no such id; programs in it read 65534.");
	if (unknown)
		puts("?: you may not enter this namespace, so its maps can't be read.");
	if (w->users_hidden)
		puts("Its own user namespace may not be looked at: ask as root.");
}

static void json_ids(struct nook_json_writer *w, const char *key,
		     const struct nook_ns_where_id ids[4])
{
	static const char *const names[4] = { "real", "effective", "saved", "fs" };

	nook_json_object(w, key);
	for (size_t i = 0; i < 4; i++) {
		if (ids[i].mapped)
			nook_json_put_u64(w, names[i], ids[i].id);
		else
			nook_json_put_null(w, names[i]);
	}
	nook_json_end(w);
}

static void json_number(struct nook_json_writer *w, const char *key, uint64_t number)
{
	if (number)
		nook_json_put_u64(w, key, number);
	else
		nook_json_put_null(w, key);
}

/* docs/ns-json.md */
static int process_json(const struct nook_ns_where *where)
{
	struct nook_json_writer w;

	nook_json_to_file(&w, stdout, true);
	nook_json_object(&w, NULL);
	nook_json_put_u64(&w, "version", 1);
	nook_json_put_text(&w, "name", where->name);
	nook_json_array(&w, "pids");
	for (size_t i = 0; i < where->n_pids; i++) {
		const struct nook_ns_where_pid *p = &where->pids[i];

		nook_json_object(&w, NULL);
		json_number(&w, "namespace", p->inode);
		json_number(&w, "pid", (uint64_t)p->pid);
		json_number(&w, "tgid", (uint64_t)p->tgid);
		json_number(&w, "pgid", (uint64_t)p->pgid);
		json_number(&w, "sid", (uint64_t)p->sid);
		nook_json_end(&w);
	}
	nook_json_end(&w);
	nook_json_array(&w, "users");
	for (size_t i = 0; i < where->n_users; i++) {
		const struct nook_ns_where_user *u = &where->users[i];

		nook_json_object(&w, NULL);
		json_number(&w, "namespace", u->inode);
		if (u->known) {
			json_ids(&w, "uid", u->uid);
			json_ids(&w, "gid", u->gid);
		} else {
			nook_json_put_null(&w, "uid");
			nook_json_put_null(&w, "gid");
		}
		nook_json_end(&w);
	}
	nook_json_end(&w);
	nook_json_put_bool(&w, "users_hidden", where->users_hidden);
	nook_json_end(&w);
	(void)nook_json_finish(&w, NULL, NULL); /* nook_cli_end() tells */
	return nook_cli_end(0);
}

static int where_process(struct nook_arena *a, const struct where_words *words)
{
	struct nook_error err = { 0 };
	struct nook_ns_where *w = nook_alloc(a, sizeof(*w));
	int rc = words->at ? nook_ns_where_at(words->state_dir, words->what, words->at, w, &err)
			   : nook_ns_where(words->state_dir, words->what, w, &err);

	if (rc < 0)
		return nook_cli_failed(&err, NULL, NOOK_EXIT_FAILURE);
	if (words->json)
		return process_json(w);
	if (words->quiet) {
		printf("%d\n", w->pids[0].pid);
		return nook_cli_end(0);
	}
	printf("%s: %s\n\n", nook_cli_safe(a, words->what), nook_cli_safe(a, w->name));
	print_pids(a, w, words->at != NULL);
	if (w->n_users) {
		putchar('\n');
		print_users(a, w);
	}
	return nook_cli_end(0);
}

/* ---- a path ---- */

static const char *const kind_words[] = {
	[NOOK_NS_WHERE_HOST] = "host",     [NOOK_NS_WHERE_UPPER] = "upper",
	[NOOK_NS_WHERE_LOWER] = "lower",   [NOOK_NS_WHERE_LAYERS] = "layers",
	[NOOK_NS_WHERE_INSIDE] = "inside",
};

static const char *const kind_sentences[] = {
	[NOOK_NS_WHERE_HOST] = "a file of the host's",
	[NOOK_NS_WHERE_UPPER] = "the writable layer of an overlay mount",
	[NOOK_NS_WHERE_LOWER] = "a read-only layer of an overlay mount",
	[NOOK_NS_WHERE_LAYERS] = "a layer of an overlay mount",
	[NOOK_NS_WHERE_INSIDE] = "only inside",
};

static int path_json(const struct nook_ns_where_path *p)
{
	struct nook_json_writer w;

	nook_json_to_file(&w, stdout, true);
	nook_json_object(&w, NULL);
	nook_json_put_u64(&w, "version", 1);
	nook_json_put_text(&w, "kind", kind_words[p->kind]);
	nook_json_put_text(&w, "inside", p->inside);
	nook_json_put_text(&w, "host", p->host[0] ? p->host : NULL);
	nook_json_put_bool(&w, "sure", p->sure);
	nook_json_object(&w, "mount");
	nook_json_put_text(&w, "point", p->point);
	nook_json_put_text(&w, "fstype", p->fstype);
	nook_json_put_u64(&w, "major", p->major);
	nook_json_put_u64(&w, "minor", p->minor);
	nook_json_end(&w);
	nook_json_put_text(&w, "note", p->note[0] ? p->note : NULL);
	nook_json_end(&w);
	(void)nook_json_finish(&w, NULL, NULL); /* nook_cli_end() tells */
	return nook_cli_end(0);
}

/* With @quiet the other side's path only. Return: the exit status. */
static int print_path(struct nook_arena *a, const struct nook_ns_where_path *p,
		      const struct where_words *words)
{
	const char *other = words->at ? p->inside : p->host;
	struct nook_error err = { 0 };

	if (words->quiet && !*other) {
		(void)nook_refuse(&err, ENOENT, "the host has no path to %s: %s", p->inside,
				  p->note);
		return nook_cli_refused(&err);
	}
	if (words->quiet) {
		puts(nook_cli_safe(a, other));
		return nook_cli_end(0);
	}
	printf("inside  %s\n", nook_cli_safe(a, p->inside));
	printf("host    %s\n", *p->host ? nook_cli_safe(a, p->host) : "-");
	printf("what    %s%s\n", kind_sentences[p->kind], p->sure ? ", the same file" : "");
	printf("mount   %s, %s, device %u:%u\n", nook_cli_safe(a, p->point),
	       nook_cli_safe(a, p->fstype), p->major, p->minor);
	if (*p->note)
		printf("note    %s\n", nook_cli_safe(a, p->note));
	return nook_cli_end(0);
}

static int where_path(struct nook_arena *a, const struct where_words *words, const char *target,
		      const char *path)
{
	struct nook_error err = { 0 };
	struct nook_ns_where_path *p = nook_alloc(a, sizeof(*p));
	int rc = words->at ? nook_ns_where_host(words->state_dir, target, path, p, &err)
			   : nook_ns_where_path(words->state_dir, target, path, p, &err);

	if (rc < 0)
		return nook_cli_failed(&err, NULL, NOOK_EXIT_FAILURE);
	return words->json ? path_json(p) : print_path(a, p, words);
}

/* ---- which of them ---- */

static int refuse_words(const struct nook_option_words *read, struct nook_error *err)
{
	if (read->n_words == 1)
		return 0;
	nook_hint(err, "nook ns where --help shows how it is used.");
	if (read->n_words == 0)
		return nook_refuse(err, EINVAL,
				   "nook ns where needs a process or a path: PID, NAME:PID, "
				   "NAME:/PATH");
	return nook_refuse(err, EINVAL,
			   "nook ns where takes one process or path, and not also '%s'",
			   read->words[1]);
}

static int dispatch(struct nook_arena *a, struct where_words *words)
{
	const char *what = words->what;
	const char *slash = strstr(what, ":/");
	struct nook_error err = { 0 };

	if (what[0] == '/' && words->at)
		return where_path(a, words, words->at, what);
	if (what[0] == '/') {
		nook_hint(&err, "Say where: nook ns where %s --at NAME, or nook ns where NAME:%s.",
			  what, what);
		(void)nook_refuse(&err, EINVAL, "%s alone is a path of the host's", what);
		return nook_cli_refused(&err);
	}
	if (slash && words->at) {
		nook_hint(&err,
			  "First ask for the host's path, then for that path --at the other.");
		(void)nook_refuse(&err, EINVAL,
				  "%s has its place already: --at is for a path of "
				  "the host's",
				  what);
		return nook_cli_refused(&err);
	}
	if (slash)
		return where_path(a, words, nook_strndup(a, what, (size_t)(slash - what)),
				  slash + 1);
	return where_process(a, words);
}

int nook_cmd_ns_where(int argc, char **argv)
{
	auto_arena struct nook_arena a = { 0 };
	struct where_words words = { .json = false };
	struct nook_option_words read;
	struct nook_error err = { 0 };
	int status = nook_cli_read(&a, &nook_ns_where_table, argv, &words, &read);

	(void)argc;
	if (status >= 0)
		return status;
	if (refuse_words(&read, &err) < 0)
		return nook_cli_refused(&err);
	if (nook_state_dir(&words.state_dir, &err) < 0)
		return nook_cli_failed(&err, NULL, NOOK_EXIT_FAILURE);
	words.what = read.words[0];
	return dispatch(&a, &words);
}
