/* SPDX-License-Identifier: Apache-2.0 */
/* What create and run have in common. */
#ifndef NOOK_OCI_CREATING_H
#define NOOK_OCI_CREATING_H

#include "command_words.h"
#include "oci.h"
#include "run/oci.h"

#define OCI_CREATING(member) offsetof(struct oci_creating, member)

#define OCI_CREATING_ROWS                                                                               \
	{ "bundle", 'b',                                                                                \
	  OCI_TEXT, OCI_CREATING(bundle),                                                               \
	  "DIR",    "the bundle; default: the working directory" },                                     \
		{ "config", 'f',                                                                        \
		  OCI_TEXT, OCI_CREATING(config),                                                       \
		  "FILE",   "read it in place of the bundle's config.json" },                           \
		{ "console-socket", 0,                                                                  \
		  OCI_TEXT,         OCI_CREATING(console_socket),                                       \
		  "SOCKET",         "a unix socket that gets the master of the container's terminal" }, \
		{ "pid-file", 0,                                                                        \
		  OCI_TEXT,   OCI_CREATING(pid_file),                                                   \
		  "FILE",     "write the pid of the container's first process there" },                 \
		{ "pidfd-socket", 0,                                                                    \
		  OCI_TEXT,       OCI_CREATING(pidfd_socket),                                           \
		  "SOCKET",       "a unix socket that gets a pidfd of it" },                            \
		{ "no-pivot",                                                                           \
		  0,                                                                                    \
		  OCI_FLAG,                                                                             \
		  OCI_CREATING(no_pivot),                                                               \
		  NULL,                                                                                 \
		  "use chroot(2) in place of pivot_root(2): where the root is an initramfs" },          \
		{ "no-new-keyring",                                                                     \
		  0,                                                                                    \
		  OCI_FLAG,                                                                             \
		  OCI_CREATING(no_new_keyring),                                                         \
		  NULL,                                                                                 \
		  "leave the container the caller's session keyring" },                                 \
		{ "preserve-fds",                                                                       \
		  0,                                                                                    \
		  OCI_NUMBER,                                                                           \
		  OCI_CREATING(preserve_fds),                                                           \
		  "N",                                                                                  \
		  "pass N descriptors on, behind the three standard ones and LISTEN_FDS" },             \
		{ "no-subreaper", 0, OCI_FLAG, OCI_CREATING(no_subreaper), NULL, NULL },                \
		{ "plan",       0,                                                                      \
		  OCI_OPTIONAL, OCI_CREATING(plan),                                                     \
		  "text|json",  "print what would be done, and do nothing" },                           \
		OCI_HELP_ROW

void oci_creating(struct oci *o, const struct oci_creating *w, struct nook_oci_create *ret);

/* --plan. Return: the exit status. */
int oci_creating_plan(struct oci *o, const struct nook_oci_create *c, const char *format);

#endif
