/* SPDX-License-Identifier: Apache-2.0 */
#include "net_home.h"

#include "base/own.h"
#include "base/text.h"
#include "host/state_dir.h"
#include "net/net.h"
#include "net/outside.h"
#include "nook/ns_names.h"
#include "ns/pins.h"
#include "run/seal.h"
#include "state/files.h"
#include "sys/pidfd.h"
#include "sys/process.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KINDS (NOOK_NS_BIT(NOOK_NS_USER) | NOOK_NS_BIT(NOOK_NS_NET) | NOOK_NS_BIT(NOOK_NS_PID))

#define VARIABLE "NOOK_NETWORKS_OF"
#define DYING_MS 2000 /* for a holder that was killed: all of its pid namespace goes first */

static bool entered;

int nook_net_home_open(const struct nook_ns_name *home, int kind, struct nook_error *err)
{
	for (size_t i = 0; i < home->n_held; i++) {
		if (home->held[i].kind == (enum nook_ns_kind)kind)
			return nook_pins_open_ns(home, &home->held[i], err);
	}
	return nook_refuse(err, EBADMSG, "the name %s of `nook ns` is not nook's own: it has no %s",
			   home->name, kind == NOOK_NS_USER ? "user namespace" : "net namespace");
}

/* Networks that were in a home that has gone are gone too, but for their records. */
static int make(const char *state_dir, struct nook_arena *a, struct nook_ns_name *ret,
		struct nook_error *err)
{
	const struct nook_ns_new_spec spec = { .name = NOOK_NET_HOME, .kinds = KINDS };
	struct nook_ns_user *users;
	size_t n_users;
	int rc = nook_ns_new(state_dir, &spec, a, ret, err);

	if (rc < 0)
		return rc;
	rc = nook_net_home_connect(ret, a, err);
	if (rc < 0) /* the first error is the one that is told */
		(void)nook_ns_release(state_dir, NOOK_NET_HOME, true, a, &users, &n_users, NULL);
	return rc;
}

/* -ENOENT: there is none, nothing noted. */
static int find(const char *state_dir, struct nook_arena *a, struct nook_ns_name *ret,
		struct nook_error *err)
{
	struct nook_ns_user *users;
	size_t n_users;
	int rc = nook_ns_name_find(state_dir, NOOK_NET_HOME, a, ret, NULL);

	if (rc == -ENOENT)
		return rc;
	if (rc < 0)
		return nook_ns_name_find(state_dir, NOOK_NET_HOME, a, ret, err);
	if (nook_ns_name_alive(ret))
		return 0;

	/* Its holder was killed, or the machine was booted since. Nothing less will do: all of the
	 * user's networks would go. */
	auto_close int holder = NO_FD;

	rc = nook_pins_holder(ret, &holder, err);
	if (rc == 0 && nook_pidfd_wait(holder, DYING_MS) < 0)
		return nook_refuse(err, EAGAIN,
				   "the namespaces of your networks can't be looked at");
	if (rc < 0 && rc != -ESRCH)
		return rc;
	rc = nook_ns_release(state_dir, NOOK_NET_HOME, true, a, &users, &n_users, err);
	return rc < 0 ? rc : -ENOENT;
}

/* One at a time: who comes second finds it whole. */
static int find_or_make(const char *state_dir, bool may_make, struct nook_arena *a,
			struct nook_ns_name *ret, struct nook_error *err)
{
	auto_close int base = nook_base_open(state_dir, may_make, err);

	if (base < 0)
		return base;

	auto_close int lock = may_make ? nook_net_lock(base, err) : NO_FD;

	if (may_make && lock < 0)
		return lock;

	int rc = find(state_dir, a, ret, err);

	return rc == -ENOENT && may_make ? make(state_dir, a, ret, err) : rc;
}

static int enter(const struct nook_ns_name *home, struct nook_error *err)
{
	auto_close int user = nook_net_home_open(home, NOOK_NS_USER, err);
	auto_close int net = user < 0 ? NO_FD : nook_net_home_open(home, NOOK_NS_NET, err);

	if (user < 0 || net < 0)
		return user < 0 ? user : net;

	int rc = nook_setns(user, CLONE_NEWUSER);

	if (rc < 0)
		return nook_fail(err, -rc, "setns(the user namespace of your networks)");
	rc = nook_setns(net, CLONE_NEWNET);
	return rc < 0 ? nook_fail(err, -rc, "setns(the net namespace of your networks)") : 0;
}

static void arrive(void)
{
	entered = true;
	nook_net_set_apart();
}

/* The copy of nook that is executed to be protected is there already. */
static int recognise(struct nook_error *err)
{
	const char *dir = getenv(VARIABLE);
	bool first = true;
	int rc = dir ? nook_in_first_userns(&first, err) : 0;

	if (rc == 0 && !first) {
		nook_state_dir_stays(dir);
		nook_outside_take_word();
		arrive();
	}
	return rc;
}

/* For that one. */
static int leave_word(const char *state_dir, struct nook_error *err)
{
	static char variable[PATH_MAX + sizeof(VARIABLE "=")];
	int rc;

	(void)nook_format(variable, sizeof(variable), VARIABLE "=%s", state_dir); /* it fits */
	const char *outside = nook_outside_leave_word();

	rc = nook_seal_with(variable);
	if (rc == 0 && outside)
		rc = nook_seal_with(outside);
	nook_state_dir_stays(variable + sizeof(VARIABLE "=") - 1);
	return rc < 0 ? nook_fail(err, -rc, "remember %s", state_dir) : 0;
}

int nook_net_home_enter(const char *state_dir, bool may_make, struct nook_error *err)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_ns_name home;

	if (entered)
		return 0;
	if (geteuid() == 0)
		return recognise(err);

	int rc = nook_arena_open(&a, err);

	if (rc == 0)
		rc = find_or_make(state_dir, may_make, &a, &home, err);
	if (rc == -ENOENT && !may_make)
		return 0;
	if (rc < 0)
		return rc;

	rc = leave_word(state_dir, err);
	if (rc == 0)
		rc = enter(&home, err);
	if (rc == 0)
		arrive();
	return rc;
}

int nook_net_home_keeper(const char *state_dir, int *ret_pidfd, struct nook_error *err)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_ns_name home;

	*ret_pidfd = NO_FD;
	if (!entered)
		return 0;

	int rc = nook_arena_open(&a, err);

	if (rc == 0)
		rc = nook_ns_name_find(state_dir, NOOK_NET_HOME, &a, &home, err);
	return rc < 0 ? rc : nook_pins_holder(&home, ret_pidfd, err);
}

int nook_net_home_tidy(const char *state_dir, struct nook_error *err)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_network *list;
	struct nook_ns_user *users;
	size_t n = 0, n_users = 0;

	if (!entered)
		return 0;

	int rc = nook_arena_open(&a, err);

	if (rc == 0)
		rc = nook_net_list(state_dir, &a, &list, &n, err);
	if (rc < 0 || n)
		return rc;
	return nook_ns_release(state_dir, NOOK_NET_HOME, true, &a, &users, &n_users, err);
}
