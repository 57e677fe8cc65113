/* SPDX-License-Identifier: Apache-2.0 */
#include "state_json.h"

#include "base/json.h"
#include "base/own.h"

#include <string.h>

void oci_state_json(struct nook_json_writer *w, const struct nook_oci_state *s, const char *owner)
{
	const struct nook_record *r = &s->record;
	char created[40];

	oci_time_text(r->created, (unsigned)r->created_nsec, created);
	nook_json_object(w, NULL);
	nook_json_put_text(w, "ociVersion", r->oci_version ? r->oci_version : OCI_SPEC_VERSION);
	nook_json_put_text(w, "id", r->name);
	nook_json_put_i64(w, "pid", s->status == NOOK_OCI_STOPPED ? 0 : r->pid);
	nook_json_put_text(w, "status", nook_oci_status_text(s->status));
	nook_json_put_text(w, "bundle", r->bundle ? r->bundle : "");
	nook_json_put_text(w, "rootfs", r->rootfs ? r->rootfs : "");
	nook_json_put_text(w, "created", created);
	if (r->n_annotations) {
		nook_json_object(w, "annotations");
		for (size_t i = 0; i < r->n_annotations; i++)
			nook_json_put_text(w, r->annotations[i][0], r->annotations[i][1]);
		nook_json_end(w);
	}
	nook_json_put_text(w, "owner", owner);
	nook_json_end(w);
}

const char *oci_owner(struct nook_arena *a)
{
	return geteuid() == 0 ? "root" : nook_printf(a, "#%u", geteuid());
}

int oci_format(const char *format, bool *ret_json, struct nook_error *err)
{
	*ret_json = format && strcmp(format, "json") == 0;
	if (*ret_json || !format || strcmp(format, "table") == 0)
		return 0;
	nook_where(err, "--format %s", format);
	return nook_refuse(err, EINVAL, "the formats are table and json");
}

int oci_state(struct oci *o, const void *words)
{
	struct nook_json_writer w;
	struct nook_oci_state state;
	struct nook_error err = { 0 };
	const char *text;
	size_t len;

	(void)words;
	if (nook_oci_state(o->root, o->argv[0], o->arena, &state, &err) < 0)
		return oci_failed(o, &err);
	nook_json_to_arena(&w, o->arena, true);
	oci_state_json(&w, &state, "");
	(void)nook_json_finish(&w, &text, &len); /* into memory: can't fail */
	return oci_print(o, text, len);
}
