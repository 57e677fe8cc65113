/* SPDX-License-Identifier: Apache-2.0 */
#include "look.h"

#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "graph.h"
#include "inside.h"
#include "kinds.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>

#define TABLE_MAX ((size_t)16 << 20)

int nook_look_inside(const struct nook_ns_graph *g, const struct nook_ns *ns,
		     int (*fn)(int out, void *arg), void *arg, size_t max, struct nook_arena *a,
		     char **ret, size_t *ret_len, struct nook_error *err)
{
	auto_close int fd = nook_ns_open(g, ns, err);
	auto_close int user = fd >= 0 && ns->owner && ns->kind != NOOK_NS_USER
				      ? nook_ns_open(g, ns->owner, NULL)
				      : NO_FD;
	struct nook_inside_join joins[] = { { NOOK_NS_USER, user }, { ns->kind, fd } };
	/* To enter its own user namespace again is refused to everybody. */
	size_t n = ns == g->own[ns->kind] ? 0 : 1;
	struct nook_error first = { 0 };

	if (fd < 0)
		return fd;

	int rc = nook_inside_call(&joins[1], n, fn, arg, max, a, ret, ret_len, &first);

	/* Who made the owner has all rights in it, once there. */
	if (rc == -EPERM && user >= 0 && ns->owner != g->own[NOOK_NS_USER])
		return nook_inside_call(joins, 2, fn, arg, max, a, ret, ret_len, err);
	if (rc < 0 && err)
		*err = first;
	return rc;
}

/* ---- uts ---- */

static int tell_uts(int out, void *arg)
{
	struct utsname name;

	(void)arg;
	if (uname(&name) < 0)
		return -errno;
	return nook_write_fd(out, &name, sizeof(name));
}

int nook_look_uts(const struct nook_ns_graph *g, const struct nook_ns *ns, struct nook_arena *a,
		  const char **host, const char **domain, struct nook_error *err)
{
	struct utsname name;
	char *text;
	size_t len;
	int rc = nook_look_inside(g, ns, tell_uts, NULL, sizeof(name), a, &text, &len, err);

	if (rc < 0)
		return rc;
	if (len != sizeof(name))
		return nook_refuse(err, EIO, "the process inside said too little");
	memcpy(&name, text, sizeof(name));
	*host = nook_printf(a, "%.64s", name.nodename);
	*domain = nook_printf(a, "%.64s", name.domainname);
	return 0;
}

/* ---- limits ---- */

struct limits_work {
	int proc;
	uint64_t values[NOOK_NS_COUNT];
};

#define UNKNOWN UINT64_MAX

/* The files show the limits of the user namespace that opens them. */
static int tell_limits(int out, void *arg)
{
	struct limits_work *w = arg;

	for (int k = 0; k < NOOK_NS_COUNT; k++) {
		char path[64], text[32];

		(void)nook_format(path, sizeof(path), "sys/user/%s", nook_ns_kinds[k].sysctl);
		w->values[k] = UNKNOWN;

		int fd = openat(w->proc, path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

		if (fd >= 0)
			(void)close(fd);
		if (n <= 0)
			continue;
		text[n] = '\0';
		text[strcspn(text, "\n")] = '\0';
		(void)nook_parse_u64(text, UNKNOWN - 1, &w->values[k]); /* else it stays unknown */
	}
	return nook_write_fd(out, w->values, sizeof(w->values));
}

static bool owned_below(const struct nook_ns *ns, const struct nook_ns *user)
{
	for (ns = ns->owner; ns; ns = ns->owner) {
		if (ns == user)
			return true;
	}
	return false;
}

int nook_look_limits(const struct nook_ns_graph *g, const struct nook_ns *ns,
		     struct nook_look_limits *ret, struct nook_error *err)
{
	auto_arena struct nook_arena a = { 0 };
	auto_close int proc = openat(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct limits_work w = { .proc = proc };
	char *text;
	size_t len;
	int rc;

	if (proc < 0)
		return nook_fail(err, errno, "open /proc");
	rc = nook_arena_open(&a, err);
	if (rc < 0)
		return rc;
	rc = nook_look_inside(g, ns, tell_limits, &w, sizeof(w.values), &a, &text, &len, err);
	if (rc < 0)
		return rc;
	if (len != sizeof(w.values))
		return nook_refuse(err, EIO, "the process inside said too little");
	memcpy(w.values, text, sizeof(w.values));

	memset(ret, 0, sizeof(*ret));
	for (int k = 0; k < NOOK_NS_COUNT; k++) {
		ret->known[k] = w.values[k] != UNKNOWN;
		ret->max[k] = ret->known[k] ? w.values[k] : 0;
	}
	for (size_t i = 0; i < g->n; i++)
		ret->seen[g->all[i]->kind] += owned_below(g->all[i], ns);
	return 0;
}

/* ---- files of a process in it ---- */

static int read_proc(int pid, const char *file, size_t max, struct nook_arena *a, char **ret)
{
	char path[80];

	(void)nook_format(path, sizeof(path), "/proc/%d/%s", pid, file);

	auto_close int fd = openat(AT_FDCWD, path, NOOK_OPEN_READ);

	return fd < 0 ? -errno : nook_read_fd(a, fd, path, max, ret, NULL, NULL);
}

int nook_look_file(const struct nook_ns_graph *g, const struct nook_ns *ns, const char *file,
		   size_t max, struct nook_arena *a, char **ret, struct nook_error *err)
{
	int rc = -ENOENT;

	for (const struct nook_ns_process *p = ns->first; p; p = p->next) {
		if (p->in[ns->kind] != ns)
			continue;
		rc = read_proc(p->pid, file, max, a, ret);
		if (rc == 0)
			return 0;
	}
	(void)g;
	return nook_fail(err, -rc, "read %s of a process in it", file);
}

int nook_look_mounts(const struct nook_ns_graph *g, const struct nook_ns *ns, struct nook_arena *a,
		     char **ret, struct nook_error *err)
{
	const struct nook_ns_node *node = (const struct nook_ns_node *)ns;
	int rc = node->inside ? read_proc(node->inside, "mountinfo", TABLE_MAX, a, ret) : -ESRCH;

	if (rc == 0)
		return 0;

	auto_close int fd = nook_ns_open(g, ns, err);
	struct nook_inside_join join = { NOOK_NS_MNT, fd };
	struct nook_inside inside;

	if (fd < 0)
		return fd;
	rc = nook_inside_begin(&join, 1, &inside, err);
	if (rc < 0)
		return rc;
	rc = read_proc(inside.pid, "mountinfo", TABLE_MAX, a, ret);
	nook_inside_end(&inside);
	return rc < 0 ? nook_fail(err, -rc, "read its mount table") : 0;
}

/* The last of NSpid: proc_pid_status(5). */
unsigned nook_look_inner_pid(int pid)
{
	char path[48], text[4096], *save = NULL;
	uint64_t last = 0;

	(void)nook_format(path, sizeof(path), "/proc/%d/status", pid);

	auto_close int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';

	char *line = strstr(text, "\nNSpid:");

	if (!line)
		return 0;
	line += strlen("\nNSpid:");
	line[strcspn(line, "\n")] = '\0';
	for (char *word = strtok_r(line, " \t", &save); word; word = strtok_r(NULL, " \t", &save))
		(void)nook_parse_u64(word, INT32_MAX, &last); /* the kernel writes numbers only */
	return (unsigned)last;
}
