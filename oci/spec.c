/* SPDX-License-Identifier: Apache-2.0 */
/* A config.json to begin with: what runc's has, which people edit by scripts. */
#include "command_words.h"
#include "oci.h"

#include "base/file.h"
#include "base/json.h"
#include "base/own.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define AT(member) offsetof(struct oci_spec_words, member)

static const struct oci_option rows[] = {
	{ "bundle", 'b', OCI_TEXT, AT(bundle), "DIR",
	  "where to write it; default: the working directory" },
	{ "file", 'f', OCI_TEXT, AT(file), "FILE", "its name; default: config.json" },
	{ "rootless", 0, OCI_FLAG, AT(rootless), NULL, "one for a caller who isn't root" },
	OCI_HELP_ROW,
};

const struct oci_table oci_spec_table = { .rows = rows, .n = ARRAY_SIZE(rows) };

static void put_texts(struct nook_json_writer *w, const char *key, const char *const *texts)
{
	nook_json_array(w, key);
	while (*texts)
		nook_json_put_text(w, NULL, *texts++);
	nook_json_end(w);
}

#define TEXTS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void put_process(struct nook_json_writer *w)
{
	static const char *const sets[] = { "bounding", "effective", "permitted" };

	nook_json_object(w, "process");
	nook_json_put_bool(w, "terminal", true);
	nook_json_object(w, "user");
	nook_json_put_u64(w, "uid", 0);
	nook_json_put_u64(w, "gid", 0);
	nook_json_end(w);
	put_texts(w, "args", TEXTS("sh"));
	put_texts(w, "env",
		  TEXTS("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
			"TERM=xterm"));
	nook_json_put_text(w, "cwd", "/");

	nook_json_object(w, "capabilities");
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		put_texts(w, sets[i], TEXTS("CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"));
	nook_json_end(w);

	nook_json_array(w, "rlimits");
	nook_json_object(w, NULL);
	nook_json_put_text(w, "type", "RLIMIT_NOFILE");
	nook_json_put_u64(w, "hard", 1024);
	nook_json_put_u64(w, "soft", 1024);
	nook_json_end(w);
	nook_json_end(w);
	nook_json_put_bool(w, "noNewPrivileges", true);
	nook_json_end(w);
}

static void put_mount(struct nook_json_writer *w, const char *destination, const char *type,
		      const char *source, const char *const *options)
{
	nook_json_object(w, NULL);
	nook_json_put_text(w, "destination", destination);
	nook_json_put_text(w, "type", type);
	nook_json_put_text(w, "source", source);
	if (options)
		put_texts(w, "options", options);
	nook_json_end(w);
}

static void put_mounts(struct nook_json_writer *w, bool rootless)
{
	nook_json_array(w, "mounts");
	put_mount(w, "/proc", "proc", "proc", NULL);
	put_mount(w, "/dev", "tmpfs", "tmpfs",
		  TEXTS("nosuid", "strictatime", "mode=755", "size=65536k"));
	/* Group 5 has no id in a map of one. */
	put_mount(w, "/dev/pts", "devpts", "devpts",
		  TEXTS("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620",
			rootless ? NULL : "gid=5"));
	put_mount(w, "/dev/shm", "tmpfs", "shm",
		  TEXTS("nosuid", "noexec", "nodev", "mode=1777", "size=65536k"));
	put_mount(w, "/dev/mqueue", "mqueue", "mqueue", TEXTS("nosuid", "noexec", "nodev"));
	/* A new sysfs is for who owns the network namespace. */
	if (rootless)
		put_mount(w, "/sys", "none", "/sys",
			  TEXTS("rbind", "nosuid", "noexec", "nodev", "ro"));
	else
		put_mount(w, "/sys", "sysfs", "sysfs", TEXTS("nosuid", "noexec", "nodev", "ro"));
	put_mount(w, "/sys/fs/cgroup", "cgroup", "cgroup",
		  TEXTS("nosuid", "noexec", "nodev", "relatime", "ro"));
	nook_json_end(w);
}

static void put_map(struct nook_json_writer *w, const char *key, unsigned id)
{
	nook_json_array(w, key);
	nook_json_object(w, NULL);
	nook_json_put_u64(w, "containerID", 0);
	nook_json_put_u64(w, "hostID", id);
	nook_json_put_u64(w, "size", 1);
	nook_json_end(w);
	nook_json_end(w);
}

static void put_namespaces(struct nook_json_writer *w, bool rootless)
{
	static const char *const kinds[] = { "pid", "network", "ipc", "uts", "mount", "cgroup" };

	nook_json_array(w, "namespaces");
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (rootless && strcmp(kinds[i], "network") == 0)
			continue;
		nook_json_object(w, NULL);
		nook_json_put_text(w, "type", kinds[i]);
		nook_json_end(w);
	}
	if (rootless) {
		nook_json_object(w, NULL);
		nook_json_put_text(w, "type", "user");
		nook_json_end(w);
	}
	nook_json_end(w);
}

static void put_linux(struct nook_json_writer *w, bool rootless)
{
	nook_json_object(w, "linux");
	if (rootless) {
		put_map(w, "uidMappings", geteuid());
		put_map(w, "gidMappings", getegid());
	} else {
		nook_json_object(w, "resources");
		nook_json_array(w, "devices");
		nook_json_object(w, NULL);
		nook_json_put_bool(w, "allow", false);
		nook_json_put_text(w, "access", "rwm");
		nook_json_end(w);
		nook_json_end(w);
		nook_json_end(w);
	}
	put_namespaces(w, rootless);
	put_texts(w, "maskedPaths",
		  TEXTS("/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys",
			"/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
			"/proc/sched_debug", "/sys/firmware", "/proc/scsi"));
	put_texts(w, "readonlyPaths",
		  TEXTS("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"));
	nook_json_end(w);
}

static void put_config(struct nook_json_writer *w, bool rootless)
{
	nook_json_object(w, NULL);
	nook_json_put_text(w, "ociVersion", OCI_SPEC_VERSION);
	put_process(w);
	nook_json_object(w, "root");
	nook_json_put_text(w, "path", "rootfs");
	nook_json_put_bool(w, "readonly", true);
	nook_json_end(w);
	nook_json_put_text(w, "hostname", "nook");
	put_mounts(w, rootless);
	put_linux(w, rootless);
	nook_json_end(w);
}

/* What is there is somebody's work. */
static int write_new(const char *path, const char *text, size_t len, struct nook_error *err)
{
	auto_close int fd =
		open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, 0666);
	int rc;

	if (fd < 0 && errno == EEXIST)
		return nook_refuse(err, EEXIST, "File %s exists. Remove it first", path);
	if (fd < 0)
		return nook_fail(err, errno, "open %s", path);
	rc = nook_write_fd(fd, text, len);
	if (rc == 0)
		return 0;
	(void)unlink(path); /* the write's error is the one to tell */
	return nook_fail(err, -rc, "write %s", path);
}

int oci_spec(struct oci *o, const void *words)
{
	const struct oci_spec_words *w = words;
	const char *path = w->file ? w->file : "config.json";
	struct nook_error err = { 0 };
	struct nook_json_writer json;
	const char *text;
	size_t len;

	if (w->bundle && path[0] != '/')
		path = nook_printf(o->arena, "%s/%s", w->bundle, path);
	nook_json_to_arena(&json, o->arena, true);
	put_config(&json, w->rootless);
	(void)nook_json_finish(&json, &text, &len); /* into memory: can't fail */
	return write_new(path, text, len, &err) < 0 ? oci_failed(o, &err) : 0;
}
