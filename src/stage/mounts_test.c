/* SPDX-License-Identifier: Apache-2.0 */
/* What only a bundle's plan asks of mount_all(): file systems, attributes and propagation. */
#include "mounts_world.h"

static unsigned long flags_of(const char *path)
{
	struct statvfs st;

	EXPECT(statvfs(path, &st) == 0);
	return st.f_flag;
}

/* ---- file systems ---- */

/* What is mounted on a read-only tmpfs finds its place there: it becomes so in the end. */
static void read_only_tmpfs(struct world *w)
{
	struct nook_plan_mount m[] = { new_tmpfs("/run"),
				       new_tmpfs("/run/below"),
				       device("/run/dir/null", S_IFCHR | 0666, makedev(1, 3)),
				       { .kind = NOOK_PLAN_REMOUNT,
					 .target = "/run",
					 .change = { .set = MOUNT_ATTR_RDONLY } } };

	m[0].attrs = MOUNT_ATTR_NODEV;
	EXPECT(do_mounts(w, m, ARRAY_SIZE(m)) == 0);
	EXPECT((flags_of("run") & (ST_RDONLY | ST_NODEV)) == (ST_RDONLY | ST_NODEV));
	EXPECT(!(flags_of("run/below") & (ST_RDONLY | ST_NODEV)));
	is_node("run/dir/null", S_IFCHR | 0666, 7, 8, makedev(1, 3));
}

static void tmpfs_looks_like_what_it_covers(struct world *w)
{
	struct nook_plan_mount m[] = { new_tmpfs("/a"), new_tmpfs("/b"), new_tmpfs("/c") };
	struct stat a, b, c;

	EXPECT(mkdir("a", 0750) == 0 && mkdir("b", 0750) == 0);
	m[0].keep_mode = m[2].keep_mode = true;
	EXPECT(do_mounts(w, m, ARRAY_SIZE(m)) == 0);
	EXPECT(stat("a", &a) == 0 && stat("b", &b) == 0 && stat("c", &c) == 0);
	EXPECT((a.st_mode & 07777) == 0750);
	EXPECT((b.st_mode & 07777) == 01777);
	EXPECT((c.st_mode & 07777) == 01777);
}

static void refused_options(struct world *w)
{
	static const struct nook_plan_option bad = { "no-such-option", NULL };
	static char text[300];
	static const struct nook_plan_option longer = { "size", text };
	struct nook_plan_mount m = new_tmpfs("/a");

	m.options = &bad;
	m.n_options = 1;
	EXPECT(do_one(w, m) == -EINVAL);
	EXPECT(strstr(w->err.why, "no-such-option") && strcmp(w->err.where, "/mounts/0") == 0);
	memset(text, '1', sizeof(text) - 1);
	m.options = &longer;
	EXPECT(do_one(w, m) == -E2BIG);
	EXPECT(strstr(w->err.hint, "size"));
}

static bool before(unsigned major, unsigned minor)
{
	unsigned is_major, is_minor;
	struct utsname u;

	EXPECT(uname(&u) == 0 && sscanf(u.release, "%u.%u", &is_major, &is_minor) == 2);
	return is_major < major || (is_major == major && is_minor < minor);
}

static void make_scratch(struct world *w)
{
	w->stage.scratch = tmpfs();
	EXPECT(mkdir("/scratch", 0755) == 0);
	EXPECT(nook_move_mount_at(w->stage.scratch, AT_FDCWD, "/scratch") == 0);
}

