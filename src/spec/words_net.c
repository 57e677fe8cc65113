/* SPDX-License-Identifier: Apache-2.0 */
/* `--net` and `--publish`. */
#include "words_set.h"

#include "base/own.h"
#include "base/text.h"
#include "net/address.h"
#include "net/store.h"
#include "values.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

static struct nook_spec *spec_of(const struct nook_option_use *use)
{
	return &((struct nook_run_words *)use->into)->spec;
}

/* ---- --net ---- */

static const struct {
	const char *word;
	enum nook_net_kind kind;
} whole[] = {
	{ "private", NOOK_NET_PRIVATE },
	{ "none", NOOK_NET_NONE },
	{ "host", NOOK_NET_HOST },
	{ "user", NOOK_NET_USER },
};

/* What a link may be called: dev_valid_name() of the kernel, and nothing that a terminal takes for
 * more than a name. */
static int check_link_name(const char *name, struct nook_error *err)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++) {
		if (name[i] <= ' ' || name[i] == 0x7f || strchr("/:%", name[i]))
			len = 0;
	}
	if (len == 0 || len >= IFNAMSIZ || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return nook_refuse(err, EINVAL,
				   "'%s' can't name a link: 1 to 15 characters without spaces, "
				   "slashes, colons and %%",
				   name);
	return 0;
}

static int set_address(struct nook_link_spec *link, const char *text, struct nook_error *err)
{
	struct nook_net_addr addr;
	int rc = link->parent ? nook_net_parse_interface(text, &addr, err)
			      : nook_net_parse_address(text, &addr, err);

	if (rc < 0)
		return rc;

	struct nook_net_addr *to =
		&link->address[addr.family == AF_INET ? NOOK_NET_V4 : NOOK_NET_V6];

	if (to->family)
		return nook_refuse(err, EINVAL, "two addresses of one family: one is %s", text);
	*to = addr;
	return 0;
}

static int set_mac(struct nook_link_spec *link, const char *text, struct nook_error *err)
{
	if (link->set_mac)
		return nook_refuse(err, EINVAL, "mac= is said twice");
	link->set_mac = true;
	return nook_net_parse_mac(text, link->mac, err);
}

static int set_name(struct nook_link_spec *link, const char *text, struct nook_error *err)
{
	if (link->name)
		return nook_refuse(err, EINVAL, "name= is said twice");
	link->name = text;
	if (strcmp(text, "lo") == 0)
		return nook_refuse(err, EINVAL, "lo is the loopback's name");
	return check_link_name(text, err);
}

/* "ip=…,mac=…,name=…" */
static int read_link_options(struct nook_arena *a, struct nook_link_spec *link, const char *options,
			     struct nook_error *err)
{
	static const struct {
		const char *key;
		int (*set)(struct nook_link_spec *link, const char *text, struct nook_error *err);
	} known[] = { { "ip=", set_address }, { "mac=", set_mac }, { "name=", set_name } };
	const char *word;

