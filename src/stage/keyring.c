/* SPDX-License-Identifier: Apache-2.0 */
/* keyrings(7): an engine's containers have one each, by name, which all programs of it share. */
#include "stage.h"

#include "base/own.h"
#include "base/text.h"
#include "sys/call.h"
#include "sys/procfs.h"

#include <linux/keyctl.h>

/* What a new session keyring has (its possessor may do all; its user view, read and link), and that
 * it can be found: by its user, or from inside a user namespace by others. linux/key.h */
#define PERMISSION   0x3f130000u
#define USER_SEARCH  0x00080000u
#define OTHER_SEARCH 0x00000008u

/* Under SELinux the program could not use a keyring that has our own label. execve(2) resets this.
 * Who enters a container finds its keyring there. */
static int label_new_keys(struct nook_stage *s, struct nook_error *err)
{
	auto_close int self = nook_procfs_self(s->proc, err);

	return self < 0 ? self
			: nook_procfs_write_at(self, "attr/keycreate", s->plan->process.selinux,
					       err);
}

/* "keyring;UID;GID;PERMISSION;NAME", keyctl_describe(3). Whoever makes one of a container's name
 * and lets us search it would share its keys. */
static int check_owner(long key, const char *name, struct nook_error *err)
{
	char text[400], want[32];
	long len = NOOK_CALL(SYS_keyctl, KEYCTL_DESCRIBE, key, text, sizeof(text), 0);

	if (len < 0)
		return nook_fail(err, (int)-len, "keyctl(DESCRIBE, \"%s\")", name);
	text[len < (long)sizeof(text) ? len : (long)sizeof(text) - 1] = '\0';
	(void)nook_format(want, sizeof(want), "keyring;%u;", geteuid());
	return nook_starts(text, want)
		       ? 0
		       : nook_refuse(err, EPERM, "there is a keyring \"%s\" of another user's",
				     name);
}

/*
 * As root of the container, to whom it then belongs. A keyring of that name that may be searched is
 * joined: so `exec` gets in.
 */
int join_keyring(void *ctx, struct nook_error *err)
{
	struct nook_stage *s = ctx;
	const struct nook_plan *plan = s->plan;
	unsigned permission = PERMISSION | (plan->own_userns ? OTHER_SEARCH : USER_SEARCH);
	char name[300];
	int labelled = plan->process.selinux && s->proc >= 0 ? label_new_keys(s, err) : 0;

	if (labelled < 0)
		return labelled;

	(void)nook_format(name, sizeof(name), "_ses.%s", plan->name);

	long key = NOOK_CALL(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name, 0, 0, 0);

	if (key == -ENOSYS) /* without CONFIG_KEYS there are no keys */
		return 0;
	if (key == -EDQUOT)
		nook_hint(err, "raise kernel.keys.maxkeys, or create it with --no-new-keyring");
	if (key < 0)
		return nook_fail(err, (int)-key, "keyctl(JOIN_SESSION_KEYRING, \"%s\")", name);

	int owned = check_owner(key, name, err);
	long rc = owned < 0 ? 0 : NOOK_CALL(SYS_keyctl, KEYCTL_SETPERM, key, permission, 0, 0);

	if (owned < 0)
		return owned;
	return rc < 0 ? nook_fail(err, (int)-rc, "keyctl(SETPERM, \"%s\", 0x%x)", name, permission)
		      : 0;
}

void join_keyring_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show(rows, "a keyring for all programs of the container",
		  "keyctl(JOIN_SESSION_KEYRING, \"_ses.%s\"), keyctl(SETPERM)", plan->name);
}
