/* SPDX-License-Identifier: Apache-2.0 */
/* STATE_DIR/net/hosts, and what stands beside it in STATE_DIR/net: files that containers see
 * through mounts. */
#ifndef NOOK_NET_HOSTS_FOLDER_H
#define NOOK_NET_HOSTS_FOLDER_H

#include "base/own.h"
#include "nook/error.h"

#include <linux/openat2.h>
#include <stdbool.h>

#define NOOK_HOSTS_FOLDER "net/hosts" /* in STATE_DIR */

/* The folder, locked. Writers lock a file of their own beside the others: a lock on one of these
 * could be had by whoever reads it inside, too. */
struct nook_hosts {
	int base; /* STATE_DIR; the caller's */
	int dir;  /* O_PATH */
	int lock;
};
#define NOOK_HOSTS_NONE ((struct nook_hosts){ .base = NO_FD, .dir = NO_FD, .lock = NO_FD })

/* Waits for who has it. -ENOENT, nothing noted: there is none, and it is not to be made. */
int nook_hosts_open(int base, bool make, struct nook_hosts *ret, struct nook_error *err);
void nook_hosts_close(struct nook_hosts *h);
#define auto_hosts __attribute__((cleanup(nook_hosts_close)))

/* For reading and writing. @name: in the folder. -ENOENT, nothing noted: there is none. */
int nook_hosts_open_file(const struct nook_hosts *h, const char *name, struct nook_error *err);

/* A new file, which gets its name, in place of what has that, when it is whole. @path: in STATE_DIR
 */
int nook_hosts_new_file(const struct nook_hosts *h, struct nook_error *err);
int nook_hosts_finish_file(const struct nook_hosts *h, int fd, const char *path,
			   struct nook_error *err);
/* Of one that was not finished. */
void nook_hosts_drop_file(const struct nook_hosts *h);

#endif
