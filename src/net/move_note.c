/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A note is words:
 *
 *	HOME THERE INDEX KIND HARDWARE up|down ADDRESS…
 *
 * its name here and there (with %d: the kernel's to complete), its number and what else tells it
 * from others, and of each address FAMILY,PREFIX,FLAGS,LOCAL,PEER,BROADCAST,METRIC. Bytes are
 * hexadecimal, "-" is none. No name of a link holds white space.
 */
#include "move_note.h"

#include "base/text.h"
#include "links_parts.h"
#include "move_parts.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

/* More than the words before the addresses take, and than those of one. */
#define HEAD_BYTES    256
#define ADDRESS_BYTES 160

struct note {
	char home[IFNAMSIZ], there[IFNAMSIZ];
	struct nook_link_seen seen; /* as it was here */
	struct nook_link_address *addresses;
	size_t n_addresses;
};

/* ---- writing ---- */

static const char *hex(struct nook_arena *a, const unsigned char *bytes, unsigned n)
{
	static const char digits[] = "0123456789abcdef";

	if (!n)
		return "-";

	char *text = nook_alloc(a, 2 * (size_t)n + 1);

	for (unsigned i = 0; i < n; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[2 * (size_t)n] = '\0';
	return text;
}

static const char *address_text(struct nook_arena *a, const struct nook_link_address *address)
{
	return nook_printf(a, "%u,%u,%u,%s,%s,%s,%u", address->head.ifa_family,
			   address->head.ifa_prefixlen, address->flags,
			   hex(a, address->local, address->local_len),
			   hex(a, address->peer, address->peer_len),
			   hex(a, address->broadcast, address->broadcast_len), address->metric);
}

int nook_link_note(const struct nook_link_doors *d, const struct nook_link_move *m,
		   struct nook_arena *a, const char **ret, struct nook_error *err)
{
	struct nook_link_seen seen;
	struct nook_link_address *addresses;
	struct nook_nl_refusal refusal;
	size_t n;
	int rc = nook_link_look(d->here, m->link, &seen, err);

	if (rc == -ENODEV)
		return nook_fail(err, ENODEV, "look for network device %s", m->link);
	if (rc < 0)
		return rc;
	rc = nook_link_addresses(d->here, seen.index, a, &addresses, &n, &refusal);
	if (rc < 0)
		return nook_fail(err, -rc, "read the addresses of network device %s", m->link);

	const size_t size = HEAD_BYTES + n * ADDRESS_BYTES;

	if (size > NOOK_LINK_NOTE_BYTES)
		return nook_refuse(err, E2BIG, "network device %s has %zu addresses", m->link, n);

	char *text = nook_alloc(a, size);
	size_t len = nook_format(text, size, "%s %s %d %s %s %s", m->link, m->name, seen.index,
				 seen.kind[0] ? seen.kind : "-", hex(a, seen.hw, seen.hw_len),
				 seen.up ? "up" : "down");

	for (size_t i = 0; i < n; i++)
		len += nook_format(text + len, size - len, " %s", address_text(a, &addresses[i]));
	*ret = text;
	return 0;
}

/* ---- reading ---- */

/* Cuts the next piece off *@at, which ends at @end or with the text. Return: NULL: there is none.
 */
static char *next(char **at, char end)
{
	char *piece = *at;

	if (!piece)
		return NULL;
	*at = strchr(piece, end);
	if (*at)
		*(*at)++ = '\0';
	return piece;
}

static bool take_text(char **at, char end, char *ret, size_t size)
{
	const char *piece = next(at, end);

	if (!piece || !piece[0] || strlen(piece) >= size)
		return false;
	memcpy(ret, piece, strlen(piece) + 1);
	return true;
}

static bool take_number(char **at, char end, uint64_t max, uint64_t *ret)
{
	const char *piece = next(at, end);

	return piece && nook_parse_u64(piece, max, ret) == 0;
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_bytes(char **at, char end, unsigned char *ret, size_t size, unsigned *ret_len)
{
	const char *piece = next(at, end);
	size_t len = piece ? strlen(piece) : 1;

	*ret_len = 0;
	if (piece && strcmp(piece, "-") == 0)
		return true;
	if (len % 2 || !len || len / 2 > size)
		return false;
	for (size_t i = 0; i < len / 2; i++) {
		int high = digit(piece[2 * i]), low = digit(piece[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		ret[i] = (unsigned char)(high << 4 | low);
	}
	*ret_len = (unsigned)(len / 2);
	return true;
}

static bool take_address(char *at, struct nook_link_address *ret)
{
	uint64_t family, prefix, flags, metric;
	struct nook_link_address a = { 0 };

	if (!take_number(&at, ',', UINT8_MAX, &family) ||
	    !take_number(&at, ',', UINT8_MAX, &prefix) ||
	    !take_number(&at, ',', UINT32_MAX, &flags) ||
	    !take_bytes(&at, ',', a.local, sizeof(a.local), &a.local_len) ||
	    !take_bytes(&at, ',', a.peer, sizeof(a.peer), &a.peer_len) ||
	    !take_bytes(&at, ',', a.broadcast, sizeof(a.broadcast), &a.broadcast_len) ||
	    !take_number(&at, ',', UINT32_MAX, &metric) || at)
		return false;
	a.head.ifa_family = (unsigned char)family;
	a.head.ifa_prefixlen = (unsigned char)prefix;
	a.flags = (uint32_t)flags;
	a.metric = (uint32_t)metric;
	*ret = a;
	return true;
}

static bool take_note(char *at, struct nook_arena *a, struct note *n)
{
	uint64_t index;
	char state[8];

	if (!take_text(&at, ' ', n->home, sizeof(n->home)) ||
	    !take_text(&at, ' ', n->there, sizeof(n->there)) ||
	    !take_number(&at, ' ', INT32_MAX, &index) ||
	    !take_text(&at, ' ', n->seen.kind, sizeof(n->seen.kind)) ||
	    !take_bytes(&at, ' ', n->seen.hw, sizeof(n->seen.hw), &n->seen.hw_len) ||
	    !take_text(&at, ' ', state, sizeof(state)) ||
	    (strcmp(state, "up") != 0 && strcmp(state, "down") != 0))
		return false;
	if (strcmp(n->seen.kind, "-") == 0)
		n->seen.kind[0] = '\0';
	n->seen.index = (int)index;
	n->seen.up = strcmp(state, "up") == 0;
	while (at) {
		struct nook_link_address address;

		if (!take_address(next(&at, ' '), &address))
			return false;
		*nook_append(a, n->addresses, n->n_addresses) = address;
	}
	return true;
}

/* ---- which one it is ---- */

/* A link keeps its hardware address on the way, and its number where that is free. */
static bool is_same(const struct note *n, const struct nook_link_seen *seen)
{
	if (strcmp(n->seen.kind, seen->kind) != 0 || n->seen.hw_len != seen->hw_len)
		return false;
	return seen->hw_len ? memcmp(n->seen.hw, seen->hw, seen->hw_len) == 0
			    : n->seen.index == seen->index;
}

struct search {
	const struct note *note;
	size_t n;      /* that may be it */
	int index;     /* the last of them */
	bool numbered; /* it has its number still: it is that one */
};

static int take_candidate(void *data, const struct nlmsghdr *h)
{
	struct search *s = data;
	const struct note *note = s->note;
	struct nook_link_seen seen = { 0 };

	if (!nook_link_take(h, &seen) || !is_same(note, &seen) || s->numbered)
		return 0;
	if (!strchr(note->there, '%') && strcmp(note->there, seen.name) != 0)
		return 0;
	if (s->index == seen.index)
		return 0; /* heard again */
	s->n++;
	s->index = seen.index;
	s->numbered = seen.index == note->seen.index;
	return 0;
}

/* Return: its number there; 0: it is not there. */
static int find_there(int there, const struct note *n, struct nook_error *err)
{
	struct search s = { .note = n };
	struct nook_nl_refusal refusal;
	int rc = nook_link_each(there, take_candidate, &s, &refusal);

	if (rc < 0)
		return nook_fail(err, -rc, "list the network devices of the namespace it went to");
	if (s.n > 1 && !s.numbered) {
		nook_hint(err, "look there for the one that was %s, and move it by hand", n->home);
		return nook_refuse(err, EEXIST, "%zu network devices may be what was %s here", s.n,
				   n->home);
	}
	return s.index;
}

static int read_note(const char *note, struct nook_arena *a, struct note *ret,
		     struct nook_error *err)
{
	*ret = (struct note){ 0 };
	if (take_note(nook_strdup(a, note), a, ret))
		return 0;
	return nook_refuse(err, EBADMSG, "\"%.80s\" tells of no network device", note);
}

int nook_link_is_there(int there, const char *note, struct nook_arena *a, struct nook_error *err)
{
	struct note n;
	int rc = read_note(note, a, &n, err);

	if (rc == 0)
		rc = find_there(there, &n, err);
	return rc > 0 ? 1 : rc;
}

int nook_link_bring_home(const struct nook_link_doors *d, const char *note, struct nook_arena *a,
			 struct nook_error *err)
{
	struct nook_link_seen here;
	struct note n;
	int rc = read_note(note, a, &n, err);

	if (rc < 0)
		return rc;
	rc = nook_link_look(d->here, n.home, &here, err);
	if (rc == 0 && is_same(&n, &here))
		return 0;
	if (rc == 0 || rc == -ENODEV)
		rc = find_there(d->there, &n, err);
	if (rc <= 0)
		return rc;

	const struct nook_link_move m = { .link = n.home, .name = n.there };
	const struct nook_link_moved moved = {
		.index = rc, .up = n.seen.up, .addresses = n.addresses, .n_addresses = n.n_addresses
	};

	rc = nook_link_move_back(d, &m, &moved);
	if (rc == -EEXIST)
		nook_hint(err, "another device has its name here by now");
	return rc < 0 ? nook_fail(err, -rc, "bring network device %s home", n.home) : 0;
}
