/* SPDX-License-Identifier: Apache-2.0 */
/* Giving a name to namespaces: the intent first, then the objects, then the record; and back. */
#include "names.h"

#include "base/text.h"
#include "ns/kinds.h"
#include "sys/procfs.h"
#include "state/state.h"
#include "sys/pidfd.h"
#include "sys/process.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define KILL_MS 5000 /* for a killed process to be gone; longer only in an uninterruptible wait */

static int kill_holder(const struct nook_ns_name *name, struct nook_error *err)
{
	auto_close int pidfd = NO_FD;
	int rc = name->holder > 0 ? nook_pins_holder(name, &pidfd, err) : -ESRCH;

	if (rc == -ESRCH)
		return 0;
	if (rc == 0)
		rc = nook_pidfd_send_signal(pidfd, SIGKILL);
	if (rc < 0 && rc != -ESRCH)
		return nook_fail(err, -rc, "kill the holder %d of %s", name->holder, name->name);

	/* A pid 1 ends when all in its namespace have. */
	rc = nook_pidfd_wait(pidfd, KILL_MS);
	if (rc < 0)
		return nook_fail(err, -rc, "wait for the end of the holder %d of %s", name->holder,
				 name->name);
	(void)waitpid(name->holder, NULL, WNOHANG | __WALL); /* ECHILD: it isn't ours, as a rule */
	return 0;
}

int nook_naming_undo(struct nook_pins *p, const struct nook_ns_name *name, struct nook_error *err)
{
	uint64_t net = 0;
	char boot_id[37];
	int rc = nook_boot_id(boot_id, err);

	for (size_t i = 0; i < name->n_held; i++) {
		if (name->held[i].kind == NOOK_NS_NET)
			net = name->held[i].ino;
	}
	/* Of a half-made one and of another boot only the name is known, which may be another's. */
	if (rc == 0 && name->in_netns && net && name->boot_id &&
	    strcmp(name->boot_id, boot_id) == 0)
		rc = nook_netns_unmount(name->name, net, err);
	for (int k = 0; rc == 0 && k < NOOK_NS_COUNT; k++)
		rc = nook_pins_unmount(p, (enum nook_ns_kind)k, err);
	if (rc == 0)
		rc = kill_holder(name, NULL) < 0 ? kill_holder(name, err) : 0;
	if (rc == 0 && name->range)
		rc = nook_range_unkeep(p->base, name->name, name->range, err);
	if (rc == 0)
		rc = nook_pins_delete(p, err);
	if (rc == 0)
		nook_pins_tidy(p);
	return rc;
}

static int refuse_taken(const struct nook_ns_name *name, struct nook_error *err)
{
	nook_cause(err, "name-in-use", "a name belongs to one set of namespaces at a time");
	nook_hint(err, "Choose another name, or: nook ns rm %s", name->name);
	return nook_refuse(err, EEXIST, "there are namespaces named %s", name->name);
}

static bool any_mount(const struct nook_ns_name *name)
{
	for (size_t i = 0; i < name->n_held; i++) {
		if (name->held[i].how == NOOK_NS_HOLD_MOUNT)
			return true;
	}
	return false;
}

/* What has the name now is in the way, or the remains of something: then it is cleared. */
static int clear_name(struct nook_naming *n, struct nook_error *err)
{
	struct nook_ns_name old = { 0 };
	char boot_id[37];
	int rc = nook_pins_read(&n->pins, n->pins.name, n->arena, &old, err);

	if (rc == -ENOENT)
		return 0;
	if (rc == 0)
		rc = nook_boot_id(boot_id, err);
	if (rc < 0)
		return rc;

	nook_pins_look(&old);
	bool other_boot = strcmp(old.boot_id, boot_id) != 0;

	/* A mount that can't be seen may stand in another mount namespace. */
	if (nook_ns_name_alive(&old) || (old.finished && !other_boot && any_mount(&old)))
		return refuse_taken(&old, err);
	return nook_naming_undo(&n->pins, &old, err);
}

/* Neither a container nor a network namespace of `ip netns` has it. */
static int check_free(struct nook_naming *n, const char *state_dir, struct nook_error *err)
{
	struct nook_record record;
	enum nook_life life;
	auto_close int netns = nook_netns_open(n->pins.name);

	if (nook_state_read(state_dir, n->pins.name, n->arena, &record, &life, NULL) == 0 &&
	    life != NOOK_LIFE_GONE) {
		nook_cause(err, "name-in-use", "a name means one thing to `nook ns enter`");
		return nook_refuse(err, EEXIST, "%s is a container's name", n->pins.name);
	}
	if (netns >= 0) {
		nook_cause(err, "name-in-use", "`ip netns` has a network namespace of that name");
		nook_hint(err, "Choose another name, or: ip netns del %s", n->pins.name);
		return nook_refuse(err, EEXIST, "/run/netns/%s exists", n->pins.name);
	}
	return 0;
}

static int write_intent(struct nook_naming *n, struct nook_error *err)
{
	char *boot_id = nook_alloc(n->arena, 37);
	int rc = nook_boot_id(boot_id, err);

	n->name.boot_id = boot_id;
	n->name.created = time(NULL);
	n->begun = rc == 0;
	return rc < 0 ? rc : nook_pins_write(&n->pins, &n->name, err);
}

int nook_naming_begin(struct nook_naming *n, const char *state_dir, const char *name,
		      struct nook_arena *a, struct nook_error *err)
{
	uint64_t effective = 0, permitted, inheritable;

