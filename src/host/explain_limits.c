/* SPDX-License-Identifier: Apache-2.0 */
/* Causes that any call can meet: processes, memory, descriptors, capabilities, an old kernel. */
#include "explain.h"
#include "base/own.h"
#include "base/text.h"

#include <linux/capability.h>
#include <string.h>

#define CLONES " clone3 clone unshare fork vfork "

static bool look_pids(struct nook_question *q)
{
	struct nook_full_cgroup full;

	if (!nook_evidence_full_cgroup(&q->evidence, "pids", "pids.current", "pids.max",
				       "pids.current", "pids.max", 1, &full))
		return false;
	return nook_answer(q, "pids-limit", "",
			   "The cgroup %s holds %lu of the %lu processes that its pids.max allows.",
			   full.dir, (unsigned long)full.current, (unsigned long)full.max);
}

static bool look_threads_max(struct nook_question *q)
{
	uint64_t max, running;
	char text[128];
	const char *slash;

	/* The fourth field of loadavg is "running/all". proc(5) */
	if (!nook_evidence_text(&q->evidence, "loadavg", text, sizeof(text)) ||
	    !(slash = strchr(text, '/')))
		return false;
	running = strtoull(slash + 1, NULL, 10);

	static const char *const files[] = { "sys/kernel/threads-max", "sys/kernel/pid_max" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (nook_evidence_number(&q->evidence, files[i], &max) && running + 16 >= max)
			return nook_answer(q, "pids-limit", "",
					   "The machine runs %lu threads, and /proc/%s allows %lu.",
					   (unsigned long)running, files[i], (unsigned long)max);
	}
	return false;
}

/* The count of this user's processes is the kernel's alone, so the limit itself is the evidence. */
static bool look_nproc(struct nook_question *q)
{
	uint64_t max;

	if (!nook_evidence_limit(&q->evidence, "Max processes", &max) || max >= 1u << 20 ||
	    (geteuid() == 0 && nook_evidence_has_cap(&q->evidence, CAP_SYS_RESOURCE)))
		return false;
	return nook_answer(q, "pids-limit", "Raise `ulimit -u`, or end processes of this user.",
			   "RLIMIT_NPROC allows this user %lu processes, and no cgroup above is "
			   "full.",
			   (unsigned long)max);
}

static bool look_address_space(struct nook_question *q)
{
	uint64_t max;

	return nook_evidence_limit(&q->evidence, "Max address space", &max) &&
	       max < (uint64_t)1 << 30 &&
	       nook_answer(q, "out-of-memory", "`ulimit -v unlimited`, or 1 GiB or more.",
			   "RLIMIT_AS leaves nook %lu MiB of address space.",
			   (unsigned long)(max >> 20));
}

static bool look_memory_cgroup(struct nook_question *q)
{
	struct nook_full_cgroup full;

	/* Full within 4 MiB: the kernel charges in batches. */
	if (!nook_evidence_full_cgroup(&q->evidence, "memory", "memory.current", "memory.max",
				       "memory.usage_in_bytes", "memory.limit_in_bytes",
				       (uint64_t)4 << 20, &full))
		return false;
	return nook_answer(q, "out-of-memory", "Raise memory.max of that cgroup.",
			   "The cgroup %s has used %lu of its %lu MiB.", full.dir,
			   (unsigned long)(full.current >> 20), (unsigned long)(full.max >> 20));
}

static bool look_memory(struct nook_question *q)
{
	char text[4096];

	if (!nook_evidence_text(&q->evidence, "meminfo", text, sizeof(text)))
		return false;

	const char *line = strstr(text, "MemAvailable:");
	unsigned long kib = line ? strtoul(line + strlen("MemAvailable:"), NULL, 10) : ULONG_MAX;

	return kib < 32768 && nook_answer(q, "out-of-memory", "",
					  "The machine has %lu MiB of memory left.", kib >> 10);
}

static bool look_files(struct nook_question *q)
{
	uint64_t max;

	if (q->err->errnum == ENFILE && nook_evidence_number(&q->evidence, "sys/fs/file-max", &max))
		return nook_answer(q, "too-many-files", "As root: raise `sysctl -w fs.file-max=…`.",
				   "The machine may have %lu files open.", (unsigned long)max);
	if (!nook_evidence_limit(&q->evidence, "Max open files", &max))
		return false;
	return nook_answer(q, "too-many-files", "", "RLIMIT_NOFILE allows this process %lu.",
			   (unsigned long)max);
}

/* Which capability a refused call wants. capabilities(7) */
static const struct {
	const char *calls;
	int cap;
	const char *name;
} needed[] = {
	{ " setrlimit prlimit prlimit64 ", CAP_SYS_RESOURCE, "CAP_SYS_RESOURCE" },
	{ " mknod mknodat ", CAP_MKNOD, "CAP_MKNOD" },
	{ " setuid setresuid setreuid ", CAP_SETUID, "CAP_SETUID" },
	{ " setgid setresgid setregid setgroups ", CAP_SETGID, "CAP_SETGID" },
	{ " prctl capset ", CAP_SETPCAP, "CAP_SETPCAP" },
	{ " chroot ", CAP_SYS_CHROOT, "CAP_SYS_CHROOT" },
	{ " chown fchown fchownat lchown ", CAP_CHOWN, "CAP_CHOWN" },
	{ " ioctl socket netlink sendto sendmsg ", CAP_NET_ADMIN, "CAP_NET_ADMIN" },
	{ " mount umount umount2 fsopen fsmount fsconfig move_mount open_tree mount_setattr "
	  "pivot_root setns sethostname setdomainname seccomp unshare clone3 clone ",
	  CAP_SYS_ADMIN, "CAP_SYS_ADMIN" },
};

