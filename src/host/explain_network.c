/* SPDX-License-Identifier: Apache-2.0 */
/* Causes around links, addresses and rules of the network. */
#include "explain.h"
#include "base/own.h"
#include "base/text.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define CALLS " netlink nf_tables "

/* Does our network namespace belong to another user namespace than the one we are in? Then what we
 * may do in ours means nothing there. */
static bool is_foreign(const struct nook_evidence *e)
{
	char net[64], user[64];
	struct stat owner, own;

	(void)nook_format(net, sizeof(net), "%s/self/ns/net", e->proc);
	(void)nook_format(user, sizeof(user), "%s/self/ns/user", e->proc);
	auto_close int ns = open(net, O_RDONLY | O_CLOEXEC);
	auto_close int owner_fd = ns < 0 ? NO_FD : ioctl(ns, NS_GET_USERNS);

	if (ns < 0)
		return false;
	if (owner_fd < 0) /* above ours: that is not shown */
		return errno == EPERM;
	return stat(user, &own) == 0 && fstat(owner_fd, &owner) == 0 &&
	       (own.st_ino != owner.st_ino || own.st_dev != owner.st_dev);
}

static bool look_rights(struct nook_question *q)
{
	if (!nook_evidence_has_cap(&q->evidence, CAP_NET_ADMIN))
		return nook_answer(q, "no-net-admin", "",
				   "nook has not the capability CAP_NET_ADMIN here.");
	if (!is_foreign(&q->evidence))
		return false;
	return nook_answer(
		q, "no-net-admin", "",
		"nook has CAP_NET_ADMIN in its own user namespace only, and this network "
		"namespace belongs to another one.");
}

static const struct nook_rule rows[] = {
	{ EPERM, CALLS, look_rights },
	{ EACCES, CALLS, look_rights },
};

const struct nook_rules nook_rules_of_network = { rows, ARRAY_SIZE(rows) };