	*n = (struct nook_naming){
		.arena = a,
		.pins = NOOK_PINS_CLOSED,
		.name.name = name,
		.hold = NOOK_HOLD_NONE,
	};
	for (int k = 0; k < NOOK_NS_COUNT; k++)
		n->ns[k] = NO_FD;

	int rc = nook_capget(&effective, &permitted, &inheritable);

	if (rc < 0)
		return nook_fail(err, -rc, "capget");
	/* In a user namespace of its own too, root may mount. */
	n->mounts = geteuid() == 0 && effective & 1ULL << CAP_SYS_ADMIN;

	rc = nook_pins_open(state_dir, name, true, &n->pins, err);
	if (rc == 0)
		rc = nook_pins_lock(&n->pins, err);
	if (rc == 0)
		rc = clear_name(n, err);
	if (rc == 0)
		rc = check_free(n, state_dir, err);
	return rc < 0 ? rc : write_intent(n, err);
}

static const char *path_of(struct nook_naming *n, const struct nook_ns_held *h, int holder)
{
	const char *kind = nook_ns_kinds[h->kind].name;

	switch (h->how) {
	case NOOK_NS_HOLD_PROCESS:
		return nook_printf(n->arena, "/proc/%d/ns/%s", holder, kind);
	case NOOK_NS_HOLD_FD:
		return nook_printf(n->arena, "/proc/%d/fd/%zu", holder,
				   NOOK_HOLD_FD + (size_t)(h - n->name.held));
	default:
		return nook_printf(n->arena, "%s/ns-pins/%s.%s", n->pins.state_dir, n->name.name,
				   kind);
	}
}

int nook_naming_open(struct nook_naming *n, int pid, uint32_t kinds, enum nook_ns_hold how,
		     struct nook_error *err)
{
	auto_close int proc = nook_procfs_open(false, err);

	if (proc < 0)
		return proc;
	for (int k = 0; k < NOOK_NS_COUNT; k++) {
		struct stat st;

		if (!(kinds & NOOK_NS_BIT(k)))
			continue;
		int fd = n->ns[k] = nook_procfs_open_ns(proc, pid, nook_ns_kinds[k].name, err);

		if (fd < 0) {
			n->ns[k] = NO_FD;
			return fd;
		}
		if (fstat(fd, &st) < 0)
			return nook_fail(err, errno, "fstat /proc/%d/ns/%s", pid,
					 nook_ns_kinds[k].name);
		n->name.held[n->name.n_held++] = (struct nook_ns_held){
			.kind = (enum nook_ns_kind)k,
			.how = how,
			.dev = st.st_dev,
			.ino = st.st_ino,
			.there = true,
		};
		n->name.kinds |= NOOK_NS_BIT(k);
	}
	return 0;
}

int nook_naming_mount(struct nook_naming *n, uint32_t *ret_left, struct nook_error *err)
{
	int rc = nook_pins_prepare(&n->pins, err);

	*ret_left = 0;
	for (size_t i = 0; rc == 0 && i < n->name.n_held; i++) {
		struct nook_ns_held *h = &n->name.held[i];

		if (h->kind == NOOK_NS_PID && h->how == NOOK_NS_HOLD_PROCESS) {
			*ret_left |= NOOK_NS_BIT(h->kind);
			continue; /* it lives by its pid 1 */
		}
		rc = nook_pins_mount(&n->pins, h->kind, n->ns[h->kind], err);
		if (rc == -EINVAL && h->kind == NOOK_NS_MNT) {
			h->note = "the kernel binds no mount namespace in one whose number is "
				  "higher, so a process holds it";
			*ret_left |= NOOK_NS_BIT(h->kind);
			rc = nook_pins_unmount(&n->pins, h->kind, err);
			continue;
		}
		if (rc == 0)
			h->how = NOOK_NS_HOLD_MOUNT;
		if (rc == 0 && h->kind == NOOK_NS_NET) {
			rc = nook_netns_mount(n->name.name, n->ns[h->kind], err);
			n->name.in_netns = rc == 0;
		}
	}
	return rc;
}

/* The holder's pid and start: only after these are on record it is let go. */
static int note_holder(struct nook_naming *n, struct nook_error *err)
{
	if (n->hold.pid <= 0)
		return 0;
	n->name.holder = n->hold.pid;
	return nook_start_time(n->hold.pid, &n->name.holder_start, err);
}

static int finish(struct nook_naming *n, struct nook_error *err)
{
	int rc = note_holder(n, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n->name.n_held; i++)
		n->name.held[i].path = path_of(n, &n->name.held[i], n->name.holder);
	n->name.finished = true;
	rc = nook_pins_write(&n->pins, &n->name, err);
	if (rc == 0 && n->hold.pid > 0)
		rc = nook_hold_go(&n->hold, err);
	return rc;
}

int nook_naming_end(struct nook_naming *n, int rc, struct nook_ns_name *ret, struct nook_error *err)
{
	if (rc == 0)
		rc = finish(n, err);
	if (rc < 0) {
		struct nook_error undo_err = { 0 };

		nook_hold_end(&n->hold);
		n->name.holder = 0;
		if (n->begun && nook_naming_undo(&n->pins, &n->name, &undo_err) < 0)
			nook_hint(err, "and then: %s; `nook ns rm --force %s` tries that again",
				  undo_err.why, n->name.name);
	}
	for (int k = 0; k < NOOK_NS_COUNT; k++)
		close_fd(&n->ns[k]);
	nook_pins_close(&n->pins);
	if (rc == 0 && ret)
		*ret = n->name;
	return rc;
}
