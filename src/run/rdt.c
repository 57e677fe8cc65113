/* SPDX-License-Identifier: Apache-2.0 */
#include "rdt.h"

#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "create.h"
#include "sys/file.h"
#include "sys/openat2.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define ROOT "/sys/fs/resctrl"

#ifndef RDTGROUP_SUPER_MAGIC
#define RDTGROUP_SUPER_MAGIC 0x7655821
#endif

/* Names that are no path of the container's come from the plan and from the record. */
static int open_plain(int dir, const char *path, int flags)
{
	return nook_openat2(dir, path, (uint64_t)flags, 0,
			    RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS |
				    RESOLVE_NO_MAGICLINKS);
}

static int open_root(struct nook_error *err)
{
	auto_close int fd =
		nook_openat2(AT_FDCWD, ROOT, O_PATH | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS);
	struct statfs fs;

	if (fd >= 0 && fstatfs(fd, &fs) < 0)
		return nook_fail(err, errno, "fstatfs " ROOT);
	if (fd < 0 || fs.f_type != RDTGROUP_SUPER_MAGIC) {
		nook_hint(err, "where the processor can do it: mount -t resctrl resctrl " ROOT);
		return nook_refuse(err, ENODEV, "no resctrl is mounted at " ROOT);
	}
	return move_fd(&fd);
}

/* @l3 can be of several lines, in the older form of the spec; a line of its own for the memory's
 * bandwidth counts more than one in there. */
static const char *limits(struct nook_arena *a, const struct nook_plan_rdt *rdt)
{
	const char *text = "";

	for (const char *line = rdt->l3; line && *line;) {
		size_t len = strcspn(line, "\n");

		if (len && !(rdt->mem_bw && nook_starts(line, "MB:")))
			text = nook_printf(a, "%s%.*s\n", text, (int)len, line);
		line += len + (line[len] == '\n');
	}
	return rdt->mem_bw ? nook_printf(a, "%s%s\n", text, rdt->mem_bw) : text;
}

void nook_rdt_group(struct nook_arena *a, const struct nook_plan_rdt *rdt, const char *id,
		    struct nook_rdt_group *ret)
{
	const char *clos = rdt->clos_id ? rdt->clos_id : id;
	bool root = strcmp(clos, "/") == 0;
	const char *text = limits(a, rdt);

	*ret = (struct nook_rdt_group){ .path = root ? "." : clos };
	if (rdt->monitoring)
		ret->monitor = root ? nook_printf(a, "mon_groups/%s", id)
				    : nook_printf(a, "%s/mon_groups/%s", clos, id);
	/* With a group that is ours go all below it. */
	ret->own = rdt->clos_id ? ret->monitor : clos;
	ret->compare = rdt->clos_id && *text;
	ret->wanted = text;
	for (const char *const *line = rdt->schemata; line && *line; line++)
		text = nook_printf(a, "%s%s\n", text, *line);
	ret->schemata = *text ? text : NULL;
	ret->must_exist = rdt->clos_id && !ret->schemata;
}

/* The kernel's word for it, when it has one: Documentation/filesystems/resctrl.rst,
 * "last_cmd_status". */
static int fail_rdt(int root, int error, const char *what, const char *path, struct nook_error *err)
{
	auto_close int fd = open_plain(root, "info/last_cmd_status", O_RDONLY);
	char said[200];
	ssize_t n = fd < 0 ? -1 : read(fd, said, sizeof(said) - 1);

	if (n > 0 && strncmp(said, "ok", 2) != 0) {
		said[n] = '\0';
		said[strcspn(said, "\n")] = '\0';
		nook_hint(err, "the kernel says: %s", said);
	}
	return nook_fail(err, error, "%s " ROOT "/%s", what, path);
}

static int write_file(int root, const char *group, const char *file, const char *text,
		      struct nook_error *err)
{
	char path[600];

	(void)nook_format(path, sizeof(path), "%s/%s", group, file); /* two names of 255 at most */

	auto_close int fd = open_plain(root, path, O_WRONLY);

	if (fd < 0)
		return fail_rdt(root, -fd, "open", path, err);

