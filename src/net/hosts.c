/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hosts files of sets of networks, STATE_DIR/net/hosts/SET. Each container sees the one of its
 * own set, read-only; a container's lines stand in the file of every set that has one of its
 * networks. So joining costs one write a file, however many containers there are.
 */
#include "hosts_folder.h"
#include "hosts_slots.h"
#include "names.h"
#include "net.h"

#include "base/own.h"
#include "base/text.h"
#include "sys/openat2.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define NAME_LEN 255 /* of a file */

/* ---- sets ---- */

/* Is the network one of the set's? */
static bool in_set(const char *set, const char *network)
{
	size_t len = strlen(network);

	for (const char *at = set; *at;) {
		size_t n = strcspn(at, "+");

		if (n == len && memcmp(at, network, n) == 0)
			return true;
		at += n + (at[n] == '+');
	}
	return false;
}

static bool before(const char *a, const char *b)
{
	return !b || strcmp(a, b) < 0;
}

/* The network's that comes next after @last in the alphabet; NULL: none. */
static const char *next_network(const struct nook_plan_link *links, size_t n, const char *last)
{
	const char *best = NULL;

	for (size_t i = 0; i < n; i++) {
		const char *name = links[i].network;

		if (name && (!last || strcmp(name, last) > 0) && before(name, best))
			best = name;
	}
	return best;
}

/* "" when the links are on no network of nook's. */
static int name_set(const struct nook_plan_link *links, size_t n, char out[NAME_LEN + 1],
		    struct nook_error *err)
{
	size_t len = 0;

	out[0] = '\0';
	for (const char *net = next_network(links, n, NULL); net;
	     net = next_network(links, n, net)) {
		if (len + strlen(net) + 1 > NAME_LEN) {
			nook_hint(err, "networks with shorter names leave room for more of them");
			return nook_refuse(err, E2BIG,
					   "the names of a container's networks are more than %d "
					   "bytes together",
					   NAME_LEN);
		}
		len += nook_format(out + len, NAME_LEN + 1 - len, len ? "+%s" : "%s", net);
	}
	return 0;
}

/* What is done with each set's file. Positive: enough. */
typedef int each_set(void *data, const struct nook_hosts *h, const char *set,
		     struct nook_error *err);

static int for_sets(const struct nook_hosts *h, each_set *each, void *data, struct nook_error *err)
{
	auto_close int fd = nook_openat2(h->dir, ".", O_RDONLY | O_DIRECTORY, 0, NOOK_BENEATH);
	auto_closedir DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		return nook_fail(err, fd < 0 ? -fd : errno,
				 "open net/hosts in the state directory");
	(void)move_fd(&fd); /* closedir closes it */

	for (;;) {
		errno = 0;
		const struct dirent *entry = readdir(dir);
		int rc;

		if (!entry)
			return errno ? nook_fail(err, errno,
						 "read net/hosts in the state directory")
				     : 0;
		if (entry->d_name[0] == '.')
			continue;
		rc = each(data, h, entry->d_name, err);
		if (rc != 0)
			return rc < 0 ? rc : 0;
	}
}

/* ---- a new file ---- */

struct filling {
	const char *network;
	int to;
};

/* One file that has the network has all that are on it. */
static int fill_from(void *data, const struct nook_hosts *h, const char *set,
		     struct nook_error *err)
{
	const struct filling *f = data;

	if (!in_set(set, f->network))
		return 0;

	auto_close int from = nook_hosts_open_file(h, set, err);
	int rc = from < 0 ? from : nook_hosts_copy(from, f->to, f->network, err);

	return rc < 0 ? rc : 1;
}

static int fill(const struct nook_hosts *h, int fd, const struct nook_plan_link *links, size_t n,
		struct nook_error *err)
{
	struct filling f = { .to = fd };
	int rc = nook_hosts_begin(fd, err);

	while (rc == 0 && (f.network = next_network(links, n, f.network)))
		rc = for_sets(h, fill_from, &f, err);
	return rc;
}

static int make_set(const struct nook_hosts *h, const char *set, const struct nook_plan_link *links,
		    size_t n, struct nook_error *err)
{
	auto_close int fd = nook_hosts_new_file(h, err);
	char path[sizeof(NOOK_HOSTS_FOLDER "/") + NAME_LEN];
	int rc = fd < 0 ? fd : fill(h, fd, links, n, err);

	(void)nook_format(path, sizeof(path), NOOK_HOSTS_FOLDER "/%s", set); /* it fits */
	if (rc == 0)
		rc = nook_hosts_finish_file(h, fd, path, err);
	if (rc < 0)
		nook_hosts_drop_file(h);
	return rc;
}

/* Makes the file of the links' set when it is missing. */
static int need_set(const struct nook_hosts *h, const char *set, const struct nook_plan_link *links,
		    size_t n, struct nook_error *err)
{
	auto_close int fd = nook_hosts_open_file(h, set, err);

	return fd == -ENOENT ? make_set(h, set, links, n, err) : fd < 0 ? fd : 0;
}

int nook_hosts_name(const struct nook_plan_link *links, size_t n, struct nook_arena *a,
		    const char **ret, struct nook_error *err)
{
	char set[NAME_LEN + 1];
	int rc = name_set(links, n, set, err);

	if (rc == 0)
		*ret = *set ? nook_printf(a, NOOK_HOSTS_FOLDER "/%s", set) : NULL;
	return rc;
}

