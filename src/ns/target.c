/* SPDX-License-Identifier: Apache-2.0 */
#include "target.h"

#include "base/own.h"
#include "base/text.h"
#include "ns/kinds.h"
#include "state/state.h"
#include "sys/pidfd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define PID_LAST 4194304 /* PID_MAX_LIMIT */

static bool is_own(struct nook_arena *a, const struct nook_ns_target_item *item)
{
	const char *link = nook_printf(a, "/proc/self/ns/%s", nook_ns_kinds[item->kind].name);
	struct stat st;

	return item->ino && stat(link, &st) == 0 && st.st_ino == item->ino &&
	       st.st_dev == item->dev;
}

static void add(struct nook_arena *a, struct nook_ns_target *t, struct nook_ns_target_item item)
{
	item.own = is_own(a, &item);
	t->item[t->n++] = item;
}

static int find_path(struct nook_arena *a, struct nook_ns_target *t, struct nook_error *err)
{
	auto_close int fd = open(t->words, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return nook_fail(err, errno, "open %s", t->words);

	int type = ioctl(fd, NS_GET_NSTYPE);

	if (fstat(fd, &st) < 0)
		return nook_fail(err, errno, "fstat %s", t->words);
	for (int k = 0; k < NOOK_NS_COUNT; k++) {
		if (type < 0 || (uint64_t)type != nook_ns_kinds[k].clone_flag)
			continue;
		add(a, t,
		    (struct nook_ns_target_item){ .kind = (enum nook_ns_kind)k,
						  .path = t->words,
						  .dev = st.st_dev,
						  .ino = st.st_ino });
		return 0;
	}
	nook_cause(err, "not-a-namespace", "%s is a file of another sort", t->words);
	return nook_refuse(err, EINVAL, "%s is not a namespace", t->words);
}

/* @namespaces: CLONE_NEW* bits of those to take. */
static int find_pid(struct nook_arena *a, struct nook_ns_target *t, uint64_t namespaces,
		    struct nook_error *err)
{
	auto_close int pidfd = nook_pidfd_open(t->pid, 0);

	if (pidfd == -ESRCH)
		nook_hint(err, "the process has ended; `ps` or `nook ps` shows those that live");
	if (pidfd < 0)
		return nook_fail(err, -pidfd, "pidfd_open %d", t->pid);

	for (int k = 0; k < NOOK_NS_COUNT; k++) {
		struct nook_ns_target_item item = {
			.kind = (enum nook_ns_kind)k,
			.path = nook_printf(a, "/proc/%d/ns/%s", t->pid, nook_ns_kinds[k].name),
		};
		struct stat st;

		if (!(namespaces & nook_ns_kinds[k].clone_flag))
			continue;
		if (stat(item.path, &st) == 0) {
			item.dev = st.st_dev;
			item.ino = st.st_ino;
		} else {
			item.errnum = errno;
		}
		if (item.errnum != ENOENT) /* a kernel without this kind */
			add(a, t, item);
	}
	if (nook_pidfd_wait(pidfd, 0) == 0)
		return nook_refuse(err, ESRCH, "process %d has ended", t->pid);
	return 0;
}

static int find_kept(const struct nook_ns_name *name, struct nook_arena *a,
		     struct nook_ns_target *t, struct nook_error *err)
{
	for (size_t i = 0; i < name->n_held; i++) {
		const struct nook_ns_held *h = &name->held[i];

		if (!h->there) {
			nook_cause(err, "namespace-gone",
				   "it is at %s no more, as seen from this mount namespace: its "
				   "holder was killed, or it was unmounted",
				   h->path);
			nook_hint(err, "`nook ns rm %s` forgets the name", name->name);
			return nook_refuse(err, ESTALE, "the %s namespace of %s isn't there",
					   nook_ns_kinds[h->kind].name, name->name);
		}
		add(a, t,
		    (struct nook_ns_target_item){
			    .kind = h->kind, .path = h->path, .dev = h->dev, .ino = h->ino });
	}
	if (name->finished)
		return 0;
	nook_hint(err, "`nook ns rm --force %s` removes what is left of it", name->name);
	return nook_refuse(err, ESTALE, "%s is not finished", name->name);
}

static int find_name(const char *state_dir, struct nook_arena *a, struct nook_ns_target *t,
		     struct nook_error *err)
{
	struct nook_error as_name = { 0 };
	struct nook_ns_name name;
	struct nook_record record;
	enum nook_life life;
	int rc = nook_ns_name_find(state_dir, t->words, a, &name, &as_name);

	if (rc == 0)
		return find_kept(&name, a, t, err);
	if (rc == -ENOENT)
		rc = nook_state_read(state_dir, t->words, a, &record, &life, NULL);
	if (rc == 0 && life != NOOK_LIFE_RUNNING)
		return nook_refuse(err, ESRCH, "the container %s is not running", t->words);
	if (rc == 0) {
		t->pid = record.pid;
		return find_pid(a, t, record.namespaces, err);
	}
	if (rc == -ENOENT) {
		nook_hint(err, "`nook ns ls` lists namespaces, `nook ps` containers; a path has a "
			       "slash in it");
		nook_cause(err, "no-such-namespace",
			   "neither kept namespaces nor a container have the name");
		return nook_refuse(err, ENOENT, "there are no namespaces named %s", t->words);
	}
	if (as_name.errnum && err) {
		*err = as_name;
		return -as_name.errnum;
	}
	return nook_fail(err, -rc, "read the record of container %s", t->words);
}

int nook_ns_target_find(const char *state_dir, const char *target, struct nook_arena *a,
			struct nook_ns_target *ret, struct nook_error *err)
{
	struct nook_ns_target t = { .words = target };
	uint64_t pid = 0;
	int rc;

	if (strchr(target, '/')) {
		rc = find_path(a, &t, err);
	} else if (*target && !target[strspn(target, "0123456789")]) {
		if (nook_parse_u64(target, PID_LAST, &pid) < 0 || pid == 0)
			return nook_refuse(err, EINVAL, "'%s' is no pid: these go from 1 to %d",
					   target, PID_LAST);
		t.pid = (int)pid;
		rc = find_pid(a, &t, UINT64_MAX, err);
	} else {
		rc = find_name(state_dir, a, &t, err);
	}
	if (rc == 0)
		*ret = t;
	return rc;
}
