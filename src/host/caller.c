/* SPDX-License-Identifier: Apache-2.0 */
#include "caller.h"

#include "base/own.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's first user namespace has this inode number since Linux 3.8: PROC_USER_INIT_INO. Its
 * id map tells less: another namespace may map every id to itself too, and has no power over the
 * machine. */
#define INITIAL_USERNS 0xEFFFFFFDu

static int read_caps(struct nook_prober *p)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };
	int known;

	if (syscall(SYS_capget, &header, data) < 0)
		return nook_fail(p->err, errno, "capget");
	p->host->caps = (uint64_t)data[1].effective << 32 | data[0].effective;

	/* 41 calls of 0.07 us each, and the first that fails tells the last capability of this
	 * kernel. /proc/self/status would take longer, and /proc/sys/kernel/cap_last_cap comes on
	 * top. */
	for (unsigned cap = 0; cap < 64; cap++) {
		known = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);
		if (known < 0)
			break;
		p->host->bounding |= (uint64_t)known << cap;
		p->host->last_cap = cap;
	}
	return 0;
}

static void read_cwd(struct nook_prober *p)
{
	char path[PATH_MAX];

	/* A directory that was deleted, or lies outside of our root ("(unreachable)/x"), is no
	 * place to name inside. */
	if (!getcwd(path, sizeof(path)) || path[0] != '/')
		p->host->cwd = "/";
	else
		p->host->cwd = nook_strdup(p->arena, path);
}

/* user_namespaces(7), "The /proc/pid/setgroups file" */
static bool setgroups_denied(const struct nook_host *host)
{
	char text[8] = "";

	if (host->initial_userns)
		return false;

	auto_close int fd = open("/proc/self/setgroups", O_RDONLY | O_CLOEXEC);

	return fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && nook_starts(text, "deny");
}

int nook_caller_probe(struct nook_prober *p)
{
	struct nook_host *host = p->host;
	struct stat st;

	host->euid = geteuid();
	host->egid = getegid();
	host->env = (const char *const *)environ;
	host->stdin_tty = isatty(STDIN_FILENO);
	host->stdout_tty = isatty(STDOUT_FILENO);

	if (stat("/proc/self/ns/user", &st) < 0) {
		nook_hint(p->err, "nook needs /proc: mount -t proc proc /proc");
		return nook_fail(p->err, errno, "stat /proc/self/ns/user");
	}
	host->initial_userns = st.st_ino == INITIAL_USERNS;
	host->setgroups_denied = setgroups_denied(host);

	read_cwd(p);
	return read_caps(p);
}
