/* SPDX-License-Identifier: Apache-2.0 */
/* Networks in the table inet nook. */
#include "rules.h"

#include "base/own.h"
#include "base/text.h"

#include <stdarg.h>
#include <string.h>

int nook_rules_fail(int rc, const struct nook_nl_refusal *refusal, struct nook_error *err,
		    const char *what, ...)
{
	char text[160];
	va_list ap;

	va_start(ap, what);
	(void)nook_vformat(text, sizeof(text), what, ap);
	va_end(ap);

	if (rc == -EPERM)
		nook_cause(err, "no-net-admin",
			   "rules of nftables are changed by who has CAP_NET_ADMIN over this "
			   "network namespace: root, or the owner of its user namespace");
	/* Its cause says what to do. */
	if (rc == -EOPNOTSUPP || rc == -EPROTONOSUPPORT || rc == -ENOENT)
		nook_cause(err, "no-nftables",
			   "the running kernel has no nf_tables, or lacks a part of it");
	else if (refusal && refusal->why[0])
		nook_hint(err, "the kernel says: %s", refusal->why);
	return nook_fail(err, -rc, "nf_tables, table inet nook: %s", text);
}

int nook_rules_open(struct nook_error *err)
{
	int fd = nook_nft_open();

	return fd < 0 ? nook_rules_fail(fd, NULL, err, "socket(NETLINK_NETFILTER)") : fd;
}

static int ignore(void *data, const struct nlmsghdr *h)
{
	return 0;
}

int nook_rules_have_table(int fd)
{
	struct nook_nl q;

	nook_nft_question(&q, NFT_MSG_GETTABLE, false);
	nook_nl_put_text(&q, NFTA_TABLE_NAME, NOOK_RULES_TABLE);

	int rc = nook_nl_ask(fd, &q, ignore, NULL, NULL);

	/* EINVAL: there is no nf_tables that could be asked. */
	return rc == -ENOENT || rc == -EINVAL ? 0 : rc < 0 ? rc : 1;
}

int nook_rules_open_table(int *ret_fd, struct nook_error *err)
{
	auto_close int fd = nook_nft_open();

	if (fd == -EPROTONOSUPPORT) /* nor any netfilter */
		return 0;

	int rc = fd < 0 ? fd : nook_rules_have_table(fd);

	if (rc < 0)
		return nook_rules_fail(rc, NULL, err, "look for it");
	*ret_fd = move_fd(&fd);
	return rc;
}

bool nook_rules_is_there(void *data, const char *set, const struct nook_nft_element *element)
{
	return nook_nft_have_element(*(int *)data, NOOK_RULES_TABLE, set, element);
}

/* ---- making ---- */

static int add(int fd, const struct nook_network *network, unsigned guard, bool table,
	       struct nook_nl_refusal *refusal)
{
	char buffer[NOOK_RULES_TABLE_BYTES + NOOK_RULES_NETWORK_BYTES];
	struct nook_nft t;

	nook_nft_begin(&t, buffer, sizeof(buffer), NOOK_RULES_TABLE);
	if (table)
		nook_rules_put_table(&t);
	nook_rules_put_network(&t, network, false);
	nook_rules_put_guard(&t, guard);
	return nook_nft_commit(fd, &t, refusal);
}

int nook_rules_network(const struct nook_network *network, struct nook_error *err)
{
	struct nook_nl_refusal refusal = { 0 };
	unsigned guard = 0;
	int rc = nook_forwarding_ours(network, &guard, err);
	auto_close int fd = rc < 0 ? NO_FD : nook_rules_open(err);

	if (rc < 0 || fd < 0)
		return rc < 0 ? rc : fd;

	int have = nook_rules_have_table(fd);

	rc = have < 0 ? have : add(fd, network, guard, !have, &refusal);
	if (rc == -ENOENT && have) /* it lacks a set */
		rc = add(fd, network, guard, true, &refusal);
	if (rc < 0)
		return nook_rules_fail(rc, &refusal, err, "add network %s", network->name);
	return nook_forwarding_on(network, err);
}

/* ---- removing ---- */

static int remove_elements(int fd, const struct nook_network *network, nook_nft_wanted *wanted,
			   struct nook_nl_refusal *refusal)
{
	char buffer[NOOK_RULES_NETWORK_BYTES];
	struct nook_nft t;

	nook_nft_begin(&t, buffer, sizeof(buffer), NOOK_RULES_TABLE);
	nook_nft_filter(&t, wanted, &fd);
	nook_rules_put_network(&t, network, true);
	return nook_nft_commit(fd, &t, refusal);
}

static int count_elements(void *data, const struct nlmsghdr *h)
{
	const struct rtattr *list =
		nook_nl_find(h, sizeof(struct nfgenmsg), NFTA_SET_ELEM_LIST_ELEMENTS);

	if (h->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSETELEM) &&
	    nook_nl_find_in(list, NFTA_LIST_ELEM))
		*(bool *)data = true;
	return 0;
}

/* The table, when it has no network any more. Return: 1: it has; 0: there is none; others. */
static int remove_table(int fd, struct nook_nl_refusal *refusal)
{
	bool any = false;
	char buffer[256];
	struct nook_nft t;
	struct nook_nl q;

	nook_nft_question(&q, NFT_MSG_GETSETELEM, true);
	nook_nl_put_text(&q, NFTA_SET_ELEM_LIST_TABLE, NOOK_RULES_TABLE);
	nook_nl_put_text(&q, NFTA_SET_ELEM_LIST_SET, NOOK_SET_NETWORKS);

	int rc = nook_nl_ask(fd, &q, count_elements, &any, refusal);

	if ((rc < 0 && rc != -ENOENT) || any)
		return rc < 0 ? rc : 1;
	nook_nft_begin(&t, buffer, sizeof(buffer), NOOK_RULES_TABLE);
	nook_nft_table_delete(&t);
	rc = nook_nft_commit(fd, &t, refusal);
	return rc == -ENOENT ? 0 : rc;
}

int nook_rules_network_remove(const struct nook_network *network, struct nook_error *err)
{
	struct nook_nl_refusal refusal = { 0 };
	auto_close int fd = NO_FD;
	int have = nook_rules_open_table(&fd, err);

	if (have <= 0)
		return have < 0 ? have : nook_forwarding_off(err);

	int rc = remove_elements(fd, network, NULL, &refusal);

	/* The kernel refuses all because of one that is not there. */
	if (rc == -ENOENT)
		rc = remove_elements(fd, network, nook_rules_is_there, &refusal);
	if (rc == 0)
		rc = remove_table(fd, &refusal);
	if (rc < 0)
		return nook_rules_fail(rc, &refusal, err, "remove network %s", network->name);
	return rc > 0 ? 0 : nook_forwarding_off(err);
}
