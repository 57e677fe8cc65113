/* SPDX-License-Identifier: Apache-2.0 */
/* What there is: one container, or all of them, and what is true of each now. */
#include "oci_parts.h"

#include <errno.h>

int nook_oci_no_such(const char *id, struct nook_error *err)
{
	nook_cause(err, "no-such-container", "it was never created here, or is deleted");
	return nook_refuse(err, ENOENT, "container does not exist: %s", id);
}

void nook_oci_garbled(const char *id, struct nook_error *err)
{
	err->hint[0] = '\0';
	nook_hint(err, "`delete --force %s` removes what is left of it", id);
}

const char *nook_oci_status_text(enum nook_oci_status status)
{
	static const char *const texts[] = {
		[NOOK_OCI_CREATING] = "creating", [NOOK_OCI_CREATED] = "created",
		[NOOK_OCI_RUNNING] = "running",   [NOOK_OCI_PAUSED] = "paused",
		[NOOK_OCI_STOPPED] = "stopped",
	};

	return texts[status];
}

int nook_oci_status_of(const struct nook_record *r, enum nook_life life, enum nook_oci_status *ret,
		       struct nook_error *err)
{
	int executed = 1;

	if (life == NOOK_LIFE_RUNNING && r->phase == NOOK_PHASE_CREATED) {
		/* `start` rewrites nothing, and may be killed at any time: the stage itself shows
		 * whether it has become the program. */
		executed = nook_has_executed(r->pid, err);
		if (executed == -ESRCH)
			life = NOOK_LIFE_GONE;
		else if (executed < 0)
			return executed;
	}
	if (life == NOOK_LIFE_STARTING)
		*ret = NOOK_OCI_CREATING;
	else if (life == NOOK_LIFE_GONE)
		*ret = NOOK_OCI_STOPPED;
	else if (nook_oci_is_paused(r))
		*ret = NOOK_OCI_PAUSED;
	else
		*ret = executed ? NOOK_OCI_RUNNING : NOOK_OCI_CREATED;
	return 0;
}

int nook_oci_load(const char *state_dir, const char *id, enum nook_record_part part,
		  struct nook_arena *a, struct nook_oci_state *ret, struct nook_error *err)
{
	enum nook_life life;
	struct nook_error why = { 0 };
	int rc = nook_state_read_part(state_dir, id, part, a, &ret->record, &life, &why);

	if (rc == -ENOENT)
		return nook_oci_no_such(id, err);
	if (rc == -EBADMSG)
		nook_oci_garbled(id, &why);
	if (rc < 0) {
		if (err)
			*err = why;
		return rc;
	}

	return nook_oci_status_of(&ret->record, life, &ret->status, err);
}

int nook_oci_load_taken(struct nook_state *s, enum nook_record_part part, struct nook_arena *a,
			struct nook_oci_state *ret, struct nook_error *err)
{
	const struct nook_holder nobody = { 0 };
	enum nook_life life;
	char boot_id[37];
	int rc = nook_boot_id(boot_id, err);

	if (rc == 0)
		rc = nook_record_load(s->base, s->name, part, a, &ret->record, err);
	if (rc == -EBADMSG && err)
		nook_oci_garbled(s->name, err);
	if (rc < 0)
		return rc;
	rc = nook_life_of(&ret->record, &nobody, boot_id, &life, err);
	return rc < 0 ? rc : nook_oci_status_of(&ret->record, life, &ret->status, err);
}

int nook_oci_state(const char *state_dir, const char *id, struct nook_arena *a,
		   struct nook_oci_state *ret, struct nook_error *err)
{
	return nook_oci_load(state_dir, id, NOOK_RECORD_TEXT, a, ret, err);
}

int nook_oci_list(const char *state_dir, struct nook_arena *a, struct nook_oci_state **ret,
		  size_t *ret_n, struct nook_error *err)
{
	struct nook_state_entry *entries;
	size_t n;
	int rc = nook_state_list(state_dir, a, &entries, &n, err);

	if (rc < 0)
		return rc;

	struct nook_oci_state *list = nook_alloc_array(a, n, sizeof(*list));

	for (size_t i = 0; i < n; i++) {
		list[i].record = entries[i].record;
		list[i].error = entries[i].error;
		if (list[i].error.errnum == EBADMSG)
			nook_oci_garbled(list[i].record.name, &list[i].error);
		list[i].status = NOOK_OCI_STOPPED;
		if (!list[i].error.errnum)
			(void)nook_oci_status_of(&entries[i].record, entries[i].life,
						 &list[i].status, &list[i].error);
	}
	*ret = list;
	*ret_n = n;
	return 0;
}