int nook_hosts_file(int base, const struct nook_plan_link *links, size_t n, struct nook_arena *a,
		    const char **ret, struct nook_error *err)
{
	auto_hosts struct nook_hosts h = NOOK_HOSTS_NONE;
	const char *path = NULL;
	int rc = nook_hosts_name(links, n, a, &path, err);

	if (rc == 0 && path)
		rc = nook_hosts_open(base, true, &h, err);
	if (rc == 0 && path)
		rc = need_set(&h, path + strlen(NOOK_HOSTS_FOLDER "/"), links, n, err);
	if (rc == 0)
		*ret = path;
	return rc;
}

/* ---- coming and going ---- */

struct member {
	const char *container, *hostname;
	const struct nook_plan_link *links;
	size_t n;
};

static int add_link(const struct member *m, const struct nook_plan_link *l, int fd,
		    struct nook_error *err)
{
	struct nook_hosts_slot lines[NOOK_HOSTS_MOST];
	size_t n = 0;

	for (unsigned f = 0; f < NOOK_NET_FAMILIES; f++) {
		if (l->address[f].family)
			n += nook_hosts_compose(&l->address[f], l->network, m->container,
						m->hostname, lines + n);
	}
	return nook_hosts_add(fd, lines, n, err);
}

static int join_set(void *data, const struct nook_hosts *h, const char *set, struct nook_error *err)
{
	const struct member *m = data;
	auto_close int fd = NO_FD;
	int rc = 0;

	for (size_t i = 0; i < m->n && rc == 0; i++) {
		if (!m->links[i].network || !in_set(set, m->links[i].network))
			continue;
		if (fd < 0)
			fd = rc = nook_hosts_open_file(h, set, err);
		if (rc >= 0)
			rc = add_link(m, &m->links[i], fd, err);
	}
	return rc < 0 ? rc : 0;
}

int nook_hosts_join(int base, const char *container, const char *hostname,
		    const struct nook_plan_link *links, size_t n, struct nook_error *err)
{
	struct member m = { container, hostname, links, n };
	char set[NAME_LEN + 1];
	auto_hosts struct nook_hosts h = NOOK_HOSTS_NONE;
	int rc = name_set(links, n, set, err);

	if (rc < 0 || !*set)
		return rc;
	rc = nook_hosts_open(base, true, &h, err);
	if (rc == 0)
		rc = need_set(&h, set, links, n, err);
	return rc < 0 ? rc : for_sets(&h, join_set, &m, err);
}

static int leave_set(void *data, const struct nook_hosts *h, const char *set,
		     struct nook_error *err)
{
	const struct member *m = data;
	auto_close int fd = NO_FD;
	int rc = 0;

	for (size_t i = 0; i < m->n && rc >= 0; i++) {
		const char *network = m->links[i].network;

		if (!network || !in_set(set, network))
			continue;
		if (fd < 0)
			fd = rc = nook_hosts_open_file(h, set, err);
		if (rc >= 0)
			rc = nook_hosts_drop(fd, m->container, network, err);
	}
	return rc < 0 ? rc : 0;
}

static int leave_with(int base, each_set *each, struct member m, struct nook_error *err)
{
	auto_hosts struct nook_hosts h = NOOK_HOSTS_NONE;
	int rc = nook_hosts_open(base, false, &h, err);

	if (rc == -ENOENT)
		return 0;
	return rc < 0 ? rc : for_sets(&h, each, &m, err);
}

int nook_hosts_leave(int base, const char *container, const struct nook_plan_link *links, size_t n,
		     struct nook_error *err)
{
	bool named = next_network(links, n, NULL);

	return named ? leave_with(base, leave_set, (struct member){ container, NULL, links, n },
				  err)
		     : 0;
}

static int leave_any(void *data, const struct nook_hosts *h, const char *set,
		     struct nook_error *err)
{
	const struct member *m = data;
	auto_close int fd = nook_hosts_open_file(h, set, err);

	return fd < 0 ? fd : nook_hosts_drop(fd, m->container, NULL, err);
}

int nook_hosts_leave_all(int base, const char *container, struct nook_error *err)
{
	return leave_with(base, leave_any, (struct member){ .container = container }, err);
}

static int remove_set(void *data, const struct nook_hosts *h, const char *set,
		      struct nook_error *err)
{
	const char *network = data;
	bool used = false;

	if (!in_set(set, network))
		return 0;

	auto_close int fd = nook_hosts_open_file(h, set, err);
	int rc = fd < 0 ? fd : nook_hosts_used(fd, &used, err);

	/* A container that has it still, by another of its networks, is to see who comes there. */
	if (rc == 0 && !used && unlinkat(h->dir, set, 0) < 0 && errno != ENOENT)
		return nook_fail(err, errno, "unlink net/hosts/%s in the state directory", set);
	return rc;
}

int nook_hosts_remove(int base, const char *network, struct nook_error *err)
{
	auto_hosts struct nook_hosts h = NOOK_HOSTS_NONE;
	int rc = nook_hosts_open(base, false, &h, err);

	if (rc == -ENOENT)
		return 0;
	return rc < 0 ? rc : for_sets(&h, remove_set, (void *)(uintptr_t)network, err);
}
