/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this machine allows and holds, probed once, as data: the plan is a pure function of a spec
 * and this. Everything lives in the arena that it was probed into, and a test can fill one by hand.
 */
#ifndef NOOK_HOST_HOST_H
#define NOOK_HOST_HOST_H

#include "base/arena.h"
#include "nook/error.h"
#include "nook/net.h"
#include "nook/spec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Kernel features that change the plan. Table with the version that brought each:
 * src/host/kernel.c. */
enum nook_feature {
	NOOK_FEATURE_IDMAP_MOUNT,          /* 5.12 mount_setattr(MOUNT_ATTR_IDMAP) */
	NOOK_FEATURE_CGROUP_KILL,          /* 5.14 cgroup.kill */
	NOOK_FEATURE_OVERLAY_IDMAP,        /* 5.19 idmapped layers under overlay */
	NOOK_FEATURE_TMPFS_IDMAP,          /* 6.3 */
	NOOK_FEATURE_CLONE3_TIME,          /* 6.3 clone3(CLONE_NEWTIME) */
	NOOK_FEATURE_OVERLAY_LOWERDIR_ADD, /* 6.5 fsconfig lowerdir+ */
	NOOK_FEATURE_TMPFS_USER_XATTR,     /* 6.6 user.* on tmpfs: overlay's own marks in a user
					      namespace */
	NOOK_FEATURE_STATMOUNT,            /* 6.8 */
	NOOK_FEATURE_PIDFD_GET_NS,         /* 6.11 PIDFD_GET_USER_NAMESPACE… */
	NOOK_FEATURE_DETACHED_CLONE,       /* 6.15 open_tree(2) of a detached mount */
	NOOK_FEATURE_COUNT,
};

/* One line of /etc/subuid or /etc/subgid that is the caller's. subuid(5) */
struct nook_id_range {
	uint32_t first, count;
};

/* A file system mounted below the host's root that the copy-on-write root takes over too. */
struct nook_host_mount {
	const char *path; /* "/home" */
	const char *fstype;
	bool is_dir;
	bool idmap; /* its file system can be shown with mapped ids */
};

/* A piece of the host's root, where it can't be copied whole: src/host/rootfs_parts.h */
enum nook_part_kind {
	NOOK_PART_UNION, /* a directory with no mount below: to be a union of its own */
	NOOK_PART_DIR,   /* a directory above some: to be made anew */
	NOOK_PART_SYMLINK,
	NOOK_PART_FILE,
};

struct nook_host_part {
	enum nook_part_kind kind;
	const char *path;
	const char *text; /* where a symlink leads; what is in a small file that we may read, else
			     NULL */
	size_t len;       /* bytes of a file's text */
	uint32_t mode;    /* permission bits of a directory or file */
};

/* Something of the host's root that the copy-on-write root does not show. */
struct nook_host_secret {
	const char *path; /* absolute, no symlink in it, exists */
	bool is_dir;
	const char *why; /* static: "passwords", "private keys", "another user's home", … */
};

/* A directory of the host that a hidden or replaced path lies in, with what the copy must look
 * like. */
struct nook_host_dir {
	const char *path;
	uint32_t mode, uid, gid; /* as stat shows them; permission bits only */
};

enum nook_cgroup_layout {
	NOOK_CGROUP_NONE,
	NOOK_CGROUP_UNIFIED,
	NOOK_CGROUP_HYBRID,
	NOOK_CGROUP_V1
};

enum nook_controller {
	NOOK_CTL_MEMORY,
	NOOK_CTL_CPU,
	NOOK_CTL_PIDS,
	NOOK_CTL_IO,
	NOOK_CTL_CPUSET,
	NOOK_CTL_COUNT,
};

/* Where one hierarchy stands, where we are in it, and where nook makes its own cgroups. */
struct nook_cgroup_mount {
	const char *mount; /* "/sys/fs/cgroup/memory"; NULL: this hierarchy is not mounted */
	const char *own;   /* our cgroup below @mount: "/user.slice/…"; NULL: it lies elsewhere */
	const char *place; /* nook's cgroups go to PLACE/nook/NAME: @own or one above; NULL: none */
	bool delegated;    /* we may make cgroups in @place */
	const char *why_not; /* when not: the reason, a clause */
};

struct nook_host_cgroup {
	enum nook_cgroup_layout layout;
	struct nook_cgroup_mount v2;
	struct nook_cgroup_mount v1[NOOK_CTL_COUNT]; /* where a controller is on v1 */
	uint32_t v2_present;     /* bit NOOK_CTL_*: bound to v2 on this machine */
	uint32_t v2_controllers; /* bit NOOK_CTL_*: usable in v2.place */
	bool v2_alone;           /* v2.place is our own cgroup and we its only process: controllers
				    can be enabled there once we have left it for a leaf */
	bool io_cost, io_bfq;    /* a block device here honours io.weight, or (io.)bfq.weight */
};

/* A hierarchy of cgroups, with all that is bound to it: what a bundle asks of them is more than
 * nook_host_cgroup tells. */
