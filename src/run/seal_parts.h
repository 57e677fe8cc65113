/* SPDX-License-Identifier: Apache-2.0 */
/* What seal.c needs of seal_switch.c. */
#ifndef NOOK_RUN_SEAL_PARTS_H
#define NOOK_RUN_SEAL_PARTS_H

#define NOOK_SELF "/proc/self/exe"

/* How we were executed. */
struct nook_self {
	char **argv, **env; /* for a copy of us; more may have been added */
	char **env_then;    /* as they were */
	unsigned long brk;  /* the end of our data then */
};

/* A file that was sealed, or that lies on a mount which lets nobody write. Return: 1; 0; or a
 * negative errno: taken for "no", we would make copies of ourselves without end. */
int nook_seal_is_protected(int exe);

/*
 * Maps us from the mount, and has the kernel take that for what we execute: /proc/PID/exe leads
 * there from then on, as if we had been executed from it, for a fifth of the time. Whatever fails
 * leaves us as we were, or mapped from the mount, which does no harm.
 */
int nook_seal_switch(const struct nook_self *self, int mount, int exe);

#endif
