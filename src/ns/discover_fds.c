/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces that a descriptor or a socket of a process keeps. */
#include "discover.h"

#include "base/own.h"
#include "base/text.h"
#include "sys/call.h"
#include "sys/nsfs.h"
#include "sys/pidfd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define KCMP_FILES_TYPE 2 /* enum kcmp_type of linux/kcmp.h */
#define SOCKETS_MAX     ((size_t)1 << 20)

struct fd_scan {
	struct nook_discover *d;
	int pid, tid; /* @tid: of a thread with descriptors of its own; else 0 */
	int dir;      /* of its fd/ */
	int pidfd;    /* opened when the first socket is met */
	uint64_t net; /* inode of the net namespace that it is in */
};

static void hold(struct fd_scan *s, struct nook_ns_node *node, enum nook_ns_how how, int fd)
{
	struct nook_ns_holder holder = { .how = how, .pid = s->pid, .tid = s->tid, .fd = fd };

	nook_ns_node_hold(s->d->graph, node, &holder);
}

/* ---- sockets ---- */

/* The pair of a socket; {0, 0} when it is new. NULL: there are too many to remember. */
static uint64_t *socket_pair(struct nook_discover *d, uint64_t inode)
{
	size_t at = (size_t)((inode * 0x9e3779b97f4a7c15u) >> 32) & (d->n_socket_slots - 1);

	while (d->sockets[2 * at] && d->sockets[2 * at] != inode)
		at = (at + 1) & (d->n_socket_slots - 1);
	return &d->sockets[2 * at];
}

static void make_room(struct nook_discover *d)
{
	uint64_t *old = d->sockets;
	size_t n = d->n_socket_slots;

	if (d->n_sockets * 2 < n)
		return;
	d->n_socket_slots = n ? n * 4 : 1024;
	d->sockets = nook_alloc_array(&d->graph->store->arena, d->n_socket_slots, 2 * sizeof(*old));
	for (size_t i = 0; i < n; i++) {
		if (old[2 * i])
			memcpy(socket_pair(d, old[2 * i]), &old[2 * i], 2 * sizeof(*old));
	}
}

/* Borrows the descriptor for a moment, to ask for its net namespace. Return: its inode; 0: can't be
 * told. */
static uint64_t ask_socket(struct fd_scan *s, int fd, bool tun)
{
	if (s->pidfd == NO_FD)
		s->pidfd = nook_pidfd_open(s->pid, 0);
	if (s->pidfd < 0)
		return 0;

	auto_close int copy = (int)NOOK_CALL(SYS_pidfd_getfd, s->pidfd, fd, 0);
	auto_close int ns = copy >= 0 ? nook_socket_netns(copy, tun) : NO_FD;

	if (copy == -EPERM || copy == -EACCES || ns == -EPERM)
		s->d->graph->unseen.sockets++;

	struct nook_ns_node *node = ns >= 0 ? nook_discover_fd(s->d, ns) : NULL;

	return node ? node->ns.inode : 0;
}

static void scan_socket(struct fd_scan *s, int fd, uint64_t inode, bool tun)
{
	struct nook_discover *d = s->d;
	uint64_t net;

	if ((d->flags & NOOK_NS_NO_SOCKETS) || d->graph->unseen.skipped)
		return;
	if (tun || d->n_sockets >= SOCKETS_MAX) {
		net = ask_socket(s, fd, tun);
	} else {
		make_room(d);

		/* Forked processes share their sockets. */
		uint64_t *pair = socket_pair(d, inode);

		if (pair[0] == 0) {
			pair[0] = inode;
			d->n_sockets++;
			pair[1] = ask_socket(s, fd, false);
		}
		net = pair[1];
	}
	if (net == 0 || net == s->net)
		return;

	struct nook_ns_node *node = nook_ns_node_find(d->graph, NOOK_NS_NET, net);

	if (node)
		hold(s, node, NOOK_NS_HOW_SOCKET, fd);
}

/* ---- descriptors ---- */

static void scan_namespace(struct fd_scan *s, const char *name, int fd)
{
	int ignored;
	struct nook_ns_node *node = nook_discover_path(s->d, s->dir, name, 0, &ignored);

	if (node)
		hold(s, node, NOOK_NS_HOW_FD, fd);
}

