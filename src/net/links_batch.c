/* SPDX-License-Identifier: Apache-2.0 */
#include "links_parts.h"

#include "base/own.h"
#include "base/text.h"
#include "sys/procfs.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

int nook_link_open(struct nook_error *err)
{
	int fd = nook_nl_open();

	return fd < 0 ? nook_fail(err, -fd, "socket NETLINK_ROUTE") : fd;
}

bool nook_link_valid_name(const char *name)
{
	for (const char *c = name; *c; c++) {
		if (*c <= ' ' || *c > '~' || strchr("/:%", *c))
			return false;
	}
	return name[0] && strlen(name) < IFNAMSIZ && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0;
}

void nook_link_batch_init(struct nook_link_batch *b, int socket, const char *link, const char *from)
{
	b->socket = socket;
	b->about = (struct nook_link_about){ .link = link, .from = from };
	nook_nl_clear(&b->nl);
}

void nook_link_message(struct nook_link_batch *b, const char *what, uint16_t type, uint16_t flags,
		       const void *header, size_t len)
{
	unsigned i = b->nl.n;

	nook_nl_begin(&b->nl, type, flags, header, len);
	b->note[i].what = what;
	b->note[i].about = b->about;
}

void nook_link_begin(struct nook_link_batch *b, const char *what, uint16_t nl_flags, int index,
		     unsigned flags, unsigned change)
{
	const struct ifinfomsg head = { .ifi_family = AF_UNSPEC,
					.ifi_index = index,
					.ifi_flags = flags,
					.ifi_change = change };

	nook_link_message(b, what, RTM_NEWLINK, nl_flags, &head, sizeof(head));
}

int nook_link_flush(struct nook_link_batch *b, struct nook_error *err)
{
	struct nook_nl_refusal refusal;
	int rc = nook_nl_send(b->socket, &b->nl, &refusal);

	nook_nl_clear(&b->nl);
	if (rc == 0)
		return 0;

	const struct nook_link_about *about = &b->note[refusal.index].about;

	if (about->from)
		nook_where(err, "%s", about->from);
	/* Its cause says what to do. */
	if (rc == -EOPNOTSUPP && nook_starts(refusal.why, "Unknown device type"))
		nook_cause(err, "no-link-type",
			   "the kernel doesn't know this sort of link, and found no module for it");
	else if (refusal.why[0] && rc != -EPERM)
		nook_hint(err, "the kernel says: %s", refusal.why);
	else if (rc == -EACCES) /* Linux 6.1 says no more than that */
		nook_hint(err, "IPv6 is disabled there: net.ipv6.conf.%s.disable_ipv6",
			  about->link);
	return nook_fail(err, -rc, "netlink, %s %s", b->note[refusal.index].what, about->link);
}

void nook_link_pause(void)
{
	const struct timespec pause = { .tv_nsec = 5000000 };

	(void)nanosleep(&pause, NULL); /* a signal makes it shorter */
}

void nook_link_put_no_autoconf(struct nook_link_batch *b)
{
	const uint8_t none = IN6_ADDR_GEN_MODE_NONE;
	size_t families = nook_nl_nest(&b->nl, IFLA_AF_SPEC);
	size_t v6 = nook_nl_nest(&b->nl, AF_INET6);

	nook_nl_put(&b->nl, IFLA_INET6_ADDR_GEN_MODE, &none, sizeof(none));
	nook_nl_nest_end(&b->nl, v6);
	nook_nl_nest_end(&b->nl, families);
}

static void put_broadcast(struct nook_nl *m, const struct nook_net_addr *a)
{
	uint8_t last[4];

	for (unsigned i = 0; i < sizeof(last); i++) {
		unsigned kept = a->prefix > i * 8 ? a->prefix - i * 8 : 0;

		last[i] = (uint8_t)(a->bytes[i] | (kept < 8 ? 0xffu >> kept : 0));
	}
	nook_nl_put(m, IFA_BROADCAST, last, sizeof(last));
}

void nook_link_put_address(struct nook_link_batch *b, int index, const struct nook_net_addr *a)
{
	const struct ifaddrmsg head = { .ifa_family = a->family,
					.ifa_prefixlen = a->prefix,
					.ifa_scope = RT_SCOPE_UNIVERSE,
					.ifa_index = (unsigned)index };
	size_t len = nook_net_bytes(a->family);

	nook_link_message(b, "give an address to", RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &head,
			  sizeof(head));
	nook_nl_put(&b->nl, IFA_LOCAL, a->bytes, len);
	nook_nl_put(&b->nl, IFA_ADDRESS, a->bytes, len);
	if (a->family == AF_INET && a->prefix < 31)
		put_broadcast(&b->nl, a);
	if (a->family == AF_INET6) /* nook has given it to nobody else: no wait for an answer */
		nook_nl_put_u32(&b->nl, IFA_FLAGS, IFA_F_NODAD);
}

/* ---- whose a link is ---- */

