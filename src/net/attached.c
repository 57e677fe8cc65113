/* SPDX-License-Identifier: Apache-2.0 */
/* What a container has of networks: written aside and renamed; read as if an enemy had written it.
 */
#include "net.h"
#include "store.h"

#include "base/file.h"
#include "base/json.h"
#include "base/own.h"
#include "state/files.h"
#include "sys/openat2.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ATTACHED_VERSION 1
#define ATTACHED_BYTES   (1u << 20)
#define ATTACHED_LINKS   256u
#define ATTACHED_PORTS   4096u

static const char *const family_keys[NOOK_NET_FAMILIES] = { "ipv4", "ipv6" };
static const char *const gateway_keys[NOOK_NET_FAMILIES] = { "gateway4", "gateway6" };

/* ---- writing ---- */

static void put_addr(struct nook_json_writer *w, const char *key, const struct nook_net_addr *addr)
{
	char text[NOOK_NET_TEXT];

	if (addr->family)
		nook_json_put_text(w, key, nook_net_text_prefix(addr, text));
}

static void put_link(struct nook_json_writer *w, const struct nook_plan_link *l)
{
	char mac[18];

	nook_json_object(w, NULL);
	if (l->kind == NOOK_LINK_PAIR) {
		nook_json_put_text(w, "network", l->network);
		nook_json_put_bytes(w, "outside", l->outside);
	}
	nook_json_put_bytes(w, "master", l->master);
	nook_json_put_bytes(w, "inside", l->inside);
	nook_json_put_text(w, "mac", nook_net_mac_text(l->mac, mac));
	nook_json_put_u64(w, "mtu", l->mtu);
	for (int f = 0; f < NOOK_NET_FAMILIES; f++) {
		put_addr(w, family_keys[f], &l->address[f]);
		put_addr(w, gateway_keys[f], &l->gateway[f]);
	}
	nook_json_end(w);
}

static void put_port(struct nook_json_writer *w, const struct nook_plan_port *p)
{
	char host[NOOK_NET_TEXT];

	nook_json_object(w, NULL);
	nook_json_put_text(w, "protocol", p->protocol == IPPROTO_UDP ? "udp" : "tcp");
	if (p->host.family)
		nook_json_put_text(w, "host", nook_net_text(&p->host, host));
	nook_json_put_u64(w, "host_port", p->host_port);
	nook_json_put_u64(w, "inside_port", p->inside_port);
	nook_json_put_u64(w, "count", p->count);
	for (int f = 0; f < NOOK_NET_FAMILIES; f++)
		put_addr(w, family_keys[f], &p->to[f]);
	nook_json_end(w);
}

static void put_attached(struct nook_json_writer *w, const struct nook_attached *at)
{
	nook_json_object(w, NULL);
	nook_json_put_u64(w, "version", ATTACHED_VERSION);
	nook_json_put_text(w, "container", at->container);
	nook_json_put_bytes(w, "hostname", at->hostname);
	nook_json_array(w, "links");
	for (size_t i = 0; i < at->n_links; i++)
		put_link(w, &at->links[i]);
	nook_json_end(w);
	nook_json_array(w, "ports");
	for (size_t i = 0; i < at->n_ports; i++)
		put_port(w, &at->ports[i]);
	nook_json_end(w);
	nook_json_end(w);
}

int nook_attached_write(int base, const struct nook_attached *attached, struct nook_error *err)
{
	auto_arena struct nook_arena scratch = { 0 };
	auto_close int dir = nook_net_folder(base, "containers", true, err);
	const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK;
	struct nook_json_writer w;
	const char *text = NULL;
	char aside[NOOK_NAME_ASIDE];
	size_t len = 0;
	int rc = dir < 0 ? dir : nook_arena_open(&scratch, err);

	if (rc < 0)
		return rc;
	nook_json_to_arena(&w, &scratch, false);
	put_attached(&w, attached);
	(void)nook_json_finish(&w, &text, &len); /* into an arena: never fails */

	nook_name_aside(attached->container, aside);

	auto_close int fd = nook_openat2(dir, aside, (uint64_t)flags, 0600, NOOK_BENEATH);

	if (fd < 0)
		return nook_fail(err, -fd, "create net/containers/%s in the state directory",
				 aside);
	rc = nook_write_fd(fd, text, len);
	if (rc < 0)
		rc = nook_fail(err, -rc, "write net/containers/%s in the state directory", aside);
	else if (renameat(dir, aside, dir, attached->container) < 0)
		rc = nook_fail(err, errno, "rename net/containers/%s in the state directory",
			       aside);
	if (rc < 0)
		(void)unlinkat(dir, aside, 0); /* the first failure is told */
	return rc;
}

