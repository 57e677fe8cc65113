/* SPDX-License-Identifier: Apache-2.0 */
/* What is mounted below the root: what every container needs, what the user asked for, and what
 * nobody should see. */
#include "parts.h"

#include "base/text.h"
#include "idmap.h"
#include "ns/kinds.h"

#include <errno.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

#define PLAIN        (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
#define PLAIN_NOEXEC (PLAIN | MOUNT_ATTR_NOEXEC)

static struct nook_plan_mount *add(struct nook_planner *p, enum nook_plan_mount_kind kind,
				   const char *target)
{
	struct nook_plan_mount *m = nook_append(p->arena, p->plan->mounts, p->plan->n_mounts);

	m->kind = kind;
	m->target = target;
	m->make = NOOK_MAKE_DIR;
	return m;
}

static struct nook_plan_mount *add_fs(struct nook_planner *p, const char *fstype,
				      const char *target, uint64_t attrs,
				      const struct nook_plan_option *options, size_t n)
{
	struct nook_plan_mount *m = add(p, NOOK_PLAN_FS, target);

	m->fstype = fstype;
	m->attrs = attrs;
	m->options = options;
	m->n_options = n;
	return m;
}

static struct nook_plan_mount *add_bind(struct nook_planner *p, struct nook_plan_source source,
					const char *target)
{
	unsigned n = nook_plan_add_source(p, source);
	struct nook_plan_mount *m = add(p, NOOK_PLAN_BIND, target);

	m->source = n;
	return m;
}

/* A piece of the host's, as it is, read-only: for namespaces that are the host's as well. */
static void add_host_tree(struct nook_planner *p, const char *path, uint64_t attrs)
{
	add_bind(p,
		 (struct nook_plan_source){ .path = path,
					    .recursive = true,
					    .optional = true,
					    .attrs = attrs,
					    .propagation = MS_SLAVE },
		 path);
}

/* A procfs belongs to a pid namespace, and only who owns that may mount it: it is ours when it is
 * new, and in general when its user namespace is joined with it. Any other container's numbers
 * would mean nobody inside. */
static bool owns_pids(const struct nook_planner *p)
{
	return nook_plan_is_new(p, NOOK_NS_PID) || (p->spec->ns[NOOK_NS_PID].mode == NOOK_NS_JOIN &&
						    !nook_plan_is_new(p, NOOK_NS_USER));
}

static void plan_proc_and_sys(struct nook_planner *p)
{
	if (owns_pids(p))
		add(p, NOOK_PLAN_PROC, "/proc");
	else
		add_host_tree(p, "/proc", 0);

	/* A sysfs belongs to a network namespace, and only who owns that may mount it. */
	if (nook_plan_is_new(p, NOOK_NS_NET))
		add_fs(p, "sysfs", "/sys", PLAIN_NOEXEC | MOUNT_ATTR_RDONLY, NULL, 0);
	else
		add_host_tree(p, "/sys", MOUNT_ATTR_RDONLY);

	if (!p->host->cgroup.v2.mount || !nook_plan_is_new(p, NOOK_NS_NET))
		return; /* the host's /sys has the host's */
	if (!nook_plan_is_new(p, NOOK_NS_CGROUP)) {
		/* Mounted anew from the initial cgroup namespace, it would take the host's
		 * nsdelegate away. */
		add_bind(p,
			 (struct nook_plan_source){ .path = p->host->cgroup.v2.mount,
						    .optional = true,
						    .attrs = PLAIN_NOEXEC | MOUNT_ATTR_RDONLY },
			 "/sys/fs/cgroup")
			->make = NOOK_MAKE_NOTHING;
	} else {
		struct nook_plan_mount *m = add_fs(p, "cgroup2", "/sys/fs/cgroup",
						   PLAIN_NOEXEC | MOUNT_ATTR_RDONLY, NULL, 0);

		m->make = NOOK_MAKE_NOTHING;
		m->optional = true; /* sysfs has no place for it on a kernel without cgroups */
	}
}

/* The devices that every program may expect, the host's own: a user namespace can make none.
 * null(4), random(4) … */