	while ((word = nook_value_item(a, &options))) {
		int rc = -ENOENT;

		for (size_t i = 0; i < ARRAY_SIZE(known) && rc == -ENOENT; i++) {
			const char *value = nook_after(word, known[i].key);

			if (value)
				rc = known[i].set(link, value, err);
		}
		if (rc == -ENOENT) {
			nook_hint(err, "Known are: ip=ADDRESS, mac=ADDRESS, name=LINK.");
			return nook_refuse(err, EINVAL, "'%s' is no option of a network", word);
		}
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Two links of one name: the kernel would refuse the second, late. */
static int check_names(const struct nook_spec *spec, struct nook_error *err)
{
	const struct nook_link_spec *last = &spec->links[spec->n_links - 1];

	for (size_t i = 0; i + 1 < spec->n_links; i++) {
		const struct nook_link_spec *l = &spec->links[i];

		if (l->name && last->name && strcmp(l->name, last->name) == 0)
			return nook_refuse(err, EINVAL, "contradicts %s: both links are called %s",
					   l->from, l->name);
		if (l->network && last->network && strcmp(l->network, last->network) == 0)
			return nook_refuse(err, EINVAL,
					   "contradicts %s: it is on that network already",
					   l->from);
	}
	return 0;
}

int nook_link_read(struct nook_arena *a, const char *text, struct nook_link_spec *ret,
		   struct nook_error *err)
{
	const char *parent = nook_after(text, "macvlan:");
	const char *begin = parent ? parent : text;
	const char *options = begin + strcspn(begin, ":");
	const char *name = nook_strndup(a, begin, (size_t)(options - begin));
	int rc;

	*ret = (struct nook_link_spec){ .network = NULL };
	if (parent) {
		ret->parent = name;
		rc = check_link_name(name, err);
	} else {
		ret->network = strcmp(name, "bridge") == 0 ? NOOK_NET_DEFAULT : name;
		rc = nook_net_check_name(ret->network, err);
	}
	return rc == 0 && *options ? read_link_options(a, ret, options + 1, err) : rc;
}

static int add_link(const struct nook_option_use *use)
{
	struct nook_spec *spec = spec_of(use);
	struct nook_link_spec link;
	int rc = nook_link_read(use->arena, use->value, &link, use->err);

	if (rc < 0)
		return rc;
	link.from = use->from;
	*nook_append(use->arena, spec->links, spec->n_links) = link;
	return check_names(spec, use->err);
}

static int set_net_kind(const struct nook_option_use *use, enum nook_net_kind kind)
{
	struct nook_spec *spec = spec_of(use);

	if (spec->net_from && (spec->net != kind || kind != NOOK_NET_LINKS) &&
	    strcmp(spec->net_from, use->from) != 0)
		return nook_refuse(use->err, EINVAL,
				   "contradicts %s: only networks can be had together",
				   spec->net_from);
	spec->net = kind;
	if (!spec->net_from)
		spec->net_from = use->from;
	return 0;
}

int nook_set_net(const struct nook_option_use *use)
{
	struct nook_spec *spec = spec_of(use);
	const char *name = nook_after(use->value, "ns:");
	int rc;

	for (size_t i = 0; i < ARRAY_SIZE(whole); i++) {
		if (strcmp(use->value, whole[i].word) != 0)
			continue;
		rc = set_net_kind(use, whole[i].kind);
		if (rc == 0 && whole[i].kind == NOOK_NET_HOST)
			rc = nook_set_kind(use, NOOK_NS_NET, NOOK_NS_SHARE, NULL);
		return rc;
	}
	name = name ? name : nook_after(use->value, "container:");
	if (name) {
		rc = set_net_kind(use, NOOK_NET_JOINED);
		if (rc == 0)
			rc = nook_check_join_target(name, use->err);
		return rc < 0 ? rc : nook_set_kind(use, NOOK_NS_NET, NOOK_NS_JOIN, name);
	}
	/* Said again in the same words: once is enough. */
	for (size_t i = 0; i < spec->n_links; i++) {
		if (strcmp(spec->links[i].from, use->from) == 0)
			return 0;
	}
	rc = set_net_kind(use, NOOK_NET_LINKS);
	return rc < 0 ? rc : add_link(use);
}

/* ---- --publish ---- */

/* "80" or "80-90" */
static int read_ports(const char *text, uint16_t *ret_first, uint16_t *ret_count,
		      struct nook_error *err)
{
	const char *dash = strchr(text, '-');
	uint64_t first = 0, last = 0;
	char head[8];

	(void)nook_format(head, sizeof(head), "%.*s", (int)(dash ? dash - text : 7), text);
	if (nook_parse_u64(head, 65535, &first) < 0 ||
	    nook_parse_u64(dash ? dash + 1 : head, 65535, &last) < 0 || first == 0 ||
	    strlen(head) != (dash ? (size_t)(dash - text) : strlen(text)))
		return nook_refuse(err, EINVAL, "'%s' is no port: these go from 1 to 65535", text);
	if (last < first)
		return nook_refuse(err, EINVAL, "'%s' ends before it begins", text);
	*ret_first = (uint16_t)first;
	*ret_count = (uint16_t)(last - first + 1);
	return 0;
}

/* "tcp", "udp" behind a slash, which is cut off. */
static int read_protocol(char *text, uint8_t *ret, struct nook_error *err)
{
	char *slash = strrchr(text, '/');

	*ret = IPPROTO_TCP;
	if (!slash)
		return 0;
	*slash = '\0';
	if (strcmp(slash + 1, "udp") == 0)
		*ret = IPPROTO_UDP;
	else if (strcmp(slash + 1, "tcp") != 0)
		return nook_refuse(err, EINVAL, "'%s' is no protocol: these are tcp and udp",
				   slash + 1);
	return 0;
}

/* "10.0.0.1:", "[fd00::1]:", "0.0.0.0:", "[::]:" before the ports. */
static int read_host(char **text, struct nook_net_addr *ret, struct nook_error *err)
{
	char *p = *text, *end = strrchr(p, ':'), *colon;

	*end = '\0'; /* before the inner port, which is not looked at here */
	colon = strrchr(p, ':');
	*end = ':';
	if (!colon)
		return 0;
	*colon = '\0';
	*text = colon + 1;

	size_t len = strlen(p);
	bool brackets = len >= 2 && p[0] == '[' && p[len - 1] == ']';

	if (brackets) {
		p[len - 1] = '\0';
		p++;
	}

	int rc = nook_net_parse_address(p, ret, err);

	if (rc == 0 && brackets != (ret->family == AF_INET6))
		return nook_refuse(err, EINVAL, "'%s': brackets stand around IPv6 addresses", p);
	return rc;
}

int nook_publish_read(struct nook_arena *a, const char *text, struct nook_port_spec *ret,
		      struct nook_error *err)
{
	char *p = nook_strndup(a, text, strlen(text));
	uint16_t inside = 0;

	*ret = (struct nook_port_spec){ .count = 0 };

	int rc = read_protocol(p, &ret->protocol, err);

	if (rc < 0)
		return rc;
	if (!strchr(p, ':'))
		return nook_refuse(err, EINVAL,
				   "lacks the port inside: write [IP:]HOSTPORT:PORT[/udp], "
				   "[IP]:… around an IPv6 address");
	rc = read_host(&p, &ret->host, err);

	char *colon = rc == 0 ? strchr(p, ':') : NULL;

	if (rc < 0)
		return rc;
	*colon = '\0';
	rc = read_ports(p, &ret->host_port, &ret->count, err);
	if (rc == 0)
		rc = read_ports(colon + 1, &ret->inside_port, &inside, err);
	if (rc == 0 && inside != ret->count)
		return nook_refuse(err, EINVAL, "%u ports of the host can't lead to %u inside",
				   ret->count, inside);
	return rc;
}

/* A port that two words ask for. */
static int check_overlap(const struct nook_spec *spec, const struct nook_port_spec *p,
			 struct nook_error *err)
{
	for (size_t i = 0; i + 1 < spec->n_ports; i++) {
		const struct nook_port_spec *q = &spec->ports[i];
		bool same_host =
			!p->host.family || !q->host.family || nook_net_equal(&p->host, &q->host);

		if (q->protocol == p->protocol && same_host &&
		    q->host_port < p->host_port + p->count &&
		    p->host_port < q->host_port + q->count)
			return nook_refuse(err, EINVAL,
					   "contradicts %s: both take a port of the host", q->from);
	}
	return 0;
}

int nook_set_publish(const struct nook_option_use *use)
{
	struct nook_spec *spec = spec_of(use);
	struct nook_port_spec port;
	int rc = nook_publish_read(use->arena, use->value, &port, use->err);

	if (rc < 0)
		return rc;
	port.from = use->from;
	for (size_t i = 0; i < spec->n_ports; i++) {
		if (strcmp(spec->ports[i].from, use->from) == 0)
			return 0; /* the same words again */
	}
	*nook_append(use->arena, spec->ports, spec->n_ports) = port;
	return check_overlap(spec, &port, use->err);
}
