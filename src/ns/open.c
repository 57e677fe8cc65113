/* SPDX-License-Identifier: Apache-2.0 */
/* A namespace of the graph, opened again. */
#include "graph.h"

#include "base/own.h"
#include "base/text.h"
#include "kinds.h"
#include "sys/call.h"
#include "sys/nsfs.h"
#include "sys/openat2.h"
#include "sys/pidfd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

/* Opens what must be the namespace. First so that nothing can happen, whatever it is by now. */
static int open_path(const struct nook_ns *ns, int dir, const char *path, uint64_t resolve)
{
	auto_close int there = nook_openat2(dir, path, O_PATH, 0, resolve);
	struct statfs fs;
	struct stat st;
	char again[48];

	if (there < 0)
		return there;
	if (fstatfs(there, &fs) < 0 || fs.f_type != NOOK_NSFS_MAGIC || fstat(there, &st) < 0 ||
	    st.st_ino != ns->inode)
		return -ENOENT;
	(void)nook_format(again, sizeof(again), "/proc/self/fd/%d", there);

	int fd = openat(AT_FDCWD, again, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int open_process(const struct nook_ns *ns, int pid, int tid, const char *suffix)
{
	char path[80];

	if (tid)
		(void)nook_format(path, sizeof(path), "/proc/%d/task/%d/ns/%s%s", pid, tid,
				  nook_ns_kinds[ns->kind].name, suffix);
	else
		(void)nook_format(path, sizeof(path), "/proc/%d/ns/%s%s", pid,
				  nook_ns_kinds[ns->kind].name, suffix);
	return open_path(ns, AT_FDCWD, path, 0);
}

/* Through a process that sees the mount. */
static int open_mount(const struct nook_ns *ns, const struct nook_ns_holder *h)
{
	const struct nook_ns_node *mnt = (const struct nook_ns_node *)h->mount_ns;
	char path[32];

	if (!mnt || !mnt->inside)
		return -ENOENT;
	(void)nook_format(path, sizeof(path), "/proc/%d/root", mnt->inside);

	auto_close int root = openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return -errno;
	return open_path(ns, root, h->path,
			 RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS);
}

/* Borrows the socket for a moment. A tun device's descriptor answers to another question. */
static int open_socket(const struct nook_ns *ns, const struct nook_ns_holder *h)
{
	auto_close int pidfd = nook_pidfd_open(h->pid, 0);
	auto_close int copy = pidfd < 0 ? pidfd : (int)NOOK_CALL(SYS_pidfd_getfd, pidfd, h->fd, 0);
	auto_close int fd = copy < 0 ? copy : nook_socket_netns(copy, false);
	struct stat st;

	if (copy >= 0 && fd < 0)
		fd = nook_socket_netns(copy, true);
	if (fd < 0)
		return fd;
	return fstat(fd, &st) == 0 && st.st_ino == ns->inode ? move_fd(&fd) : -ENOENT;
}

static int open_holder(const struct nook_ns *ns, const struct nook_ns_holder *h)
{
	char path[64];

	switch (h->how) {
	case NOOK_NS_HOW_THREAD:
		return open_process(ns, h->pid, h->tid, "");
	case NOOK_NS_HOW_CHILDREN:
		return open_process(ns, h->pid, h->tid, "_for_children");
	case NOOK_NS_HOW_FD:
		(void)nook_format(path, sizeof(path), "/proc/%d/fd/%d", h->tid ? h->tid : h->pid,
				  h->fd);
		return open_path(ns, AT_FDCWD, path, 0);
	case NOOK_NS_HOW_SOCKET:
		return open_socket(ns, h);
	case NOOK_NS_HOW_MOUNT:
		return open_mount(ns, h);
	default:
		return -ENOENT;
	}
}

/* A descriptor of the wanted one by way of those that it owns or is the parent of. */
static int open_from_below(const struct nook_ns_graph *graph, const struct nook_ns *ns)
{
	for (size_t i = 0; i < graph->n; i++) {
		const struct nook_ns *below = graph->all[i];
		struct stat st;

		if (below->owner != ns && below->parent != ns)
			continue;

		auto_close int fd = nook_ns_open(graph, below, NULL);
		auto_close int above = fd < 0                ? NO_FD
				       : below->parent == ns ? nook_nsfs_parent(fd)
							     : nook_nsfs_owner(fd);

		if (above >= 0 && fstat(above, &st) == 0 && st.st_ino == ns->inode)
			return move_fd(&above);
	}
	return -ENOENT;
}

int nook_ns_open(const struct nook_ns_graph *graph, const struct nook_ns *ns,
		 struct nook_error *err)
{
	const struct nook_ns_info *kind = &nook_ns_kinds[ns->kind];
	int fd = ns->id ? nook_nsfs_by_id(ns->id, (uint32_t)kind->clone_flag, (uint32_t)ns->inode)
			: -ENOENT;

	/* ESTALE: it is gone. Whatever else the kernel answers, an older one may not know the way.
	 */
	if (fd == -ESTALE)
		return nook_fail(err, ENOENT, "open %s:[%lu]", kind->name,
				 (unsigned long)ns->inode);
	if (fd < 0 && ns->first)
		fd = open_process(ns, ns->first->pid, 0, "");
	for (const struct nook_ns_holder *h = ns->holders; h && fd < 0; h = h->next)
		fd = open_holder(ns, h);
	if (fd < 0 && (ns->held[NOOK_NS_HOW_NESTED] || ns->held[NOOK_NS_HOW_OWNER]))
		fd = open_from_below(graph, ns);
	return fd < 0 ? nook_fail(err, -fd, "open %s:[%lu]", kind->name, (unsigned long)ns->inode)
		      : fd;
}

int nook_ns_graph_at(const struct nook_ns_graph *graph, const char *path,
		     const struct nook_ns **ret, struct nook_error *err)
{
	auto_close int fd = openat(AT_FDCWD, path, O_PATH | O_CLOEXEC);
	struct statfs fs;
	struct stat st;

	if (fd < 0)
		return nook_fail(err, errno, "open %s", path);
	if (fstatfs(fd, &fs) < 0 || fs.f_type != NOOK_NSFS_MAGIC || fstat(fd, &st) < 0)
		return nook_refuse(err, EINVAL, "%s is no namespace", path);
	/* An inode belongs to one kind only. */
	for (int k = 0; k < NOOK_NS_COUNT; k++) {
		*ret = nook_ns_graph_find(graph, k, st.st_ino);
		if (*ret)
			return 0;
	}
	return nook_refuse(err, ENOENT, "%s is a namespace that was not there a moment ago", path);
}