static void plan_devices(struct nook_planner *p)
{
	static const struct {
		const char *path;
		unsigned major, minor;
	} devices[] = {
		{ "/dev/null", 1, 3 },   { "/dev/zero", 1, 5 },    { "/dev/full", 1, 7 },
		{ "/dev/random", 1, 8 }, { "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 },
	};

	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		struct nook_plan_mount *m =
			add_bind(p,
				 (struct nook_plan_source){
					 .path = devices[i].path,
					 .rdev = makedev(devices[i].major, devices[i].minor),
					 .attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
				 },
				 devices[i].path);

		m->make = NOOK_MAKE_FILE;
	}
}

static void plan_links(struct nook_planner *p)
{
	static const char *const links[][2] = {
		{ "/dev/ptmx", "pts/ptmx" },          { "/dev/fd", "/proc/self/fd" },
		{ "/dev/stdin", "/proc/self/fd/0" },  { "/dev/stdout", "/proc/self/fd/1" },
		{ "/dev/stderr", "/proc/self/fd/2" },
	};

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		add(p, NOOK_PLAN_SYMLINK, links[i][0])->text = links[i][1];
}

static void plan_dev(struct nook_planner *p)
{
	static const struct nook_plan_option mode755[] = { { "mode", "0755" } };
	static const struct nook_plan_option mode1777[] = { { "mode", "01777" } };
	static const struct nook_plan_option pts[] = { { "ptmxmode", "0666" },
						       { "mode", "0620" },
						       { "gid", "5" } };
	struct nook_plan_mount *m;

	add_fs(p, "tmpfs", "/dev", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, mode755, 1);
	plan_devices(p);

	m = add(p, NOOK_PLAN_DEVPTS, "/dev/pts");
	m->fstype = "devpts";
	m->attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
	m->options = pts;
	/* Group tty is 5 on every distribution; where it isn't mapped, terminals belong to their
	 * user's group. */
	m->n_options =
		!p->plan->own_userns || nook_idmap_covers(p->gid_map, p->n_gid_map, 5) ? 3 : 2;

	plan_links(p);
	add_fs(p, "tmpfs", "/dev/shm", PLAIN, mode1777, 1);
	if (nook_plan_is_new(p, NOOK_NS_IPC))
		add_fs(p, "mqueue", "/dev/mqueue", PLAIN_NOEXEC, NULL, 0)->optional = true;
	else
		add_host_tree(p, "/dev/mqueue", 0);
}

/* The host's sockets, locks and other people's files are in these: the container gets its own. */
static void plan_fresh(struct nook_planner *p)
{
	static const struct nook_plan_option mode755[] = { { "mode", "0755" } };
	static const struct nook_plan_option mode1777[] = { { "mode", "01777" } };

	if (p->spec->root.kind != NOOK_ROOT_HOST)
		return;
	add_fs(p, "tmpfs", "/run", PLAIN, mode755, 1);
	add_fs(p, "tmpfs", "/tmp", PLAIN, mode1777, 1);

	for (unsigned i = 1; i < p->plan->n_overlays; i++)
		add(p, NOOK_PLAN_OVERLAY, p->plan->overlays[i].target)->overlay = i;
	for (size_t i = 0; i < p->host->n_parts; i++) {
		const struct nook_host_part *part = &p->host->parts[i];

		if (part->kind == NOOK_PART_FILE && !part->text)
			add_bind(p,
				 (struct nook_plan_source){ .path = part->path,
							    .optional = true,
							    .attrs = PLAIN | MOUNT_ATTR_RDONLY },
				 part->path)
				->make = NOOK_MAKE_FILE;
	}
	for (size_t i = 0; i < p->host->n_mounts && !p->host->n_parts; i++) {
		const struct nook_host_mount *hm = &p->host->mounts[i];

		if (hm->is_dir)
			continue;
		/* A single file can't be a union: it is shown read-only. */
		add_bind(
			p,
			(struct nook_plan_source){ .path = hm->path,
						   .idmap = hm->idmap && nook_plan_idmaps_mounts(p),
						   .attrs = PLAIN | MOUNT_ATTR_RDONLY },
			hm->path)
			->make = NOOK_MAKE_NOTHING;
	}
}

static bool at_or_below(const char *path, const char *dir)
{
	const char *rest = nook_after(path, dir);

	return rest && (!*rest || *rest == '/');
}

static uint64_t propagation_of(const char *word)
{
	return !word || strcmp(word, "private") == 0 ? MS_PRIVATE
	       : strcmp(word, "slave") == 0          ? MS_SLAVE
						     : MS_SHARED;
}

