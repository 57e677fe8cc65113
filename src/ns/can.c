/* SPDX-License-Identifier: Apache-2.0 */
/*
 * May we enter? The kernel's rules, asked of what can be read: setns(2), user_namespaces(7),
 * "Capabilities", and the install functions of each kind. Security modules and filters of system
 * calls may refuse more.
 */
#include "target.h"

#include "base/own.h"
#include "base/text.h"
#include "ns/kinds.h"
#include "sys/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define DEPTH 64 /* user and pid namespaces are nested 32 deep at most */

/* Who asks: as it is now, or as it would be in the target's user namespace, with all its power. */
struct asker {
	struct stat user, pid; /* its namespaces */
	uint64_t caps;         /* effective, in @user */
	uid_t euid;
	bool after; /* @user is entered first: who has made it does not count any more */
};

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

/* Its parent takes the place of @fd; false: it has none that we may know. */
static bool go_up(int *fd)
{
	int parent = ioctl(*fd, NS_GET_PARENT);

	if (parent < 0)
		return false;
	close_fd(fd);
	*fd = parent;
	return true;
}

/* ns_capable(): we have it in a user namespace where it is ours, or where we have made one of those
 * that it lies in. @userns is consumed. */
static bool has_cap(const struct asker *who, int userns, unsigned cap)
{
	auto_close int at = userns;
	uid_t owner = (uid_t)-1;
	struct stat st;

	for (int i = 0; i < DEPTH && at >= 0 && fstat(at, &st) == 0; i++) {
		if (same(&st, &who->user))
			return who->caps & 1ULL << cap;

		bool made = ioctl(at, NS_GET_OWNER_UID, &owner) == 0 && owner == who->euid;

		if (!go_up(&at) || fstat(at, &st) < 0)
			return false;
		if (same(&st, &who->user) && made && !who->after)
			return true;
		/* In one above it every capability counts that we have there. */
	}
	return false;
}

/* The user namespace whose capabilities count for this one. */
static int owner_of(int ns, enum nook_ns_kind kind)
{
	return kind == NOOK_NS_USER ? fcntl(ns, F_DUPFD_CLOEXEC, 3) : ioctl(ns, NS_GET_USERNS);
}

static bool is_below(const struct asker *who, int pidns)
{
	auto_close int at = fcntl(pidns, F_DUPFD_CLOEXEC, 3);
	struct stat st;

	for (int i = 0; i < DEPTH && at >= 0 && fstat(at, &st) == 0; i++) {
		if (same(&st, &who->pid))
			return true;
		if (!go_up(&at))
			return false;
	}
	return false;
}

static void refuse(struct nook_ns_can *c, int errnum, const char *id, const char *why)
{
	c->answer = NOOK_NS_CAN_NOT;
	c->errnum = errnum;
	(void)nook_format(c->id, sizeof(c->id), "%s", id);
	(void)nook_format(c->why, sizeof(c->why), "%s", why);
}

/* In the order of the kernel's own checks, because the first that fails names the errno. */
static void ask(const struct asker *who, int ns, struct nook_ns_can *c)
{
	bool over_it = has_cap(who, owner_of(ns, c->kind), CAP_SYS_ADMIN);
	bool here = who->caps & 1ULL << CAP_SYS_ADMIN;

	c->answer = NOOK_NS_CAN_ENTER;
	if (!over_it)
		refuse(c, EPERM, c->kind == NOOK_NS_USER ? "ns-not-owned" : "missing-capability",
		       c->kind == NOOK_NS_USER
			       ? "it takes CAP_SYS_ADMIN in that user namespace: you have neither "
				 "made it "
				 "from yours, nor are you privileged in one above it"
			       : "it takes CAP_SYS_ADMIN in the user namespace that owns it");
	else if (c->kind != NOOK_NS_USER && !here)
		refuse(c, EPERM, "missing-capability",
		       "it takes CAP_SYS_ADMIN in your own user namespace as well");
	else if (c->kind == NOOK_NS_MNT && !(who->caps & 1ULL << CAP_SYS_CHROOT))
		refuse(c, EPERM, "missing-capability",
		       "a mount namespace takes CAP_SYS_CHROOT in your own user namespace as well");
	else if (c->kind == NOOK_NS_PID && !is_below(who, ns))
		refuse(c, EINVAL, "pid-namespace-outside",
		       "a pid namespace can be entered from itself or from one above it only, and "
		       "it is "
		       "not below yours");
}

