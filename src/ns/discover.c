/* SPDX-License-Identifier: Apache-2.0 */
/* The order in which the graph is filled, and what its parts share. */
#include "discover.h"

#include "base/own.h"
#include "base/text.h"
#include "kinds.h"
#include "sys/call.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <time.h>

#define GRACE_MS 40 /* on a busy machine */

/* As the kernel writes them, linux_dirent64 of getdents(2). */
struct entry {
	uint64_t inode;
	int64_t offset;
	unsigned short length;
	unsigned char type;
	char name[];
};

int nook_each_number(int dir, int (*fn)(void *arg, const char *name, int number), void *arg)
{
	/* An opendir(3) for each process would allocate and free each time. */
	char buffer[8192] __attribute__((aligned(8)));
	long n;

	while ((n = NOOK_CALL(SYS_getdents64, dir, buffer, sizeof(buffer))) > 0) {
		for (long at = 0; at < n;) {
			const struct entry *e = (const struct entry *)(buffer + at);
			uint64_t number;

			at += e->length;
			if (e->name[0] < '0' || e->name[0] > '9' ||
			    nook_parse_u64(e->name, INT_MAX, &number) < 0)
				continue;

			int rc = fn(arg, e->name, (int)number);

			if (rc != 0)
				return rc;
		}
	}
	return (int)n;
}

/* Is /proc mounted so that other users' processes don't show? */
static bool proc_hides(const struct nook_discover *d)
{
	char text[16384];
	auto_close int fd = openat(d->proc, "self/mounts", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;

	if (n <= 0)
		return false;
	text[n] = '\0';

	const char *line = strstr(text, " /proc proc ");
	const char *option = line ? strstr(line, "hidepid=") : NULL;

	return option && option < strchrnul(line, '\n') && option[strlen("hidepid=")] != '0' &&
	       strncmp(option, "hidepid=off", strlen("hidepid=off")) != 0;
}

static void note_own(struct nook_discover *d)
{
	for (int k = 0; k < NOOK_NS_COUNT; k++) {
		char path[32];
		int ignored;

		(void)nook_format(path, sizeof(path), "self/ns/%s", nook_ns_kinds[k].name);

		struct nook_ns_node *node = nook_discover_path(d, d->proc, path, 0, &ignored);

		d->graph->own[k] = node ? &node->ns : NULL;
	}
}

/* `ip netns` knows a net namespace by a file that it is mounted on. */
static void name_netns(struct nook_ns_graph *g)
{
	for (size_t i = 0; i < g->n; i++) {
		if (g->all[i]->kind != NOOK_NS_NET)
			continue;
		for (const struct nook_ns_holder *h = g->all[i]->holders; h; h = h->next) {
			const char *name = h->path && h->mount_ns == g->own[NOOK_NS_MNT]
						   ? nook_after(h->path, "/run/netns/")
						   : NULL;

			if (name && name[0] && !strchr(name, '/'))
				(void)nook_ns_graph_name(g, g->all[i]->inode, NOOK_NS_NET, name);
		}
	}
}

static void count_hidden(struct nook_ns_graph *g)
{
	for (size_t i = 0; i < g->n; i++) {
		struct nook_ns *ns = g->all[i];

		/* The first user and pid namespaces have none above, and their inodes are fixed:
		 * nsfs.h. */
		if (ns->kind == NOOK_NS_USER && ns->inode == 0xeffffffdu)
			ns->owner_hidden = ns->parent_hidden = false;
		if (ns->kind == NOOK_NS_PID && ns->inode == 0xeffffffcu)
			ns->parent_hidden = false;
		g->unseen.parents += ns->owner_hidden || ns->parent_hidden;
	}
}

/*
 * A namespace that only the kernel's list has is believed when it was there before and after the
 * processes were looked at: else it belongs to one that came or went meanwhile. And a mount
 * namespace stays in the list for a grace period after its last process has ended, so it must be
 * there after one, too.
 *
 * Return: the lists that were read, as bits.
 */
static unsigned list_again(struct nook_discover *d)
{
	const struct timespec grace = { .tv_nsec = GRACE_MS * 1000000 };

	nook_discover_kernel(d, 1);
	for (size_t i = 0; i < d->graph->n; i++) {
		const struct nook_ns_node *node = (const struct nook_ns_node *)d->graph->all[i];

		if (node->listed != 3 || nook_ns_node_is_held(node))
			continue;
		(void)nanosleep(&grace,
				NULL); /* a signal shortens it, and the answer may be stale */
		nook_discover_kernel(d, 2);
		return 7;
	}
	return 3;
}

int nook_ns_discover(unsigned flags, struct nook_ns_graph **ret, struct nook_error *err)
{
	struct nook_discover d = { .flags = flags, .proc = NO_FD };
	auto_close int proc = openat(AT_FDCWD, "/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char self[32];

	if (proc < 0)
		return nook_fail(err, errno, "open /proc");
	d.proc = proc;

	int rc = nook_ns_graph_new(&d.graph, err);
	ssize_t n = readlinkat(proc, "self", self, sizeof(self) - 1);
	uint64_t pid = 0;

	if (rc < 0)
		return rc;
	self[n > 0 ? n : 0] = '\0';
	if (nook_parse_u64(self, INT_MAX, &pid) < 0) {
		nook_ns_graph_free(d.graph);
		nook_hint(err, "Mount a procfs for this pid namespace: mount -t proc proc /proc.");
		return nook_refuse(err, ENOENT, "/proc does not show this process");
	}
	d.self = (int)pid;
	d.graph->unseen.hidden = proc_hides(&d);

	note_own(&d);
	nook_discover_kernel(&d, 0);
	rc = nook_discover_processes(&d, err);
	if (rc == 0 && !(flags & NOOK_NS_NO_MOUNTS))
		nook_discover_mounts(&d);
	if (rc == 0 && !(flags & NOOK_NS_NO_FDS)) {
		nook_discover_fds(&d);
		/* Mount namespaces that only a descriptor holds. */
		if (!(flags & NOOK_NS_NO_MOUNTS))
			nook_discover_mounts(&d);
	}
	if (rc < 0) {
		nook_ns_graph_free(d.graph);
		return rc;
	}
	nook_ns_graph_finish(d.graph, list_again(&d));
	name_netns(d.graph);
	count_hidden(d.graph);
	*ret = d.graph;
	return 0;
}
