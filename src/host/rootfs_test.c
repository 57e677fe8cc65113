/* SPDX-License-Identifier: Apache-2.0 */
/* The host's root in a tree of our own: what of it is hidden, taken over, and made anew. */
#include "rootfs.h"

#include "base/own.h"
#include "base/text.h"
#include "path.h"
#include "rootfs_mounts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>

static char root_path[] = "/tmp/nook-rootfs-test-XXXXXX";
static int root = NO_FD;

static const char *const dirs[] = {
	"etc",
	"etc/ssh",
	"etc/ssl",
	"keys",
	"root",
	"root/project",
	"root/project/.git",
	"root/other",
	"home",
	"home/me",
	"home/me/.ssh",
	"home/me/.config",
	"home/me/.config/gh",
	"home/you",
	"home/team",
	"home/team/me",
	"home/team/her",
	"data",
	"data/docker",
	"data/linked-home",
	"srv",
	"srv/alice",
	"srv/tree",
	"srv/tree/sub",
	"usr",
	"usr/sbin",
	"usr/local",
	"usr/local/bin",
	"var",
	"var/lib",
	"var/lib/machines",
	"var/tmp",
	"mnt",
	"mnt/top",
	"mnt/top/etc",
	"mnt/work",
	"opt",
	"opt/api",
	"proc",
};

static const struct {
	const char *path, *text;
} files[] = {
	{ "etc/passwd", "root:x:0:0:root:/root:/bin/bash\n"
			"daemon:x:1:1::/usr/sbin:/usr/sbin/nologin\n"
			"me:x:1000:1000::/home/me:/bin/sh\n"
			"alice:x:1001:1001::/srv/alice:/bin/sh\n"
			"sys:x:1002:1002::/usr/sbin:/bin/sh\n"
			"slash:x:1003:1003::/:/bin/sh\n"
			"gone:x:1004:1004::/nowhere:/bin/sh\n"
			"broken line\n" },
	{ "etc/shadow", "root:$6$:1:::::\n" },
	{ "etc/hosts", "" },
	{ "etc/ssh/ssh_host_rsa_key", "k" },
	{ "etc/ssh/ssh_host_rsa_key.pub", "k" },
	{ "etc/ssh/sshd_config", "" },
	{ "root/.bashrc", "" },
	{ "root/project/a", "" },
	{ "root/project/.env", "" },
	{ "home/note", "" },
	{ "home/me/.netrc", "" },
};

static const struct {
	const char *to, *path;
} links[] = {
	{ "../../keys", "etc/ssl/private" },    { "/data/docker", "var/lib/docker" },
	{ "/data/linked-home", "home/linked" }, { "/nowhere", "var/lib/lxc" },
	{ "/root/project", "srv/project" },     { "usr/local/bin", "bin" },
};