static bool look_capability(struct nook_question *q)
{
	char call[40];

	(void)nook_format(call, sizeof(call), " %s ", q->call);
	for (size_t i = 0; q->call[0] && i < ARRAY_SIZE(needed); i++) {
		if (!strstr(needed[i].calls, call))
			continue;
		/* In a user namespace that we make, we have every capability but for rlimits, which
		 * count outside. */
		if (nook_evidence_has_cap(&q->evidence, needed[i].cap) ||
		    (q->ctx->new_userns && needed[i].cap != CAP_SYS_RESOURCE))
			return false;
		if (needed[i].cap == CAP_SYS_RESOURCE)
			return nook_answer(
				q, "missing-capability",
				"Ask for no more than `ulimit -H -a` shows.",
				"Raising a hard limit needs CAP_SYS_RESOURCE, which this "
				"%s doesn't have.",
				geteuid() == 0 ? "root" : "user");
		return nook_answer(q, "missing-capability", "",
				   "The call needs %s, which this %s doesn't have.", needed[i].name,
				   geteuid() == 0 ? "root" : "user");
	}
	return false;
}

static bool look_oom_score(struct nook_question *q)
{
	return strstr(q->args, "oom_score_adj") &&
	       !nook_evidence_has_cap(&q->evidence, CAP_SYS_RESOURCE) &&
	       nook_answer(q, "missing-capability",
			   "Ask for a score that is not below `cat /proc/self/oom_score_adj`.",
			   "Lowering the OOM score needs CAP_SYS_RESOURCE, which this %s doesn't "
			   "have.",
			   geteuid() == 0 ? "root" : "user");
}

static bool look_keys(struct nook_question *q)
{
	return nook_answer(q, "keyring-quota", "", "This user's quota of keys is used up.");
}

/* Calls that came late, for ENOSYS. */
static const struct {
	const char *call;
	unsigned major, minor;
} arrivals[] = {
	{ "clone3", 5, 3 },         { "pidfd_open", 5, 3 }, { "fsopen", 5, 2 },
	{ "fsmount", 5, 2 },        { "fsconfig", 5, 2 },   { "open_tree", 5, 2 },
	{ "move_mount", 5, 2 },     { "openat2", 5, 6 },    { "close_range", 5, 9 },
	{ "mount_setattr", 5, 12 }, { "statmount", 6, 8 },  { "listmount", 6, 8 },
};

static bool look_age(struct nook_question *q)
{
	char text[64];
	unsigned major = 0, minor = 0;
	uint64_t mode = 0;

	if (!nook_evidence_text(&q->evidence, "sys/kernel/osrelease", text, sizeof(text)) ||
	    sscanf(text, "%u.%u", &major, &minor) != 2)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(arrivals); i++) {
		if (strcmp(arrivals[i].call, q->call) == 0 &&
		    (major < arrivals[i].major ||
		     (major == arrivals[i].major && minor < arrivals[i].minor)))
			return nook_answer(q, "kernel-too-old", "",
					   "%s came with Linux %u.%u; this is %u.%u.", q->call,
					   arrivals[i].major, arrivals[i].minor, major, minor);
	}
	return nook_evidence_status(&q->evidence, "Seccomp", 10, &mode) && mode == 2 &&
	       nook_answer(q, "seccomp-outer", "",
			   "This kernel has the call, but a seccomp filter is on around nook.");
}

/* A filter's usual answer where neither a capability nor another rule tells. */
static bool look_filter(struct nook_question *q)
{
	uint64_t mode = 0;

	return q->call[0] && nook_evidence_status(&q->evidence, "Seccomp", 10, &mode) &&
	       mode == 2 &&
	       nook_answer(q, "seccomp-outer", "",
			   "A seccomp filter is on around nook; nothing else that would refuse the "
			   "call was found.");
}

static const struct nook_rule rows[] = {
	{ EAGAIN, CLONES, look_pids },
	{ EAGAIN, CLONES, look_threads_max },
	{ EAGAIN, CLONES, look_nproc },
	{ EMFILE, NULL, look_files },
	{ ENFILE, NULL, look_files },
	{ ENOMEM, NULL, look_address_space },
	{ ENOMEM, NULL, look_memory_cgroup },
	{ ENOMEM, NULL, look_memory },
	{ EDQUOT, NULL, look_keys },
	{ EACCES, " write ", look_oom_score },
	{ EPERM, " write ", look_oom_score },
	{ EPERM, NULL, look_capability },
	{ ENOSYS, NULL, look_age },
	{ EPERM,
	  " clone3 clone unshare setns mount fsopen fsconfig fsmount move_mount open_tree "
	  "mount_setattr pivot_root keyctl bpf ",
	  look_filter },
};

const struct nook_rules nook_rules_limits = { rows, ARRAY_SIZE(rows) };
