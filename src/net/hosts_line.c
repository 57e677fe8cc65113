/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of hosts files: what stands in one, and what two have in common. */
#include "hosts_slots.h"

#include "address.h"
#include "base/hash.h"
#include "base/own.h"
#include "base/text.h"

#include <string.h>
#include <strings.h>

#define SLOT      NOOK_HOSTS_SLOT
#define ROOM      (SLOT - 1 - NOOK_HOSTS_STAMP) /* for the line proper */
#define LABEL_MAX 64 /* a name that can be looked up, and the kernel's longest hostname */

/* What may be looked up: letters, digits and . _ - +, and not what belongs to the loopback. */
static bool is_name(const char *name)
{
	static const char *const reserved[] = { "localhost", "ip6-localhost", "ip6-loopback" };
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				  "._-+");

	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++) {
		if (strcasecmp(name, reserved[i]) == 0)
			return false;
	}
	return len > 0 && !name[len] && name[0] != '.';
}

struct composing {
	struct nook_hosts_slot *lines;
	size_t n, len; /* @len: of the last one */
	const char *address;
	char tag[64];
};

static void put(struct nook_hosts_slot *s, size_t at, const char *text)
{
	memcpy(s->bytes + at, text, strlen(text));
}

static void put_name(struct composing *c, const char *name)
{
	size_t room = ROOM - strlen(c->tag), len = strlen(name);

	if (c->n == 0 || c->len + 1 + len > room) {
		struct nook_hosts_slot *s = &c->lines[c->n++];

		memset(s->bytes, ' ', SLOT);
		s->bytes[SLOT - 1] = '\n';
		put(s, 0, c->address);
		c->len = strlen(c->address);
		s->bytes[c->len] = '\t';
	}
	put(&c->lines[c->n - 1], c->len + 1, name);
	c->len += 1 + len;
}

size_t nook_hosts_compose(const struct nook_net_addr *address, const char *network,
			  const char *container, const char *hostname,
			  struct nook_hosts_slot ret[NOOK_HOSTS_LINES])
{
	char text[NOOK_NET_TEXT], full[LABEL_MAX + NOOK_NET_NAME_MAX + 2];
	struct composing c = { .lines = ret, .address = nook_net_text(address, text) };
	bool named = strlen(container) <= LABEL_MAX && is_name(container);

	(void)nook_format(c.tag, sizeof(c.tag), " #%.32s/%016lx", network,
			  nook_hash_text(container));
	if (named)
		put_name(&c, container);
	if (hostname && (strlen(hostname) > LABEL_MAX || !is_name(hostname)))
		hostname = NULL;
	if (hostname && !(named && strcmp(hostname, container) == 0))
		put_name(&c, hostname);
	/* One whose name is too long is known by its hostname, the beginning of it. */
	if (named || hostname) {
		(void)nook_format(full, sizeof(full), "%s.%.32s", named ? container : hostname,
				  network); /* it fits */
		put_name(&c, full);
	}
	for (size_t i = 0; i < c.n; i++) {
		size_t end = SLOT - 1;

		while (ret[i].bytes[end - 1] == ' ')
			end--;
		put(&ret[i], end, c.tag);
	}
	return c.n;
}

/* Where its tag begins, the byte behind the '#'; NULL: it has none. */
static const char *tag_of(const struct nook_hosts_slot *s)
{
	const char *hash = memchr(s->bytes + 1, '#', ROOM - 1);

	return hash ? hash + 1 : NULL;
}

bool nook_hosts_is_free(const struct nook_hosts_slot *s)
{
	return s->bytes[0] == '#';
}

/* Is the tag @network's (NULL: any), and the container's (NULL: any)? */
bool nook_hosts_has_tag(const struct nook_hosts_slot *s, const char *network, const char *container)
{
	const char *tag = tag_of(s), *end = s->bytes + SLOT;
	const char *slash = tag ? memchr(tag, '/', (size_t)(end - tag)) : NULL;
	char hash[17];

	if (!slash || end - slash < 18)
		return false;
	if (network && ((size_t)(slash - tag) != strlen(network) ||
			memcmp(tag, network, (size_t)(slash - tag)) != 0))
		return false;
	if (!container)
		return true;
	(void)nook_format(hash, sizeof(hash), "%016lx", nook_hash_text(container));
	return memcmp(slash + 1, hash, 16) == 0;
}

static bool ends_word(char c)
{
	return c == ' ' || c == '\t' || c == '#' || c == '\n';
}

/* The next word of a line before its tag, behind @at; its end is in @ret_end. NULL: no more. */
static const char *next_word(const struct nook_hosts_slot *s, const char *at, const char **ret_end)
{
	const char *end = s->bytes + ROOM;

	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	*ret_end = at;
	while (*ret_end < end && !ends_word(**ret_end))
		(*ret_end)++;
	return *ret_end > at ? at : NULL;
}

static bool is_one_of(const struct nook_hosts_names *names, const char *word, size_t len)
{
	for (size_t i = 0; i < names->n; i++) {
		if (names->name[i].len == len && memcmp(names->name[i].text, word, len) == 0)
			return true;
	}
	return false;
}

void nook_hosts_names_of(const struct nook_hosts_slot *lines, size_t n,
			 struct nook_hosts_names *ret)
{
	const char *end;

	ret->n = 0;
	for (size_t i = 0; i < n; i++) {
		const char *w = next_word(&lines[i], lines[i].bytes, &end); /* the address */

		while (w && (w = next_word(&lines[i], end, &end))) {
			size_t len = (size_t)(end - w);

			if (ret->n < ARRAY_SIZE(ret->name) && !is_one_of(ret, w, len)) {
				ret->name[ret->n].text = w;
				ret->name[ret->n++].len = len;
			}
		}
	}
}

bool nook_hosts_has_name(const struct nook_hosts_slot *s, const struct nook_hosts_names *names)
{
	const char *end;

	/* The first is the address. */
	for (const char *w = next_word(s, s->bytes, &end); w && (w = next_word(s, end, &end));) {
		if (is_one_of(names, w, (size_t)(end - w)))
			return true;
	}
	return false;
}

bool nook_hosts_same_place(const struct nook_hosts_slot *s, const struct nook_hosts_slot *t)
{
	const char *tab = memchr(t->bytes, '\t', SLOT);

	if (!tab || memcmp(s->bytes, t->bytes, (size_t)(tab - t->bytes) + 1) != 0)
		return false;

	const char *a = tag_of(s), *b = tag_of(t);
	const char *slash = a ? memchr(a, '/', (size_t)(s->bytes + SLOT - a)) : NULL;
	size_t len = slash ? (size_t)(slash - a) + 1 : 0;

	return slash && b && (size_t)(t->bytes + SLOT - b) > len && memcmp(a, b, len) == 0;
}
