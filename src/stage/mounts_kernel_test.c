/* SPDX-License-Identifier: Apache-2.0 */
/* What only a bundle's plan asks of mount_all() in /dev, /proc and /sys. */
#include "mounts_world.h"

/* ---- devices ---- */

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

CASE(devices)
CASE(other_things_are_no_devices)
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
		cmocka_unit_test(test_files_over_proc),
		cmocka_unit_test(test_no_other_way_into_proc),
		cmocka_unit_test(test_places_that_are_symlinks),
		cmocka_unit_test(test_what_dev_is),
		cmocka_unit_test(test_proc_is_a_procfs),
		cmocka_unit_test(test_of_wrong_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
