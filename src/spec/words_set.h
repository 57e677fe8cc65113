/* SPDX-License-Identifier: Apache-2.0 */
/* What each option of `nook run` and `nook exec` does to the spec: the set() functions of their
 * tables. */
#ifndef NOOK_SPEC_WORDS_SET_H
#define NOOK_SPEC_WORDS_SET_H

#include "words.h"

typedef int nook_set_fn(const struct nook_option_use *use);

/* words_namespaces.c */
nook_set_fn nook_set_share, nook_set_join, nook_set_hostname, nook_set_domainname,
	nook_set_boottime, nook_set_monotonic, nook_set_userns, nook_set_uid_map, nook_set_gid_map;
/* Notes a namespace's mode; refuses another than it has. @target: to join; NULL: none. */
int nook_set_kind(const struct nook_option_use *use, enum nook_ns_kind kind, enum nook_ns_mode mode,
		  const char *target);
/* Can it name what is joined: a name, a pid, a path with a slash? */
int nook_check_join_target(const char *target, struct nook_error *err);

/* words_net.c */
nook_set_fn nook_set_net, nook_set_publish;

/* words_files.c */
nook_set_fn nook_set_root, nook_set_layer, nook_set_changes, nook_set_read_only, nook_set_expose,
	nook_set_hide, nook_set_volume, nook_set_tmpfs;

/* words_process.c */
nook_set_fn nook_set_user, nook_set_group, nook_set_cwd, nook_set_env, nook_set_clear_env,
	nook_set_cap, nook_set_new_privs, nook_set_seccomp, nook_set_rlimit, nook_set_oom_score_adj,
	nook_set_init, nook_set_tty;

/* words_limits.c */
nook_set_fn nook_set_memory, nook_set_memory_swap, nook_set_cpus, nook_set_cpu_weight,
	nook_set_pids, nook_set_io_weight;

/**
 * nook_words_check() - what no single option can see
 *
 * Options that contradict each other, by name or by the namespaces that they need. err->where is
 * one of them, err->why names the other.
 */
int nook_words_check(const struct nook_option_words *words, const struct nook_spec *spec,
		     struct nook_error *err);

#endif