bool nook_link_take(const struct nlmsghdr *h, struct nook_link_seen *seen)
{
	const struct ifinfomsg *info = NLMSG_DATA(h);
	const size_t n = sizeof(*info);

	if (h->nlmsg_type != RTM_NEWLINK || h->nlmsg_len < NLMSG_LENGTH(n))
		return false;
	seen->index = info->ifi_index;
	seen->up = info->ifi_flags & IFF_UP;
	seen->group = nook_nl_u32(nook_nl_find(h, n, IFLA_GROUP), 0);
	(void)nook_nl_text(nook_nl_find(h, n, IFLA_IFALIAS), seen->alias, sizeof(seen->alias));
	(void)nook_nl_text(nook_nl_find_in(nook_nl_find(h, n, IFLA_LINKINFO), IFLA_INFO_KIND),
			   seen->kind, sizeof(seen->kind));
	(void)nook_nl_text(nook_nl_find(h, n, IFLA_IFNAME), seen->name, sizeof(seen->name));
	seen->hw_len = nook_nl_bytes(nook_nl_find(h, n, IFLA_ADDRESS), seen->hw, sizeof(seen->hw));
	return true;
}

int nook_link_each(int socket, nook_nl_each *each, void *data, struct nook_nl_refusal *refusal)
{
	const struct ifinfomsg head = { .ifi_family = AF_UNSPEC };
	struct nook_nl q;

	nook_nl_clear(&q);
	nook_nl_begin(&q, RTM_GETLINK, NLM_F_DUMP, &head, sizeof(head));
	return nook_nl_ask(socket, &q, each, data, refusal);
}

static int take_link(void *data, const struct nlmsghdr *h)
{
	(void)nook_link_take(h, data);
	return 0;
}

int nook_link_look(int socket, const char *link, struct nook_link_seen *ret, struct nook_error *err)
{
	const struct ifinfomsg head = { .ifi_family = AF_UNSPEC };
	struct nook_link_seen seen = { 0 };
	struct nook_nl_refusal refusal;
	struct nook_nl q;

	if (strlen(link) >= IFNAMSIZ)
		return -ENODEV;
	nook_nl_clear(&q);
	nook_nl_begin(&q, RTM_GETLINK, 0, &head, sizeof(head));
	nook_nl_put_text(&q, IFLA_IFNAME, link);
	nook_nl_put_u32(&q, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);

	int rc = nook_nl_ask(socket, &q, take_link, &seen, &refusal);

	if (rc == -ENODEV)
		return rc;
	if (rc < 0)
		return nook_fail(err, -rc, "netlink, look at %s", link);
	*ret = seen;
	return 0;
}

static bool is_nameless(const struct nook_link_seen *seen)
{
	return !seen->alias[0] && seen->group == NOOK_LINK_GROUP;
}

bool nook_link_is_ours(const struct nook_link_seen *seen, const char *kind, const char *alias)
{
	return strcmp(seen->kind, kind) == 0 &&
	       (strcmp(seen->alias, alias) == 0 || is_nameless(seen));
}

int nook_link_remove(int socket, const char *link, int index, struct nook_error *err)
{
	const struct ifinfomsg head = { .ifi_family = AF_UNSPEC, .ifi_index = index };
	struct nook_nl_refusal refusal;
	struct nook_nl q;

	nook_nl_clear(&q);
	nook_nl_begin(&q, RTM_DELLINK, 0, &head, sizeof(head));
	nook_nl_fine(&q, ENODEV);

	int rc = nook_nl_send(socket, &q, &refusal);

	if (rc < 0 && refusal.why[0])
		nook_hint(err, "the kernel says: %s", refusal.why);
	return rc < 0 ? nook_fail(err, -rc, "netlink, remove %s", link) : 0;
}

void nook_link_remove_nameless(int socket, const char *link, const char *kind)
{
	struct nook_link_seen seen;

	if (nook_link_look(socket, link, &seen, NULL) == 0 && strcmp(seen.kind, kind) == 0 &&
	    is_nameless(&seen))
		(void)nook_link_remove(socket, link, seen.index, NULL); /* as above */
}

static int switch_off(int proc, const char *link, const char *what, struct nook_error *err)
{
	struct nook_error inner = { 0 };
	auto_close int host = proc < 0 ? nook_procfs_open(false, err) : NO_FD;
	char path[64];

	if (proc < 0 && host < 0)
		return host;
	(void)nook_format(path, sizeof(path), "sys/net/ipv6/conf/%s/%s", link, what);

	int rc = nook_procfs_write_at(proc < 0 ? host : proc, path, "0", &inner);

	if (rc == 0 || rc == -ENOENT)
		return 0;
	if (rc == -EROFS || rc == -EXDEV)
		nook_hint(&inner, "/proc/sys is covered or read-only here: run where it is whole");
	if (err)
		*err = inner;
	return rc;
}

int nook_link_refuse_routers(int proc, const char *link, struct nook_error *err)
{
	return switch_off(proc, link, "accept_ra", err);
}

int nook_link_trust_own_addresses(const char *link, struct nook_error *err)
{
	return switch_off(NO_FD, link, "accept_dad", err);
}