/* A write that was killed has left the one aside. */
int nook_attached_delete(int base, const char *container, struct nook_error *err)
{
	auto_close int dir = nook_net_folder(base, "containers", false, err);
	char aside[NOOK_NAME_ASIDE];

	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	nook_name_aside(container, aside);
	if ((unlinkat(dir, container, 0) < 0 && errno != ENOENT) ||
	    (unlinkat(dir, aside, 0) < 0 && errno != ENOENT))
		return nook_fail(err, errno, "unlink net/containers/%s in the state directory",
				 container);
	return 0;
}

/* ---- reading ---- */

struct reader {
	struct nook_arena *arena;
	struct nook_attached *to;
	struct nook_error *err;
};

static const enum nook_json_need must = NOOK_JSON_REQUIRED, may = NOOK_JSON_OPTIONAL;

static int get_addr(const struct nook_json_value *v, const char *key, uint8_t family,
		    struct nook_net_addr *ret, struct reader *r)
{
	const char *text = NULL;
	int rc = nook_json_get_text(r->arena, v, key, may, NOOK_NET_TEXT, &text, r->err);

	if (rc < 0 || !text)
		return rc;
	rc = nook_net_parse_interface(text, ret, r->err);
	if (rc == 0 && ret->family != family)
		return nook_json_refuse(v, r->err, "%s is of the other family", text);
	return rc;
}

static uint8_t family_of(int f)
{
	return f == NOOK_NET_V4 ? AF_INET : AF_INET6;
}

/* A link's name is a word to the kernel, and to people; not empty. */
static int get_name(const struct nook_json_value *v, const char *key, const char **ret,
		    struct reader *r)
{
	int rc = nook_json_get_text(r->arena, v, key, must, IFNAMSIZ - 1, ret, r->err);

	if (rc == 0 && (!**ret || strpbrk(*ret, "/: \n\t%")))
		return nook_json_refuse(v, r->err, "%s is no name of a link", key);
	return rc;
}

static int read_pair(const struct nook_json_value *v, struct nook_plan_link *l, struct reader *r)
{
	int rc = nook_json_get_text(r->arena, v, "network", may, NOOK_NET_NAME_MAX, &l->network,
				    r->err);

	l->kind = l->network ? NOOK_LINK_PAIR : NOOK_LINK_MACVLAN;
	if (rc < 0 || !l->network)
		return rc;
	rc = nook_net_check_name(l->network, r->err);
	return rc < 0 ? rc : get_name(v, "outside", &l->outside, r);
}

static int read_link(const struct nook_json_value *v, struct reader *r)
{
	struct nook_plan_link l = { .network = NULL };
	const char *mac = NULL;
	int rc = read_pair(v, &l, r);

	if (rc == 0)
		rc = get_name(v, "master", &l.master, r);
	if (rc == 0)
		rc = get_name(v, "inside", &l.inside, r);
	if (rc == 0)
		rc = nook_json_get_text(r->arena, v, "mac", must, 17, &mac, r->err);
	if (rc == 0)
		rc = nook_net_parse_mac(mac, l.mac, r->err);
	if (rc == 0)
		rc = nook_json_get_u32(v, "mtu", must, INT32_MAX, &l.mtu, r->err);
	for (int f = 0; rc == 0 && f < NOOK_NET_FAMILIES; f++) {
		rc = get_addr(v, family_keys[f], family_of(f), &l.address[f], r);
		if (rc == 0)
			rc = get_addr(v, gateway_keys[f], family_of(f), &l.gateway[f], r);
	}
	if (rc == 0)
		*nook_append(r->arena, r->to->links, r->to->n_links) = l;
	return rc;
}

static int get_port(const struct nook_json_value *v, const char *key, uint16_t *ret,
		    struct reader *r)
{
	uint64_t value = 0;
	int rc = nook_json_get_u64(v, key, must, UINT16_MAX, &value, r->err);

	if (rc == 0 && value == 0)
		return nook_json_refuse(v, r->err, "%s is 0", key);
	*ret = (uint16_t)value;
	return rc;
}

static int get_host(const struct nook_json_value *v, struct nook_net_addr *ret, struct reader *r)
{
	const char *text = NULL;
	int rc = nook_json_get_text(r->arena, v, "host", may, NOOK_NET_TEXT, &text, r->err);

	return rc < 0 || !text ? rc : nook_net_parse_address(text, ret, r->err);
}

