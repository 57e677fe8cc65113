/* SPDX-License-Identifier: Apache-2.0 */
/* The record of a name: written aside and renamed; read as if an enemy had written it. */
#include "pins.h"

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "ns/kinds.h"
#include "state/files.h"
#include "sys/openat2.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define RECORD_VERSION 1
#define RECORD_BYTES   65536
#define FD_LAST        1048576

static const char *const how_words[] = {
	[NOOK_NS_HOLD_MOUNT] = "mount",
	[NOOK_NS_HOLD_PROCESS] = "process",
	[NOOK_NS_HOLD_FD] = "fd",
};

/* "/proc/12/fd/5": 5. */
static uint64_t fd_of(const struct nook_ns_held *h)
{
	const char *slash = strrchr(h->path, '/');
	uint64_t fd = 0;

	(void)nook_parse_u64(slash ? slash + 1 : "", FD_LAST, &fd); /* our own text */
	return fd;
}

static void put_record(struct nook_json_writer *w, const struct nook_ns_name *n)
{
	nook_json_object(w, NULL);
	nook_json_put_u64(w, "version", RECORD_VERSION);
	nook_json_put_text(w, "name", n->name);
	nook_json_put_bool(w, "finished", n->finished);
	nook_json_put_text(w, "boot_id", n->boot_id);
	nook_json_put_i64(w, "created", n->created);
	nook_json_put_i64(w, "holder", n->holder);
	nook_json_put_u64(w, "holder_start", n->holder_start);
	nook_json_put_u64(w, "implied", n->implied);
	nook_json_put_u64(w, "range", n->range);
	nook_json_put_bool(w, "netns", n->in_netns);
	nook_json_array(w, "namespaces");
	for (size_t i = 0; i < n->n_held; i++) {
		const struct nook_ns_held *h = &n->held[i];

		nook_json_object(w, NULL);
		nook_json_put_text(w, "kind", nook_ns_kinds[h->kind].name);
		nook_json_put_text(w, "how", how_words[h->how]);
		if (h->how == NOOK_NS_HOLD_FD)
			nook_json_put_u64(w, "fd", fd_of(h));
		nook_json_put_u64(w, "dev", h->dev);
		nook_json_put_u64(w, "ino", h->ino);
		if (h->note)
			nook_json_put_text(w, "note", h->note);
		nook_json_end(w);
	}
	nook_json_end(w);
	nook_json_end(w);
}

int nook_pins_write(const struct nook_pins *p, const struct nook_ns_name *record,
		    struct nook_error *err)
{
	auto_arena struct nook_arena scratch = { 0 };
	struct nook_json_writer w;
	const char *text = NULL;
	size_t len = 0;
	int rc = nook_arena_open(&scratch, err);

	if (rc < 0)
		return rc;
	nook_json_to_arena(&w, &scratch, false);
	put_record(&w, record);
	(void)nook_json_finish(&w, &text, &len); /* into an arena: never fails */

	const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK;
	auto_close int fd =
		nook_openat2(p->dirs[NOOK_PINS_NEW], p->name, (uint64_t)flags, 0600, NOOK_BENEATH);

	if (fd < 0)
		return nook_fail(err, -fd, "create ns-new/%s in the state directory", p->name);
	rc = nook_write_fd(fd, text, len);
	if (rc < 0)
		return nook_fail(err, -rc, "write ns-new/%s in the state directory", p->name);
	if (renameat(p->dirs[NOOK_PINS_NEW], p->name, p->dirs[NOOK_PINS_RECORDS], p->name) < 0)
		return nook_fail(err, errno, "rename ns-new/%s to ns/%s in the state directory",
				 p->name, p->name);
	return 0;
}

/* ---- reading ---- */

struct reader {
	const struct nook_pins *pins;
	struct nook_arena *arena;
	struct nook_ns_name *name;
	struct nook_error *err;
};

static const enum nook_json_need must = NOOK_JSON_REQUIRED, may = NOOK_JSON_OPTIONAL;

static int read_how(const struct nook_json_value *v, struct nook_ns_held *h, struct reader *r)
{
	const char *word = NULL;
	int rc = nook_json_get_text(r->arena, v, "how", must, 20, &word, r->err);

	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(how_words); i++) {
		if (strcmp(word, how_words[i]) == 0) {
			h->how = (enum nook_ns_hold)i;
			return 0;
		}
	}
	return rc < 0 ? rc : nook_json_refuse(v, r->err, "\"%s\" holds nothing", word);
}

/* Where it is opened: made from what can't lead elsewhere. */
static int make_path(const struct nook_json_value *v, struct nook_ns_held *h, struct reader *r)
{
	const char *kind = nook_ns_kinds[h->kind].name;
	uint64_t fd = 0;

	if (h->how == NOOK_NS_HOLD_MOUNT) {
		h->path = nook_printf(r->arena, "%s/ns-pins/%s.%s", r->pins->state_dir,
				      r->name->name, kind);
		return 0;
	}
	if (r->name->holder <= 0)
		return nook_json_refuse(v, r->err, "a holder is missing");
	if (h->how == NOOK_NS_HOLD_PROCESS) {
		h->path = nook_printf(r->arena, "/proc/%d/ns/%s", r->name->holder, kind);
		return 0;
	}

	int rc = nook_json_get_u64(v, "fd", must, FD_LAST, &fd, r->err);

	h->path = nook_printf(r->arena, "/proc/%d/fd/%u", r->name->holder, (unsigned)fd);
	return rc;
}