	/* In one write: the kernel takes it or leaves it. */
	if (write(fd, text, strlen(text)) < 0)
		return fail_rdt(root, errno, "write", path, err);
	return 0;
}

static void skip_padding(const char **a, size_t *len)
{
	for (; *len > 1 && (**a == '0' || **a == ' '); (*a)++)
		--*len;
}

/* One value of a domain: digits that mean the same. */
static bool same_value(const char *a, size_t a_len, const char *b, size_t b_len)
{
	skip_padding(&a, &a_len);
	skip_padding(&b, &b_len);
	return a_len == b_len && strncasecmp(a, b, a_len) == 0;
}

static bool has_domain(const char *line, const char *domain, size_t len)
{
	size_t name = strcspn(domain, "=");

	for (const char *d = line; *d && *d != '\n'; d += strspn(d, "; ")) {
		size_t d_len = strcspn(d, ";\n"), d_name = strcspn(d, "=");

		if (name < len && d_name < d_len && same_value(d, d_name, domain, name))
			return same_value(d + d_name + 1, d_len - d_name - 1, domain + name + 1,
					  len - name - 1);
		d += d_len;
	}
	return false;
}

static bool line_matches(const char *have, const char *line, size_t len)
{
	size_t name = strcspn(line, ":") + 1;

	if (name > len)
		return false;
	for (const char *h = have; *h; h += strcspn(h, "\n"), h += *h == '\n') {
		h += strspn(h, " ");
		if (strncmp(h, line, name) != 0)
			continue;
		for (const char *d = line + name; d < line + len;) {
			size_t d_len = strcspn(d, ";\n");

			if (d_len && !has_domain(h + name, d, d_len))
				return false;
			d += d_len + (d[d_len] == ';');
		}
		return true;
	}
	return false;
}

bool nook_rdt_matches(const char *have, const char *wanted)
{
	while (*wanted) {
		size_t len = strcspn(wanted, "\n");

		if (len && !line_matches(have, wanted, len))
			return false;
		wanted += len + (wanted[len] == '\n');
	}
	return true;
}

static int check_existing(int root, const struct nook_rdt_group *g, struct nook_error *err)
{
	char path[300], have[4096];

	(void)nook_format(path, sizeof(path), "%s/schemata", g->path);

	auto_close int fd = open_plain(root, path, O_RDONLY);

	if (fd < 0)
		return fail_rdt(root, -fd, "open", path, err);

	ssize_t n = read(fd, have, sizeof(have) - 1);

	if (n < 0)
		return fail_rdt(root, errno, "read", path, err);
	have[n] = '\0';
	if (nook_rdt_matches(have, g->wanted))
		return 0;
	nook_hint(err, "name another closID, or leave l3CacheSchema and memBwSchema out");
	return nook_refuse(err, EEXIST, ROOT "/%s is there with other limits", g->path);
}

int nook_rdt_make(int root, const struct nook_rdt_group *g, bool *ret_new, struct nook_error *err)
{
	bool is_root = strcmp(g->path, ".") == 0;
	int rc = is_root || g->must_exist ? -EEXIST : nook_mkdir_below(root, g->path, 0755);
	auto_close int fd = NO_FD;

	if (rc < 0 && rc != -EEXIST)
		return fail_rdt(root, -rc, "mkdir", g->path, err);
	*ret_new = rc == 0;
	if (g->must_exist) {
		fd = open_plain(root, g->path, O_PATH | O_DIRECTORY);
		if (fd < 0)
			nook_hint(err, "make and fill the group first, or give l3CacheSchema, "
				       "memBwSchema or schemata");
		if (fd < 0)
			return fail_rdt(root, -fd, "open", g->path, err);
	}
	if (rc == -EEXIST && g->compare) {
		rc = check_existing(root, g, err);
		if (rc < 0)
			return rc;
	}
	rc = g->monitor ? nook_mkdir_below(root, g->monitor, 0755) : 0;
	return rc < 0 && rc != -EEXIST ? fail_rdt(root, -rc, "mkdir", g->monitor, err) : 0;
}

static int add_task(int root, const char *path, int pid, struct nook_error *err)
{
	char text[16];

	(void)nook_format(text, sizeof(text), "%d\n", pid);
	return write_file(root, path, "tasks", text, err);
}