static uint64_t attrs_of(const struct nook_mount_spec *s)
{
	return (s->read_only ? MOUNT_ATTR_RDONLY : 0) | (s->allow_dev ? 0 : MOUNT_ATTR_NODEV) |
	       (s->allow_suid ? 0 : MOUNT_ATTR_NOSUID) | (s->no_exec ? MOUNT_ATTR_NOEXEC : 0);
}

static void plan_tmpfs(struct nook_planner *p, const struct nook_mount_spec *s)
{
	struct nook_plan_option *o = nook_alloc_array(p->arena, 2, sizeof(*o));
	size_t n = 0;

	o[n++] = (struct nook_plan_option){
		"mode", nook_printf(p->arena, "0%o", s->mode.set ? (unsigned)s->mode.value : 01777)
	};
	if (s->size.set)
		o[n++] = (struct nook_plan_option){ "size",
						    nook_printf(p->arena, "%lu", s->size.value) };
	add_fs(p, "tmpfs", s->target, attrs_of(s), o, n)->from = s->from;
}

static int plan_user_mount(struct nook_planner *p, const struct nook_mount_spec *s)
{
	const char *inside = s->target + strspn(s->target, "/");

	if (!*inside || at_or_below(s->target, "/proc") || at_or_below(s->target, "/dev/pts")) {
		nook_where(p->err, "%s", s->from);
		nook_hint(p->err,
			  *inside ? "the kernel's own files belong there; choose another place"
				  : "--root DIR makes a directory the root");
		return nook_refuse(p->err, EINVAL, "nothing may be mounted on %s", s->target);
	}
	if (s->kind == NOOK_MOUNT_TMPFS) {
		plan_tmpfs(p, s);
		return 0;
	}

	add_bind(p,
		 (struct nook_plan_source){
			 .path = s->source,
			 .recursive = s->recursive,
			 .idmap = nook_plan_idmaps_mounts(p) && !s->no_idmap,
			 .attrs = attrs_of(s),
			 .propagation = propagation_of(s->propagation),
			 .from = s->from,
		 },
		 s->target)
		->from = s->from;
	return 0;
}

/* What a container has no business with; most of them are not there, or only on some machines. */
static void plan_covers(struct nook_planner *p)
{
	static const char *const masked[] = {
		"/proc/acpi",        "/proc/asound",  "/proc/interrupts",
		"/proc/kcore",       "/proc/keys",    "/proc/latency_stats",
		"/proc/sched_debug", "/proc/scsi",    "/proc/timer_list",
		"/proc/timer_stats", "/sys/firmware", "/sys/devices/virtual/powercap",
		"/sys/fs/selinux",
	};
	static const char *const read_only[] = {
		"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
	};

	for (size_t i = 0; i < sizeof(masked) / sizeof(masked[0]); i++)
		add(p, NOOK_PLAN_MASK, masked[i]);
	for (size_t i = 0; i < sizeof(read_only) / sizeof(read_only[0]); i++)
		add(p, NOOK_PLAN_READONLY, read_only[i]);
}

static int refuse_mounts(struct nook_planner *p)
{
	if (!p->spec->n_mounts)
		return 0;
	nook_where(p->err, "%s", p->spec->mounts[0].from);
	nook_hint(p->err, "leave the mount namespace new, which is the default");
	return nook_refuse(
		p->err, EINVAL,
		"nothing can be mounted in a mount namespace that is not the container's own");
}

int nook_plan_mounts(struct nook_planner *p)
{
	if (p->plan->root_how == NOOK_PLAN_ROOT_KEEP)
		return refuse_mounts(p);

	plan_fresh(p);
	plan_proc_and_sys(p);
	plan_dev(p);

	/* The user's come later, and so lie above. */
	int rc = nook_plan_names(p);

	for (size_t i = 0; i < p->spec->n_mounts && rc == 0; i++)
		rc = plan_user_mount(p, &p->spec->mounts[i]);
	if (rc < 0)
		return rc;
	if (nook_plan_wants_terminal(p))
		add(p, NOOK_PLAN_CONSOLE, "/dev/console")->make = NOOK_MAKE_FILE;
	plan_covers(p);
	return 0;
}
