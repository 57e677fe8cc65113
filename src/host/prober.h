/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share while they fill a struct nook_host. */
#ifndef NOOK_HOST_PROBER_H
#define NOOK_HOST_PROBER_H

#include "host.h"
#include "mountinfo.h"
#include "passwd.h"

struct nook_prober {
	struct nook_arena *arena;
	const struct nook_spec *spec;
	struct nook_host *host;
	struct nook_error *err;
	int root; /* O_PATH of the machine's "/"; a test has a tree of its own here */

	/* read once, when the first one asks */
	bool have_passwd;
	struct nook_passwd passwd; /* /etc/passwd of @root; empty when there is none */
	bool have_mounts;
	struct nook_mounts mounts; /* /proc/self/mountinfo */
};

/* p->passwd is there. A file that can't be read is an error, no file is none. */
int nook_prober_passwd(struct nook_prober *p);

/* p->mounts is there. */
int nook_prober_mounts(struct nook_prober *p);

/* subid.c: the path of a program of the machine, where distributions put them; NULL. */
const char *nook_prober_program(struct nook_prober *p, const char *name);

/* host.c: the kernel's version and features, refused when too old; the security modules. */
int nook_host_kernel(struct nook_prober *p);
void nook_host_lsm(struct nook_host *host);

/* The spec wants a new user namespace; one with the ids that nook chooses. */
bool nook_wants_userns(const struct nook_spec *spec);
bool nook_wants_ids(const struct nook_spec *spec);

/* A mount namespace is made, and mounts in it. */
bool nook_wants_mounts(const struct nook_spec *spec);

/* The container's root is a copy of the machine's: rootfs.h has work to do. */
bool nook_wants_host_root(const struct nook_spec *spec);

#endif
