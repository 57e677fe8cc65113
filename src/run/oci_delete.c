/* SPDX-License-Identifier: Apache-2.0 */
/* delete: nothing is left of a container, from whatever phase it was in. */
#include "oci_parts.h"

#include "base/own.h"
#include "oci_hooks.h"

#include <errno.h>
#include <string.h>

/* For another command to end; and with --force, which also ends a `create` that hangs in a hook. */
#define PATIENCE_MS       10000
#define FORCE_PATIENCE_MS 2000

static void run_poststop(const struct nook_record *r, struct nook_arena *a,
			 const struct nook_oci_log *log)
{
	struct nook_plan_hooks hooks;
	struct nook_error why = { 0 };

	if (nook_oci_hooks_of(a, r, &hooks, &why) < 0)
		nook_oci_warn(log, why.why);
	else
		nook_oci_poststop(&hooks, r->bundle, log);
}

static int delete_taken(struct nook_state *s, bool force, struct nook_arena *a,
			const struct nook_oci_log *log, struct nook_error *err)
{
	struct nook_oci_state c = { 0 };
	struct nook_error garbled = { 0 };
	int rc = nook_oci_load_taken(s, NOOK_RECORD_TEXT, a, &c, &garbled);
	bool readable = rc == 0;

	if (rc < 0 && !(rc == -EBADMSG && force)) {
		if (err)
			*err = garbled;
		return rc;
	}
	if (readable && !force && (c.status == NOOK_OCI_RUNNING || c.status == NOOK_OCI_PAUSED)) {
		nook_hint(err, "`delete --force %s` ends it first", s->name);
		return nook_refuse(err, EBUSY, "cannot delete container %s that is not stopped: %s",
				   s->name, nook_oci_status_text(c.status));
	}

	rc = readable ? nook_state_clear_of(s, &c.record, err) : nook_state_clear(s, err);
	if (rc == 0 && readable)
		run_poststop(&c.record, a, log);
	return rc;
}

int nook_oci_delete(const char *state_dir, const char *id, bool force, struct nook_arena *a,
		    const struct nook_oci_log *log, struct nook_error *err)
{
	struct nook_state s = NOOK_STATE_NONE;
	struct nook_error busy = { 0 };
	int rc = nook_state_take(state_dir, id, force ? FORCE_PATIENCE_MS : PATIENCE_MS, &s, &busy);

	/* Its maker is stuck: ended with all that it has begun, and then what is left is undone. */
	if (rc == -EBUSY && force)
		return nook_state_undo(state_dir, id, true, err);
	if (rc == -ENOENT)
		return force ? 0 : nook_oci_no_such(id, err);
	if (rc < 0) {
		if (busy.errnum && err)
			*err = busy;
		return rc;
	}

	rc = delete_taken(&s, force, a, log, err);
	if (rc == 0)
		return nook_state_drop(&s, err);
	nook_state_close(&s);
	return rc;
}
