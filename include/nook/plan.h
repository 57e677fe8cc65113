/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What will be done, ready for the kernel: total, immutable, in one arena. A pure function of a
 * spec, or an engine's bundle, and the host's facts. The steps (src/run/, src/stage/) carry it out
 * and decide nothing; --plan shows it.
 */
#ifndef NOOK_PLAN_H
#define NOOK_PLAN_H

#include "error.h"
#include "kinds.h"
#include "net_addr.h"

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct nook_arena;
struct nook_spec;
struct nook_host;
struct bpf_insn;
struct nook_plan_property;

/* A namespace to enter. */
struct nook_plan_join {
	enum nook_ns_kind kind;
	const char *path;    /* "/proc/123/ns/net", "/run/netns/blue"; NULL: by pid */
	int pid;             /* pidfd_open + setns when @path is NULL */
	uint64_t start_time; /* of the process that is meant, /proc/PID/stat; 0: whoever has the pid
			      */
	uint64_t ino; /* what must be at @path: the inode of its file; 0: whatever is there */
	const char *from;
};

enum nook_idmap_writer {
	NOOK_IDMAP_NONE,   /* no new user namespace */
	NOOK_IDMAP_DIRECT, /* we write uid_map and gid_map */
	NOOK_IDMAP_HELPER, /* newuidmap(1) and newgidmap(1) do: ranges of /etc/subuid */
};

struct nook_plan_userns {
	enum nook_idmap_writer writer;
	const char *uid_map, *gid_map; /* text as the kernel reads it; for the helpers too */
	bool deny_setgroups; /* write "deny" to setgroups first: an own gid mapped without privilege
			      */
	const char *newuidmap, *newgidmap;
	uint32_t range; /* first id of the 65,536 held for this container; 0: none is */
};

/* A place of the host that the container gets to see. All are opened before the first mount is
 * made. */
struct nook_plan_source {
	const char *path;
	bool recursive;
	bool idmap;     /* map its owners into the container's user namespace */
	bool optional;  /* when it isn't there, what would be mounted from it is left out */
	uint64_t rdev;  /* a character device with this number, on devtmpfs, tmpfs or devpts; 0: no
			   device wanted */
	uint64_t attrs; /* MOUNT_ATTR_* set on it, below it too when @recursive */
	uint64_t propagation; /* MS_PRIVATE, MS_SLAVE or MS_SHARED; 0: as the host's is */
	unsigned own_maps;    /* bundles: 1 + number in plan->mount_maps by which it is idmapped,
				 instead of the container's; 0: none */
	bool idmap_top; /* bundles: idmapped without what is mounted below (`idmap`, not `ridmap`)
			 */
	const char *from;
};

/* The ids of one idmapped mount, when they are not the container's own. */
struct nook_plan_maps {
	const char *uid_map, *gid_map; /* text as the kernel reads it */
};

/* What nook lays between the host's root and the writable layer, in an order that can be made as it
 * stands. */
enum nook_shade_kind {
	NOOK_SHADE_DIR,      /* a directory as the host's own looks */
	NOOK_SHADE_WHITEOUT, /* nothing below this layer shows here */
	NOOK_SHADE_FILE,     /* a file with this text */
	NOOK_SHADE_SYMLINK,  /* a symlink to this text */
};

struct nook_plan_shade {
	enum nook_shade_kind kind;
	unsigned overlay; /* which of plan->overlays */
	unsigned layer;   /* 0: above the host's; 1: above layer 0 */
	const char *path; /* below the overlay's root, no leading slash; "" is the root itself */
	uint32_t mode, uid, gid; /* as seen inside */
	const char *text;
	size_t len; /* bytes of a file's text */
};

struct nook_plan_overlay {
	const char *target;     /* "/", "/home" */
	const unsigned *lowers; /* into plan->sources, the lowest first */
	size_t n_lowers;
	bool shaded; /* two shade layers lie above @lowers */
	const char *from;
};

enum nook_root_how {
	NOOK_PLAN_ROOT_OVERLAY, /* plan->overlays[0] */
	NOOK_PLAN_ROOT_BIND,    /* plan->sources[root_source] */
	NOOK_PLAN_ROOT_KEEP, /* the mount namespace is shared or joined: its root and mounts stay as
				they are */
};