/*
 * A namespace opened in /proc/PID/ns reads "net:[4026532000]"; one opened where it is mounted reads
 * as that path, and
 * "/" once that mount has been taken away. To ask each descriptor for its file system instead would
 * cost more, and may wait for a server that doesn't answer.
 */
static int scan_fd(void *arg, const char *name, int fd)
{
	struct fd_scan *s = arg;
	char text[256];
	ssize_t n = readlinkat(s->dir, name, text, sizeof(text) - 1);
	uint64_t inode;

	if (n <= 0)
		return 0;
	text[n] = '\0';
	if (text[0] == '/') {
		if (text[1] == '\0' || nook_discover_knows_path(s->d, text))
			scan_namespace(s, name, fd);
		else if (strcmp(text, "/dev/net/tun") == 0)
			scan_socket(s, fd, 0, true);
		return 0;
	}

	const char *number = nook_after(text, "socket:[");

	if (number) {
		text[n - 1] = '\0';
		if (nook_parse_u64(number, UINT64_MAX, &inode) == 0 && inode != 0)
			scan_socket(s, fd, inode, false);
		return 0;
	}

	int kind = nook_ns_link_parse(text, &inode);

	if (kind < 0)
		return 0;

	struct nook_ns_node *node = nook_ns_node_find(s->d->graph, kind, inode);

	if (node && node->ns.asked)
		hold(s, node, NOOK_NS_HOW_FD, fd);
	else
		scan_namespace(s, name, fd);
	return 0;
}

static void scan_dir(struct nook_discover *d, const struct nook_ns_process *p, int tid)
{
	struct fd_scan scan = { .d = d, .pid = p->pid, .tid = tid, .pidfd = NO_FD };
	char path[48];

	scan.net = p->in[NOOK_NS_NET] ? p->in[NOOK_NS_NET]->inode : 0;
	(void)nook_format(path, sizeof(path), "%d/fd", tid ? tid : p->pid);
	scan.dir = openat(d->proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	int rc = scan.dir < 0 ? -errno : nook_each_number(scan.dir, scan_fd, &scan);

	if (rc == -EACCES || rc == -EPERM)
		d->graph->unseen.fds++;
	close_fd(&scan.dir);
	close_fd(&scan.pidfd);
}

struct thread_scan {
	struct nook_discover *d;
	const struct nook_ns_process *process;
};

/* Threads share their descriptors, but for one that unshared them. */
static int scan_thread(void *arg, const char *name, int tid)
{
	struct thread_scan *s = arg;
	int pid = s->process->pid;

	(void)name;
	if (tid != pid && NOOK_CALL(SYS_kcmp, pid, tid, KCMP_FILES_TYPE, 0, 0) > 0)
		scan_dir(s->d, s->process, tid);
	return 0;
}

static void scan_threads(struct nook_discover *d, const struct nook_ns_process *p)
{
	struct thread_scan scan = { .d = d, .process = p };
	char path[48];

	(void)nook_format(path, sizeof(path), "%d/task", p->pid);

	auto_close int tasks = openat(d->proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (tasks >= 0)
		(void)nook_each_number(tasks, scan_thread, &scan); /* it may end at any time */
}

/*
 * A socket that is borrowed takes on the borrower's class of net_cls and net_prio, where a version
 * 1 hierarchy of these is mounted and in use: we would change how the socket's packets are marked.
 * cgroups(7), /proc/cgroups
 */
static const char *why_no_sockets(const struct nook_discover *d)
{
	char text[4096];
	auto_close int fd = openat(d->proc, "cgroups", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;

	text[n > 0 ? n : 0] = '\0';
	for (const char *line = text; *line; line = strchrnul(line, '\n'), line += *line == '\n') {
		unsigned hierarchy, groups;

		if (nook_starts(line, "net_") &&
		    sscanf(line, "%*s %u %u", &hierarchy, &groups) == 2 && hierarchy != 0 &&
		    groups > 1)
			return "Sockets were not asked for their net namespaces, since that would "
			       "change "
			       "their class in the net_cls or net_prio cgroups of this machine.";
	}
	return NULL;
}

void nook_discover_fds(struct nook_discover *d)
{
	d->graph->unseen.skipped = why_no_sockets(d);
	for (const struct nook_ns_member *m = d->graph->store->members; m; m = m->next) {
		scan_dir(d, &m->process, 0);
		if (m->threads > 1)
			scan_threads(d, &m->process);
	}
}
