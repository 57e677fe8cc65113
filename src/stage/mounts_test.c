/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only a bundle's plan asks of mount_all(), in a mount namespace of the test's own whose root
 * is a tmpfs: each case is a child that ends with 0.
 */
#include "mounts.h"

#include "base/own.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "sys/process.h"
#include "sys/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include <cmocka.h>

#define EXPECT(what)                                                                               \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			(void)fprintf(stderr, "%s:%d: %s (%s)\n", __FILE__, __LINE__, #what,       \
				      strerror(errno));                                            \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

enum { SOURCES = 4 };

struct world {
	struct nook_plan plan;
	struct nook_stage stage;
	int sources[SOURCES];
	struct nook_error err;
};

static bool privileged(void)
{
	return geteuid() == 0;
}

static int tmpfs(void)
{
	int fs = nook_fsopen("tmpfs");

	EXPECT(fs >= 0 && nook_fsconfig_string(fs, "mode", "0755") == 0);
	EXPECT(nook_fsconfig_create(fs) == 0);
	int fd = nook_fsmount(fs, 0);

	EXPECT(fd >= 0);
	close_fd(&fs);
	return fd;
}

static void begin(struct world *w)
{
	*w = (struct world){ .plan = { .bundle = true } };
	(void)umask(0);
	EXPECT(nook_unshare(CLONE_NEWNS) == 0);
	EXPECT(mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) == 0);
	w->stage = (struct nook_stage){
		.plan = &w->plan,
		.sources = w->sources,
		.proc = nook_procfs_open(true, &w->err),
		.scratch = NO_FD,
		.root = tmpfs(),
		.own = { NO_FD, NO_FD },
		.mask = NO_FD,
		.dev = NO_FD,
		.fresh = NO_FD,
		.pts = NO_FD,
		.console = NO_FD,
	};
	EXPECT(w->stage.proc >= 0);
	EXPECT(nook_move_mount_at(w->stage.root, AT_FDCWD, "/") == 0);
	EXPECT(fchdir(w->stage.root) == 0);
	for (int i = 0; i < SOURCES; i++)
		w->sources[i] = NO_FD;
}

static int do_mounts(struct world *w, struct nook_plan_mount *mounts, size_t n)
{
	w->plan.mounts = mounts;
	w->plan.n_mounts = n;
	w->err = (struct nook_error){ 0 };
	return mount_all(&w->stage, &w->err);
}

static int do_one(struct world *w, struct nook_plan_mount m)
{
	return do_mounts(w, &m, 1);
}