static int make_tree(void **state)
{
	assert_non_null(mkdtemp(root_path));
	root = open(root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(root >= 0);

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		assert_int_equal(mkdirat(root, dirs[i], 0755), 0);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		auto_close int fd = openat(root, files[i].path, O_WRONLY | O_CREAT | O_EXCL, 0644);
		size_t len = strlen(files[i].text);

		assert_int_equal(write(fd, files[i].text, len), len);
	}
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		assert_int_equal(symlinkat(links[i].to, root, links[i].path), 0);

	/* A second path to one inode, as through a second mount. */
	assert_int_equal(linkat(root, "etc/shadow", root, "mnt/top/etc/shadow", 0), 0);
	assert_int_equal(fchmodat(root, "var/tmp", 01777, 0), 0);
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

static int remove_tree(void **state)
{
	close_fd(&root);
	return nftw(root_path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

#define DISK "27 1 8:1 / / rw - ext4 /dev/sda1 rw\n"

struct world {
	struct nook_arena arena;
	struct nook_spec spec;
	struct nook_host host;
	struct nook_error err;
	struct nook_prober prober;
	struct nook_path_spec expose[4], hide[4];
};

static int run(struct world *w, const char *mounts, uint32_t euid, const char *home,
	       const char *const *expose, const char *const *hide)
{
	assert_int_equal(nook_arena_init(&w->arena), 0);
	w->prober = (struct nook_prober){
		.arena = &w->arena,
		.spec = &w->spec,
		.host = &w->host,
		.err = &w->err,
		.root = root,
		.have_mounts = true,
	};
	w->host.euid = euid;
	w->host.major = 6;
	w->host.minor = 18;
	w->host.initial_userns = true;
	w->host.caps = euid == 0 ? ~0ULL : 0;
	w->host.home = home;
	w->spec.root.expose = w->expose;
	w->spec.root.hide = w->hide;
	for (; expose && expose[w->spec.root.n_expose]; w->spec.root.n_expose++)
		w->expose[w->spec.root.n_expose] =
			(struct nook_path_spec){ expose[w->spec.root.n_expose], "--expose X" };
	for (; hide && hide[w->spec.root.n_hide]; w->spec.root.n_hide++)
		w->hide[w->spec.root.n_hide] =
			(struct nook_path_spec){ hide[w->spec.root.n_hide], "--hide X" };

	assert_int_equal(nook_mountinfo_parse(&w->arena,
					      nook_strdup(&w->arena, mounts ? mounts : DISK),
					      &w->prober.mounts, &w->err),
			 0);
	return nook_rootfs_probe(&w->prober);
}

#define MACHINE   "/etc/shadow /etc/ssh/ssh_host_rsa_key "
#define HOMES     "/home/me /home/team /home/you "
#define NO_MOUNTS NULL

static const struct {
	const char *name, *mounts;
	uint32_t euid;
	const char *home;
	const char *expose[4], *hide[4];
	const char *secrets; /* in order, each with a space */
} cases[] = {
	{ "root: every home",
	  NO_MOUNTS,
	  0,
	  "/root",
	  {},
	  {},
	  "/data/docker /data/linked-home " MACHINE HOMES "/keys /root /srv/alice "
	  "/var/lib/machines " },
	{ "a user: keys in the own home, every other home",
	  NO_MOUNTS,
	  1000,
	  "/home/me",
	  {},
	  {},
	  "/data/docker /data/linked-home " MACHINE
	  "/home/me/.config/gh /home/me/.netrc /home/me/.ssh /home/team /home/you "
	  "/keys /root /srv/alice /var/lib/machines " },
	{ "the own home in another's",
	  NO_MOUNTS,
	  1000,
	  "/home/team/me",
	  {},
	  {},
	  "/data/docker /data/linked-home " MACHINE
	  "/home/me /home/team/her /home/you /keys /root /srv/alice /var/lib/machines " },
	{ "the own home outside of /home",
	  NO_MOUNTS,
	  1001,
	  "/srv/alice",
	  {},
	  {},
	  "/data/docker /data/linked-home " MACHINE HOMES "/keys /root /var/lib/machines " },
	{ "one back, by its name",
	  NO_MOUNTS,
	  0,
	  "/root",
	  { "/root" },
	  {},
	  "/data/docker /data/linked-home " MACHINE HOMES "/keys /srv/alice /var/lib/machines " },
	{ "one back, by a symlink, another by where it leads",
	  NO_MOUNTS,
	  0,
	  "/root",
	  { "/var/lib/docker", "/keys/" },
	  {},
	  "/data/linked-home " MACHINE HOMES "/root /srv/alice /var/lib/machines " },
	{ "a part back: its siblings stay out",
	  NO_MOUNTS,
	  0,
	  "/root",
	  { "/root/project" },
	  {},
	  "/data/docker /data/linked-home " MACHINE HOMES
	  "/keys /root/.bashrc /root/other /srv/alice /var/lib/machines " },
	{ "a part back, by a symlink with ..",
	  NO_MOUNTS,
	  0,
	  "/root",
	  { "/home/../srv/project" },
	  {},
	  "/data/docker /data/linked-home " MACHINE HOMES
	  "/keys /root/.bashrc /root/other /srv/alice /var/lib/machines " },
	{ "two parts back, level by level",
	  NO_MOUNTS,
	  0,
	  "/root",
	  { "/root/project/a", "/root/.bashrc" },
	  {},
	  "/data/docker /data/linked-home " MACHINE HOMES
	  "/keys /root/other /root/project/.env /root/project/.git /srv/alice "
	  "/var/lib/machines " },
	{ "what holds secrets, with them",
	  NO_MOUNTS,
	  0,
	  "/root",
	  { "/home", "/etc" },
	  {},
	  "/data/docker /data/linked-home /keys /root /srv/alice /var/lib/machines " },
	{ "what isn't hidden",
	  NO_MOUNTS,
	  0,
	  "/root",
	  { "/opt" },
	  {},
	  "/data/docker /data/linked-home " MACHINE HOMES "/keys /root /srv/alice "
	  "/var/lib/machines " },
	{ "more away, a file and a directory",
	  NO_MOUNTS,
	  0,
	  "/root",
	  {},
	  { "/etc/hosts", "/srv" },
	  "/data/docker /data/linked-home /etc/hosts " MACHINE HOMES
	  "/keys /root /srv /var/lib/machines " },
	{ "away in what came back",
	  NO_MOUNTS,
	  0,
	  "/root",
	  { "/root" },
	  { "/root/project/.env" },
	  "/data/docker /data/linked-home " MACHINE HOMES
	  "/keys /root/project/.env /srv/alice /var/lib/machines " },
	{ "back in what went away",
	  NO_MOUNTS,
	  0,
	  "/root",
	  { "/srv/tree/sub" },
	  { "/srv" },
	  "/data/docker /data/linked-home " MACHINE HOMES
	  "/keys /root /srv/alice /srv/project /var/lib/machines " },
	{ "a second mount of the disk",
	  DISK "30 27 8:1 / /mnt/top rw - ext4 /dev/sda1 rw\n",
	  0,
	  "/root",
	  {},
	  {},
	  "/data/docker /data/linked-home " MACHINE HOMES
	  "/keys /mnt/top/etc/shadow /root /srv/alice /var/lib/machines " },
	{ "another disk there",
	  DISK "30 27 8:2 / /mnt/top rw - ext4 /dev/sdb1 rw\n",
	  0,
	  "/root",
	  {},
	  {},
	  "/data/docker /data/linked-home " MACHINE HOMES
	  "/keys /root /srv/alice /var/lib/machines " },
	{ "a part of a secret, mounted elsewhere",
	  DISK "30 27 8:1 /root/project /mnt/work rw - ext4 /dev/sda1 rw\n",
	  0,
	  "/root",
	  {},
	  {},
	  "/data/docker /data/linked-home " MACHINE HOMES
	  "/keys /mnt/work /root /srv/alice /var/lib/machines " },
	{ "the kernel's interfaces outside of their places",
	  DISK "30 27 0:21 / /proc rw - proc proc rw\n31 27 0:21 / /opt/api rw - proc proc rw\n",
	  0,
	  "/root",
	  {},
	  {},
	  "/data/docker /data/linked-home " MACHINE HOMES
	  "/keys /opt/api /root /srv/alice /var/lib/machines " },
};

static void test_secrets(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct world w = { 0 };
		char seen[2048] = "";

		print_message("%s\n", cases[i].name);
		int rc = run(&w, cases[i].mounts, cases[i].euid, cases[i].home, cases[i].expose,
			     cases[i].hide);

		assert_string_equal(w.err.why, "");
		assert_int_equal(rc, 0);
		for (size_t k = 0; k < w.host.n_secrets; k++) {
			strcat(strcat(seen, w.host.secrets[k].path), " ");
			assert_non_null(w.host.secrets[k].why);
		}
		assert_string_equal(seen, cases[i].secrets);
		nook_arena_free(&w.arena);
	}
}

static const struct {
	const char *name, *expose[2], *hide[2];
	int result;
	const char *why, *where;
} wrong[] = {
	{ "relative", { NULL }, { "srv" }, -EINVAL, "begin with /", "--hide X" },
	{ "empty", { NULL }, { "" }, -EINVAL, "begin with /", "--hide X" },
	{ "not there", { NULL }, { "/nope" }, -ENOENT, "--hide /nope", "--hide X" },
	{ "dangling", { NULL }, { "/var/lib/lxc" }, -ENOENT, "--hide /var/lib/lxc", "--hide X" },
	{ "root", { NULL }, { "/" }, -EINVAL, "without a root", "--hide X" },
	{ "root, written otherwise",
	  { NULL },
	  { "//etc/.." },
	  -EINVAL,
	  "without a root",
	  "--hide X" },
	{ "the container's own",
	  { NULL },
	  { "/proc" },
	  -EINVAL,
	  "the container's own",
	  "--hide X" },
	{ "exposed, not there",
	  { "/root/nope" },
	  { NULL },
	  -ENOENT,
	  "--expose /root/nope",
	  "--expose X" },
	{ "both",
	  { "/srv/project" },
	  { "/root/project" },
	  -EINVAL,
	  "hidden and exposed",
	  "--hide X" },
};

static void test_wrong_wishes(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct world w = { 0 };

		print_message("%s\n", wrong[i].name);
		assert_int_equal(run(&w, NO_MOUNTS, 0, "/root", wrong[i].expose, wrong[i].hide),
				 wrong[i].result);
		assert_non_null(strstr(w.err.why, wrong[i].why));
		assert_string_equal(w.err.where, wrong[i].where);
		nook_arena_free(&w.arena);
	}
}

static const struct nook_host_dir *find_dir(const struct nook_host *host, const char *path)
{
	for (size_t i = 0; i < host->n_dirs; i++) {
		if (strcmp(host->dirs[i].path, path) == 0)
			return &host->dirs[i];
	}
	return NULL;
}

static void test_dirs_are_there_with_their_parents(void **state)
{
	struct world w = { 0 };

	assert_int_equal(run(&w, NO_MOUNTS, 1000, "/home/me", NULL, NULL), 0);
	assert_string_equal(w.host.dirs[0].path, "/");
	for (size_t i = 1; i < w.host.n_dirs; i++) {
		char parent[256];
		const char *path = w.host.dirs[i].path;
		const char *slash = strrchr(path, '/');

		assert_true(nook_path_compare(w.host.dirs[i - 1].path, path) < 0);
		(void)nook_format(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
		assert_non_null(find_dir(&w.host, parent[0] ? parent : "/"));
		assert_false(nook_host_hides(&w.host, path));
	}
	for (size_t i = 0; i < w.host.n_secrets; i++) {
		char parent[256];
		const char *path = w.host.secrets[i].path;

		(void)nook_format(parent, sizeof(parent), "%.*s", (int)(strrchr(path, '/') - path),
				  path);
		assert_non_null(find_dir(&w.host, parent[0] ? parent : "/"));
	}

	assert_int_equal(find_dir(&w.host, "/var/tmp")->mode, 01777);
	assert_int_equal(find_dir(&w.host, "/etc")->mode, 0755);
	assert_int_equal(find_dir(&w.host, "/etc")->uid, geteuid());
	assert_non_null(find_dir(&w.host, "/usr/local/bin"));
	assert_null(find_dir(&w.host, "/bin"));       /* a symlink */
	assert_null(find_dir(&w.host, "/etc/hosts")); /* a file */
	nook_arena_free(&w.arena);
}

static void test_root_needs_no_dirs_of_installers(void **state)
{
	struct world w = { 0 };

	assert_int_equal(run(&w, NO_MOUNTS, 0, "/root", NULL, NULL), 0);
	assert_non_null(find_dir(&w.host, "/etc"));
	assert_null(find_dir(&w.host, "/usr/local/bin"));
	assert_null(find_dir(&w.host, "/opt"));
	nook_arena_free(&w.arena);
}

static const char *const busy_host = DISK "28 27 0:21 / /proc rw - proc proc rw\n"
					  "29 27 0:5 / /run rw - tmpfs tmpfs rw\n"
					  "30 29 8:2 / /run/disk rw - ext4 /dev/sdb rw\n"
					  "31 27 8:3 / /home rw - xfs /dev/sdc rw\n"
					  "32 27 8:4 / /root/project rw - ext4 /dev/sdd rw\n"
					  "33 27 0:40 / /var/lib/machines rw - btrfs /dev/sde rw\n"
					  "34 27 8:1 /etc/hosts /etc/hosts rw - ext4 /dev/sda1 rw\n"
					  "35 27 0:41 / /mnt/work rw - tmpfs x rw\n"
					  "36 35 0:42 / /mnt/work rw - nfs4 server:/x rw\n"
					  "37 27 0:43 / /mnt/gone rw - fuse.sshfs x rw\n";

static void test_mounts(void **state)
{
	static const struct {
		const char *path, *fstype;
		bool is_dir;
	} expected[] = {
		{ "/etc/hosts", "ext4", false },
		{ "/home", "xfs", true },
		{ "/mnt/work", "nfs4", true },
	};
	struct world w = { 0 };

	assert_int_equal(run(&w, busy_host, 0, "/root", NULL, NULL), 0);
	assert_int_equal(w.host.n_mounts, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		assert_string_equal(w.host.mounts[i].path, expected[i].path);
		assert_string_equal(w.host.mounts[i].fstype, expected[i].fstype);
		assert_int_equal(w.host.mounts[i].is_dir, expected[i].is_dir);
	}
	/* A mount that does not answer is not taken over; what lies under it stays covered. */
	assert_true(nook_host_hides(&w.host, "/mnt/gone"));
	nook_arena_free(&w.arena);
}

static void test_exposed_mount_is_taken_over(void **state)
{
	struct world w = { 0 };
	const char *const expose[] = { "/root/project", NULL };

	assert_int_equal(run(&w, busy_host, 0, "/root", expose, NULL), 0);
	assert_int_equal(w.host.n_mounts, 4);
	assert_string_equal(w.host.mounts[3].path, "/root/project");
	assert_non_null(find_dir(&w.host, "/root"));
	nook_arena_free(&w.arena);
}

static void test_shadow(void **state)
{
	struct world w = { 0 }, exposed = { 0 };
	const char *const expose[] = { "/etc/shadow", NULL };

	assert_int_equal(run(&w, NO_MOUNTS, 0, "/root", NULL, NULL), 0);
	assert_string_equal(w.host.shadow, "root:*:19000:0:99999:7:::\n"
					   "daemon:*:19000:0:99999:7:::\n"
					   "me:*:19000:0:99999:7:::\n"
					   "alice:*:19000:0:99999:7:::\n"
					   "sys:*:19000:0:99999:7:::\n"
					   "slash:*:19000:0:99999:7:::\n"
					   "gone:*:19000:0:99999:7:::\n");
	nook_arena_free(&w.arena);

	assert_int_equal(run(&exposed, NO_MOUNTS, 0, "/root", expose, NULL), 0);
	assert_null(exposed.host.shadow); /* the host's own shows */
	nook_arena_free(&exposed.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_wrong_wishes),
		cmocka_unit_test(test_dirs_are_there_with_their_parents),
		cmocka_unit_test(test_root_needs_no_dirs_of_installers),
		cmocka_unit_test(test_mounts),
		cmocka_unit_test(test_exposed_mount_is_taken_over),
		cmocka_unit_test(test_shadow),
	};

	return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
