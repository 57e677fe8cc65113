/* SPDX-License-Identifier: Apache-2.0 */
#include "probe.h"
#include "base/own.h"
#include "base/text.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define GROUP "security"

static int try_filter(void *data, struct nook_error *err)
{
	struct sock_filter allow[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	struct sock_fprog program = { ARRAY_SIZE(allow), allow };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return nook_fail(err, errno, "prctl (no_new_privs)");
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		return nook_fail(err, errno, "seccomp (filter)");
	return 0;
}

static const struct {
	const char *name;
	unsigned long flag;
} filter_flags[] = {
	{ "log", SECCOMP_FILTER_FLAG_LOG },
	{ "spec_allow", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
	{ "new_listener", SECCOMP_FILTER_FLAG_NEW_LISTENER },
	{ "wait_killable_recv", 1ul << 5 /* SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, Linux 5.19 */ },
};

/* Asking with no filter does nothing: EFAULT when the flag is known, EINVAL when not. The last one
 * means something only together with the one before. seccomp(2) */
static bool knows_flag(unsigned long flag)
{
	if (flag == 1ul << 5)
		flag |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flag, NULL) < 0 && errno == EFAULT;
}

static void probe_seccomp(struct nook_probes *p)
{
	struct nook_error err = { 0 };
	int rc = nook_attempt(try_filter, NULL, &err);
	struct nook_probe *row =
		nook_probe_outcome(p, GROUP, "seccomp", "seccomp filters", rc, &err, false);
	const char *text = "flags:";

	row->needed = true;
	if (rc < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(filter_flags); i++) {
		if (knows_flag(filter_flags[i].flag))
			text = nook_printf(p->arena, "%s %s", text, filter_flags[i].name);
	}
	row->detail = text;
}

static bool read_line(const char *path, char *out, size_t size)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);

	if (n <= 0)
		return false;
	out[n] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return true;
}

static void probe_lsm(struct nook_probes *p, const struct nook_host *host)
{
	char line[256], label[256];
	struct nook_probe *row =
		nook_probe_add(p, GROUP, "lsm", "security modules", NOOK_VERDICT_FACT);

	if (read_line("/sys/kernel/security/lsm", line, sizeof(line)))
		row->detail = nook_strdup(p->arena, line);
	else
		row->detail = host && host->apparmor  ? "apparmor"
			      : host && host->selinux ? "selinux"
						      : "none seen (securityfs is not mounted)";
	if (read_line("/proc/self/attr/current", label, sizeof(label)))
		row->detail = nook_printf(p->arena, "%s; nook runs as %s", row->detail, label);
}

/* What a root without it can't do. capabilities(7) */
static const struct {
	int cap;
	const char *name, *use;
} wanted[] = {
	{ CAP_SYS_ADMIN, "CAP_SYS_ADMIN", "--userns host, id ranges, idmapped mounts" },
	{ CAP_SETUID, "CAP_SETUID", "id ranges" },
	{ CAP_SETGID, "CAP_SETGID", "id ranges" },
	{ CAP_SYS_RESOURCE, "CAP_SYS_RESOURCE", "raising hard rlimits, lowering the OOM score" },
	{ CAP_NET_ADMIN, "CAP_NET_ADMIN", "bridges and published ports" },
	{ CAP_MKNOD, "CAP_MKNOD", "device nodes" },
	{ CAP_SYS_CHROOT, "CAP_SYS_CHROOT", "joining mount namespaces" },
	{ CAP_SETPCAP, "CAP_SETPCAP", "--cap-drop with --userns host" },
	{ CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE", "roots and volumes of other users" },
	{ CAP_SYS_PTRACE, "CAP_SYS_PTRACE", "looking into other users' containers" },
};

static void probe_caps(struct nook_probes *p, const struct nook_host *host)
{
	const char *missing = "", *uses = "";
	size_t n = 0;

	if (!host || host->euid != 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		if (host->caps & 1ull << wanted[i].cap)
			continue;
		missing = nook_printf(p->arena, "%s%s%s", missing, n ? ", " : "", wanted[i].name);
		uses = nook_printf(p->arena, "%s%s%s", uses, n ? "; " : "", wanted[i].use);
		n++;
	}
	if (!n) {
		nook_probe_add(p, GROUP, "capabilities", "root's capabilities", NOOK_VERDICT_YES)
			->detail = "none of those that nook uses is missing";
		return;
	}

	struct nook_probe *row = nook_probe_cause(p, GROUP, "capabilities", "root's capabilities",
						  NOOK_VERDICT_PARTLY, "missing-capability");

	row->detail = nook_printf(p->arena, "missing: %s", missing);
	row->why = nook_printf(p->arena, "This root can't do: %s.", uses);
	row->fix =
		nook_printf(p->arena, "Start nook with them, where they are needed: %s.", missing);
}

static void probe_outer_filter(struct nook_probes *p)
{
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != SECCOMP_MODE_FILTER)
		return;
	nook_probe_add(p, GROUP, "seccomp.outer", "a filter around nook", NOOK_VERDICT_FACT)
		->detail = "on: it may refuse calls to containers, too";
}

void nook_probe_security(struct nook_probes *p, const struct nook_host *host)
{
	probe_seccomp(p);
	probe_outer_filter(p);
	probe_lsm(p, host);
	probe_caps(p, host);
}
