/* SPDX-License-Identifier: Apache-2.0 */
#include "probe.h"
#include "base/own.h"
#include "base/text.h"

#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

#define GROUP "ids"

static const char *describe(struct nook_probes *p, const struct nook_id_range *ranges, size_t n)
{
	const char *text = "";

	for (size_t i = 0; i < n; i++)
		text = nook_printf(p->arena, "%s%s%u-%u", text, i ? ", " : "", ranges[i].first,
				   ranges[i].first + (ranges[i].count - 1));
	return text;
}

static void probe_range(struct nook_probes *p, const char *id, const char *file,
			const struct nook_id_range *ranges, size_t n)
{
	if (n) {
		nook_probe_add(p, GROUP, id, file, NOOK_VERDICT_YES)->detail =
			describe(p, ranges, n);
		return;
	}

	/* A container still runs: with the one id. */
	struct nook_probe *row =
		nook_probe_cause(p, GROUP, id, file, NOOK_VERDICT_PARTLY, "no-subid-range");

	row->detail = "no range for this user: containers have a single id, root's";
}

/* Can the helper do its work when we start it? */
static const char *helper_fault(const char *path)
{
	struct stat st;
	struct statvfs fs;

	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		return "has no power here: no_new_privs is set on nook";
	if (stat(path, &st) < 0)
		return "can't be read";
	if (!(st.st_mode & S_ISUID && st.st_uid == 0) &&
	    getxattr(path, "security.capability", NULL, 0) <= 0)
		return "is not setuid root and has no file capabilities";
	if (statvfs(path, &fs) == 0 && fs.f_flag & ST_NOSUID)
		return "lies on a file system mounted nosuid";
	return NULL;
}

static void probe_helper(struct nook_probes *p, const char *id, const char *name, const char *path,
			 bool wanted)
{
	if (!path) {
		struct nook_probe *row = nook_probe_cause(
			p, GROUP, id, name, wanted ? NOOK_VERDICT_NO : NOOK_VERDICT_PARTLY,
			"setuid-helper-missing");

		/* Without a range nobody asks for it. */
		row->needed = wanted;
		row->detail = "not installed";
		return;
	}

	const char *fault = helper_fault(path);

	if (!fault) {
		nook_probe_add(p, GROUP, id, name, NOOK_VERDICT_YES)->detail = path;
		return;
	}

	struct nook_probe *row =
		nook_probe_cause(p, GROUP, id, name, wanted ? NOOK_VERDICT_NO : NOOK_VERDICT_PARTLY,
				 "setuid-helper-failed");

	row->needed = wanted;
	row->detail = nook_printf(p->arena, "%s %s", path, fault);
}

static void probe_root_range(struct nook_probes *p, const struct nook_host *host)
{
	struct nook_probe *row;

	if (host->free_range) {
		row = nook_probe_add(p, GROUP, "ids.range", "a range of 65,536", NOOK_VERDICT_YES);
		row->detail = nook_printf(p->arena, "%u-%u is free", host->free_range,
					  host->free_range + 65535);
		return;
	}
	row = nook_probe_add(p, GROUP, "ids.range", "a range of 65,536", NOOK_VERDICT_PARTLY);
	row->detail = "none: this root lacks CAP_SYS_ADMIN, so containers have what /etc/subuid "
		      "gives, or a single id";
}

void nook_probe_ids(struct nook_probes *p, const struct nook_host *host)
{
	if (!host)
		return;
	if (!host->initial_userns)
		nook_probe_add(p, GROUP, "ids.nested", "this user namespace", NOOK_VERDICT_FACT)
			->detail = "not the machine's first: only its ids can be handed on";
	if (host->euid == 0) {
		probe_root_range(p, host);
		return;
	}
	probe_range(p, "ids.subuid", "/etc/subuid", host->subuid, host->n_subuid);
	probe_range(p, "ids.subgid", "/etc/subgid", host->subgid, host->n_subgid);

	bool wanted = host->n_subuid && host->n_subgid;

	probe_helper(p, "ids.newuidmap", "newuidmap", host->newuidmap, wanted);
	probe_helper(p, "ids.newgidmap", "newgidmap", host->newgidmap, wanted);
}