/* Carries out one case of which the parent sees only whether it ended well. */
static void in_child(void (*test)(struct world *w))
{
	struct world w;
	int status;

	if (!privileged())
		skip();
	pid_t child = fork();

	if (child == 0) {
		begin(&w);
		test(&w);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void write_file(const char *path, const char *text)
{
	auto_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	EXPECT(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

static bool has_text(const char *path, const char *text)
{
	char is[64] = "";
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && read(fd, is, sizeof(is) - 1) >= 0 && strcmp(is, text) == 0;
}

static unsigned long flags_of(const char *path)
{
	struct statvfs st;

	EXPECT(statvfs(path, &st) == 0);
	return st.f_flag;
}

/* ---- devices ---- */

static struct nook_plan_mount device(const char *target, uint32_t mode, uint64_t rdev)
{
	return (struct nook_plan_mount){ .kind = NOOK_PLAN_DEVICE,
					 .target = target,
					 .mode = mode,
					 .uid = 7,
					 .gid = 8,
					 .rdev = rdev,
					 .from = "/linux/devices/0" };
}

static void is_node(const char *path, uint32_t mode, uint32_t uid, uint32_t gid, uint64_t rdev)
{
	struct stat st;

	EXPECT(lstat(path, &st) == 0);
	EXPECT(st.st_mode == mode && st.st_uid == uid && st.st_gid == gid && st.st_rdev == rdev);
}

static void devices(struct world *w)
{
	/* Parents are made; a directory that hands its group on does not. */
	EXPECT(mkdir("setgid", 02755) == 0 && chown("setgid", 0, 99) == 0);
	EXPECT(chmod("setgid", 02755) == 0);
	EXPECT(do_one(w, device("/a/b/null", S_IFCHR | 0640, makedev(1, 3))) == 0);
	is_node("a/b/null", S_IFCHR | 0640, 7, 8, makedev(1, 3));
	EXPECT(do_one(w, device("/setgid/pipe", S_IFIFO | 0666, 0)) == 0);
	is_node("setgid/pipe", S_IFIFO | 0666, 7, 8, 0);
	EXPECT(do_one(w, device("/disk", S_IFBLK | 04600, makedev(7, 300))) == 0);
	is_node("disk", S_IFBLK | 04600, 7, 8, makedev(7, 300));

	/* The very node is left as it is. */
	EXPECT(mknod("zero", S_IFCHR | 0600, makedev(1, 5)) == 0);
	EXPECT(do_one(w, device("/zero", S_IFCHR | 0666, makedev(1, 5))) == 0);
	is_node("zero", S_IFCHR | 0600, 0, 0, makedev(1, 5));
	EXPECT(do_one(w, device("/setgid/pipe", S_IFIFO | 0600, 0)) == 0);
}

static void other_things_are_no_devices(struct world *w)
{
	EXPECT(symlink("/zero", "link") == 0);
	EXPECT(mknod("zero", S_IFCHR | 0600, makedev(1, 5)) == 0);
	write_file("file", "");
	EXPECT(do_one(w, device("/zero", S_IFCHR | 0666, makedev(1, 3))) == -EEXIST);
	EXPECT(do_one(w, device("/zero", S_IFBLK | 0666, makedev(1, 5))) == -EEXIST);
	EXPECT(do_one(w, device("/link", S_IFCHR | 0666, makedev(1, 5))) == -EEXIST);
	EXPECT(do_one(w, device("/file", S_IFCHR | 0666, makedev(1, 5))) == -EEXIST);
	EXPECT(strcmp(w->err.where, "/linux/devices/0") == 0);
	EXPECT(do_one(w, device("/file/x", S_IFCHR | 0666, makedev(1, 5))) == -ENOTDIR);
}

/* ---- file systems ---- */

static struct nook_plan_mount new_tmpfs(const char *target)
{
	return (struct nook_plan_mount){ .kind = NOOK_PLAN_FS,
					 .fstype = "tmpfs",
					 .target = target,
					 .make = NOOK_MAKE_DIR,
					 .from = "/mounts/0" };
}

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

static void add_source(struct world *w, int n, const char *path, bool recursive)
{
	w->sources[n] = nook_open_tree(AT_FDCWD, path, recursive, true);
	EXPECT(w->sources[n] >= 0);
}

static struct nook_plan_mount bind_to(const char *target, unsigned source)
{
	return (struct nook_plan_mount){ .kind = NOOK_PLAN_BIND,
					 .target = target,
					 .source = source,
					 .make = NOOK_MAKE_DIR,
					 .from = "/mounts/2" };
}

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

static bool seen(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
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

/* ---- /proc, /sys and /dev ---- */

static struct nook_plan_mount new_proc(void)
{
	return (struct nook_plan_mount){ .kind = NOOK_PLAN_FS,
					 .fstype = "proc",
					 .target = "/proc",
					 .make = NOOK_MAKE_DIR,
					 .from = "/mounts/0" };
}

static void files_over_proc(struct world *w)
{
	struct nook_plan_mount m[] = { new_proc(), bind_to("/proc/meminfo", 0) };

	write_file("mine", "mine");
	add_source(w, 0, "mine", false);
	EXPECT(do_mounts(w, m, 2) == 0);
	EXPECT(has_text("proc/meminfo", "mine"));
}

/* A name of the image's that leads there, by whatever way. */
static void no_other_way_into_proc(struct world *w)
{
	static const char *const targets[] = { "/file", "/dir/meminfo", "/proc/self/status",
					       "/proc/mounts", "/proc/nothing" };
	struct nook_plan_mount proc = new_proc();

	write_file("mine", "mine");
	EXPECT(symlink("/proc/meminfo", "file") == 0 && symlink("proc", "dir") == 0);
	EXPECT(do_mounts(w, &proc, 1) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		add_source(w, 0, "mine", false);
		EXPECT(do_one(w, bind_to(targets[i], 0)) < 0);
		EXPECT(strcmp(w->err.where, "/mounts/2") == 0);
	}
	EXPECT(!has_text("proc/meminfo", "mine"));
}

static void places_that_are_symlinks(struct world *w)
{
	static const char *const places[] = { "proc", "sys", "dev" };

	EXPECT(mkdir("elsewhere", 0755) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		char target[16];

		(void)snprintf(target, sizeof(target), "/%s", places[i]);
		EXPECT(symlink("elsewhere", places[i]) == 0);
		EXPECT(do_one(w, i == 0 ? new_proc() : new_tmpfs(target)) == -ELOOP ||
		       w->err.errnum == ENOTDIR);
		EXPECT(strcmp(w->err.id, "symlink-in-target") == 0);
	}
}

/* By another mount namespace, where it is no mount. */
static void swap_dev(void)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		EXPECT(nook_unshare(CLONE_NEWNS) == 0 && umount("dev") == 0);
		EXPECT(rename("dev", "moved") == 0 && mkdir("dev", 0755) == 0);
		_exit(0);
	}
	EXPECT(waitpid(child, &status, 0) == child && status == 0);
}

/* Somebody who has the root's files too has put another /dev there: ours is the one that we
 * mounted. */
static void what_dev_is(struct world *w)
{
	struct nook_plan_mount dev = new_tmpfs("/dev");
	struct nook_plan_mount m[] = {
		device("/dev/null", S_IFCHR | 0666, makedev(1, 3)),
		new_tmpfs("/dev/shm"),
		{ .kind = NOOK_PLAN_SYMLINK, .target = "/dev/fd", .text = "/proc/self/fd" }
	};

	EXPECT(do_mounts(w, &dev, 1) == 0);
	swap_dev();
	EXPECT(do_mounts(w, m, 3) == 0);
	EXPECT(seen("moved/null") && seen("moved/shm") && !seen("dev/null") && !seen("dev/shm"));
}

static void proc_is_a_procfs(struct world *w)
{
	EXPECT(mkdir("dir", 0755) == 0);
	add_source(w, 0, "dir", true);
	EXPECT(do_one(w, bind_to("/proc", 0)) == -EINVAL);
	EXPECT(strstr(w->err.why, "not of type proc"));
	EXPECT(do_one(w, new_tmpfs("/proc")) == -EINVAL);
	add_source(w, 0, "/proc", true);
	EXPECT(do_one(w, bind_to("/proc", 0)) == 0);
}

static void of_wrong_types(struct world *w)
{
	write_file("file", "");
	EXPECT(mkdir("dir", 0755) == 0);
	add_source(w, 0, "file", false);
	EXPECT(do_one(w, bind_to("/dir", 0)) == -EISDIR);
	add_source(w, 0, "dir", false);
	EXPECT(do_one(w, bind_to("/file", 0)) == -ENOTDIR);
	EXPECT(do_one(w, new_tmpfs("/file")) == -ENOTDIR);
	add_source(w, 0, "file", false);
	EXPECT(do_one(w, bind_to("/new/file", 0)) == 0);
}

#define CASE(name)                                                                                 \
	static void test_##name(void **state)                                                      \
	{                                                                                          \
		(void)state;                                                                       \
		in_child(name);                                                                    \
	}

CASE(devices)
CASE(other_things_are_no_devices)
CASE(read_only_tmpfs)
CASE(tmpfs_looks_like_what_it_covers)
CASE(refused_options)
CASE(long_lowerdir)
CASE(layers_by_page)
CASE(not_by_page)
CASE(attributes)
CASE(propagation)
CASE(remounts)
CASE(files_over_proc)
CASE(no_other_way_into_proc)
CASE(places_that_are_symlinks)
CASE(what_dev_is)
CASE(proc_is_a_procfs)
CASE(of_wrong_types)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_other_things_are_no_devices),
		cmocka_unit_test(test_read_only_tmpfs),
		cmocka_unit_test(test_tmpfs_looks_like_what_it_covers),
		cmocka_unit_test(test_refused_options),
		cmocka_unit_test(test_long_lowerdir),
		cmocka_unit_test(test_layers_by_page),
		cmocka_unit_test(test_not_by_page),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_propagation),
		cmocka_unit_test(test_remounts),
		cmocka_unit_test(test_files_over_proc),
		cmocka_unit_test(test_no_other_way_into_proc),
		cmocka_unit_test(test_places_that_are_symlinks),
		cmocka_unit_test(test_what_dev_is),
		cmocka_unit_test(test_proc_is_a_procfs),
		cmocka_unit_test(test_of_wrong_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
