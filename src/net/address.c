/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and subnets. RFC 4632, RFC 4291, RFC 3927, RFC 4193. */
#include "address.h"

#include "base/own.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <string.h>

#define LOWEST_PREFIX 8 /* a network of more is a mistake: it hides the machine's own routes */

unsigned nook_net_bytes(uint8_t family)
{
	return family == AF_INET6 ? 16 : 4;
}

static unsigned all_bits(uint8_t family)
{
	return nook_net_bytes(family) * 8;
}

/* Bits of byte @i that lie within the prefix. */
static uint8_t mask(unsigned prefix, unsigned i)
{
	if (prefix >= (i + 1) * 8)
		return 0xff;
	return prefix <= i * 8 ? 0 : (uint8_t)(0xff00u >> (prefix - i * 8));
}

static bool same_prefix(const struct nook_net_addr *a, const struct nook_net_addr *b,
			unsigned prefix)
{
	for (unsigned i = 0; i < nook_net_bytes(a->family); i++) {
		if ((a->bytes[i] ^ b->bytes[i]) & mask(prefix, i))
			return false;
	}
	return true;
}

/* ---- text to number ---- */

static int refuse(struct nook_error *err, const char *text, const char *what)
{
	return nook_refuse(err, EINVAL, "\"%.60s\" %s", text, what);
}

/* Reads what stands before @end. inet_pton(3) takes no leading zeros, no zone and no short form. */
static int read_address(const char *text, size_t len, struct nook_net_addr *ret,
			struct nook_error *err)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct nook_net_addr addr = { 0 };
	char copy[INET6_ADDRSTRLEN];

	if (len >= sizeof(copy)) {
		nook_hint(err, "An address is 10.88.0.2, or fd00::2.");
		return refuse(err, text, "is no address");
	}
	memcpy(copy, text, len);
	copy[len] = '\0';

	addr.family = memchr(copy, ':', len) ? AF_INET6 : AF_INET;
	addr.prefix = (uint8_t)all_bits(addr.family);
	if (inet_pton(addr.family, copy, addr.bytes) != 1) {
		nook_hint(err, strchr(copy, '%') ? "Zones (%%eth0) can't be given here."
						 : "An address is 10.88.0.2, or fd00::2.");
		return refuse(err, text, "is no address");
	}
	/* The kernel takes these for IPv4 in some places, and for IPv6 in others. */
	if (addr.family == AF_INET6 && memcmp(addr.bytes, mapped, sizeof(mapped)) == 0) {
		nook_hint(err, "Write %u.%u.%u.%u.", addr.bytes[12], addr.bytes[13], addr.bytes[14],
			  addr.bytes[15]);
		return refuse(err, text, "is an IPv4 address in IPv6's clothes");
	}
	*ret = addr;
	return 0;
}

int nook_net_parse_address(const char *text, struct nook_net_addr *ret, struct nook_error *err)
{
	if (strchr(text, '/')) {
		nook_hint(err, "Leave away what follows the slash.");
		return refuse(err, text, "is an address with a prefix: none is wanted here");
	}
	return read_address(text, strlen(text), ret, err);
}

static int read_prefixed(const char *text, struct nook_net_addr *ret, struct nook_error *err)
{
	const char *slash = strchr(text, '/');
	struct nook_net_addr addr;
	uint64_t prefix = 0;

	if (!slash) {
		nook_hint(err, "A prefix is the number of bits that the network's addresses have "
			       "in common: 10.88.0.0/24, fd00::/64.");
		return refuse(err, text, "has no prefix");
	}

	int rc = read_address(text, (size_t)(slash - text), &addr, err);

	if (rc < 0)
		return rc;
	if (nook_parse_u64(slash + 1, addr.prefix, &prefix) < 0) {
		nook_hint(err, "Behind the slash stands a number from 0 to %u.", addr.prefix);
		return refuse(err, text, "has no good prefix");
	}
	addr.prefix = (uint8_t)prefix;
	*ret = addr;
	return 0;
}

/* What no network of containers can have. */
static const struct {
	struct nook_net_addr subnet;
	const char *why;
} reserved[] = {
	{ { AF_INET, 8, { 0 } }, "holds addresses that mean \"this host\"" },
	{ { AF_INET, 8, { 127 } }, "holds loopback addresses" },
	{ { AF_INET, 3, { 224 } }, "holds multicast or reserved addresses" },
	{ { AF_INET6, 8, { 0 } }, "holds loopback or mapped addresses" },
	{ { AF_INET6, 10, { 0xfe, 0x80 } },
	  "holds link-local addresses, which each link has anyway" },
	{ { AF_INET6, 8, { 0xff } }, "holds multicast addresses" },
};

static const char *reserved_why(const struct nook_net_addr *addr)
{
	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++) {
		if (nook_net_overlap(&reserved[i].subnet, addr))
			return reserved[i].why;
	}
	return NULL;
}