enum nook_plan_mount_kind {
	NOOK_PLAN_BIND, /* sources[source] */
	NOOK_PLAN_FS,   /* a new file system: fsopen(fstype), options */
	NOOK_PLAN_PROC, /* the procfs that the stage has made for itself, and has kept from everyone
			   till then */
	NOOK_PLAN_DEVPTS,   /* a new devpts instance; the terminal is taken from it */
	NOOK_PLAN_OVERLAY,  /* overlays[overlay] */
	NOOK_PLAN_MASK,     /* an empty, read-only thing over the target; skipped when there is no
			       target */
	NOOK_PLAN_READONLY, /* the target, read-only from here on; skipped when there is none */
	NOOK_PLAN_SYMLINK,  /* text = where it leads */
	NOOK_PLAN_CONSOLE,  /* the terminal's slave over /dev/console */
	NOOK_PLAN_DEVICE,  /* mknod: rdev, mode, uid, gid; left alone when the very node is there */
	NOOK_PLAN_REMOUNT, /* change the attributes of what is mounted at the target */
};

/* Attributes to change on a mount before it is attached, mount_setattr(2). */
struct nook_plan_attrs {
	uint64_t set, clear;             /* MOUNT_ATTR_* of the mount itself */
	uint64_t set_below, clear_below; /* of it and of all that is mounted below it */
};

enum nook_make { NOOK_MAKE_NOTHING, NOOK_MAKE_DIR, NOOK_MAKE_FILE };

struct nook_plan_option {
	const char *key, *value; /* value NULL: a flag */
};

struct nook_plan_mount {
	enum nook_plan_mount_kind kind;
	const char *target;  /* absolute, inside */
	enum nook_make make; /* what to create when the target isn't there */
	unsigned source;
	unsigned overlay;
	const char *fstype;
	const struct nook_plan_option *options;
	size_t n_options;
	uint64_t attrs;   /* MOUNT_ATTR_* */
	const char *text; /* symlink */
	bool no_follow;   /* a symlink that the target is, dangling or not, is covered itself */
	bool optional;    /* the kernel may refuse it (mqueue without CONFIG_POSIX_MQUEUE): go on
			     without */
	const char *from;

	/* From a bundle. All zero: nothing of it. */
	struct nook_plan_attrs change;
	const unsigned long *propagation; /* MS_SHARED, MS_SLAVE…, with MS_REC or without: one after
					     the other */
	size_t n_propagation;
	bool by_page;   /* by mount(2) and a page of options: before Linux 6.5 the only way to name
			   many   layers of an overlay */
	bool keep_mode; /* a tmpfs of no said mode gets that of the directory that it lies on */
	bool copy_up;  /* tmpcopyup: what the root has at the target is copied into the new tmpfs */
	uint32_t mode; /* NOOK_PLAN_DEVICE: with S_IFCHR, S_IFBLK or S_IFIFO */
	uint32_t uid, gid;
	uint64_t rdev;
};

/* A cgroup to make: one a hierarchy. */
struct nook_plan_cgroup_dir {
	const char *mount; /* "/sys/fs/cgroup/memory" */
	const char *path;  /* "PLACE/nook/NAME", below @mount */
	bool v2;
	uint32_t enable; /* v2: bits NOOK_CTL_* to enable in cgroup.subtree_control of PLACE and of
			    PLACE/nook */

	/* From a bundle. */
	bool by_path; /* @path is an engine's, of any depth: what stands above it stays when it goes
		       */
	bool cpuset;  /* v1: new directories take over their parent's cpuset.cpus and .mems first */
	const char *controllers; /* v2: to enable on the way where they can be had: "cpu memory" */
};

struct nook_plan_cgroup_write {
	unsigned dir; /* into dirs */
	const char *file, *value;
	bool optional; /* nobody asked for this very limit: skip it when the kernel has no such
			  file */
	const char *from;

