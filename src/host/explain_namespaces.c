/* SPDX-License-Identifier: Apache-2.0 */
/* Causes around namespaces, id maps and the calls that change ids. */
#include "explain.h"
#include "base/own.h"
#include "base/text.h"

#include <linux/capability.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#define NSFS_MAGIC 0x6e736673

#define CLONES " clone3 clone unshare fork vfork "

int nook_try_namespaces(unsigned long first, unsigned long second)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return errno;
	if (pid == 0) {
		/* The namespaces end with this process. */
		if (unshare((int)first) < 0 || (second && unshare((int)second) < 0))
			_exit(errno > 0 && errno < 255 ? errno : 255);
		_exit(0);
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return errno;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
}

static const struct {
	const char *name;
	unsigned long flag;
} kinds[] = {
	{ "mnt", CLONE_NEWNS },    { "cgroup", CLONE_NEWCGROUP }, { "ipc", CLONE_NEWIPC },
	{ "uts", CLONE_NEWUTS },   { "net", CLONE_NEWNET },       { "pid", CLONE_NEWPID },
	{ "time", CLONE_NEWTIME },
};

static bool look_userns_limit(struct nook_question *q)
{
	const char *file = "sys/user/max_user_namespaces";
	uint64_t max;

	if (!nook_evidence_number(&q->evidence, file, &max))
		return false;
	if (max == 0)
		return nook_answer(q, "userns-limit", "",
				   "user.max_user_namespaces is 0: no user namespace may be made.");
	if (nook_try_namespaces(CLONE_NEWUSER, 0) != ENOSPC)
		return false;
	return nook_answer(q, "userns-limit", "",
			   "All %lu user namespaces that user.max_user_namespaces allows are in "
			   "use, or an outer user namespace allows fewer.",
			   (unsigned long)max);
}

static bool look_namespace_limit(struct nook_question *q)
{
	bool inside = q->ctx->new_userns || !nook_evidence_has_cap(&q->evidence, CAP_SYS_ADMIN);

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		char file[64], hint[160];
		uint64_t max;

		(void)nook_format(file, sizeof(file), "sys/user/max_%s_namespaces", kinds[i].name);
		if (!nook_evidence_number(&q->evidence, file, &max))
			continue;
		if (max && nook_try_namespaces(inside ? CLONE_NEWUSER : kinds[i].flag,
					       inside ? kinds[i].flag : 0) != ENOSPC)
			continue;
		(void)nook_format(hint, sizeof(hint),
				  "As root: `sysctl -w user.max_%s_namespaces=28633`; or share it: "
				  "`--share %s`.",
				  kinds[i].name, kinds[i].name);
		return nook_answer(q, "namespace-limit", hint,
				   "user.max_%s_namespaces allows %lu, and no more %s namespace "
				   "can be made.",
				   kinds[i].name, (unsigned long)max, kinds[i].name);
	}
	return false;
}

static bool look_switches(struct nook_question *q)
{
	uint64_t on;

	if (!q->ctx->new_userns || nook_evidence_has_cap(&q->evidence, CAP_SYS_ADMIN))
		return false;
	if (nook_evidence_number(&q->evidence, "sys/kernel/unprivileged_userns_clone", &on) && !on)
		return nook_answer(q, "userns-forbidden",
				   "As root: `sysctl -w kernel.unprivileged_userns_clone=1`.",
				   "kernel.unprivileged_userns_clone is 0: only root may make user "
				   "namespaces.");
	if (nook_evidence_number(&q->evidence, "sys/kernel/apparmor_restrict_unprivileged_userns",
				 &on) &&
	    on)
		return nook_answer(
			q, "userns-forbidden",
			"As root: `sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`, or "
			"give nook an AppArmor profile with the line `userns,`.",
			"kernel.apparmor_restrict_unprivileged_userns is %lu: AppArmor takes an "
			"ordinary user's power in user namespaces.",
			(unsigned long)on);
	return false;
}

static bool has_root_mount(const struct nook_evidence *e)
{
	char text[65536];

	/* The fifth field is the mount's place; the root's is "/" alone. proc_pid_mountinfo(5) */
	if (!nook_evidence_text(e, "self/mountinfo", text, sizeof(text)))
		return true;
	for (const char *line = text; line && *line; line = strchr(line, '\n'), line += !!line) {
		const char *field = line;

		for (int i = 0; field && i < 4; i++) {
			field = strchr(field, ' ');
			field = field ? field + 1 : NULL;
		}
		if (field && nook_starts(field, "/ "))
			return true;
	}
	return strlen(text) + 4096 > sizeof(text); /* cut: it may stand in the rest */
}