static int read_held(const struct nook_json_value *v, struct reader *r)
{
	struct nook_ns_name *n = r->name;
	struct nook_ns_held h = { 0 };
	const char *word = NULL;
	int rc = nook_json_get_text(r->arena, v, "kind", must, 20, &word, r->err);
	int kind = rc < 0 ? -1 : nook_ns_kind(word);

	if (rc == 0 && (kind < 0 || n->kinds & NOOK_NS_BIT(kind)))
		return nook_json_refuse(v, r->err, "\"%s\" is no kind, or there twice", word);
	if (rc < 0)
		return rc;

	h.kind = (enum nook_ns_kind)kind;
	rc = read_how(v, &h, r);
	if (rc == 0)
		rc = nook_json_get_u64(v, "dev", must, UINT64_MAX, &h.dev, r->err);
	if (rc == 0)
		rc = nook_json_get_u64(v, "ino", must, UINT64_MAX, &h.ino, r->err);
	if (rc == 0)
		rc = nook_json_get_text(r->arena, v, "note", may, 400, &h.note, r->err);
	if (rc == 0)
		rc = make_path(v, &h, r);
	if (rc < 0)
		return rc;

	n->kinds |= NOOK_NS_BIT(kind);
	n->held[n->n_held++] = h;
	return 0;
}

static int read_identity(const struct nook_json_value *v, struct reader *r)
{
	struct nook_ns_name *n = r->name;
	const char *name = NULL;
	uint32_t version = 0;
	int64_t holder = 0;
	int rc = nook_json_get_u32(v, "version", must, UINT32_MAX, &version, r->err);

	if (rc == 0 && version != RECORD_VERSION)
		return nook_refuse(r->err, EINVAL, "version %u; this nook knows %u", version,
				   RECORD_VERSION);
	if (rc == 0)
		rc = nook_json_get_text(r->arena, v, "name", must, 255, &name, r->err);
	if (rc == 0 && strcmp(name, n->name) != 0)
		return nook_refuse(r->err, EINVAL, "it is that of \"%.80s\"", name);
	if (rc == 0)
		rc = nook_json_get_bool(v, "finished", must, &n->finished, r->err);
	if (rc == 0)
		rc = nook_json_get_text(r->arena, v, "boot_id", must, 36, &n->boot_id, r->err);
	if (rc == 0)
		rc = nook_json_get_i64(v, "created", must, 0, INT64_MAX, &n->created, r->err);
	if (rc == 0)
		rc = nook_json_get_i64(v, "holder", must, 0, NOOK_PID_MAX, &holder, r->err);
	if (rc == 0)
		rc = nook_json_get_u64(v, "holder_start", must, UINT64_MAX, &n->holder_start,
				       r->err);
	if (rc == 0)
		rc = nook_json_get_u32(v, "implied", must, NOOK_NS_ALL, &n->implied, r->err);
	if (rc == 0)
		rc = nook_json_get_u32(v, "range", must, UINT32_MAX, &n->range, r->err);
	if (rc == 0 && n->range % NOOK_RANGE_SIZE != 0)
		return nook_refuse(r->err, EINVAL, "range %u is no multiple of %u", n->range,
				   NOOK_RANGE_SIZE);
	if (rc == 0)
		rc = nook_json_get_bool(v, "netns", must, &n->in_netns, r->err);
	n->holder = (int)holder;
	return rc;
}

static int parse(const char *text, size_t len, struct reader *r)
{
	struct nook_json *json = NULL;
	struct nook_json_value array, item;
	/* In the arena: what memory was lacking for is not to pass for a record that is spoilt. */
	int rc = nook_json_parse_in(r->arena, text, len, 4, &json, NULL, r->err);
	struct nook_json_value v = { .json = json };

	if (rc == 0)
		rc = read_identity(&v, r);
	if (rc == 0)
		rc = nook_json_member(&v, "namespaces", must, NOOK_JSON_ARRAY, &array, r->err);
	for (size_t i = 0; rc == 0 && i < nook_json_length(&array); i++) {
		rc = nook_json_element(&array, i, NOOK_JSON_OBJECT, &item, r->err);
		if (rc == 0)
			rc = read_held(&item, r); /* eight kinds, none twice: it ends */
	}
	return rc;
}

int nook_pins_read(const struct nook_pins *p, const char *name, struct nook_arena *a,
		   struct nook_ns_name *ret, struct nook_error *err)
{
	struct nook_error detail = { 0 };
	struct nook_ns_name n = { .name = nook_strdup(a, name) };
	struct reader r = { .pins = p, .arena = a, .name = &n, .err = &detail };
	char *text = NULL;
	size_t len = 0;
	auto_close int fd =
		nook_openat2(p->dirs[NOOK_PINS_RECORDS], name, NOOK_OPEN_READ, 0, NOOK_BENEATH);

	if (fd == -ENOENT)
		return -ENOENT;
	if (fd < 0 && fd != -ELOOP && fd != -ENXIO)
		return nook_fail(err, -fd, "open ns/%s in the state directory", name);

	int rc = fd < 0 ? nook_refuse(&detail, EINVAL, "it is no regular file")
			: nook_read_fd(a, fd, "it", RECORD_BYTES, &text, &len, &detail);

	/* What fails to be read is as good as it was. */
	if (rc < 0 && !nook_read_refused(rc))
		return nook_fail(err, -rc, "read ns/%s in the state directory", name);
	if (rc == 0)
		rc = parse(text, len, &r);
	if (rc < 0) {
		nook_hint(err, "`nook ns rm --force %s` removes what is left of it.", name);
		return nook_refuse(err, EBADMSG, "the record of the name %s can't be used: %s%s%s",
				   name, detail.where, detail.where[0] ? ": " : "", detail.why);
	}
	*ret = n;
	return 0;
}
