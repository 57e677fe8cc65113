/* SPDX-License-Identifier: Apache-2.0 */
/* Being told when a container runs out of memory. */
#include "base/own.h"
#include "base/text.h"
#include "cgroup_parts.h"
#include "cgroup_stats.h"
#include "oci_parts.h"
#include "sys/cgroupfs.h"

#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>

static int watch_v2(int cgroup, struct nook_oci_watch *ret)
{
	auto_close int fd = openat(cgroup, "memory.events", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;

	struct nook_oci_watch w = { .fd = fd, .v2 = true };
	int r = nook_oci_watch_oom(&w); /* what was before we came is not told */

	if (r < 0)
		return r;
	*ret = w;
	ret->fd = move_fd(&fd);
	return 0;
}

/* memory.oom_control tells an eventfd, cgroup-v1/memory.rst. */
static int watch_v1(int cgroup, struct nook_oci_watch *ret)
{
	auto_close int oom =
		openat(cgroup, "memory.oom_control", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char text[32];

	if (oom < 0)
		return -errno;

	auto_close int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		return -errno;
	(void)nook_format(text, sizeof(text), "%d %d", fd, oom);

	int r = nook_cgroupfs_write(cgroup, "cgroup.event_control", text);

	if (r < 0)
		return r;
	*ret = (struct nook_oci_watch){ .fd = move_fd(&fd) };
	return 0;
}

int nook_oci_watch_open(const struct nook_record *r, struct nook_oci_watch *ret,
			struct nook_error *err)
{
	for (size_t i = 0; i < r->n_cgroups; i++) {
		auto_close int fd = nook_cgroup_open_dir(&r->cgroups[i]);
		int rc = fd < 0 ? fd : r->cgroups[i].v2 ? watch_v2(fd, ret) : watch_v1(fd, ret);

		if (rc == 0)
			return 0;
		if (rc != -ENOENT)
			return nook_fail(err, -rc, "watch the memory of %s%s", r->cgroups[i].mount,
					 r->cgroups[i].path);
	}
	/* Nothing counts its memory, so there is nothing to tell of it. */
	*ret = (struct nook_oci_watch){ .fd = NO_FD };
	return 0;
}

int nook_oci_watch_oom(struct nook_oci_watch *w)
{
	char text[512];
	uint64_t n;

	if (!w->v2) {
		ssize_t len = read(w->fd, &n, sizeof(n));

		/* It is told of the cgroup's end too, once; then it is no more. */
		return len == sizeof(n) ? 1 : errno == EAGAIN ? 0 : -errno;
	}

	ssize_t len = pread(w->fd, text, sizeof(text) - 1, 0);

	if (len < 0)
		return -errno;
	text[len] = '\0';
	n = nook_stats_key(text, "oom_kill");

	int more = n > w->oom_kills;

	w->oom_kills = n;
	return more;
}