static bool look_chroot(struct nook_question *q)
{
	return q->ctx->new_userns && !has_root_mount(&q->evidence) &&
	       nook_answer(q, "userns-chroot", "",
			   "The root directory is not the root of the mount namespace: this is a "
			   "chroot, where no user namespace may be made.");
}

static bool look_userns_refused(struct nook_question *q)
{
	char path[PATH_MAX];
	uint64_t mode = 0, enforce = 0;

	if (!q->ctx->new_userns || nook_try_namespaces(CLONE_NEWUSER, 0) != EPERM)
		return false;
	if (nook_evidence_status(&q->evidence, "Seccomp", 10, &mode) && mode == 2)
		return nook_answer(
			q, "seccomp-outer", "",
			"A seccomp filter is on around nook, and a user namespace alone is "
			"refused too.");

	(void)nook_format(path, sizeof(path), "fs/selinux/enforce");
	const struct nook_evidence sys = { q->evidence.sys, NULL };

	if (nook_evidence_number(&sys, path, &enforce) && enforce)
		return nook_answer(
			q, "userns-forbidden",
			"`ausearch -m avc -ts recent` names the rule of SELinux.",
			"SELinux is enforcing, and a user namespace alone is refused too.");
	return nook_answer(q, "userns-forbidden", "",
			   "The kernel refuses this user even a user namespace alone.");
}

static bool look_clone_caps(struct nook_question *q)
{
	return !q->ctx->new_userns && !nook_evidence_has_cap(&q->evidence, CAP_SYS_ADMIN) &&
	       nook_answer(q, "missing-capability",
			   "Let nook make a user namespace too: leave out `--userns host`.",
			   "Namespaces without a user namespace need CAP_SYS_ADMIN, which this "
			   "process doesn't have.");
}

static bool look_kind_missing(struct nook_question *q)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		char path[PATH_MAX];

		(void)nook_format(path, sizeof(path), "%s/self/ns/%s", q->evidence.proc,
				  kinds[i].name);
		if (access(path, F_OK) < 0 && errno == ENOENT)
			return nook_answer(q, "namespace-not-built", "",
					   "This kernel has no %s namespaces.", kinds[i].name);
	}
	return false;
}

/* Whether our own map holds every id: then none is missing here. */
static bool maps_all(const struct nook_evidence *e, const char *file)
{
	char text[4096];
	unsigned long inside, outside, count;

	return !nook_evidence_text(e, file, text, sizeof(text)) ||
	       (sscanf(text, "%lu %lu %lu", &inside, &outside, &count) == 3 && inside == 0 &&
		count >= UINT32_MAX);
}

static bool is_map(const struct nook_question *q)
{
	return strstr(q->args, "uid_map") || strstr(q->args, "gid_map");
}

static bool look_map(struct nook_question *q)
{
	bool group = strstr(q->args, "gid_map");
	int cap = group ? CAP_SETGID : CAP_SETUID;

	if (!is_map(q))
		return false;
	if (!maps_all(&q->evidence, group ? "self/gid_map" : "self/uid_map"))
		return nook_answer(q, "id-not-mapped",
				   "Map only ids that stand in `cat /proc/self/uid_map "
				   "/proc/self/gid_map`.",
				   "nook runs in a user namespace itself, which doesn't have every "
				   "id, and can hand on only those it has.");
	if (nook_evidence_has_cap(&q->evidence, cap))
		return false;
	if (geteuid() == 0)
		return nook_answer(q, "missing-capability", "",
				   "Writing the map needs %s, which this root doesn't have.",
				   group ? "CAP_SETGID" : "CAP_SETUID");
	return nook_answer(q, "id-not-mapped",
			   "Map one id only, your own; for more, a range in /etc/subuid and "
			   "/etc/subgid and the helpers newuidmap and newgidmap are needed.",
			   "An ordinary user may map only its own id without the helpers.");
}

static bool look_set_id(struct nook_question *q)
{
	return nook_answer(q, "id-not-mapped", "",
			   "The number has no place in the user namespace's id map.");
}

/* open(2) gives EOVERFLOW for large files too, but not to a 64-bit program. */
static bool look_owner(struct nook_question *q)
{
	return q->ctx->new_userns && look_set_id(q);
}

static bool look_setgroups(struct nook_question *q)
{
	char text[32];
	bool denied = nook_evidence_text(&q->evidence, "self/setgroups", text, sizeof(text)) &&
		      nook_starts(text, "deny");

	if (!denied && !(q->ctx->new_userns && geteuid() != 0))
		return false;
	return nook_answer(q, "setgroups-denied", "",
			   "The group map of the user namespace was written without privilege, so "
			   "setgroups is denied in it.");
}

