/* SPDX-License-Identifier: Apache-2.0 */
/* For unit tests of mount_all(): a mount namespace of the test's own whose root is a tmpfs. Each
 * case is a child that ends with 0. */
#ifndef NOOK_STAGE_MOUNTS_WORLD_H
#define NOOK_STAGE_MOUNTS_WORLD_H

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

static inline bool privileged(void)
{
	return geteuid() == 0;
}

static inline int tmpfs(void)
{
	int fs = nook_fsopen("tmpfs");

	EXPECT(fs >= 0 && nook_fsconfig_string(fs, "mode", "0755") == 0);
	EXPECT(nook_fsconfig_create(fs) == 0);
	int fd = nook_fsmount(fs, 0);

	EXPECT(fd >= 0);
	close_fd(&fs);
	return fd;
}

static inline void begin(struct world *w)
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

static inline int do_mounts(struct world *w, struct nook_plan_mount *mounts, size_t n)
{
	w->plan.mounts = mounts;
	w->plan.n_mounts = n;
	w->err = (struct nook_error){ 0 };
	return mount_all(&w->stage, &w->err);
}

static inline int do_one(struct world *w, struct nook_plan_mount m)
{
	return do_mounts(w, &m, 1);
}

/* Carries out one case of which the parent sees only whether it ended well. */
static inline void in_child(void (*test)(struct world *w))
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

#define CASE(name)                                                                                 \
	static void test_##name(void **state)                                                      \
	{                                                                                          \
		(void)state;                                                                       \
		in_child(name);                                                                    \
	}

static inline void write_file(const char *path, const char *text)
{
	auto_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	EXPECT(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

static inline bool has_text(const char *path, const char *text)
{
	char is[64] = "";
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && read(fd, is, sizeof(is) - 1) >= 0 && strcmp(is, text) == 0;
}

static inline struct nook_plan_mount device(const char *target, uint32_t mode, uint64_t rdev)
{
	return (struct nook_plan_mount){ .kind = NOOK_PLAN_DEVICE,
					 .target = target,
					 .mode = mode,
					 .uid = 7,
					 .gid = 8,
					 .rdev = rdev,
					 .from = "/linux/devices/0" };
}

static inline void is_node(const char *path, uint32_t mode, uint32_t uid, uint32_t gid,
			   uint64_t rdev)
{
	struct stat st;

	EXPECT(lstat(path, &st) == 0);
	EXPECT(st.st_mode == mode && st.st_uid == uid && st.st_gid == gid && st.st_rdev == rdev);
}

static inline void devices(struct world *w)
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

static inline struct nook_plan_mount new_tmpfs(const char *target)
{
	return (struct nook_plan_mount){ .kind = NOOK_PLAN_FS,
					 .fstype = "tmpfs",
					 .target = target,
					 .make = NOOK_MAKE_DIR,
					 .from = "/mounts/0" };
}

static inline void add_source(struct world *w, int n, const char *path, bool recursive)
{
	w->sources[n] = nook_open_tree(AT_FDCWD, path, recursive, true);
	EXPECT(w->sources[n] >= 0);
}

static inline struct nook_plan_mount bind_to(const char *target, unsigned source)
{
	return (struct nook_plan_mount){ .kind = NOOK_PLAN_BIND,
					 .target = target,
					 .source = source,
					 .make = NOOK_MAKE_DIR,
					 .from = "/mounts/2" };
}

static inline bool seen(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

#endif