int nook_rdt_fill(int root, const struct nook_rdt_group *g, int pid, struct nook_error *err)
{
	int rc = g->schemata ? write_file(root, g->path, "schemata", g->schemata, err) : 0;

	if (rc == 0)
		rc = add_task(root, g->path, pid, err);
	return rc == 0 && g->monitor ? add_task(root, g->monitor, pid, err) : rc;
}

int nook_rdt_enter(const char *path, int pid, struct nook_error *err)
{
	auto_close int root = open_root(err);
	const char *monitor = strstr(path, "mon_groups/");

	if (root < 0)
		return root;
	if (monitor) { /* whoever is monitored is in the group above first */
		char group[256];

		(void)nook_format(group, sizeof(group), "%.*s", (int)(monitor - path), path);

		int rc = add_task(root, *group ? group : ".", pid, err);

		if (rc < 0)
			return rc;
	}
	return add_task(root, path, pid, err);
}

int nook_rdt_update_at(int root, struct nook_arena *a, const char *path,
		       const struct nook_plan_rdt *rdt, struct nook_error *err)
{
	const char *monitor = strstr(path, "mon_groups/");

	/* Limits are those of the group above a monitored one. */
	if (monitor)
		path = monitor == path ? "." : nook_strndup(a, path, (size_t)(monitor - path) - 1);
	return write_file(root, path, "schemata", limits(a, rdt), err);
}

int nook_rdt_update(struct nook_arena *a, const char *path, const struct nook_plan_rdt *rdt,
		    struct nook_error *err)
{
	auto_close int root = open_root(err);

	return root < 0 ? root : nook_rdt_update_at(root, a, path, rdt, err);
}

int nook_rdt_remove_at(int root, const char *path, struct nook_error *err)
{
	int rc = nook_rmdir_below(root, path);

	return rc < 0 && rc != -ENOENT ? fail_rdt(root, -rc, "rmdir", path, err) : 0;
}

int nook_rdt_remove(const char *path, struct nook_error *err)
{
	struct nook_error none = { 0 };
	auto_close int root = open_root(&none);

	/* Unmounted, it has let go of all its groups. */
	if (root == -ENODEV)
		return 0;
	if (root < 0) {
		*err = none;
		return root;
	}
	return nook_rdt_remove_at(root, path, err);
}

int join_rdt(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	auto_close int root = open_root(err);
	struct nook_rdt_group g;
	bool is_new = false;

	if (root < 0) {
		nook_where(err, "/linux/intelRdt");
		return root;
	}
	nook_rdt_group(c->stage.arena, c->plan->rdt, c->plan->name, &g);
	c->rdt_made = g.own;

	int rc = nook_rdt_make(root, &g, &is_new, err);

	if (rc == 0)
		rc = nook_rdt_fill(root, &g, c->pid, err);
	if (rc < 0)
		nook_where(err, "/linux/intelRdt");
	return rc;
}

int leave_rdt(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	struct nook_rdt_group g;

	if (!c->rdt_made)
		return 0;
	nook_rdt_group(c->stage.arena, c->plan->rdt, c->plan->name, &g);

	int rc = nook_rdt_remove(g.own, err);

	c->rdt_made = rc < 0;
	return rc;
}

void join_rdt_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	struct nook_rdt_group g;

	nook_rdt_group(rows->arena, plan->rdt, plan->name, &g);
	if (!g.must_exist)
		nook_show(rows, "its group of cache and memory bandwidth", "mkdir(\"" ROOT "/%s\")",
			  g.path);
	if (g.schemata)
		nook_show(rows, "its share of them", "write(\"" ROOT "/%s/schemata\")", g.path);
	nook_show(rows, "into the group", "write(\"" ROOT "/%s/tasks\", PID)",
		  g.monitor ? g.monitor : g.path);
}

int enter_rdt(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;

	return nook_rdt_enter(c->plan->rdt->clos_id, c->pid, err);
}

void enter_rdt_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show(rows, "into the container's group", "write(\"" ROOT "/%s/tasks\", PID)",
		  plan->rdt->clos_id);
}
