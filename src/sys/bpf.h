/* SPDX-License-Identifier: Apache-2.0 */
/* bpf(2), of which only the device programs of cgroup v2 are used. Every call returns a negative
 * errno on failure. */
#ifndef NOOK_SYS_BPF_H
#define NOOK_SYS_BPF_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many device programs are attached to the cgroup itself. -EINVAL: this kernel has none
 * (CONFIG_CGROUP_BPF); -EPERM: it takes CAP_SYS_ADMIN, or CAP_BPF and CAP_NET_ADMIN, in the first
 * user namespace. */
int nook_bpf_device_count(int cgroup);

/* Loads a BPF_PROG_TYPE_CGROUP_DEVICE program. Return: its descriptor. */
int nook_bpf_load_device(const struct bpf_insn *program, size_t n);

/* Attaches it beside those that are there: all must allow. */
int nook_bpf_attach_device(int cgroup, int program);

int nook_bpf_detach_device(int cgroup, int program);

/* Ids of the programs attached to the cgroup itself, at most @max. Return: how many there are. */
int nook_bpf_device_ids(int cgroup, uint32_t *ids, uint32_t max);
int nook_bpf_open_id(uint32_t id);

#endif
