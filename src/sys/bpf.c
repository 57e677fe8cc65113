/* SPDX-License-Identifier: Apache-2.0 */
#include "bpf.h"

#include "call.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#define LOAD_TRIES 5

/* Members that the kernel does not know must be zero, and so must padding. */
static int call(int command, union bpf_attr *attr)
{
	return (int)NOOK_CALL(SYS_bpf, command, attr, sizeof(*attr));
}

int nook_bpf_device_ids(int cgroup, uint32_t *ids, uint32_t max)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.query.target_fd = (uint32_t)cgroup;
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	attr.query.prog_ids = (uintptr_t)ids;
	attr.query.prog_cnt = max;

	int r = call(BPF_PROG_QUERY, &attr);

	return r < 0 ? r : (int)attr.query.prog_cnt;
}

int nook_bpf_device_count(int cgroup)
{
	return nook_bpf_device_ids(cgroup, NULL, 0);
}

int nook_bpf_load_device(const struct bpf_insn *program, size_t n)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = (uintptr_t)program;
	attr.insn_cnt = (uint32_t)n;
	attr.license = (uintptr_t) "Apache-2.0"; /* it calls nothing that asks for another */
	strcpy(attr.prog_name, "nook_devices");

	int r = -EAGAIN;

	/* The verifier gives up when a signal comes, be it one that only stops us for a while. */
	for (int tries = 0; r == -EAGAIN && tries < LOAD_TRIES; tries++)
		r = call(BPF_PROG_LOAD, &attr);
	return r;
}

int nook_bpf_attach_device(int cgroup, int program)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)cgroup;
	attr.attach_bpf_fd = (uint32_t)program;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = BPF_F_ALLOW_MULTI;

	return call(BPF_PROG_ATTACH, &attr);
}

int nook_bpf_detach_device(int cgroup, int program)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)cgroup;
	attr.attach_bpf_fd = (uint32_t)program;
	attr.attach_type = BPF_CGROUP_DEVICE;

	return call(BPF_PROG_DETACH, &attr);
}

int nook_bpf_open_id(uint32_t id)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_id = id;

	return call(BPF_PROG_GET_FD_BY_ID, &attr);
}
