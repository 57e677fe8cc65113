/* SPDX-License-Identifier: Apache-2.0 */
#include "prober.h"

#include "read.h"

#include <errno.h>

int nook_prober_passwd(struct nook_prober *p)
{
	char *text = NULL;

	if (p->have_passwd)
		return 0;

	int rc = nook_read_text(p->arena, p->root, "etc/passwd", NOOK_READ_MAX, &text);

	if (rc < 0 && rc != -ENOENT)
		return nook_fail(p->err, -rc, "read /etc/passwd");
	if (text)
		nook_passwd_parse(p->arena, text, &p->passwd);
	p->have_passwd = true;
	return 0;
}

int nook_prober_mounts(struct nook_prober *p)
{
	char *text = NULL;

	if (p->have_mounts)
		return 0;

	int rc = nook_read_proc(p->arena, "/proc/self/mountinfo", NOOK_MOUNTINFO_MAX, &text);

	if (rc < 0)
		return nook_fail(p->err, -rc, "read /proc/self/mountinfo");

	rc = nook_mountinfo_parse(p->arena, text, &p->mounts, p->err);
	p->have_mounts = rc == 0;
	return rc;
}

static bool is_new(enum nook_ns_mode mode)
{
	return mode == NOOK_NS_DEFAULT || mode == NOOK_NS_NEW;
}

bool nook_wants_userns(const struct nook_spec *spec)
{
	return is_new(spec->ns[NOOK_NS_USER].mode);
}

bool nook_wants_ids(const struct nook_spec *spec)
{
	return nook_wants_userns(spec) && (!spec->uid_map || !spec->gid_map);
}

bool nook_wants_mounts(const struct nook_spec *spec)
{
	return is_new(spec->ns[NOOK_NS_MNT].mode);
}

bool nook_wants_host_root(const struct nook_spec *spec)
{
	return spec->root.kind == NOOK_ROOT_HOST && nook_wants_mounts(spec);
}
