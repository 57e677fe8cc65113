/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle.h"

#include "base/json_tree.h"
#include "bundle_reader.h"

#include <errno.h>
#include <string.h>

/* The text of a part, as a record keeps it. */
static const char *keep_text(struct nook_bundle_reader *r, const struct nook_json_value *v)
{
	return nook_json_compact(r->arena, v->json);
}

static int read_process(struct nook_bundle_reader *r, const struct nook_json_value *v, void *into)
{
	struct nook_bundle_process *process = into;

	process->json = keep_text(r, v);
	return nook_bundle_read_process(r, v, process);
}

static int read_hooks(struct nook_bundle_reader *r, const struct nook_json_value *v, void *into)
{
	struct nook_plan_hooks *hooks = into;
	int rc = nook_bundle_read_hooks(r, v, hooks);
	size_t n = 0;

	for (size_t i = 0; i < NOOK_HOOK_KINDS; i++)
		n += hooks->n[i];
	if (rc == 0 && n)
		hooks->json = keep_text(r, v);
	return rc;
}

static int read_annotation(struct nook_bundle_reader *r, const struct nook_json_value *v,
			   void *into)
{
	struct nook_bundle_annotation *annotation = into;
	const char *text = NULL;
	int rc = nook_json_as_text(v, SIZE_MAX, &text, r->err);

	if (rc == 0)
		rc = nook_bundle_check_said(r, v, v->key);
	annotation->key = nook_strdup(r->arena, v->key);
	annotation->value = nook_strdup(r->arena, text);
	return rc;
}

#define HOSTNAME_LAST 64 /* bytes, __NEW_UTS_LEN */

#define STRUCT struct nook_bundle
static int read_root(struct nook_bundle_reader *r, const struct nook_json_value *v, void *into)
{
	static const struct nook_bundle_member rows[] = {
		ROW_NEED_TEXT("path", rootfs, NOOK_BUNDLE_PATH, nook_bundle_check_said),
		ROW_BOOL("readonly", root_read_only),
	};

	return nook_bundle_members(r, v, into, rows);
}

static int read_bundle(struct nook_bundle_reader *r, const struct nook_json_value *document,
		       struct nook_bundle *b)
{
	static const struct nook_bundle_member rows[] = {
		ROW_NEED_TEXT("ociVersion", oci_version, 255, nook_bundle_check_version),
		ROW_WHOLE("root", NOOK_JSON_OBJECT, read_root),
		ROW_PART("process", process, NOOK_JSON_OBJECT, read_process),
		ROW_TEXT("hostname", hostname, HOSTNAME_LAST, NULL),
		ROW_TEXT("domainname", domainname, HOSTNAME_LAST, NULL),
		ROW_ITEMS("mounts", mounts, n_mounts, NOOK_JSON_ARRAY, NOOK_JSON_OBJECT,
			  nook_bundle_read_mount),
		ROW_PART("hooks", hooks, NOOK_JSON_OBJECT, read_hooks),
		ROW_ITEMS("annotations", annotations, n_annotations, NOOK_JSON_OBJECT,
			  NOOK_JSON_TEXT, read_annotation),
		ROW_WHOLE("linux", NOOK_JSON_OBJECT, nook_bundle_read_linux),
	};

	b->masked = b->read_only = nook_bundle_no_texts;
	return nook_bundle_members(r, document, b, rows);
}
#undef STRUCT

int nook_bundle_parse(struct nook_arena *a, const char *text, size_t len, struct nook_bundle *ret,
		      struct nook_error *err)
{
	struct nook_bundle_reader r = { .arena = a, .err = err };
	struct nook_json_value document = { 0 };
	int rc = nook_bundle_document(&r, text, len, &document);

	if (rc < 0)
		return rc;

	struct nook_bundle b = { .tree = document.json };

	rc = read_bundle(&r, &document, &b);
	if (rc < 0)
		return rc;
	*ret = b;
	return 0;
}

int nook_bundle_parse_process(struct nook_arena *a, const char *text, size_t len,
			      struct nook_bundle_process *ret, struct nook_error *err)
{
	struct nook_bundle_reader r = { .arena = a, .err = err };
	struct nook_json_value document = { 0 };
	struct nook_bundle_process process = { 0 };
	int rc = nook_bundle_document(&r, text, len, &document);

	if (rc < 0)
		return rc;

	rc = nook_bundle_read_process(&r, &document, &process);
	if (rc < 0)
		return rc;
	process.json = nook_strndup(a, text, len);
	*ret = process;
	return 0;
}

int nook_bundle_parse_hooks(struct nook_arena *a, const char *text, size_t len,
			    struct nook_plan_hooks *ret, struct nook_error *err)
{
	struct nook_bundle_reader r = { .arena = a, .err = err };
	struct nook_json_value file = { 0 }, document = { .up = &file, .key = "hooks" };
	struct nook_plan_hooks hooks = { 0 };
	int rc = nook_bundle_document(&r, text, len, &file);

	if (rc < 0)
		return rc;

	/* Its places are those of config.json, where it came from. */
	document.json = file.json;
	rc = nook_bundle_read_hooks(&r, &document, &hooks);
	if (rc < 0)
		return rc;
	hooks.json = nook_strndup(a, text, len);
	*ret = hooks;
	return 0;
}

int nook_bundle_parse_resources(struct nook_arena *a, const char *text, size_t len,
				struct nook_bundle_resources *ret, struct nook_error *err)
{
	struct nook_bundle_reader r = { .arena = a, .err = err };
	struct nook_json_value document = { 0 };
	struct nook_bundle_resources resources = { 0 };
	int rc = nook_bundle_document(&r, text, len, &document);

	if (rc < 0)
		return rc;

	rc = nook_bundle_read_resources(&r, &document, &resources);
	if (rc < 0)
		return rc;
	*ret = resources;
	return 0;
}
