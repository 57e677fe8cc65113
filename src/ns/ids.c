/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel says about one namespace, and its own lists of them. */
#include "discover.h"

#include "base/own.h"
#include "base/text.h"
#include "kinds.h"
#include "sys/nsfs.h"
#include "sys/openat2.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

/* Longest answers of one call. */
#define LISTNS_BATCH 512

static int kind_of_flag(int flag)
{
	for (int k = 0; k < NOOK_NS_COUNT; k++) {
		if (nook_ns_kinds[k].clone_flag == (uint64_t)(unsigned)flag)
			return k;
	}
	return -1;
}

int nook_ns_link_parse(const char *text, uint64_t *inode)
{
	char number[24];

	for (int k = 0; k < NOOK_NS_COUNT; k++) {
		const char *digits = nook_after(text, nook_ns_kinds[k].name);
		size_t len;

		if (!digits || digits[0] != ':' || digits[1] != '[')
			continue;
		len = strspn(digits + 2, "0123456789");
		if (len == 0 || len >= sizeof(number) || strcmp(digits + 2 + len, "]") != 0)
			return -1;
		memcpy(number, digits + 2, len);
		number[len] = '\0';
		return nook_parse_u64(number, UINT32_MAX, inode) == 0 ? k : -1;
	}
	return -1;
}

/* Owner and parent: opened, looked up, and asked in turn. User and pid namespaces nest 32 deep at
 * most. */
static const struct nook_ns *related(struct nook_discover *d, int fd, bool *hidden)
{
	auto_close int other = fd;
	struct nook_ns_node *node = other >= 0 ? nook_discover_fd(d, other) : NULL;

	if (node)
		return &node->ns;
	/* EPERM is also the answer for the first one of all, which has none. */
	*hidden = fd == -EPERM;
	return NULL;
}

static void ask(struct nook_discover *d, struct nook_ns *ns, int fd)
{
	ns->asked = true;
	(void)nook_nsfs_id(fd, &ns->id); /* stays 0 where the kernel has none */
	ns->owner = related(d, nook_nsfs_owner(fd), &ns->owner_hidden);
	if (ns->kind == NOOK_NS_PID)
		ns->parent = related(d, nook_nsfs_parent(fd), &ns->parent_hidden);
	if (ns->kind == NOOK_NS_USER) {
		ns->parent = ns->owner; /* the kernel gives the same */
		ns->parent_hidden = ns->owner_hidden;
		(void)nook_nsfs_creator(fd, &ns->creator); /* fails for other kinds only */
	}
}

struct nook_ns_node *nook_discover_fd(struct nook_discover *d, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || (d->nsfs && st.st_dev != d->nsfs))
		return NULL;

	int kind = kind_of_flag(nook_nsfs_type(fd));

	if (kind < 0)
		return NULL;

	struct nook_ns_node *node = nook_ns_node_find(d->graph, kind, st.st_ino);

	d->nsfs = st.st_dev;
	if (!node)
		node = nook_ns_node_add(d->graph, kind, st.st_ino);
	if (!node->ns.asked)
		ask(d, &node->ns, fd);
	return node;
}

struct nook_ns_node *nook_discover_path(struct nook_discover *d, int dir, const char *path,
					uint64_t resolve, int *ret_errno)
{
	/* To open a fifo or a device can do something. So first a descriptor that can do nothing.
	 */
	auto_close int there = nook_openat2(dir, path, O_PATH, 0, resolve);
	struct statfs fs;
	char link[48];

	*ret_errno = there < 0 ? -there : ENOENT;
	if (there < 0 || fstatfs(there, &fs) < 0 || fs.f_type != NOOK_NSFS_MAGIC)
		return NULL;
	(void)nook_format(link, sizeof(link), "self/fd/%d", there);

	auto_close int fd = openat(d->proc, link, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		*ret_errno = errno;
		return NULL;
	}
	return nook_discover_fd(d, fd);
}

static bool list_all(struct nook_discover *d, unsigned round)
{
	uint64_t ids[LISTNS_BATCH], after = 0;
	ssize_t n;

	while ((n = nook_listns(after, ids, LISTNS_BATCH)) > 0 && n <= LISTNS_BATCH) {
		for (ssize_t i = 0; i < n; i++) {
			auto_close int fd = nook_nsfs_by_id(ids[i], 0, 0);
			struct nook_ns_node *node = fd >= 0 ? nook_discover_fd(d, fd) : NULL;

			if (node)
				node->listed |= 1u << round;
		}
		if (ids[n - 1] <= after)
			break; /* no kernel does; nor shall we go round for ever */
		after = ids[n - 1];
	}
	return n == 0;
}

/* The ids are given out in batches by each CPU, so that the caller's can be in the midst. */
static void list_mnt(struct nook_discover *d, unsigned round, bool back)
{
	auto_close int fd = openat(d->proc, "self/ns/mnt", O_RDONLY | O_CLOEXEC);

	while (fd >= 0) {
		struct nook_ns_node *node = nook_discover_fd(d, fd);
		int next = nook_nsfs_next_mnt(fd, back);
		uint32_t mounts = 1;

		/* One whose last process has ended stays in the list until a grace period is over,
		 * empty. */
		(void)nook_nsfs_mounts(fd, &mounts);
		if (node && mounts > 0)
			node->listed |= 1u << round;
		close_fd(&fd);
		fd = next;
	}
}

void nook_discover_kernel(struct nook_discover *d, unsigned round)
{
	d->graph->listns = list_all(d, round);
	if (d->graph->listns)
		return;
	list_mnt(d, round, false);
	list_mnt(d, round, true);
}
