/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transactions of nf_tables: messages between a BEGIN and an END, which the kernel carries out all
 * together or not at all. nft(8) shows what they make; its `--debug=netlink` shows expressions.
 * Tables are of the family inet: IPv4 and IPv6 in one.
 */
#ifndef NOOK_SYS_NFT_H
#define NOOK_SYS_NFT_H

#include "netlink.h"

#include <netinet/in.h> /* before the kernel's own */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef NFT_SET_CONCAT /* Linux 5.6; missing in older headers */
#define NFT_SET_CONCAT 0x80
#endif

struct nook_nft_element;

/* Is this element of @set to be put? */
typedef bool nook_nft_wanted(void *data, const char *set, const struct nook_nft_element *element);

/* A transaction under way, in the caller's memory. */
struct nook_nft {
	char *buffer;
	size_t size, used;
	uint32_t messages; /* in it, BEGIN too */
	const char *table;
	size_t message;          /* where the one under way begins */
	size_t nest[8], depth;   /* attributes under way that hold others */
	uint16_t elements;       /* NFT_MSG_*SETELEM under way; 0: none */
	const char *elements_of; /* its set */
	size_t elements_since;   /* where its list begins */
	nook_nft_wanted *wanted; /* NULL: all elements are */
	void *wanted_data;
};

/* A socket of the network namespace that we are in, CLOEXEC; or a negative errno. */
int nook_nft_open(void);

/**
 * nook_nft_begin() - an empty transaction about one table
 * @buffer, @size: where it is put together; what is too much traps: all of it is bounded by the
 * caller. NOOK_NFT_* below help to say how much is needed
 * @table: borrowed
 */
void nook_nft_begin(struct nook_nft *t, void *buffer, size_t size, const char *table);
/* Of the elements to come, only those are put that are wanted. */
void nook_nft_filter(struct nook_nft *t, nook_nft_wanted *wanted, void *data);

/* Ends it: for who looks at the bytes. nook_nft_commit() does so itself. */
void nook_nft_end(struct nook_nft *t);

/**
 * nook_nft_commit() - end it, and send it
 * @ret: receives the first refusal, its index counted from 1 in the order the messages were added;
 * 0: none of them, but the whole. May be NULL
 *
 * Return: 0; the kernel's negative errno, and nothing is changed; -ETIMEDOUT; -EPROTO.
 */
int nook_nft_commit(int fd, struct nook_nft *t, struct nook_nl_refusal *ret);

/* What is there of a kind: @type NFT_MSG_GET*, @dump or one by the attributes that the caller adds
 * to @m before nook_nl_ask(). */
void nook_nft_question(struct nook_nl *m, uint16_t type, bool dump);

/* ---- messages ---- */

/* Makes it when it is missing. @comment: NULL: none */
void nook_nft_table(struct nook_nft *t, const char *comment);
void nook_nft_table_delete(struct nook_nft *t);

#define NOOK_NFT_FIELDS 4

struct nook_nft_set {
	const char *name;
	uint32_t key_type, key_len;       /* as nft names types, in bytes */
	uint32_t data_type, data_len;     /* a map's; 0: a set */
	uint32_t flags;                   /* NFT_SET_INTERVAL, … */
	uint32_t fields[NOOK_NFT_FIELDS]; /* bytes of each part of an interval's key; 0: no more */
};

/* nft's numbers of types, for people: `nft list` prints by them. A key of several has them side by
 * side, six bits each. */
enum {
	NOOK_NFT_TYPE_NFPROTO = 2,
	NOOK_NFT_TYPE_IP4 = 7,
	NOOK_NFT_TYPE_IP6 = 8,
	NOOK_NFT_TYPE_PROTO = 12,
	NOOK_NFT_TYPE_PORT = 13,
	NOOK_NFT_TYPE_IFNAME = 41,
};
#define NOOK_NFT_TYPES2(a, b)    ((uint32_t)(a) << 6 | (uint32_t)(b))
#define NOOK_NFT_TYPES3(a, b, c) (NOOK_NFT_TYPES2(a, b) << 6 | (uint32_t)(c))

/* Makes it when it is missing. @id: unlike others of the transaction. */
void nook_nft_set(struct nook_nft *t, const struct nook_nft_set *set, uint32_t id);

struct nook_nft_chain {
	const char *name;
	const char *type; /* "filter", "nat"; NULL: no hook, rules jump to it */
	uint32_t hook;    /* NF_INET_* */
	int32_t priority;
};

/* Makes it when it is missing; what no rule decides is accepted. */
void nook_nft_chain(struct nook_nft *t, const struct nook_nft_chain *chain);
/* Empties it. */
void nook_nft_flush(struct nook_nft *t, const char *chain);

/* ---- elements of sets and maps ---- */

struct nook_nft_element {
	const void *key, *end; /* @end: the last, of a set of intervals; NULL: none */
	size_t key_len;
	const void *data; /* of a map; NULL: none */
	size_t data_len;
};
/* Bytes of a message about elements, without them; and of each. */
#define NOOK_NFT_ELEMENT(key_len, data_len) (32 + 2 * (size_t)(key_len) + (size_t)(data_len))

/* One more to add or, with @remove, to take away. Those of one set that come one after another
 * share messages. */
void nook_nft_element(struct nook_nft *t, const char *set, const struct nook_nft_element *element,
		      bool remove);

/* Is it there? What can't be asked is. Cheap: a transaction that is refused costs a grace
 * period of the kernel's, 10 ms and more. */
bool nook_nft_have_element(int fd, const char *table, const char *set,
			   const struct nook_nft_element *element);

/* ---- rules: a chain of expressions, to its end ---- */

void nook_nft_rule(struct nook_nft *t, const char *chain);
void nook_nft_rule_end(struct nook_nft *t);

/* Registers are counted in words of four bytes: an address of IPv6 fills four. */
void nook_nft_meta(struct nook_nft *t, enum nft_meta_keys key, unsigned word);
void nook_nft_ct(struct nook_nft *t, enum nft_ct_keys key, unsigned word);
void nook_nft_payload(struct nook_nft *t, enum nft_payload_bases base, uint32_t offset,
		      uint32_t len, unsigned word);
/* What the address is to this host: RTN_LOCAL, … @flags: NFTA_FIB_F_* */
void nook_nft_fib_type(struct nook_nft *t, uint32_t flags, unsigned word);
/* The rule goes on when it is so. */
void nook_nft_cmp(struct nook_nft *t, enum nft_cmp_ops op, unsigned word, const void *data,
		  size_t len);
void nook_nft_mask(struct nook_nft *t, unsigned word, uint32_t mask);
void nook_nft_in_set(struct nook_nft *t, const char *set, unsigned word);
void nook_nft_map(struct nook_nft *t, const char *map, unsigned word, unsigned to);
/* Where the packet goes: address and port from there. @family: NFPROTO_* */
void nook_nft_dnat(struct nook_nft *t, uint32_t family, unsigned address, unsigned port);
void nook_nft_masquerade(struct nook_nft *t);
/* NF_ACCEPT, NF_DROP, NFT_RETURN; NFT_GOTO with a chain. */
void nook_nft_verdict(struct nook_nft *t, int verdict, const char *chain);

#endif