/* Layers that don't fit into one string; a colon may be a part of a name. */
static void mount_layers(struct world *w, bool by_page)
{
	static char lower[1024];
	struct nook_plan_option o = { "lowerdir", lower };
	struct nook_plan_mount m = { .kind = NOOK_PLAN_FS,
				     .fstype = "overlay",
				     .target = "/union",
				     .make = NOOK_MAKE_DIR,
				     .options = &o,
				     .n_options = 1,
				     .by_page = by_page,
				     .attrs = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOATIME,
				     .from = "/mounts/1" };
	struct statvfs fs;
	size_t len = 0;

	/* Where overlay looks for them: below the process' own root, not the tmpfs on top of it. */
	EXPECT(chroot(".") == 0);
	if (by_page)
		make_scratch(w);
	for (int i = 0; i < 3; i++) {
		char dir[128];

		(void)snprintf(dir, sizeof(dir), "/%0100d:%d", 0, i);
		EXPECT(mkdir(dir, 0755) == 0);
		len += (size_t)snprintf(lower + len, sizeof(lower) - len, "%s/%0100d\\:%d",
					i ? ":" : "", 0, i);
	}
	write_file("/00000000000000000000000000000000000000000000000000000000000000000000000000000"
		   "00000000000000000000000:2/file",
		   "text");
	EXPECT(do_one(w, m) == 0);
	EXPECT(has_text("/union/file", "text"));
	EXPECT(statvfs("/union", &fs) == 0);
	EXPECT((fs.f_flag & (ST_RDONLY | ST_NOATIME)) == (ST_RDONLY | ST_NOATIME));
}

/* One by one. */
static void long_lowerdir(struct world *w)
{
	if (!before(6, 5))
		mount_layers(w, false);
}

/* Before Linux 6.5, though it works on every kernel. */
static void layers_by_page(struct world *w)
{
	mount_layers(w, true);
}

/* What a page of options can't say is refused, and nothing is mounted. */
static void not_by_page(struct world *w)
{
	static char many[5000];
	static const struct {
		const char *key, *value, *why;
	} cases[] = {
		{ "lowerdir", "relative", "no absolute paths" },
		{ "lowerdir", "/a:b", "no absolute paths" },
		{ "lowerdir", "/a:", "no absolute paths" },
		{ "upperdir", "", "no absolute paths" },
		{ "workdir", NULL, "no absolute paths" },
		{ "lowerdir", "/a,upperdir=/etc", "a comma" },
		{ "context", "s0:c1,c2", "a comma" },
		{ "lowerdir", many, "a page" },
	};

	memset(many, 'x', sizeof(many) - 1);
	many[0] = '/';
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nook_plan_option o = { cases[i].key, cases[i].value };
		struct nook_plan_mount m = { .kind = NOOK_PLAN_FS,
					     .fstype = "overlay",
					     .target = "/union",
					     .make = NOOK_MAKE_DIR,
					     .options = &o,
					     .n_options = 1,
					     .by_page = true };

		w->err = (struct nook_error){ 0 };
		int rc = do_one(w, m);

		if (rc != -E2BIG || !strstr(w->err.why, cases[i].why))
			fail_msg("%s: %d, %s", cases[i].key, rc, w->err.why);
	}
}

/* ---- attributes and propagation ---- */

static void attributes(struct world *w)
{
	struct nook_plan_mount m[] = { bind_to("/a", 0), bind_to("/b", 1) };

	EXPECT(mkdir("src", 0755) == 0 && mount("x", "src", "tmpfs", MS_NOSUID, "") == 0);
	EXPECT(mkdir("src/sub", 0755) == 0 && mount("x", "src/sub", "tmpfs", 0, "") == 0);
	add_source(w, 0, "src", true);
	add_source(w, 1, "src", true);
	m[0].change.set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOATIME;
	m[0].change.clear = MOUNT_ATTR_NOSUID;
	m[1].change.set_below = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC;
	EXPECT(do_mounts(w, m, 2) == 0);
	EXPECT((flags_of("a") & (ST_RDONLY | ST_NOATIME | ST_NOSUID)) == (ST_RDONLY | ST_NOATIME));
	EXPECT(!(flags_of("a/sub") & (ST_RDONLY | ST_NOATIME)));
	EXPECT((flags_of("b") & (ST_RDONLY | ST_NOEXEC)) == (ST_RDONLY | ST_NOEXEC));
	EXPECT((flags_of("b/sub") & (ST_RDONLY | ST_NOEXEC)) == (ST_RDONLY | ST_NOEXEC));
	EXPECT(!(flags_of("src") & ST_RDONLY) && !(flags_of("src/sub") & ST_RDONLY));
}

