/* SPDX-License-Identifier: Apache-2.0 */
#include "ns_names.h"

#include "nook/container.h"
#include "ns/kinds.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

int nook_cli_kinds(struct nook_arena *a, const char *text, uint32_t *ret, struct nook_error *err)
{
	for (const char *at = text;; at++) {
		size_t len = strcspn(at, ",");
		int kind = nook_ns_kind(nook_strndup(a, at, len));

		if (kind < 0) {
			nook_hint(err,
				  "The kinds are user, mnt, cgroup, ipc, uts, net, pid and time.");
			return nook_refuse(err, EINVAL, "'%.*s' is no kind of namespace", (int)len,
					   at);
		}
		*ret |= NOOK_NS_BIT(kind);
		at += len;
		if (!*at)
			return 0;
	}
}

int nook_cli_set_kinds(const struct nook_option_use *use)
{
	uint32_t *kinds = (uint32_t *)((char *)use->into + use->option->at);

	return nook_cli_kinds(use->arena, use->value, kinds, use->err);
}

void nook_cli_put_kinds(struct nook_json_writer *w, const char *key, uint32_t kinds)
{
	nook_json_array(w, key);
	for (int k = 0; k < NOOK_NS_COUNT; k++) {
		if (kinds & NOOK_NS_BIT(k))
			nook_json_put_text(w, NULL, nook_ns_kinds[k].name);
	}
	nook_json_end(w);
}

int nook_cli_end_json(struct nook_json_writer *w)
{
	struct nook_error err = { 0 };
	int rc = nook_json_finish(w, NULL, NULL);

	if (rc == 0)
		return 0;
	(void)nook_fail(&err, -rc, "write to stdout");
	return nook_cli_refused(&err);
}

static const char *how_word(enum nook_ns_hold how)
{
	return how == NOOK_NS_HOLD_MOUNT ? "mount" : how == NOOK_NS_HOLD_PROCESS ? "process" : "fd";
}

void nook_cli_kept_names(struct nook_arena *a, struct nook_ns_name **ret, size_t *ret_n)
{
	const char *state_dir;

	*ret_n = 0;
	if (nook_state_dir(&state_dir, NULL) == 0)
		(void)nook_ns_names(state_dir, a, ret, ret_n, NULL); /* none then */
}

/* The namespace among those of a name. */
static const struct nook_ns_held *find_held(const struct nook_ns_name *name, enum nook_ns_kind kind,
					    uint64_t ino)
{
	for (size_t i = 0; !name->foreign && i < name->n_held; i++) {
		if (name->held[i].there && name->held[i].kind == kind && name->held[i].ino == ino)
			return &name->held[i];
	}
	return NULL;
}

void nook_cli_show_kept(struct nook_arena *a, enum nook_ns_kind kind, uint64_t ino)
{
	struct nook_ns_name *names = NULL;
	size_t n = 0;

	nook_cli_kept_names(a, &names, &n);
	for (size_t i = 0; i < n; i++) {
		const struct nook_ns_held *h = find_held(&names[i], kind, ino);

		if (!h)
			continue;
		printf("  kept     as %s, by %s\n", names[i].name, h->path);
		if (h->note)
			printf("           %s\n", h->note);
	}
}

void nook_cli_put_kept(struct nook_json_writer *w, struct nook_arena *a, enum nook_ns_kind kind,
		       uint64_t ino)
{
	struct nook_ns_name *names = NULL;
	size_t n = 0;

	nook_cli_kept_names(a, &names, &n);
	nook_json_array(w, "kept");
	for (size_t i = 0; i < n; i++) {
		const struct nook_ns_held *h = find_held(&names[i], kind, ino);

		if (!h)
			continue;
		nook_json_object(w, NULL);
		nook_json_put_text(w, "name", names[i].name);
		nook_json_put_text(w, "held_by", how_word(h->how));
		nook_json_put_text(w, "path", h->path);
		nook_json_put_text(w, "note", h->note);
		nook_json_end(w);
	}
	nook_json_end(w);
}

static int show_json(const struct nook_ns_name *name)
{
	struct nook_json_writer w;

	nook_json_to_file(&w, stdout, true);
	nook_json_object(&w, NULL);
	nook_json_put_u64(&w, "version", 1);
	nook_json_put_text(&w, "name", name->name);
	nook_json_put_i64(&w, "created", name->created);
	if (name->holder > 0)
		nook_json_put_i64(&w, "holder", name->holder);
	else
		nook_json_put_null(&w, "holder");
	nook_json_put_bool(&w, "netns", name->in_netns);
	nook_cli_put_kinds(&w, "implied", name->implied);
	nook_json_array(&w, "namespaces");
	for (size_t i = 0; i < name->n_held; i++) {
		const struct nook_ns_held *h = &name->held[i];

		nook_json_object(&w, NULL);
		nook_json_put_text(&w, "kind", nook_ns_kinds[h->kind].name);
		nook_json_put_u64(&w, "inode", h->ino);
		nook_json_put_text(&w, "held_by", how_word(h->how));
		nook_json_put_text(&w, "path", h->path);
		nook_json_put_text(&w, "note", h->note);
		nook_json_end(&w);
	}
	nook_json_end(&w);
	nook_json_end(&w);
	return nook_cli_end_json(&w);
}

int nook_cli_show_name(const struct nook_ns_name *name, bool json)
{
	if (json)
		return show_json(name);
	for (size_t i = 0; i < name->n_held; i++) {
		const struct nook_ns_held *h = &name->held[i];

		printf("%-6s  %-10" PRIu64 "  %-7s  %s\n", nook_ns_kinds[h->kind].name, h->ino,
		       how_word(h->how), h->path);
	}
	return nook_cli_end(0);
}