static bool look_offset(struct nook_question *q)
{
	return strstr(q->args, "timens_offsets") &&
	       nook_answer(q, "time-offset", "",
			   "The clock would stand below 0 or past about 146 years.");
}

/* "/proc/123/ns/net": did the process go? */
static bool look_process_gone(struct nook_question *q)
{
	char part[PATH_MAX];

	if (!strstr(q->args, "/ns/") && strcmp(q->call, "setns") != 0 &&
	    strcmp(q->call, "pidfd_open") != 0)
		return false;
	if (q->err->errnum == ESRCH)
		return nook_answer(q, "namespace-gone", "", "The process has ended.");
	if (!q->path[0] || nook_evidence_walk(q->path, part, sizeof(part)) != ENOENT)
		return false;
	return nook_answer(q, "namespace-gone", "", "%s is not there.", part);
}

static bool look_not_namespace(struct nook_question *q)
{
	struct statfs st;

	if (!q->path[0] || statfs(q->path, &st) < 0)
		return false;
	return nook_answer(q, "not-a-namespace", "",
			   (uint32_t)st.f_type == NSFS_MAGIC
				   ? "%s is a namespace of another kind, or one that can't be "
				     "entered from here."
				   : "%s is no namespace.",
			   q->path);
}

/* Path of a helper: what the message says, else where distributions have it. */
static bool find_helper(const struct nook_question *q, char *out, size_t size)
{
	static const char *const folders[] = { "/usr/bin", "/bin", "/usr/sbin", "/usr/local/bin" };

	(void)nook_format(out, size, "%s", q->path);
	if (strstr(q->path, q->call) && access(out, F_OK) == 0)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		(void)nook_format(out, size, "%s/%s", folders[i], q->call);
		if (access(out, F_OK) == 0)
			return true;
	}
	return false;
}

static bool look_helper(struct nook_question *q)
{
	char path[PATH_MAX];
	struct stat st;
	struct statvfs fs;
	uint64_t nnp = 0;

	if (!find_helper(q, path, sizeof(path)))
		return nook_answer(q, "setuid-helper-missing", "", "%s is not installed.", q->call);
	if (nook_evidence_status(&q->evidence, "NoNewPrivs", 10, &nnp) && nnp)
		return nook_answer(
			q, "setuid-helper-failed", "Start nook where no_new_privs is not set.",
			"no_new_privs is set on nook, so that setuid programs have no power.");
	if (stat(path, &st) == 0 && !(st.st_mode & S_ISUID && st.st_uid == 0) &&
	    getxattr(path, "security.capability", NULL, 0) <= 0)
		return nook_answer(q, "setuid-helper-failed", "",
				   "%s is not setuid root and has no file capabilities.", path);
	if (statvfs(path, &fs) == 0 && fs.f_flag & ST_NOSUID)
		return nook_answer(q, "setuid-helper-failed",
				   "Mount the file system of the helper without nosuid.",
				   "%s lies on a file system that is mounted nosuid.", path);
	return nook_answer(q, "setuid-helper-failed",
			   "Ask for ids that /etc/subuid and /etc/subgid give to this user: `grep "
			   "\"^$USER:\" /etc/subuid /etc/subgid`.",
			   "%s refused the map.", path);
}

static const struct nook_rule rows[] = {
	{ ENOSPC, CLONES, look_userns_limit },
	{ ENOSPC, CLONES, look_namespace_limit },
	{ EUSERS, CLONES, look_userns_limit },
	{ EPERM, CLONES, look_switches },
	{ EPERM, CLONES, look_chroot },
	{ EPERM, CLONES, look_userns_refused },
	{ EPERM, CLONES, look_clone_caps },
	{ EINVAL, CLONES, look_kind_missing },
	{ EPERM, " write open openat ", look_map },
	{ EPERM, " write mount fsopen fsmount fsconfig move_mount open_tree mount_setattr ",
	  look_switches },
	{ EACCES, " write mount fsopen fsmount fsconfig move_mount open_tree mount_setattr ",
	  look_switches },
	{ EINVAL, " setuid setgid setresuid setresgid setreuid setregid setfsuid setgroups ",
	  look_set_id },
	{ EINVAL, " chown fchown lchown fchownat ", look_set_id },
	{ EOVERFLOW, NULL, look_owner },
	{ EPERM, " setgroups ", look_setgroups },
	{ ERANGE, " write ", look_offset },
	{ ENOENT, " open openat openat2 ", look_process_gone },
	{ ESRCH, " open openat setns pidfd_open ", look_process_gone },
	{ EINVAL, " setns ", look_not_namespace },
	{ 0, " newuidmap newgidmap ", look_helper },
};

const struct nook_rules nook_rules_namespaces = { rows, ARRAY_SIZE(rows) };