	/* From a bundle. */
	bool loose;       /* not read back: the file says it in another form than it is written */
	bool below_usage; /* refuse it when more is in use already */
	const char *or_file,
		*or_value; /* instead, when the kernel has no such file; NULL: nothing */
};

struct nook_plan_cgroup {
	const char *supervisor; /* a leaf of v2 below PLACE that nook itself moves to first, so that
				   PLACE has no process and can have controllers; NULL: stay */
	struct nook_plan_cgroup_dir *dirs; /* the v2 one first, when there is one */
	size_t n_dirs;
	struct nook_plan_cgroup_write *writes; /* in this order */
	size_t n_writes;
	bool optional; /* no limit was asked for: when the first mkdir is refused, go on without a
			  cgroup */

	/* From a bundle: @dirs are paths of the engine's, of any depth; missing ones are made on
	 * the way, one that exists and is empty is taken over. src/run/cgroup_bundle.c */
	bool by_path;
	const char *unit, *slice; /* systemd makes it: the scope's name and its slice; NULL: by file
				     system */
	const struct nook_plan_property *properties; /* of the scope */
	size_t n_properties;
	const struct bpf_insn *device_program; /* v2: which devices may be opened; NULL: all */
	size_t n_device_program;
};

/* A property of a systemd unit: org.freedesktop.systemd1(5). */
struct nook_plan_property {
	const char *name; /* "MemoryMax" */
	char type; /* D-Bus: 't' uint64, 's' text, 'b' bool, 'S' array of text (@text separated by
		      newlines), 'y' array of bytes (@text in hex), 'D' array of (text, text) */
	uint64_t number;
	const char *text;
};

struct nook_plan_rlimit {
	int resource;
	uint64_t soft, hard;
	const char *name, *from;
};

/* ---- what only an engine's bundle says, config.md and config-linux.md of runtime-spec 1.3 ---- */

enum nook_hook_kind {
	NOOK_HOOK_PRESTART,         /* in the runtime's namespaces, during create */
	NOOK_HOOK_CREATE_RUNTIME,   /* the same, after prestart */
	NOOK_HOOK_CREATE_CONTAINER, /* in the container's, before pivot_root */
	NOOK_HOOK_START_CONTAINER,  /* in the container's, during start */
	NOOK_HOOK_POSTSTART,        /* in the runtime's, after the program was executed */
	NOOK_HOOK_POSTSTOP,         /* in the runtime's, during delete */
	NOOK_HOOK_KINDS,
};

struct nook_plan_hook {
	const char *path;                     /* absolute */
	const char *const *args, *const *env; /* NULL-terminated; args NULL: the path alone; env
						 NULL: empty */
	unsigned timeout;                     /* seconds; 0: none */
	const char *from;
};

struct nook_plan_hooks {
	struct nook_plan_hook *list[NOOK_HOOK_KINDS];
	size_t n[NOOK_HOOK_KINDS];
	const char *json; /* the object's own text, for the record; NULL: no hooks */
	const char *state; /* what they read from stdin, without pid and status: `{"ociVersion":…,`;
			      see src/stage/hooks.h */
};

/* sched_setattr(2) */
struct nook_plan_scheduler {
	bool set;
	uint32_t policy; /* SCHED_* */
	int32_t nice;
	uint32_t priority;
	uint64_t flags; /* SCHED_FLAG_* */
	uint64_t runtime, deadline, period;
};

/* set_mempolicy(2) */
struct nook_plan_memory_policy {
	bool set;
	int mode;          /* MPOL_* with its flags */
	const char *nodes; /* "0-3,7", checked */
};

struct nook_plan_netdev {
	const char *host, *name; /* name: inside; the same when not said */
	const char *from;
};

/* resctrl, Documentation/filesystems/resctrl.rst */
struct nook_plan_rdt {
	bool set;
	const char *clos_id;         /* NULL: the container's id */
	const char *l3, *mem_bw;     /* l3CacheSchema, memBwSchema */
	const char *const *schemata; /* NULL-terminated or NULL */
	bool monitoring;
};

/* Sets as bits 1 << CAP_*. */
struct nook_plan_caps {
	uint64_t bounding, effective, permitted, inheritable, ambient;
};

