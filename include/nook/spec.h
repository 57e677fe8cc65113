/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was asked: the user's words, read but not yet decided. Every text and array lives in the
 * arena that the spec was read into. NULL and zero mean "not said": the plan gives the default. A
 * member named `from` holds the words that asked for the thing ("--volume a:b", "/mounts/3"), so
 * that a later error can point at them.
 */
#ifndef NOOK_SPEC_H
#define NOOK_SPEC_H

#include "kinds.h"
#include "net_addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct nook_opt_u64 {
	bool set;
	uint64_t value;
	const char *from;
};

struct nook_opt_i64 {
	bool set;
	int64_t value;
	const char *from;
};

enum nook_tristate { NOOK_UNSET, NOOK_NO, NOOK_YES };

enum nook_ns_mode {
	NOOK_NS_DEFAULT, /* not said */
	NOOK_NS_NEW,
	NOOK_NS_SHARE, /* the caller's own */
	NOOK_NS_JOIN,
};

struct nook_ns_spec {
	enum nook_ns_mode mode;
	const char *target; /* to join: a container's or namespace's name, a pid, or a path with a
			       slash */
	const char *from;
};

/* One line of uid_map or gid_map. user_namespaces(7), "Defining user and group ID mappings". */
struct nook_idmap {
	uint32_t inside;  /* first id the container sees */
	uint32_t outside; /* first id in our user namespace */
	uint32_t count;   /* 1 or more */
};

enum nook_root_kind {
	NOOK_ROOT_HOST,   /* the machine's own root, copy-on-write */
	NOOK_ROOT_DIR,    /* a directory, written through */
	NOOK_ROOT_LAYERS, /* read-only layers under a writable one */
};

struct nook_path_spec {
	const char *path;
	const char *from;
};

struct nook_root_spec {
	enum nook_root_kind kind;
	struct nook_path_spec dir;     /* NOOK_ROOT_DIR */
	struct nook_path_spec *layers; /* NOOK_ROOT_LAYERS: the lowest first */
	size_t n_layers;
	struct nook_path_spec
		changes; /* keep the writable layer there; .path NULL: throw it away */
	bool read_only;
	struct nook_path_spec *expose; /* of what NOOK_ROOT_HOST hides, show these */
	size_t n_expose;
	struct nook_path_spec *hide; /* hide these too */
	size_t n_hide;
};

enum nook_mount_kind { NOOK_MOUNT_VOLUME, NOOK_MOUNT_TMPFS };

struct nook_mount_spec {
	enum nook_mount_kind kind;
	const char
		*source; /* volume: a directory, file or socket of the host, as the user wrote it */
	const char *target; /* absolute path inside */
	bool read_only;
	bool recursive;  /* with what is mounted below the source (`rbind`); a volume's default is
			    yes */
	bool allow_dev;  /* `dev`: device nodes work; default no */
	bool allow_suid; /* `suid`; default no */
	bool no_exec;    /* `noexec` */
	bool no_idmap;   /* `noidmap`: files show the host's owners */
	const char *propagation;  /* private (default), slave, shared */
	struct nook_opt_u64 size; /* tmpfs: bytes */
	struct nook_opt_u64 mode; /* tmpfs: permission bits of its root, default 01777 */
	const char *from;
};

struct nook_rlimit_spec {
	const char *name;    /* "nofile": RLIMIT_* in lower case without the prefix */
	uint64_t soft, hard; /* UINT64_MAX: unlimited */
	const char *from;
};

struct nook_cap_spec {
	const char *name; /* "net_admin", "CAP_NET_ADMIN" or "all" */
	bool add;         /* else drop */
	const char *from;
};

struct nook_limits_spec {
	struct nook_opt_i64 memory;      /* bytes */
	struct nook_opt_i64 memory_swap; /* bytes of memory and swap together, as engines say it;
					    -1: unlimited */
	struct nook_opt_u64 cpus_milli;  /* thousandths of a CPU: "1.5" is 1500 */
	struct nook_opt_u64 cpu_weight;  /* 1 to 10000, cgroup v2's scale */
	struct nook_opt_i64 pids;
	struct nook_opt_u64 io_weight; /* 1 to 10000, cgroup v2's scale */
};

enum nook_net_kind {
	NOOK_NET_PRIVATE, /* default: a new network namespace, loopback up */
	NOOK_NET_NONE,    /* a new network namespace, as the kernel makes it: loopback down */
	NOOK_NET_HOST,    /* the caller's */
	NOOK_NET_LINKS,   /* a new network namespace, connected as spec->links say */
	NOOK_NET_JOINED,  /* somebody else's: ns[NOOK_NS_NET] says whose */
	NOOK_NET_USER, /* a new network namespace, connected through pasta(1): without privilege */
};

/* One link of the container: `--net NAME[:ip=…,mac=…,name=eth0]`, `--net macvlan:eth0[:…]`. */
struct nook_link_spec {
	const char *network; /* of nook's, "bridge" for the default; NULL: macvlan */
	const char *parent;  /* macvlan: a link of the host */
	struct nook_net_addr
		address[NOOK_NET_FAMILIES]; /* family 0: not said. Of a network: without
					       a prefix (32, 128); of macvlan: with */
	bool set_mac;
	uint8_t mac[6];
	const char *name; /* inside; NULL: eth0, eth1, … */
	const char *from;
};

/* `--publish [IP:]HOST[-LAST]:INSIDE[-LAST][/udp]` */
struct nook_port_spec {
	uint8_t protocol; /* IPPROTO_TCP, IPPROTO_UDP */
	struct nook_net_addr
		host; /* family 0: every address of the host; all zero: every one of its family */
	uint16_t host_port, inside_port; /* the first of them */
	uint16_t count;                  /* 1 or more, next to each other */
	const char *from;
};

enum nook_seccomp_kind { NOOK_SECCOMP_DEFAULT, NOOK_SECCOMP_OFF, NOOK_SECCOMP_FILE };

struct nook_spec {
	const char *name; /* NULL: one is made up */
	const char *name_from;

	struct nook_ns_spec ns[NOOK_NS_COUNT];
	enum nook_net_kind net;
	const char *net_from;
	struct nook_link_spec *links; /* in the order given */
	size_t n_links;
	struct nook_port_spec *ports;
	size_t n_ports;
	const char *hostname, *domainname;
	struct nook_opt_i64 boottime,
		monotonic; /* seconds added to the clock, time_namespaces(7) */

	struct nook_idmap *uid_map, *gid_map; /* by hand, in the order given */
	size_t n_uid_map, n_gid_map;
	const char *uid_map_from, *gid_map_from;

	struct nook_root_spec root;
	struct nook_mount_spec *mounts; /* in the order given */
	size_t n_mounts;

	const char **argv; /* NULL-terminated; NULL: the user's shell */
	const char *
		*env; /* "NAME=VALUE" sets, "NAME" takes over the caller's; in the order given */
	size_t n_env;
	bool clear_env;
	const char *cwd, *cwd_from;
	const char *user, *user_from;   /* "NAME", "UID", either with ":GROUP" */
	const char *group, *group_from; /* "NAME" or "GID" */
	struct nook_cap_spec *caps;
	size_t n_caps;
	enum nook_tristate no_new_privs;
	enum nook_seccomp_kind seccomp;
	const char *seccomp_file;
	struct nook_rlimit_spec *rlimits;
	size_t n_rlimits;
	struct nook_opt_i64 oom_score_adj;
	enum nook_tristate init;
	enum nook_tristate terminal; /* unset: when stdin and stdout are one */

	struct nook_limits_spec limits;
};

#ifdef __cplusplus
}
#endif

#endif