int nook_net_parse_subnet(const char *text, struct nook_net_addr *ret, struct nook_error *err)
{
	struct nook_net_addr addr, first;
	char good[NOOK_NET_TEXT];
	int rc = read_prefixed(text, &addr, err);

	if (rc < 0)
		return rc;

	unsigned highest = all_bits(addr.family) - 2; /* nobody, gateway, a container, broadcast */

	if (addr.prefix < LOWEST_PREFIX || addr.prefix > highest) {
		nook_hint(err, "A network for containers has a prefix from %u to %u.",
			  LOWEST_PREFIX, highest);
		return refuse(err, text,
			      addr.prefix > highest ? "has no room for a gateway and a container"
						    : "is too large");
	}

	first = nook_net_nth(&addr, 0);
	if (!nook_net_equal(&first, &addr)) {
		nook_hint(err, "The subnet is %s.", nook_net_text_prefix(&first, good));
		return refuse(err, text, "is an address within a subnet, not a subnet");
	}

	const char *why = reserved_why(&addr);

	if (why) {
		nook_hint(err, "Private subnets are 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 and "
			       "fd00::/8.");
		return refuse(err, text, why);
	}
	*ret = addr;
	return 0;
}

int nook_net_parse_interface(const char *text, struct nook_net_addr *ret, struct nook_error *err)
{
	struct nook_net_addr addr, alone;
	int rc = read_prefixed(text, &addr, err);

	if (rc < 0)
		return rc;

	alone = addr;
	alone.prefix = (uint8_t)all_bits(addr.family);
	if (addr.prefix == 0)
		return refuse(err, text,
			      "has no good prefix: with 0 every address is its neighbour");
	if (reserved_why(&alone) && addr.bytes[0] != 0xfe) /* link-local ones may be set by hand */
		return refuse(err, text, "can't be the address of a link");
	if (!nook_net_usable(&addr, &addr))
		return refuse(err, text,
			      "is the first or last address of its subnet, which no link can have");
	*ret = addr;
	return 0;
}

/* ---- number to text ---- */

const char *nook_net_text(const struct nook_net_addr *addr, char *out)
{
	if (!addr->family || !inet_ntop(addr->family, addr->bytes, out, NOOK_NET_TEXT))
		(void)nook_format(out, NOOK_NET_TEXT, "-");
	return out;
}

const char *nook_net_text_prefix(const struct nook_net_addr *addr, char *out)
{
	size_t len = strlen(nook_net_text(addr, out));

	if (addr->family)
		(void)nook_format(out + len, NOOK_NET_TEXT - len, "/%u", addr->prefix);
	return out;
}

/* ---- reckoning ---- */

bool nook_net_equal(const struct nook_net_addr *a, const struct nook_net_addr *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool nook_net_contains(const struct nook_net_addr *subnet, const struct nook_net_addr *addr)
{
	return addr->family && subnet->family == addr->family &&
	       same_prefix(subnet, addr, subnet->prefix);
}

bool nook_net_overlap(const struct nook_net_addr *a, const struct nook_net_addr *b)
{
	return a->family && a->family == b->family &&
	       same_prefix(a, b, a->prefix < b->prefix ? a->prefix : b->prefix);
}

struct nook_net_addr nook_net_nth(const struct nook_net_addr *subnet, uint64_t n)
{
	struct nook_net_addr addr = *subnet;

	for (unsigned i = nook_net_bytes(subnet->family); i-- > 0; n >>= 8) {
		uint8_t fixed = mask(subnet->prefix, i);

		addr.bytes[i] = (uint8_t)((addr.bytes[i] & fixed) | ((uint8_t)n & (uint8_t)~fixed));
	}
	return addr;
}

uint64_t nook_net_size(const struct nook_net_addr *subnet)
{
	unsigned bits = all_bits(subnet->family) - subnet->prefix;

	return bits >= 64 ? UINT64_MAX : UINT64_C(1) << bits;
}

/* IPv6 has no broadcasts; its first address is that of any router of the subnet (RFC 4291, 2.6.1).
 * Subnets of one or two addresses have neither (RFC 3021, RFC 6164). */
bool nook_net_usable(const struct nook_net_addr *subnet, const struct nook_net_addr *addr)
{
	if (!nook_net_contains(subnet, addr))
		return false;
	if (subnet->prefix + 1u >= all_bits(subnet->family))
		return true;

	struct nook_net_addr first = nook_net_nth(subnet, 0);
	struct nook_net_addr last = nook_net_nth(subnet, UINT64_MAX);

	return !nook_net_equal(addr, &first) &&
	       (addr->family == AF_INET6 || !nook_net_equal(addr, &last));
}

/* ---- hardware addresses ---- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool read_mac(const char *text, uint8_t mac[6])
{
	if (strlen(text) != 17)
		return false;
	for (unsigned i = 0; i < 6; i++) {
		int high = hex_digit(text[3 * i]), low = hex_digit(text[3 * i + 1]);

		if (high < 0 || low < 0 || (i < 5 && text[3 * i + 2] != ':'))
			return false;
		mac[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

int nook_net_parse_mac(const char *text, uint8_t ret[6], struct nook_error *err)
{
	static const uint8_t none[6];
	uint8_t mac[6];

	if (!read_mac(text, mac)) {
		nook_hint(err, "One is six pairs of hexadecimal digits: 02:42:0a:58:00:02.");
		return refuse(err, text, "is no hardware address");
	}
	if (mac[0] & 1 || memcmp(mac, none, sizeof(mac)) == 0) {
		nook_hint(err, "Take one that begins with 02: its first byte is even, and marks it "
			       "as nobody's product.");
		return refuse(err, text, "is the hardware address of a group, or of nobody");
	}
	memcpy(ret, mac, sizeof(mac));
	return 0;
}

const char *nook_net_mac_text(const uint8_t mac[6], char out[18])
{
	(void)nook_format(out, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
			  mac[4], mac[5]);
	return out;
}
