/* SPDX-License-Identifier: Apache-2.0 */
/* What each command's options are read into: the rows beside the commands say where. */
#ifndef NOOK_OCI_COMMAND_WORDS_H
#define NOOK_OCI_COMMAND_WORDS_H

#include "nook/spec.h"
#include "words.h"

#include <stdbool.h>

struct oci_creating { /* create and run */
	const char *bundle, *config, *console_socket, *pid_file, *pidfd_socket, *plan;
	bool no_pivot, no_new_keyring, no_subreaper, detach, keep;
	unsigned preserve_fds;
};

struct oci_kill_words {
	bool all, regex;
};

struct oci_delete_words {
	bool force, regex;
};

struct oci_exec_words {
	const char *process, *cwd, *user, *pid_file, *console_socket, *pidfd_socket;
	const char *selinux, *apparmor, *cgroup;
	struct oci_list env, groups, caps;
	bool terminal, detach, ignore_paused;
	enum nook_tristate no_new_privs;
	unsigned preserve_fds;
};

struct oci_list_words {
	const char *format;
	bool quiet;
};

struct oci_ps_words {
	const char *format;
};

struct oci_update_words {
	const char *resources;
	const char *blkio_weight, *cpu_period, *cpu_quota, *cpu_burst, *cpu_share, *cpu_rt_period,
		*cpu_rt_runtime, *cpu_idle, *cpuset_cpus, *cpuset_mems, *memory,
		*memory_reservation, *memory_swap, *kernel_memory, *kernel_memory_tcp, *pids_limit,
		*l3_cache_schema, *mem_bw_schema;
};

struct oci_events_words {
	const char *interval;
	bool stats;
};

struct oci_spec_words {
	const char *bundle, *file;
	bool rootless;
};

struct oci_check_words {
	const char *bundle, *format;
};

struct oci_checkpoint_words {
	const char *image_path, *work_path, *parent_path, *status_fd, *page_server, *cgroups_mode;
	struct oci_list empty_ns;
	bool leave_running, tcp_established, tcp_skip_in_flight, link_remap, ext_unix_sk, shell_job,
		lazy_pages, file_locks, pre_dump, auto_dedup;
};

struct oci_restore_words {
	struct oci_checkpoint_words criu;
	const char *console_socket, *bundle, *pid_file, *lsm_profile, *lsm_mount_context;
	bool detach, no_subreaper, no_pivot, keep, tcp_close;
};

struct oci_help_words {
	bool scdoc;
};

#endif