/* Why a link in /proc/PID/ns could not be followed: ptrace(2), "Ptrace access mode checking". */
static void refuse_closed(const struct nook_ns_target *t, const struct nook_ns_target_item *item,
			  struct nook_ns_can *c)
{
	char path[40];
	struct stat st;

	(void)nook_format(path, sizeof(path), "/proc/%d", t->pid);

	bool seen = t->pid > 0 && stat(path, &st) == 0;

	refuse(c, item->errnum, "ns-entry-denied",
	       !seen ? "it can't be opened"
	       : st.st_uid == geteuid()
		       ? "the process has other ids too, or capabilities that you have "
			 "not, so you may not look into it"
	       : st.st_uid == 0
		       ? "the process is root's, or has hidden itself (it is not dumpable), so "
			 "you may not look into it"
		       : "the process is another user's, and you have no CAP_SYS_PTRACE over it");
}

static int fill_asker(struct asker *who, struct nook_error *err)
{
	uint64_t permitted, inheritable;
	int rc = nook_capget(&who->caps, &permitted, &inheritable);

	if (rc < 0)
		return nook_fail(err, -rc, "capget");
	who->euid = geteuid();
	if (stat("/proc/self/ns/user", &who->user) < 0 || stat("/proc/self/ns/pid", &who->pid) < 0)
		return nook_fail(err, errno, "stat /proc/self/ns/user");
	return 0;
}

static int open_item(const struct nook_ns_target_item *item)
{
	int fd = open(item->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? -errno : fd;
}

/* From inside its user namespace, where we would have every capability. */
static bool can_after(const struct asker *now, const struct nook_ns_target *t, int ns,
		      const struct nook_ns_can *c)
{
	struct nook_ns_can then = { .kind = c->kind };
	struct asker who = *now;

	for (size_t i = 0; i < t->n; i++) {
		const struct nook_ns_target_item *user = &t->item[i];
		struct nook_ns_can first = { .kind = NOOK_NS_USER };
		auto_close int fd =
			user->kind == NOOK_NS_USER && !user->own ? open_item(user) : NO_FD;

		if (fd < 0 || fstat(fd, &who.user) < 0)
			continue;
		ask(now, fd, &first);
		who.caps = ~0ULL;
		who.after = true;
		ask(&who, ns, &then);
		return first.answer == NOOK_NS_CAN_ENTER && then.answer == NOOK_NS_CAN_ENTER;
	}
	return false;
}

static void forecast(const struct asker *who, const struct nook_ns_target *t,
		     const struct nook_ns_target_item *item, struct nook_ns_can *c)
{
	auto_close int fd = item->errnum ? NO_FD : open_item(item);

	if (fd < 0) {
		struct nook_ns_target_item closed = *item;

		closed.errnum = item->errnum ? item->errnum : -fd;
		refuse_closed(t, &closed, c);
		return;
	}
	if (item->own) {
		c->answer = NOOK_NS_CAN_NOTHING;
		return;
	}
	ask(who, fd, c);
	if (c->answer == NOOK_NS_CAN_NOT && c->kind != NOOK_NS_USER)
		c->after_user = can_after(who, t, fd, c);
}

int nook_ns_can(const char *state_dir, const char *target, struct nook_arena *a,
		struct nook_ns_can ret[NOOK_NS_COUNT], size_t *ret_n, struct nook_error *err)
{
	struct nook_ns_target t;
	struct asker who = { 0 };
	int rc = nook_ns_target_find(state_dir, target, a, &t, err);

	if (rc == 0)
		rc = fill_asker(&who, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < t.n; i++) {
		ret[i] = (struct nook_ns_can){
			.kind = t.item[i].kind,
			.dev = t.item[i].dev,
			.ino = t.item[i].ino,
		};
		forecast(&who, &t, &t.item[i], &ret[i]);
	}
	*ret_n = t.n;
	return 0;
}
