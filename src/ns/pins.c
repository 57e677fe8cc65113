/* SPDX-License-Identifier: Apache-2.0 */
/* Folders and locks of the names of namespaces. */
#include "pins.h"

#include "base/clock.h"
#include "base/text.h"
#include "state/files.h"
#include "sys/openat2.h"
#include "sys/pidfd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define PATIENCE_MS 10000 /* making namespaces takes milliseconds; the rest is load */

static const char *const folder_names[NOOK_PINS_COUNT] = {
	[NOOK_PINS_RECORDS] = "ns",
	[NOOK_PINS_NEW] = "ns-new",
	[NOOK_PINS_LOCKS] = "ns-locks",
	[NOOK_PINS_MOUNTS] = "ns-pins",
};

int nook_pins_check_name(const char *name, struct nook_error *err)
{
	if (nook_valid_id(name) && name[strspn(name, "0123456789")])
		return 0;

	nook_hint(err,
		  "Letters, digits and _ . + - make a name, a letter, digit or _ first, 255 at "
		  "most; a number alone is a pid.");
	return nook_refuse(err, EINVAL, "\"%.80s\" can't name namespaces", name);
}

int nook_pins_open(const char *state_dir, const char *name, bool make, struct nook_pins *ret,
		   struct nook_error *err)
{
	struct nook_pins p = NOOK_PINS_CLOSED;
	int rc = *name ? nook_pins_check_name(name, err) : 0;

	if (rc < 0)
		return rc;
	(void)nook_format(p.name, sizeof(p.name), "%s", name); /* checked: 255 bytes */
	p.state_dir = state_dir;
	p.base = rc = nook_base_open(state_dir, make, err);
	for (unsigned i = 0; rc >= 0 && i < NOOK_PINS_COUNT; i++)
		p.dirs[i] = rc = nook_folder_open_named(p.base, folder_names[i], make, err);
	if (rc < 0) {
		nook_pins_close(&p);
		return rc;
	}
	*ret = p;
	return 0;
}

static int take_lock(struct nook_pins *p, struct nook_error *err)
{
	auto_close int fd = nook_openat2(p->dirs[NOOK_PINS_LOCKS], p->name,
					 O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
					 0600, NOOK_BENEATH);

	if (fd < 0)
		return nook_fail(err, -fd, "open ns-locks/%s in the state directory", p->name);

	int rc = nook_lock_try(fd);

	if (rc < 0 && rc != -EBUSY)
		return nook_fail(err, -rc, "fcntl F_OFD_SETLK ns-locks/%s", p->name);
	/* Deleted by who had it before: look for the new one. */
	if (rc == 0 && nook_lock_stale(fd))
		rc = -EBUSY;
	if (rc == 0)
		p->lock = move_fd(&fd);
	return rc;
}

int nook_pins_lock(struct nook_pins *p, struct nook_error *err)
{
	struct nook_patience patience = nook_patience(PATIENCE_MS);

	do {
		int rc = take_lock(p, err);

		if (rc != -EBUSY)
			return rc;
	} while (nook_patience_lasts(&patience));
	nook_hint(err, "See who has it: lsof +f -- %s/ns-locks/%s", p->state_dir, p->name);
	return nook_refuse(err, EBUSY, "another nook is at work on the name %s", p->name);
}

bool nook_pins_have_record(const struct nook_pins *p)
{
	struct stat st;

	return fstatat(p->dirs[NOOK_PINS_RECORDS], p->name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

void nook_pins_close(struct nook_pins *p)
{
	if (p->lock >= 0 && !nook_pins_have_record(p))
		(void)unlinkat(p->dirs[NOOK_PINS_LOCKS], p->name,
			       0); /* an empty file more is no harm */
	close_fd(&p->lock);
	for (unsigned i = 0; i < NOOK_PINS_COUNT; i++)
		close_fd(&p->dirs[i]);
	close_fd(&p->base);
}

int nook_pins_delete(const struct nook_pins *p, struct nook_error *err)
{
	static const enum nook_pins_folder folders[] = { NOOK_PINS_NEW, NOOK_PINS_RECORDS };

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		/* Twice: a shortage that hits once leaves nothing behind. */
		if (unlinkat(p->dirs[folders[i]], p->name, 0) < 0 && errno != ENOENT &&
		    unlinkat(p->dirs[folders[i]], p->name, 0) < 0 && errno != ENOENT)
			return nook_fail(err, errno, "unlink %s/%s in the state directory",
					 folder_names[folders[i]], p->name);
	}
	return 0;
}

int nook_pins_holder(const struct nook_ns_name *n, int *ret_pidfd, struct nook_error *err)
{
	const struct nook_record like = {
		.name = n->name,
		.boot_id = n->boot_id,
		.pid = n->holder,
		.start_time = n->holder_start,
	};
	int rc = nook_state_pidfd(&like, ret_pidfd, NULL);

	return rc < 0 ? nook_refuse(err, -rc, "the process that held %s has ended", n->name) : 0;
}

int nook_pins_open_ns(const struct nook_ns_name *n, const struct nook_ns_held *h,
		      struct nook_error *err)
{
	auto_close int holder = NO_FD;
	struct stat st;

	/* First the process, by a descriptor that stays with it: then its pid in the path is its.
	 */
	if (h->how != NOOK_NS_HOLD_MOUNT) {
		int rc = nook_pins_holder(n, &holder, err);

		if (rc < 0)
			return rc;
	}

	auto_close int fd = open(h->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return nook_fail(err, errno, "open %s", h->path);
	if (fstat(fd, &st) < 0)
		return nook_fail(err, errno, "fstat %s", h->path);
	if (ioctl(fd, NS_GET_NSTYPE) < 0 || st.st_ino != h->ino || st.st_dev != h->dev) {
		nook_cause(err, "namespace-gone",
			   "it was unmounted, or mounted in a mount namespace that this isn't");
		return nook_refuse(err, ESTALE, "%s is not the namespace any more that %s names",
				   h->path, n->name);
	}
	if (holder >= 0 && nook_pidfd_wait(holder, 0) == 0)
		return nook_refuse(err, ESRCH, "the process that held %s has ended", n->name);
	return move_fd(&fd);
}

void nook_pins_look(struct nook_ns_name *n)
{
	for (size_t i = 0; i < n->n_held; i++) {
		auto_close int fd = nook_pins_open_ns(n, &n->held[i], NULL);

		n->held[i].there = fd >= 0;
	}
}

bool nook_ns_name_alive(const struct nook_ns_name *name)
{
	for (size_t i = 0; i < name->n_held; i++) {
		if (!name->held[i].there)
			return false;
	}
	return name->finished && name->n_held > 0;
}
