/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces that are bind-mounted, in every mount namespace that can be looked into. */
#include "discover.h"

#include "base/hash.h"
#include "base/own.h"
#include "base/text.h"
#include "inside.h"
#include "sys/openat2.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

/* Of one mount table. The kernel allows 100,000 mounts by default. */
#define TABLE_MAX ((size_t)64 << 20)

/* ---- paths ---- */

/* 0 is an empty slot. */
static uint64_t hash(const char *text)
{
	return nook_hash_text(text) | 1;
}

static uint64_t *path_slot(const struct nook_discover *d, uint64_t h)
{
	size_t at = (size_t)(h >> 20) & (d->n_path_slots - 1);

	while (d->paths[at] && d->paths[at] != h)
		at = (at + 1) & (d->n_path_slots - 1);
	return &d->paths[at];
}

void nook_discover_note_path(struct nook_discover *d, const char *path)
{
	if (d->n_paths * 2 >= d->n_path_slots) {
		uint64_t *old = d->paths;
		size_t n = d->n_path_slots;

		d->n_path_slots = n ? n * 4 : 256;
		d->paths = nook_alloc_array(&d->graph->store->arena, d->n_path_slots, sizeof(*old));
		for (size_t i = 0; i < n; i++) {
			if (old[i])
				*path_slot(d, old[i]) = old[i];
		}
	}

	uint64_t *at = path_slot(d, hash(path));

	d->n_paths += *at == 0;
	*at = hash(path);
}

bool nook_discover_knows_path(const struct nook_discover *d, const char *path)
{
	return d->n_path_slots && *path_slot(d, hash(path)) != 0;
}

/* ---- one line ---- */

/* Spaces, tabs, newlines and backslashes are written \040, \011, \012, \134: proc_pid_mountinfo(5).
 */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from;) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
		    from[2] <= '7' && from[3] >= '0' && from[3] <= '7') {
			*to++ = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 +
				       (from[3] - '0'));
			from += 4;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
}

struct table {
	struct nook_discover *d;
	struct nook_ns_node *mnt;
	int root; /* of a process in it; NO_FD: not opened yet */
	int pid;  /* of that process */
};

static int root_of(struct table *t)
{
	char path[32];

	(void)nook_format(path, sizeof(path), "%d/root", t->pid);
	if (t->root == NO_FD)
		t->root = openat(t->d->proc, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return t->root;
}

/* "36 35 0:4 net:[4026532281] /run/netns/blue rw shared:1 - nsfs nsfs rw" */
static void scan_line(struct table *t, char *line)
{
	char *fields[6], *save = NULL;
	struct nook_ns_holder holder = { .how = NOOK_NS_HOW_MOUNT,
					 .fd = -1,
					 .mount_ns = &t->mnt->ns };
	uint64_t inode;
	int ignored;

	for (int i = 0; i < 6; i++) {
		fields[i] = strtok_r(i ? NULL : line, " ", &save);
		if (!fields[i])
			return;
	}

	int kind = nook_ns_link_parse(fields[3], &inode);

	if (kind < 0)
		return;
	unescape(fields[4]);
	nook_discover_note_path(t->d, fields[4]);
	holder.path = fields[4];

	struct nook_ns_node *node = nook_ns_node_find(t->d->graph, kind, inode);

	if ((!node || !node->ns.asked) && root_of(t) >= 0)
		(void)nook_discover_path(
			t->d, t->root, fields[4],
			RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS, &ignored);
	node = nook_ns_node_find(t->d->graph, kind, inode);
	/* Something may be mounted over it. It is there all the same. */
	if (!node)
		node = nook_ns_node_add(t->d->graph, kind, inode);
	nook_ns_node_hold(t->d->graph, node, &holder);
}

/* ---- one table ---- */

/* All of a table, in a buffer that is kept for the next one. Return: its length or a negative
 * errno. */
static ssize_t read_table(struct nook_discover *d, int pid)
{
	char path[48];
	size_t len = 0;

	(void)nook_format(path, sizeof(path), "%d/mountinfo", pid);

	auto_close int fd = openat(d->proc, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	for (;;) {
		if (len + 4096 > d->text_size) {
			size_t size = d->text_size ? d->text_size * 4 : 65536;
			char *text =
				size > TABLE_MAX ? NULL : nook_alloc(&d->graph->store->arena, size);

			if (!text)
				return -EFBIG;
			if (len)
				memcpy(text, d->text, len);
			d->text = text;
			d->text_size = size;
		}

		ssize_t n = read(fd, d->text + len, d->text_size - len - 1);

		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	d->text[len] = '\0';
	return (ssize_t)len;
}

static int scan_table(struct nook_discover *d, struct nook_ns_node *mnt, int pid)
{
	struct table t = { .d = d, .mnt = mnt, .root = NO_FD, .pid = pid };
	ssize_t len = read_table(d, pid);
	char *end = d->text + (len > 0 ? len : 0), *at = d->text;

	if (len <= 0)
		return len < 0 ? (int)len : -ESRCH; /* it has ended: an empty table */
	while ((at = memmem(at, (size_t)(end - at), " - nsfs ", strlen(" - nsfs ")))) {
		char *line = memrchr(d->text, '\n', (size_t)(at - d->text));
		char *next = memchr(at, '\n', (size_t)(end - at));

		line = line ? line + 1 : d->text;
		next = next ? next : end;
		*at = '\0';
		scan_line(&t, line);
		*at = '\n'; /* where the next search for a line's beginning may stop */
		at = next;
	}
	close_fd(&t.root);
	return 0;
}

/* Through a process of ours that enters it: nobody is in it, or only those who see a part of it. */
static int scan_from_inside(struct nook_discover *d, struct nook_ns_node *mnt)
{
	auto_close int fd = nook_ns_open(d->graph, &mnt->ns, NULL);
	auto_close int user =
		fd >= 0 && mnt->ns.owner ? nook_ns_open(d->graph, mnt->ns.owner, NULL) : NO_FD;
	struct nook_inside_join joins[] = { { NOOK_NS_USER, user }, { NOOK_NS_MNT, fd } };
	struct nook_inside inside;

	if (fd < 0)
		return fd;

	int rc = nook_inside_begin(&joins[1], 1, &inside, NULL);

	if (rc == -EPERM && user >= 0)
		rc = nook_inside_begin(joins, 2, &inside, NULL);
	if (rc < 0)
		return rc;
	rc = scan_table(d, mnt, inside.pid);
	nook_inside_end(&inside);
	return rc;
}

void nook_discover_mounts(struct nook_discover *d)
{
	/* The list grows as tables are read. */
	for (size_t i = 0; i < d->graph->n; i++) {
		struct nook_ns_node *node = (struct nook_ns_node *)d->graph->all[i];

		if (node->ns.kind != NOOK_NS_MNT || node->looked)
			continue;
		node->looked = true;

		int rc = node->inside ? scan_table(d, node, node->inside) : -ESRCH;

		if (rc < 0)
			rc = scan_from_inside(d, node);
		if (rc == -EPERM || rc == -EACCES)
			d->graph->unseen.mounts++;
	}
}
