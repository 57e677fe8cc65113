/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces that processes and threads are in. */
#include "discover.h"

#include "base/own.h"
#include "base/text.h"
#include "kinds.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* More are counted as unseen. Their rows take 112 bytes each in an arena of 256 MiB. */
#define PROCESSES_MAX ((size_t)1 << 20)

/* For a process that enters namespaces while it is looked at. There are eight kinds. */
#define TRIES 10

static const char *const link_names[NOOK_LINK_COUNT] = {
	[NOOK_NS_USER] = "ns/user",
	[NOOK_NS_MNT] = "ns/mnt",
	[NOOK_NS_CGROUP] = "ns/cgroup",
	[NOOK_NS_IPC] = "ns/ipc",
	[NOOK_NS_UTS] = "ns/uts",
	[NOOK_NS_NET] = "ns/net",
	[NOOK_NS_PID] = "ns/pid",
	[NOOK_NS_TIME] = "ns/time",
	[NOOK_LINK_PID_CHILDREN] = "ns/pid_for_children",
	[NOOK_LINK_TIME_CHILDREN] = "ns/time_for_children",
};

static int kind_of_link(int link)
{
	return link == NOOK_LINK_PID_CHILDREN    ? NOOK_NS_PID
	       : link == NOOK_LINK_TIME_CHILDREN ? NOOK_NS_TIME
						 : link;
}

/* 0 for a link that isn't there: a kind that the kernel lacks, or a process that has ended and
 * wasn't waited for. */
static int read_link(int dir, int link, uint64_t *ret)
{
	char text[64];
	ssize_t n = readlinkat(dir, link_names[link], text, sizeof(text) - 1);

	*ret = 0;
	if (n < 0)
		return errno == ENOENT ? 0 : -errno;
	text[n] = '\0';
	return nook_ns_link_parse(text, ret) == kind_of_link(link) ? 0 : -ESRCH;
}

/* The node of a link that was read; a new one is opened and asked. NULL: the process has left it.
 */
static struct nook_ns_node *node_of_link(struct nook_discover *d, int dir, int link, uint64_t inode)
{
	struct nook_ns_node *node = d->last[link];

	if (node && node->ns.inode == inode)
		return node;
	node = nook_ns_node_find(d->graph, kind_of_link(link), inode);
	if (!node || !node->ns.asked) {
		auto_close int fd = openat(dir, link_names[link], O_RDONLY | O_CLOEXEC);

		node = fd >= 0 ? nook_discover_fd(d, fd) : NULL;
		if (!node || node->ns.inode != inode)
			return NULL;
	}
	d->last[link] = node;
	return node;
}

/* ---- threads ---- */

struct task_scan {
	struct nook_discover *d;
	const uint64_t *leader; /* inodes of the process */
	int pid, dir;           /* of /proc/PID/task */
};

/* What the threads of a process can have each for itself: setns(2) and unshare(2) refuse the
 * others. */
static const int thread_links[] = {
	NOOK_NS_MNT,
	NOOK_NS_CGROUP,
	NOOK_NS_IPC,
	NOOK_NS_UTS,
	NOOK_NS_NET,
	NOOK_LINK_PID_CHILDREN,
	NOOK_LINK_TIME_CHILDREN,
};

static int scan_thread(void *arg, const char *name, int tid)
{
	struct task_scan *s = arg;

	if (tid == s->pid)
		return 0;

	auto_close int dir = openat(s->dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; dir >= 0 && i < ARRAY_SIZE(thread_links); i++) {
		int link = thread_links[i];
		struct nook_ns_holder holder = {
			.how = link >= NOOK_NS_COUNT ? NOOK_NS_HOW_CHILDREN : NOOK_NS_HOW_THREAD,
			.pid = s->pid,
			.tid = tid,
			.fd = -1,
		};
		uint64_t inode;

		if (read_link(dir, link, &inode) < 0)
			break; /* it has ended */
		if (inode == 0 || inode == s->leader[link])
			continue;

		struct nook_ns_node *node = node_of_link(s->d, dir, link, inode);

		if (!node)
			continue;
		nook_ns_node_hold(s->d->graph, node, &holder);
		if (link == NOOK_NS_MNT && !node->inside)
			node->inside = tid; /* /proc/TID is there, though no listing shows it */
	}
	return 0;
}

