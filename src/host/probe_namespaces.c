/* SPDX-License-Identifier: Apache-2.0 */
#include "probe.h"
#include "base/own.h"
#include "base/text.h"
#include "nook/kinds.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <string.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

static const struct kind {
	const char *id, *name;
	unsigned long flag;
} kinds[] = {
	{ "namespace.mnt", "mnt", CLONE_NEWNS },
	{ "namespace.uts", "uts", CLONE_NEWUTS },
	{ "namespace.ipc", "ipc", CLONE_NEWIPC },
	{ "namespace.net", "net", CLONE_NEWNET },
	{ "namespace.pid", "pid", CLONE_NEWPID },
	{ "namespace.cgroup", "cgroup", CLONE_NEWCGROUP },
	{ "namespace.time", "time", CLONE_NEWTIME },
};

struct trial {
	const struct kind *kind; /* NULL: the user namespace alone */
	bool in_userns;
};

static int be_first(struct nook_error *err)
{
	if (getpid() != 1)
		return nook_refuse(err, EPROTO, "the first process of the namespace is not pid 1");
	return 0;
}

/* Time namespaces take their offsets before a process is in them. time_namespaces(7) */
static int set_clock(struct nook_error *err)
{
	static const char text[] = "monotonic 1 0\nboottime 1 0\n";
	auto_close int fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return nook_fail(err, errno, "open /proc/self/timens_offsets");
	if (write(fd, text, strlen(text)) < 0)
		return nook_fail(err, errno, "write timens_offsets");
	return 0;
}

static int try_kind(void *data, struct nook_error *err)
{
	const struct trial *t = data;
	int rc = t->in_userns ? nook_enter_userns(0, err) : 0;

	if (rc < 0 || !t->kind)
		return rc;
	if (unshare((int)t->kind->flag) < 0)
		return nook_fail(err, errno, "unshare (%s)", t->kind->name);
	if (t->kind->flag == CLONE_NEWPID)
		return nook_attempt_in_child(be_first, err);
	return t->kind->flag == CLONE_NEWTIME ? set_clock(err) : 0;
}

static bool is_admin(const struct nook_host *host)
{
	return host && host->caps & 1ull << CAP_SYS_ADMIN;
}

static void probe_kind(struct nook_probes *p, const struct nook_host *host, const struct kind *kind)
{
	struct trial inside = { kind, true }, bare = { kind, false };
	struct nook_error err = { 0 }, bare_err = { 0 };
	int rc = nook_attempt(try_kind, &inside, &err);
	int bare_rc = is_admin(host) ? nook_attempt(try_kind, &bare, &bare_err) : -1;

	if (rc < 0 && bare_rc == 0) {
		struct nook_probe *row =
			nook_probe_outcome(p, "namespaces", kind->id, kind->name, rc, &err, true);

		row->verdict = NOOK_VERDICT_PARTLY;
		row->detail = nook_printf(p->arena, "only with --userns host (%s)", row->detail);
		return;
	}

	struct nook_probe *row =
		nook_probe_outcome(p, "namespaces", kind->id, kind->name, rc, &err, true);

	row->needed = true;
	if (rc == 0)
		row->detail = bare_rc == 0 ? "in a user namespace, and without one"
					   : "in a user namespace";
}

static void probe_deepest(struct nook_probes *p)
{
	static const char *const files[] = { "user", "mnt",    "uts", "ipc",
					     "net",  "cgroup", "pid", "time" };
	char text[512] = "";
	size_t len = 0;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char path[80], value[32] = "";

		(void)nook_format(path, sizeof(path), "/proc/sys/user/max_%s_namespaces", files[i]);
		auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : read(fd, value, sizeof(value) - 1);

		if (n <= 0)
			continue;
		value[strcspn(value, "\n")] = '\0';
		len += nook_format(text + len, sizeof(text) - len, "%s%s %s", len ? ", " : "",
				   files[i], value);
	}

	struct nook_probe *row = nook_probe_add(p, "namespaces", "namespace.limits",
						"allowed at most", NOOK_VERDICT_FACT);

	row->detail = len ? nook_strdup(p->arena, text) : "/proc/sys/user can't be read";
}

void nook_probe_namespaces(struct nook_probes *p, const struct nook_host *host)
{
	struct trial user = { NULL, true };
	struct nook_error err = { 0 };
	int rc = nook_attempt(try_kind, &user, &err);
	struct nook_probe *row =
		nook_probe_outcome(p, "namespaces", "namespace.user", "user", rc, &err, true);

	row->needed = true;
	if (rc == 0)
		row->detail = "own id mapped to root";
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		probe_kind(p, host, &kinds[i]);
	probe_deepest(p);
}
