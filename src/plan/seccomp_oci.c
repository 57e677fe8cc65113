/* SPDX-License-Identifier: Apache-2.0 */
/* linux.seccomp of a bundle: what engines have made of their profiles. */
#include "seccomp_reader.h"

#include <errno.h>
#include <linux/seccomp.h>

/* What cannot work: libseccomp and runc refuse it too. */
static int check_listener(struct reader *r, const char *path)
{
	const struct nook_seccomp_profile *profile = r->profile;
	const struct nook_seccomp_call *written = nook_seccomp_find("write");

	if (!r->notifies)
		return 0;
	if (!path || !*path)
		return refuse(r, KEY(NULL, "listenerPath"),
			      "rules with SCMP_ACT_NOTIFY need a listenerPath");
	if (profile->action == SECCOMP_RET_USER_NOTIF)
		return refuse(r, KEY(NULL, "defaultAction"),
			      "SCMP_ACT_NOTIFY cannot be used as default action");
	for (size_t i = 0; i < profile->n_rules; i++) {
		const struct nook_seccomp_rule *rule = &profile->rules[i];

		/* The descriptor is handed over by a call that the filter sees already. */
		for (size_t c = 0; c < rule->n_calls; c++) {
			if (rule->action == SECCOMP_RET_USER_NOTIF && rule->calls[c] == written)
				return refuse(r, KEY(NULL, "syscalls"),
					      "SCMP_ACT_NOTIFY cannot be used for write");
		}
	}
	return 0;
}

int nook_seccomp_read_oci(struct nook_arena *a, struct nook_json *seccomp, const char *place,
			  struct nook_bundle_filter *ret, struct nook_error *err)
{
	const struct nook_seccomp_facts facts = { 0 };
	struct nook_seccomp_profile profile = { 0 };
	struct reader r = { a, place, &facts, &profile, err, .oci = true };
	struct nook_bundle_filter out = { 0 };
	bool action = false, rules = false;

	/* Neither an action nor a call: no profile at all. */
	(void)nook_json_find(seccomp, "defaultAction", &action);
	(void)nook_json_find(seccomp, "syscalls", &rules);
	if (nook_json_type(seccomp) == NOOK_JSON_OBJECT && !action && !rules) {
		*ret = out;
		return 0;
	}

	int rc = read_profile(&r, seccomp);

	if (rc < 0 || (rc = member_text(&r, NULL, seccomp, "listenerPath", &out.listener)) < 0 ||
	    (rc = member_text(&r, NULL, seccomp, "listenerMetadata", &out.listener_data)) < 0 ||
	    (rc = check_listener(&r, out.listener)) < 0)
		return rc;
	if (!r.notifies) {
		out.listener = out.listener_data = NULL;
		profile.flags &= ~WAIT_KILLABLE_RECV;
	}
	profile.newer_unknown = profile.action != SECCOMP_RET_ALLOW &&
				profile.action != SECCOMP_RET_LOG &&
				profile.action != (SECCOMP_RET_ERRNO | ENOSYS);

	rc = nook_seccomp_compile(a, &profile, &out.filter);
	if (rc < 0) {
		nook_where(err, "%s", place);
		return refuse_length("the profile", err);
	}
	out.listener = nook_strdup(a, out.listener);
	out.listener_data = nook_strdup(a, out.listener_data);
	*ret = out;
	return 0;
}