static int read_port(const struct nook_json_value *v, struct reader *r)
{
	struct nook_plan_port p = { .protocol = IPPROTO_TCP };
	const char *protocol = NULL;
	int rc = nook_json_get_text(r->arena, v, "protocol", must, 3, &protocol, r->err);

	if (rc == 0 && strcmp(protocol, "udp") == 0)
		p.protocol = IPPROTO_UDP;
	else if (rc == 0 && strcmp(protocol, "tcp") != 0)
		return nook_json_refuse(v, r->err, "no protocol");
	if (rc == 0)
		rc = get_host(v, &p.host, r);
	if (rc == 0)
		rc = get_port(v, "host_port", &p.host_port, r);
	if (rc == 0)
		rc = get_port(v, "inside_port", &p.inside_port, r);
	if (rc == 0)
		rc = get_port(v, "count", &p.count, r);
	if (rc == 0 && (p.host_port + p.count > 65536 || p.inside_port + p.count > 65536))
		return nook_json_refuse(v, r->err, "ports past 65535");
	for (int f = 0; rc == 0 && f < NOOK_NET_FAMILIES; f++)
		rc = get_addr(v, family_keys[f], family_of(f), &p.to[f], r);
	if (rc == 0)
		*nook_append(r->arena, r->to->ports, r->to->n_ports) = p;
	return rc;
}

static int read_list(const struct nook_json_value *v, const char *key, size_t max,
		     int (*read_one)(const struct nook_json_value *v, struct reader *r),
		     struct reader *r)
{
	struct nook_json_value array, item;
	int rc = nook_json_member(v, key, must, NOOK_JSON_ARRAY, &array, r->err);

	if (rc == 0 && nook_json_length(&array) > max)
		return nook_json_refuse(&array, r->err, "more than %zu", max);
	for (size_t i = 0; rc == 0 && i < nook_json_length(&array); i++) {
		rc = nook_json_element(&array, i, NOOK_JSON_OBJECT, &item, r->err);
		if (rc == 0)
			rc = read_one(&item, r);
	}
	return rc;
}

static int parse(const char *text, size_t len, struct reader *r)
{
	struct nook_json *json = NULL;
	const char *container = NULL;
	uint32_t version = 0;
	/* In the arena: what memory was lacking for is not to pass for a record that is spoilt. */
	int rc = nook_json_parse_in(r->arena, text, len, 4, &json, NULL, r->err);
	struct nook_json_value v = { .json = json };

	if (rc == 0)
		rc = nook_json_get_u32(&v, "version", must, UINT32_MAX, &version, r->err);
	if (rc == 0 && version != ATTACHED_VERSION)
		return nook_refuse(r->err, EINVAL, "version %u; this nook knows %u", version,
				   ATTACHED_VERSION);
	if (rc == 0)
		rc = nook_json_get_text(r->arena, &v, "container", must, 255, &container, r->err);
	if (rc == 0 && strcmp(container, r->to->container) != 0)
		return nook_refuse(r->err, EINVAL, "it is that of \"%.80s\"", container);
	if (rc == 0)
		rc = nook_json_get_text(r->arena, &v, "hostname", may, 64, &r->to->hostname,
					r->err);
	if (rc == 0)
		rc = read_list(&v, "links", ATTACHED_LINKS, read_link, r);
	return rc < 0 ? rc : read_list(&v, "ports", ATTACHED_PORTS, read_port, r);
}

int nook_attached_read_at(int dir, const char *container, struct nook_arena *a,
			  struct nook_attached *ret, struct nook_error *err)
{
	struct nook_error detail = { 0 };
	struct nook_attached at = { .container = nook_strdup(a, container) };
	struct reader r = { .arena = a, .to = &at, .err = &detail };
	char *text = NULL;
	size_t len = 0;
	auto_close int fd = nook_openat2(dir, container, NOOK_OPEN_READ, 0, NOOK_BENEATH);

	if (fd == -ENOENT)
		return -ENOENT;
	if (fd < 0 && fd != -ELOOP && fd != -ENXIO)
		return nook_fail(err, -fd, "open net/containers/%s in the state directory",
				 container);

	int rc = fd < 0 ? nook_refuse(&detail, EINVAL, "it is no regular file")
			: nook_read_fd(a, fd, "it", ATTACHED_BYTES, &text, &len, &detail);

	if (rc < 0 && !nook_read_refused(rc))
		return nook_fail(err, -rc, "read net/containers/%s in the state directory",
				 container);
	if (rc == 0)
		rc = parse(text, len, &r);
	if (rc < 0)
		return nook_refuse(
			err, EBADMSG, "what container %s has of networks can't be read: %s%s%s",
			container, detail.where, detail.where[0] ? ": " : "", detail.why);
	*ret = at;
	return 0;
}

int nook_attached_read(int base, const char *container, struct nook_arena *a,
		       struct nook_attached *ret, struct nook_error *err)
{
	auto_close int dir = nook_net_folder(base, "containers", false, err);

	return dir < 0 ? dir : nook_attached_read_at(dir, container, a, ret, err);
}
