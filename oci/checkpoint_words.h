/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NOOK_OCI_CHECKPOINT_WORDS_H
#define NOOK_OCI_CHECKPOINT_WORDS_H

#include "command_words.h"

/* What checkpoint and restore both tell CRIU. @base: where struct oci_checkpoint_words lies. */
#define OCI_CRIU(base, member) ((base) + offsetof(struct oci_checkpoint_words, member))
#define OCI_CRIU_ROWS(base)                                                                             \
	{ "image-path", 0,                                                                              \
	  OCI_TEXT,     OCI_CRIU(base, image_path),                                                     \
	  "DIR",        "where the saved files are; default: ./checkpoint" },                           \
		{ "work-path", 0,                                                                       \
		  OCI_TEXT,    OCI_CRIU(base, work_path),                                               \
		  "DIR",       "where CRIU's log goes" },                                               \
		{ "tcp-established",                                                                    \
		  0,                                                                                    \
		  OCI_FLAG,                                                                             \
		  OCI_CRIU(base, tcp_established),                                                      \
		  NULL,                                                                                 \
		  "with its open TCP connections" },                                                    \
		{ "ext-unix-sk", 0,                                                                     \
		  OCI_FLAG,      OCI_CRIU(base, ext_unix_sk),                                           \
		  NULL,          "with unix sockets whose other end is outside" },                      \
		{ "shell-job", 0,                                                                       \
		  OCI_FLAG,    OCI_CRIU(base, shell_job),                                               \
		  NULL,        "with a terminal that comes from outside" },                             \
		{ "lazy-pages", 0,                                                                      \
		  OCI_FLAG,     OCI_CRIU(base, lazy_pages),                                             \
		  NULL,         "let memory follow as it is used, userfaultfd(2)" },                    \
		{ "file-locks", 0, OCI_FLAG, OCI_CRIU(base, file_locks), NULL, "with its file locks" }, \
		{ "manage-cgroups-mode",                                                                \
		  0,                                                                                    \
		  OCI_TEXT,                                                                             \
		  OCI_CRIU(base, cgroups_mode),                                                         \
		  "soft|full|strict|ignore",                                                            \
		  "what becomes of the cgroups; default: soft" },                                       \
		{ "empty-ns", 0,                                                                        \
		  OCI_LIST,   OCI_CRIU(base, empty_ns),                                                 \
		  "KIND",     "make this namespace, and restore nothing in it" },                       \
	{                                                                                               \
		"auto-dedup", 0, OCI_FLAG, OCI_CRIU(base, auto_dedup), NULL,                            \
			"free pages of earlier files that a later one has"                              \
	}

struct oci;
struct nook_oci_criu;

void oci_criu_words(const struct oci *o, const struct oci_checkpoint_words *w,
		    struct nook_oci_criu *ret);

#endif
