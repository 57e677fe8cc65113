/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must be known of namespaces before they are entered: who there is in them. A child goes to
 * see, in our memory while we wait, and ends.
 */
#include "enter.h"

#include "base/own.h"
#include "base/text.h"
#include "host/accounts.h"
#include "sys/process.h"
#include "sys/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/wait.h>

struct look {
	const struct nook_entering *e;
	int user, mnt; /* the namespaces, open; NO_FD */
	int self;      /* the child's own directory in /proc */
	int proc;
	struct nook_inside *inside;
	struct nook_account *account;
	struct nook_error *err;
	int rc;
};

static int send_child(struct look *l, int (*fn)(void *))
{
	static _Alignas(16) char stack[262144];
	pid_t child = nook_vfork(fn, l, stack, sizeof(stack));

	if (child < 0)
		return nook_fail(l->err, -child, "clone (a child to look inside)");
	l->rc = l->rc ? l->rc : 0;
	while (waitpid(child, NULL, 0) < 0) {
		if (errno != EINTR)
			return nook_fail(l->err, errno, "waitpid(a child to look inside)");
	}
	return l->rc;
}

static int open_item(const struct nook_ns_target_item *item, int *ret, struct nook_error *err)
{
	if (!item)
		return 0;
	*ret = open(item->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return *ret < 0 ? nook_fail(err, errno, "open %s", item->path) : 0;
}

/* The first column of a map: an id that there is inside. */
static bool maps_zero(int self, const char *file)
{
	char text[16384]; /* 340 lines of 33 characters */
	auto_close int fd = openat(self, file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	for (const char *line = text; *line;) {
		if (nook_starts(line + strspn(line, " "), "0 "))
			return true;
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return false;
}

static bool denies_setgroups(int self)
{
	char text[8] = "";
	auto_close int fd = openat(self, "setgroups", O_RDONLY | O_CLOEXEC);

	return fd >= 0 && read(fd, text, sizeof(text) - 1) >= 4 && memcmp(text, "deny", 4) == 0;
}

static int look_in_user(void *arg)
{
	struct look *l = arg;

	l->self = nook_procfs_self(l->proc, l->err);
	l->rc = l->self < 0 ? l->self : nook_setns(l->user, CLONE_NEWUSER);
	if (l->self < 0)
		return 1;
	if (l->rc < 0) {
		(void)nook_fail(l->err, -l->rc, "setns(%s, CLONE_NEWUSER)", l->e->user->path);
		return 1;
	}
	l->inside->root_mapped = maps_zero(l->self, "uid_map") && maps_zero(l->self, "gid_map");
	l->inside->deny_setgroups = denies_setgroups(l->self);
	return 0;
}

int nook_entering_look(const struct nook_entering *e, struct nook_inside *ret,
		       struct nook_error *err)
{
	struct look l = { .e = e, .user = NO_FD, .mnt = NO_FD, .inside = ret, .err = err };
	int rc = l.proc = nook_procfs_open(false, err);

	if (rc >= 0)
		rc = open_item(e->user, &l.user, err);
	if (rc >= 0)
		rc = send_child(&l, look_in_user);
	close_fd(&l.proc);
	close_fd(&l.user);
	return rc;
}

static int look_up(struct look *l)
{
	const struct nook_spec asked = { .user = l->e->spec->user,
					 .user_from = l->e->spec->user_from };
	auto_close int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return root < 0 ? nook_fail(l->err, errno, "open /")
			: nook_account_in(l->e->arena, root, &asked, l->account, l->err);
}

/* What the account lookup finds lies in the arena, which is shared. */
static int look_in_mnt(void *arg)
{
	struct look *l = arg;

	l->rc = l->user < 0 ? 0 : nook_setns(l->user, CLONE_NEWUSER);
	if (l->rc == 0)
		l->rc = nook_setns(l->mnt, CLONE_NEWNS);
	if (l->rc < 0)
		(void)nook_fail(l->err, -l->rc, "setns(%s, CLONE_NEWNS)", l->e->mnt->path);
	else
		l->rc = look_up(l);
	return l->rc < 0;
}

int nook_entering_account(const struct nook_entering *e, struct nook_account *ret,
			  struct nook_error *err)
{
	struct look l = { .e = e, .user = NO_FD, .mnt = NO_FD, .account = ret, .err = err };
	bool privileged = e->host.caps & (1ULL << CAP_SYS_ADMIN);

	if (!e->mnt)
		return look_up(&l);

	int rc = privileged ? 0 : open_item(e->user, &l.user, err);

	if (rc == 0)
		rc = open_item(e->mnt, &l.mnt, err);
	if (rc == 0)
		rc = send_child(&l, look_in_mnt);
	close_fd(&l.user);
	close_fd(&l.mnt);
	return rc;
}
