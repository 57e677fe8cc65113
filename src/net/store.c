/* SPDX-License-Identifier: Apache-2.0 */
/* STATE_DIR/net: its folders, the lock, and names. STATE_DIR itself was checked when it was opened
 * (nook_base_open): it is ours, and nobody else could put anything there. */
#include "store.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/own.h"
#include "base/text.h"
#include "state/files.h"
#include "sys/openat2.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define PATIENCE_MS                                                                                \
	20000 /* making a network takes milliseconds, and netlink may wait for ten seconds */

int nook_net_folder(int base, const char *folder, bool make, struct nook_error *err)
{
	char path[32];

	(void)nook_format(path, sizeof(path), "net/%s", folder); /* one of ours: short */
	if (make) {
		auto_close int net = nook_folder_open_named(base, "net", true, err);

		if (net < 0)
			return net;
	}
	return nook_folder_open_named(base, path, make, err);
}

int nook_net_folder_list(int base, const char *folder, DIR **ret, struct nook_error *err)
{
	char path[32];

	(void)nook_format(path, sizeof(path), "net/%s", folder);
	return nook_folder_list(base, path, ret, err);
}

int nook_net_folder_next(DIR *dir, const char *folder, const char **ret, struct nook_error *err)
{
	char path[32];

	(void)nook_format(path, sizeof(path), "net/%s", folder);
	return nook_folder_next(dir, path, ret, err);
}

/* Return: 0; -EBUSY, nothing noted: who has it doesn't let go. */
static int wait_for(int (*try)(int fd), int fd, const char *file, struct nook_error *err)
{
	struct nook_patience patience = nook_patience(PATIENCE_MS);

	for (;;) {
		int rc = try(fd);

		if (rc < 0 && rc != -EBUSY) /* a shortage that hits once */
			rc = try(fd);
		if (rc == 0)
			return 0;
		if (rc != -EBUSY)
			return nook_fail(err, -rc, "fcntl F_OFD_SETLK %s", file);
		if (!nook_patience_lasts(&patience))
			return -EBUSY;
	}
}

/* The file stays for ever, so that it can't be another one by the time it is locked. */
int nook_net_lock(int base, struct nook_error *err)
{
	auto_close int net = nook_folder_open_named(base, "net", true, err);

	if (net < 0)
		return net;
	auto_close int fd =
		nook_openat2(net, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
			     0600, NOOK_BENEATH);

	if (fd < 0)
		return nook_fail(err, -fd, "open net/lock in the state directory");

	int rc = wait_for(nook_lock_try, fd, "net/lock", err);

	if (rc != -EBUSY)
		return rc < 0 ? rc : move_fd(&fd);
	nook_hint(err, "See who has it: lsof +f -- STATE_DIR/net/lock");
	return nook_refuse(err, EBUSY, "another nook is at work on the networks, and does not end");
}

static int wait_for_change(int fd, const char *container, struct nook_error *err)
{
	int rc = wait_for(nook_lock_try_change, fd, "locks/CONTAINER", err);

	if (rc != -EBUSY)
		return rc;
	nook_hint(err, "See who has it: lsof +f -- STATE_DIR/locks/%s", container);
	return nook_refuse(err, EBUSY,
			   "another nook is at work on the network of container %s, and does not "
			   "end",
			   container);
}

int nook_attached_lock(int base, const char *container, struct nook_error *err)
{
	auto_close int fd = nook_folder_file(base, NOOK_FOLDER_LOCKS, container,
					     O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

	if (fd == -ENOENT)
		return -ENOENT;
	if (fd < 0)
		return nook_fail(err, -fd, "open locks/%s in the state directory", container);

	int rc = wait_for_change(fd, container, err);

	if (rc < 0)
		return rc;
	/* It has ended meanwhile: the file that is locked is gone. */
	return nook_lock_stale(fd) ? -ENOENT : move_fd(&fd);
}

int nook_attached_lock_own(const struct nook_state *state, struct nook_error *err)
{
	return wait_for_change(state->lock, state->name, err);
}

/* ---- names ---- */

/* What --net takes for something else. */
static const char *const words[] = { "bridge", "container", "host",    "macvlan",
				     "none",   "ns",        "private", "user" };

int nook_net_check_name(const char *name, struct nook_error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(name, words[i]) == 0) {
			if (i == 0)
				nook_hint(err, "The network of --net bridge is called %s.",
					  NOOK_NET_DEFAULT);
			return nook_refuse(err, EINVAL,
					   "no network can be called %s: --net %s means something "
					   "else",
					   name, name);
		}
	}
	if (nook_valid_id(name) && strlen(name) <= NOOK_NET_NAME_MAX && !strchr(name, '+'))
		return 0;
	nook_hint(err,
		  "Letters, digits and _ . - make a name, a letter, digit or _ first, %u at most.",
		  NOOK_NET_NAME_MAX);
	return nook_refuse(err, EINVAL, "\"%.80s\" can't be a network's name", name);
}

void nook_net_bridge_name(const char *name, char out[16])
{
	if (nook_starts(name, "nook") && strlen(name) < 16)
		(void)nook_format(out, 16, "%s", name);
	else if (strlen(name) <= 12)
		(void)nook_format(out, 16, "nk-%s", name);
	else /* a link's name has 15 bytes at most */
		(void)nook_format(out, 16, "nk-%.5s-%06x", name, nook_hash32_text(name) & 0xffffff);
}
