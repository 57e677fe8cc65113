/* SPDX-License-Identifier: Apache-2.0 */
/* checkpoint and restore: what the two have in common, and what the steps of a restore need. */
#ifndef NOOK_RUN_OCI_RESTORE_H
#define NOOK_RUN_OCI_RESTORE_H

#include "criu.h"
#include "oci.h"

/* Beside CRIU's files: where the three standard streams led, as runc writes it. */
#define NOOK_CRIU_STREAMS "descriptors.json"

/* Directories of CRIU's, open. */
struct nook_criu_dirs {
	int images, work;
	const char *images_path, *work_path;
};
#define NOOK_CRIU_NO_DIRS ((struct nook_criu_dirs){ .images = NO_FD, .work = NO_FD })

/* @make: makes them when they are missing. */
int nook_criu_dirs_open(const struct nook_oci_criu *w, bool make, struct nook_criu_dirs *ret,
			struct nook_error *err);
void nook_criu_dirs_close(struct nook_criu_dirs *d);

/* What both tell CRIU. @log: the log's name. */
int nook_criu_common(const struct nook_oci_criu *w, const struct nook_criu_dirs *d, const char *log,
		     struct nook_criu_message *options, struct nook_error *err);

struct nook_restore {
	const struct nook_oci_criu *words;
	const struct nook_bundle *bundle;
	struct nook_criu_dirs dirs;
	int fds[4]; /* that its process gets: what stands at 4 and on there */
	const char *keys[4];
	size_t n_fds;
};

/* Looks at the files before anything is made. */
int nook_restore_open(struct nook_restore *r, const struct nook_oci_criu *w,
		      const struct nook_bundle *b, struct nook_error *err);
void nook_restore_close(struct nook_restore *r);

#endif