/* A mount made at one place, does it show at the other? */
static bool spreads(const char *from, const char *to)
{
	char here[64], there[64];

	(void)snprintf(here, sizeof(here), "%s/spread", from);
	(void)snprintf(there, sizeof(there), "%s/spread/yes", to);
	EXPECT(mkdir(here, 0755) == 0 || errno == EEXIST);
	EXPECT(mount("x", here, "tmpfs", 0, "") == 0);
	char yes[80];

	(void)snprintf(yes, sizeof(yes), "%s/yes", here);
	EXPECT(mkdir(yes, 0755) == 0);
	bool does = seen(there);

	EXPECT(umount2(here, MNT_DETACH) == 0);
	return does;
}

static void propagation(struct world *w)
{
	static const unsigned long slave[] = { MS_SLAVE },
				   both[] = { MS_SLAVE | MS_REC, MS_SHARED | MS_REC },
				   alone[] = { MS_PRIVATE | MS_REC };
	struct nook_plan_mount m[] = { bind_to("/peer", 0), bind_to("/slave", 1),
				       bind_to("/private", 2), bind_to("/both", 3) };

	EXPECT(mkdir("src", 0755) == 0 && mount("x", "src", "tmpfs", 0, "") == 0);
	EXPECT(mount(NULL, "src", NULL, MS_SHARED, NULL) == 0);
	for (int i = 0; i < 4; i++)
		add_source(w, i, "src", true);
	m[1].propagation = slave;
	m[1].n_propagation = 1;
	m[2].propagation = alone;
	m[2].n_propagation = 1;
	m[3].propagation = both;
	m[3].n_propagation = 2;
	EXPECT(do_mounts(w, m, 4) == 0);
	EXPECT(spreads("src", "peer") && spreads("peer", "src"));
	EXPECT(spreads("src", "slave") && !spreads("slave", "src"));
	EXPECT(!spreads("src", "private") && !spreads("private", "src"));
	EXPECT(spreads("src", "both") && !spreads("both", "src"));
}

static void remounts(struct world *w)
{
	static const struct nook_plan_option size = { "size", "8192" };
	struct nook_plan_mount m = { .kind = NOOK_PLAN_REMOUNT,
				     .target = "/a",
				     .change = { .set = MOUNT_ATTR_RDONLY },
				     .from = "/mounts/5" };
	struct statvfs st;

	EXPECT(mkdir("a", 0755) == 0);
	EXPECT(do_one(w, m) == -EINVAL && strstr(w->err.why, "nothing is mounted on /a"));
	EXPECT(mount("x", "a", "tmpfs", 0, "") == 0);
	EXPECT(mkdir("a/b", 0755) == 0);
	m.options = &size;
	m.n_options = 1;
	EXPECT(do_one(w, m) == 0);
	EXPECT((flags_of("a") & ST_RDONLY) && statvfs("a", &st) == 0);
	EXPECT(st.f_blocks * st.f_frsize == 8192);
	m.target = "/a/b";
	EXPECT(do_one(w, m) == -EINVAL);
	m.target = "/nothing";
	EXPECT(do_one(w, m) == -ENOENT);
}

CASE(read_only_tmpfs)
CASE(tmpfs_looks_like_what_it_covers)
CASE(refused_options)
CASE(long_lowerdir)
CASE(layers_by_page)
CASE(not_by_page)
CASE(attributes)
CASE(propagation)
CASE(remounts)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_only_tmpfs),
		cmocka_unit_test(test_tmpfs_looks_like_what_it_covers),
		cmocka_unit_test(test_refused_options),
		cmocka_unit_test(test_long_lowerdir),
		cmocka_unit_test(test_layers_by_page),
		cmocka_unit_test(test_not_by_page),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_propagation),
		cmocka_unit_test(test_remounts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