struct nook_hierarchy {
	bool v2;
	/* v1: as in /proc/self/cgroup, "cpu,cpuacct" or "name=systemd"; v2: of its root's
	 * cgroup.controllers, with spaces between, "" when it can't be read */
	const char *controllers;
	const char *mount; /* "/sys/fs/cgroup/cpu,cpuacct"; NULL: not mounted where we see it */
	const char *own;   /* our own cgroup below @mount; NULL: it lies elsewhere */
	const char *place; /* where a container goes whose path was not said, as runc has it: v1: in
			      @own; v2: beside it, since a cgroup with processes can give no
			      controllers to its children; NULL: nowhere */
	bool delegated;    /* we may make cgroups in @place */
	bool device_bpf;   /* v2: this kernel has device programs, and we may attach one */
};

/* An account as the container's root file system names it (host's /etc/passwd for the copy-on-write
 * root). */
struct nook_account {
	bool known; /* false: the root has no entry for the uid, or nothing needed one */
	uint32_t uid, gid;
	const char *name;         /* NULL when not known */
	const char *home, *shell; /* then "/" and "/bin/sh" */
	uint32_t *groups;         /* supplementary groups in its /etc/group */
	size_t n_groups;
};

/* What the plan needs to know of a link that the spec asks for. */
struct nook_host_link {
	struct nook_network network;                  /* name NULL: macvlan */
	struct nook_net_addr free[NOOK_NET_FAMILIES]; /* an address that nobody has; the one that
							 was asked for; family 0: none */
};

struct nook_host {
	/* the caller */
	uint32_t euid, egid;
	uint64_t caps; /* effective, bit CAP_* */
	uint64_t bounding;
	bool initial_userns; /* we are in the kernel's first user namespace: no other has power over
				the machine */
	bool setgroups_denied; /* in our user namespace, and so in those below it */
	const char *cwd;
	const char *user_name, *home; /* of the caller; NULL when it has no account */
	const char *const *env;
	bool stdin_tty, stdout_tty;

	/* the machine */
	const char *release; /* uname -r */
	unsigned major, minor;
	bool feature[NOOK_FEATURE_COUNT];
	const char *hostname;
	unsigned last_cap; /* /proc/sys/kernel/cap_last_cap */

	bool selinux, apparmor;

	/* user namespaces */
	struct nook_id_range *subuid, *subgid; /* the caller's */
	size_t n_subuid, n_subgid;
	const char *newuidmap, *newgidmap; /* paths; NULL: not installed */
	/* Lines of our own user namespace's maps, as ids there, when it is not the first and we may
	 * map any of them; empty: not looked at. A line of a map below can't lie across two. */
	struct nook_id_range *own_uids, *own_gids;
	size_t n_own_uids, n_own_gids;
	uint32_t free_range; /* root: first id of 65,536 that nobody has; 0: none was looked for */

	struct nook_host_cgroup cgroup;

	/* what the copy-on-write root needs; empty for other roots */
	bool root_idmap; /* the file system of "/" can be shown with mapped ids */
	struct nook_host_mount *mounts;
	size_t n_mounts;
	struct nook_host_part *parts; /* parents first; none: the root can be copied whole */
	size_t n_parts;
	struct nook_host_secret *secrets;
	size_t n_secrets;
	struct nook_host_dir *dirs; /* every directory above a secret, a replaced file or a mount;
				       parents first; "/" is one */
	size_t n_dirs;
	const char
		*shadow; /* text of /etc/shadow to show: every account there, locked; NULL: none */

	struct nook_account account; /* of spec's user, looked up in the container's root */

	/* networks, when the spec asks for them */
	struct nook_host_link *links; /* one for each of spec->links */
	size_t n_links;
	bool plans_only; /* set by the caller: nothing is to be made */
	unsigned tries;  /* set by the caller: how often somebody was faster with a free address */
	const char *pasta;  /* path of pasta(1); NULL: not installed, or not looked for */
	const char *hosts;  /* path of the hosts file of these networks; NULL: none */
	const char *resolv; /* text of a resolv.conf that works in another network namespace; NULL:
			       none was found, or not looked for */

	const char *state_dir; /* "/run/nook" or "$XDG_RUNTIME_DIR/nook" */

	/* only for bundles: bundle.h */
	struct nook_hierarchy *hierarchies; /* the v2 one first, when there is one */
	size_t n_hierarchies;
	bool owns_mounts; /* our mount namespace is our user namespace's, so that CAP_SYS_ADMIN
			     suffices to mount in it */
	uint32_t pid;     /* ours */
	bool kcore;       /* there is a /proc/kcore */
};

/**
 * nook_host_probe() - learn what a plan for @spec needs to know
 * @a:    arena for @host
 * @spec: decides what is worth looking at: the accounts in its root, the host's mounts, an id range
 * @host: receives the facts
 * @err:  receives why a thing that must be known can't be
 *
 * Reads only; nothing is made or reserved. Return: 0 or a negative errno.
 */
int nook_host_probe(struct nook_arena *a, const struct nook_spec *spec, struct nook_host *host,
		    struct nook_error *err);

#endif