static void scan_threads(struct nook_discover *d, int dir, int pid, const uint64_t *leader)
{
	auto_close int tasks = openat(dir, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct task_scan scan = { .d = d, .leader = leader, .pid = pid, .dir = tasks };

	if (tasks >= 0)
		(void)nook_each_number(tasks, scan_thread, &scan); /* it may end at any time */
}

/* ---- processes ---- */

/* Who sees all mounts of its mount namespace: its root is the namespace's. */
static void note_inside(struct nook_ns_node *mnt, int dir, int pid)
{
	char root[4];

	if (mnt && !mnt->inside && readlinkat(dir, "root", root, sizeof(root)) == 1 &&
	    root[0] == '/')
		mnt->inside = pid;
}

static void join_list(struct nook_discover *d, struct nook_ns_member *m)
{
	struct nook_ns_store *s = d->graph->store;

	if (s->last_member) {
		s->last_member->next = m;
		s->last_member->process.next = &m->process;
	} else {
		s->members = m;
		d->graph->processes = &m->process;
	}
	s->last_member = m;
	d->graph->n_processes++;
}

/* Adds a process whose links were all read and found. */
static void commit(struct nook_discover *d, int dir, int pid, unsigned threads,
		   struct nook_ns_node *const nodes[NOOK_LINK_COUNT])
{
	struct nook_ns_member *m = nook_alloc(&d->graph->store->arena, sizeof(*m));
	struct nook_ns_process *p = &m->process;

	p->pid = pid;
	m->threads = threads;
	for (int k = 0; k < NOOK_NS_COUNT; k++) {
		if (!nodes[k])
			continue;
		p->in[k] = &nodes[k]->ns;
		nodes[k]->ns.held[NOOK_NS_HOW_PROCESS]++;
		if (!nodes[k]->ns.first || nodes[k]->ns.first->pid > pid)
			nodes[k]->ns.first = p;
	}
	for (int link = NOOK_NS_COUNT; link < NOOK_LINK_COUNT; link++) {
		struct nook_ns_holder holder = { .how = NOOK_NS_HOW_CHILDREN,
						 .pid = pid,
						 .fd = -1 };

		if (!nodes[link])
			continue;
		if (link == NOOK_LINK_PID_CHILDREN)
			p->pid_for_children = &nodes[link]->ns;
		else
			p->time_for_children = &nodes[link]->ns;
		if (nodes[link] != nodes[kind_of_link(link)])
			nook_ns_node_hold(d->graph, nodes[link], &holder);
	}
	note_inside(nodes[NOOK_NS_MNT], dir, pid);
	join_list(d, m);
}

/* /proc/PID/task has a link for each thread, and two more. */
static unsigned count_threads(int dir)
{
	struct stat st;

	return fstatat(dir, "task", &st, 0) == 0 && st.st_nlink > 2 ? (unsigned)st.st_nlink - 2 : 1;
}

/* Return: 0; -EAGAIN: it entered other namespaces meanwhile; others: it has ended, or may not be
 * looked into. */
static int try_process(struct nook_discover *d, int dir, int pid)
{
	uint64_t inodes[NOOK_LINK_COUNT];
	struct nook_ns_node *nodes[NOOK_LINK_COUNT] = { NULL };

	for (int link = 0; link < NOOK_LINK_COUNT; link++) {
		int rc = read_link(dir, link, &inodes[link]);

		if (rc < 0)
			return rc;
		/* All its life it is in some user namespace. */
		if (link == NOOK_NS_USER && inodes[link] == 0)
			return -ESRCH;
	}
	for (int link = 0; link < NOOK_LINK_COUNT; link++) {
		if (inodes[link] == 0)
			continue;
		nodes[link] = node_of_link(d, dir, link, inodes[link]);
		if (!nodes[link])
			return -EAGAIN;
	}

	unsigned threads = count_threads(dir);

	commit(d, dir, pid, threads, nodes);
	/* Without a mount namespace its first thread has ended; others may go on. */
	if (threads > 1 || inodes[NOOK_NS_MNT] == 0)
		scan_threads(d, dir, pid, inodes);
	return 0;
}

static int scan_process(void *arg, const char *name, int pid)
{
	struct nook_discover *d = arg;
	auto_close int dir = openat(d->proc, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int rc = -EAGAIN;

	if (dir < 0)
		return 0;
	if (d->graph->n_processes >= PROCESSES_MAX) {
		d->graph->unseen.processes++;
		return 0;
	}
	for (int i = 0; i < TRIES && rc == -EAGAIN; i++)
		rc = try_process(d, dir, pid);
	if (rc == -EACCES || rc == -EPERM)
		d->graph->unseen.processes++;
	return 0;
}

int nook_discover_processes(struct nook_discover *d, struct nook_error *err)
{
	int rc = nook_each_number(d->proc, scan_process, d);

	return rc < 0 ? nook_fail(err, -rc, "getdents64 /proc") : 0;
}