struct nook_plan_process {
	const char *const *argv; /* NULL-terminated; argv[0] is searched in the environment's PATH
				    when it has no slash */
	const char *const *env;  /* NULL-terminated */
	const char *cwd;
	bool cwd_optional; /* nobody asked for this very directory: go to / when it isn't there */
	const char *cwd_from;
	uint32_t uid, gid; /* inside */
	const uint32_t *groups;
	size_t n_groups;
	bool keep_groups; /* setgroups is denied here: the caller's stay */
	struct nook_plan_caps caps;
	bool no_new_privs;
	const struct sock_filter *seccomp; /* NULL: no filter */
	size_t n_seccomp;
	unsigned seccomp_flags;   /* SECCOMP_FILTER_FLAG_* */
	const char *seccomp_name; /* "default", or the file: for people */
	bool seccomp_own;         /* it is nook's own profile */
	bool seccomp_late; /* a profile of the user's: for the program only, not for our pid 1 above
			      it */
	const struct nook_plan_rlimit *rlimits;
	size_t n_rlimits;
	bool set_oom_score_adj;
	int oom_score_adj;
	bool init;     /* a reaping pid 1 of ours stays above the program */
	bool terminal; /* a new pty */

	/* From a bundle. All zero: nothing of it. */
	bool no_program; /* `create` of a bundle without a process: it can't be started */
	bool set_umask;
	uint32_t umask;
	const char *apparmor, *selinux; /* label from execve on */
	const struct nook_plan_scheduler *scheduler;
	bool set_ioprio;
	int ioprio;
	const char *affinity,
		*affinity_final; /* CPUs while it is started, and from then on: "0-3,7" */
	bool set_personality;
	unsigned long personality;
	const struct nook_plan_memory_policy *memory_policy;
	bool keep_keyring;      /* --no-new-keyring */
	bool own_home;          /* no HOME in @env: from the container's /etc/passwd, else "/" */
	bool chown_stdio;       /* pipes and files at 0, 1, 2 become the user's */
	unsigned preserve_fds;  /* descriptors 3 and on that the program gets */
	uint16_t rows, columns; /* of the terminal; 0: not said */
	const char *seccomp_listener; /* socket to which the filter's notify descriptor goes */
	const char *seccomp_listener_data;
};

enum nook_link_kind {
	NOOK_LINK_PAIR,    /* veth(4): the host's end is a port of a network's bridge */
	NOOK_LINK_MACVLAN, /* on a link of the host, bridge mode */
};

/* A link between the container and the world. */
struct nook_plan_link {
	enum nook_link_kind kind;
	const char *network; /* of nook's; NULL: macvlan */
	const char *master;  /* pair: the network's bridge, "nook0"; macvlan: its parent */
	const char *outside; /* pair: the host's end, "nk0a580002": made of an address, so that it
				is unique */
	const char *inside;  /* "eth0" */
	uint8_t mac[6];      /* of the inner end */
	uint32_t mtu;        /* 0: the kernel's */
	struct nook_net_addr
		address[NOOK_NET_FAMILIES]; /* with the network's prefix; family 0: none */
	struct nook_net_addr gateway[NOOK_NET_FAMILIES]; /* default route; family 0: none by this
							    link */
	bool asked; /* the user chose the address: when somebody has it, no other will do */
	const char *from;
};

/* Ports of the host that lead to the container. */
struct nook_plan_port {
	uint8_t protocol;          /* IPPROTO_TCP, IPPROTO_UDP */
	struct nook_net_addr host; /* family 0: every address of the host, v4 and v6; all zero:
				      every one of its family */
	uint16_t host_port, inside_port;            /* the first of them */
	uint16_t count;                             /* 1 or more */
	struct nook_net_addr to[NOOK_NET_FAMILIES]; /* the container; family 0: not by this one */
	const char *from;
};

struct nook_plan_sysctl {
	const char *path; /* "net/ipv4/ip_forward", below /proc/sys */
	const char *value, *from;
};

#define NOOK_PLAN_NAMES_REMEDY                                                                     \
	"Put a name server that can be reached from there into the machine's /etc/resolv.conf, "   \
	"or mount a file of your own: --volume FILE:/etc/resolv.conf"

struct nook_plan {
	const char *name;      /* the container's */
	const char *state_dir; /* where its record goes */

	uint64_t clone_flags; /* CLONE_NEW* made by the clone itself */
	bool own_userns;      /* a user namespace is made or joined: the host's ids are not the
				 container's */
	bool net_beside; /* the new network namespace is made beside the others, of clone_flags, and
			    entered by the stage */
	bool late_time;  /* a time namespace with offsets, or one that clone3 can't make: unshared
			    by the stage, which sets them, then enters it */
	const char *time_offsets;     /* text for timens_offsets; NULL: none */
	struct nook_plan_join *joins; /* in the order to join; any makes a joiner necessary */
	size_t n_joins;
	struct nook_plan_userns userns;

	struct nook_plan_source *sources;
	size_t n_sources;
	bool sources_outside; /* opened by us before the clone; else by the stage, with its caller's
				 rights */

	bool scratch; /* a tmpfs is laid over "/" first, on which layers are put together and mounts
			 are kept */
	enum nook_root_how root_how;
	unsigned root_source;
	struct nook_plan_overlay *overlays;
	size_t n_overlays;
	bool overlay_by_fsconfig; /* lowerdir+; else mount(2) with one option string, before
				     Linux 6.5 */
	struct nook_plan_shade *shades;
	size_t n_shades;
	bool has_changes;
	unsigned changes_source; /* the writable layers live there; else on the stage's own tmpfs */
	bool root_read_only;

	struct nook_plan_mount *mounts; /* in order */
	size_t n_mounts;

	const char *hostname, *domainname; /* NULL: left alone */
	bool loopback_up;
	struct nook_plan_link *links; /* to nook's networks and the host's links */
	size_t n_links;
	struct nook_plan_port *ports;
	size_t n_ports;
	const char *resolv; /* text of the resolv.conf that containers get; NULL: left alone */
	const char *const *pasta; /* NULL, or its argv, up to --netns and without the path that
				     follows: connects the container without privilege */

	struct nook_plan_cgroup cgroup;
	struct nook_plan_process process;

	/* From a bundle. All zero: nothing of it. */
	bool bundle;      /* an engine's container: it outlives its maker */
	bool start_later; /* `create`: the program waits for `start` */
	bool announced;   /* `exec`: somebody is told of the process before its program runs: by a
			     pid file or a socket */
	bool late_cgroup; /* the cgroup namespace is unshared by the stage, once it is in its
			     cgroups of v1 */
	bool notify;      /* STATE_DIR/notify/NAME is made, for the program's sd_notify(3) */
	bool no_pivot;    /* --no-pivot: MS_MOVE and chroot, for a root that is an initramfs */
	unsigned long root_propagation; /* MS_* of the finished root; 0: private */
	unsigned long host_propagation; /* MS_* with MS_REC that the stage's copy of the host's
					   mounts gets first; 0: MS_SLAVE */
	struct nook_plan_maps *mount_maps;
	size_t n_mount_maps;
	struct nook_plan_sysctl *sysctls;
	size_t n_sysctls;
	const struct nook_plan_hooks *hooks; /* NULL: none */
	const struct nook_plan_netdev *netdevs;
	size_t n_netdevs;
	const struct nook_plan_rdt *rdt; /* NULL: none */
	const char *no_names; /* why it finds no names, a sentence; NULL: it does, or is not to */
	const char *const *warnings; /* what was left out, for the log; NULL-terminated or NULL */
};

/**
 * nook_plan_build() - decide
 * @a:    arena for the plan; texts of @spec and @host are borrowed, so these must live as long
 * @spec: what was asked
 * @host: what the machine allows
 * @plan: receives the whole plan
 * @err:  receives the place (@where) and the reason of a refusal
 *
 * Makes no system call and reads no file but a --seccomp FILE. Return: 0; -EINVAL and others for
 * what can't be done.
 */
int nook_plan_build(struct nook_arena *a, const struct nook_spec *spec,
		    const struct nook_host *host, struct nook_plan *plan, struct nook_error *err);

#ifdef __cplusplus
}
#endif

#endif
