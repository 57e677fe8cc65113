/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of nf_tables, put together; nft_send.c sends them. */
#include "nft.h"

#include "base/own.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <string.h>

/* An attribute counts its bytes in 16 bits: a list of elements that has come so far is ended, and
 * the next begun. */
#define LIST_BYTES 32768

/* What nft(8) keeps in NFTA_*_USERDATA: a byte of kind, one of length, and the value. */
enum { UDATA_TABLE_COMMENT = 0, UDATA_SET_KEYBYTEORDER = 0 };
enum { HOST_ENDIAN = 1 };

/* ---- bytes ---- */

static void *take(struct nook_nft *t, size_t len)
{
	size_t room = NLMSG_ALIGN(len);

	if (room > t->size - t->used)
		__builtin_trap();

	void *at = t->buffer + t->used;

	memset(at, 0, room);
	t->used += room;
	return at;
}

static void put(struct nook_nft *t, uint16_t type, const void *data, size_t len)
{
	struct nlattr head = { .nla_type = type, .nla_len = (uint16_t)(NLA_HDRLEN + len) };
	char *at = take(t, NLA_HDRLEN + len);

	memcpy(at, &head, sizeof(head));
	if (len)
		memcpy(at + NLA_HDRLEN, data, len);
}

static void put_text(struct nook_nft *t, uint16_t type, const char *text)
{
	put(t, type, text, strlen(text) + 1);
}

/* Numbers are in network order. */
static void put_u32(struct nook_nft *t, uint16_t type, uint32_t value)
{
	value = htonl(value);
	put(t, type, &value, sizeof(value));
}

static void nest(struct nook_nft *t, uint16_t type)
{
	if (t->depth == ARRAY_SIZE(t->nest))
		__builtin_trap();
	t->nest[t->depth++] = t->used;
	put(t, type | NLA_F_NESTED, NULL, 0);
}

static void end_nest(struct nook_nft *t)
{
	size_t at = t->nest[--t->depth];
	struct nlattr head;

	memcpy(&head, t->buffer + at, sizeof(head));
	head.nla_len = (uint16_t)(t->used - at);
	memcpy(t->buffer + at, &head, sizeof(head));
}

static void put_data(struct nook_nft *t, uint16_t type, const void *data, size_t len)
{
	nest(t, type);
	put(t, NFTA_DATA_VALUE, data, len);
	end_nest(t);
}

static void end_message(struct nook_nft *t)
{
	uint32_t len = (uint32_t)(t->used - t->message);

	memcpy(t->buffer + t->message, &len, sizeof(len)); /* nlmsg_len comes first */
}

static void begin_message(struct nook_nft *t, uint16_t type, uint16_t flags, uint8_t family,
			  uint16_t resource)
{
	struct nlmsghdr head = { .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags };
	struct nfgenmsg gen = { .nfgen_family = family,
				.version = NFNETLINK_V0,
				.res_id = htons(resource) };

	t->message = t->used;
	t->messages++;
	memcpy(take(t, sizeof(head)), &head, sizeof(head));
	memcpy(take(t, sizeof(gen)), &gen, sizeof(gen));
}

static void end_elements(struct nook_nft *t)
{
	if (!t->elements)
		return;
	end_nest(t);
	end_message(t);
	t->elements = 0;
}

/* A message of nf_tables, that begins with the attribute @type: our table's name. */
static void begin(struct nook_nft *t, uint16_t type, uint16_t flags, uint16_t table)
{
	end_elements(t);
	begin_message(t, NFNL_SUBSYS_NFTABLES << 8 | type, flags, NFPROTO_INET, 0);
	put_text(t, table, t->table);
}

void nook_nft_begin(struct nook_nft *t, void *buffer, size_t size, const char *table)
{
	*t = (struct nook_nft){ .buffer = buffer, .size = size, .table = table };
	begin_message(t, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	end_message(t);
}

void nook_nft_filter(struct nook_nft *t, nook_nft_wanted *wanted, void *data)
{
	t->wanted = wanted;
	t->wanted_data = data;
}

void nook_nft_end(struct nook_nft *t)
{
	end_elements(t);
	begin_message(t, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	end_message(t);
}

/* ---- messages ---- */

static void put_comment(struct nook_nft *t, uint16_t type, const char *comment)
{
	char udata[130] = { UDATA_TABLE_COMMENT };
	size_t len = nook_format(udata + 2, sizeof(udata) - 2, "%s", comment) + 1;

	udata[1] = (char)len;
	put(t, type, udata, 2 + len);
}

void nook_nft_table(struct nook_nft *t, const char *comment)
{
	begin(t, NFT_MSG_NEWTABLE, NLM_F_CREATE, NFTA_TABLE_NAME);
	put_u32(t, NFTA_TABLE_FLAGS, 0);
	if (comment)
		put_comment(t, NFTA_TABLE_USERDATA, comment);
	end_message(t);
}

void nook_nft_table_delete(struct nook_nft *t)
{
	begin(t, NFT_MSG_DELTABLE, 0, NFTA_TABLE_NAME);
	end_message(t);
}

static void put_fields(struct nook_nft *t, const struct nook_nft_set *set)
{
	nest(t, NFTA_SET_DESC);
	nest(t, NFTA_SET_DESC_CONCAT);
	for (size_t i = 0; i < NOOK_NFT_FIELDS && set->fields[i]; i++) {
		nest(t, NFTA_LIST_ELEM);
		put_u32(t, NFTA_SET_FIELD_LEN, set->fields[i]);
		end_nest(t);
	}
	end_nest(t);
	end_nest(t);
}

/* Without, nft(8) turns names of links round before it prints them. */
static void put_host_endian(struct nook_nft *t)
{
	const uint32_t order = HOST_ENDIAN;
	char udata[2 + sizeof(order)] = { UDATA_SET_KEYBYTEORDER, sizeof(order) };

	memcpy(udata + 2, &order, sizeof(order));
	put(t, NFTA_SET_USERDATA, udata, sizeof(udata));
}

void nook_nft_set(struct nook_nft *t, const struct nook_nft_set *set, uint32_t id)
{
	uint32_t flags = set->flags;

	if (set->data_len)
		flags |= NFT_SET_MAP;
	if (set->fields[0])
		flags |= NFT_SET_CONCAT;
	begin(t, NFT_MSG_NEWSET, NLM_F_CREATE, NFTA_SET_TABLE);
	put_text(t, NFTA_SET_NAME, set->name);
	put_u32(t, NFTA_SET_FLAGS, flags);
	put_u32(t, NFTA_SET_KEY_TYPE, set->key_type);
	put_u32(t, NFTA_SET_KEY_LEN, set->key_len);
	if (set->data_len) {
		put_u32(t, NFTA_SET_DATA_TYPE, set->data_type);
		put_u32(t, NFTA_SET_DATA_LEN, set->data_len);
	}
	put_u32(t, NFTA_SET_ID, id);
	if (set->key_type == NOOK_NFT_TYPE_IFNAME || set->key_type == NOOK_NFT_TYPE_NFPROTO)
		put_host_endian(t);
	if (set->fields[0])
		put_fields(t, set);
	end_message(t);
}

void nook_nft_chain(struct nook_nft *t, const struct nook_nft_chain *chain)
{
	begin(t, NFT_MSG_NEWCHAIN, NLM_F_CREATE, NFTA_CHAIN_TABLE);
	put_text(t, NFTA_CHAIN_NAME, chain->name);
	if (chain->type) {
		nest(t, NFTA_CHAIN_HOOK);
		put_u32(t, NFTA_HOOK_HOOKNUM, chain->hook);
		put_u32(t, NFTA_HOOK_PRIORITY, (uint32_t)chain->priority);
		end_nest(t);
		put_u32(t, NFTA_CHAIN_POLICY, NF_ACCEPT);
		put_text(t, NFTA_CHAIN_TYPE, chain->type);
	}
	end_message(t);
}

void nook_nft_flush(struct nook_nft *t, const char *chain)
{
	begin(t, NFT_MSG_DELRULE, 0, NFTA_RULE_TABLE);
	put_text(t, NFTA_RULE_CHAIN, chain);
	end_message(t);
}

/* ---- elements ---- */

static void begin_elements(struct nook_nft *t, const char *set, uint16_t type)
{
	begin(t, type, type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0, NFTA_SET_ELEM_LIST_TABLE);
	put_text(t, NFTA_SET_ELEM_LIST_SET, set);
	t->elements = type;
	t->elements_of = set;
	t->elements_since = t->used;
	nest(t, NFTA_SET_ELEM_LIST_ELEMENTS);
}

void nook_nft_element(struct nook_nft *t, const char *set, const struct nook_nft_element *e,
		      bool remove)
{
	uint16_t type = remove ? NFT_MSG_DELSETELEM : NFT_MSG_NEWSETELEM;

	if (t->wanted && !t->wanted(t->wanted_data, set, e))
		return;
	if (t->elements != type || strcmp(t->elements_of, set) != 0 ||
	    t->used - t->elements_since > LIST_BYTES)
		begin_elements(t, set, type);

	nest(t, NFTA_LIST_ELEM);
	put_data(t, NFTA_SET_ELEM_KEY, e->key, e->key_len);
	if (e->end)
		put_data(t, NFTA_SET_ELEM_KEY_END, e->end, e->key_len);
	if (e->data && !remove)
		put_data(t, NFTA_SET_ELEM_DATA, e->data, e->data_len);
	end_nest(t);
}

/* ---- rules ---- */

void nook_nft_rule(struct nook_nft *t, const char *chain)
{
	begin(t, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, NFTA_RULE_TABLE);
	put_text(t, NFTA_RULE_CHAIN, chain);
	nest(t, NFTA_RULE_EXPRESSIONS);
}

void nook_nft_rule_end(struct nook_nft *t)
{
	end_nest(t);
	end_message(t);
}

static void begin_expr(struct nook_nft *t, const char *name)
{
	nest(t, NFTA_LIST_ELEM);
	put_text(t, NFTA_EXPR_NAME, name);
	nest(t, NFTA_EXPR_DATA);
}

static void end_expr(struct nook_nft *t)
{
	end_nest(t);
	end_nest(t);
}

/* A register by its first word, as the kernel tells it: those of 16 bytes by their own numbers. */
static void put_word(struct nook_nft *t, uint16_t type, unsigned word)
{
	put_u32(t, type, word % 4 == 0 ? NFT_REG_1 + word / 4 : NFT_REG32_00 + word);
}

void nook_nft_meta(struct nook_nft *t, enum nft_meta_keys key, unsigned word)
{
	begin_expr(t, "meta");
	put_u32(t, NFTA_META_KEY, key);
	put_word(t, NFTA_META_DREG, word);
	end_expr(t);
}

void nook_nft_ct(struct nook_nft *t, enum nft_ct_keys key, unsigned word)
{
	begin_expr(t, "ct");
	put_u32(t, NFTA_CT_KEY, key);
	put_word(t, NFTA_CT_DREG, word);
	end_expr(t);
}

void nook_nft_payload(struct nook_nft *t, enum nft_payload_bases base, uint32_t offset,
		      uint32_t len, unsigned word)
{
	begin_expr(t, "payload");
	put_word(t, NFTA_PAYLOAD_DREG, word);
	put_u32(t, NFTA_PAYLOAD_BASE, base);
	put_u32(t, NFTA_PAYLOAD_OFFSET, offset);
	put_u32(t, NFTA_PAYLOAD_LEN, len);
	end_expr(t);
}

void nook_nft_fib_type(struct nook_nft *t, uint32_t flags, unsigned word)
{
	begin_expr(t, "fib");
	put_word(t, NFTA_FIB_DREG, word);
	put_u32(t, NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	put_u32(t, NFTA_FIB_FLAGS, flags);
	end_expr(t);
}

void nook_nft_cmp(struct nook_nft *t, enum nft_cmp_ops op, unsigned word, const void *data,
		  size_t len)
{
	begin_expr(t, "cmp");
	put_word(t, NFTA_CMP_SREG, word);
	put_u32(t, NFTA_CMP_OP, op);
	put_data(t, NFTA_CMP_DATA, data, len);
	end_expr(t);
}

void nook_nft_mask(struct nook_nft *t, unsigned word, uint32_t mask)
{
	const uint32_t nothing = 0;

	begin_expr(t, "bitwise");
	put_word(t, NFTA_BITWISE_SREG, word);
	put_word(t, NFTA_BITWISE_DREG, word);
	put_u32(t, NFTA_BITWISE_LEN, sizeof(mask));
	put_data(t, NFTA_BITWISE_MASK, &mask, sizeof(mask));
	put_data(t, NFTA_BITWISE_XOR, &nothing, sizeof(nothing));
	end_expr(t);
}

void nook_nft_in_set(struct nook_nft *t, const char *set, unsigned word, bool inverted)
{
	begin_expr(t, "lookup");
	put_text(t, NFTA_LOOKUP_SET, set);
	put_word(t, NFTA_LOOKUP_SREG, word);
	put_u32(t, NFTA_LOOKUP_FLAGS, inverted ? NFT_LOOKUP_F_INV : 0);
	end_expr(t);
}

void nook_nft_map(struct nook_nft *t, const char *map, unsigned word, unsigned to)
{
	begin_expr(t, "lookup");
	put_text(t, NFTA_LOOKUP_SET, map);
	put_word(t, NFTA_LOOKUP_SREG, word);
	put_word(t, NFTA_LOOKUP_DREG, to);
	end_expr(t);
}

void nook_nft_dnat(struct nook_nft *t, uint32_t family, unsigned address, unsigned port)
{
	begin_expr(t, "nat");
	put_u32(t, NFTA_NAT_TYPE, NFT_NAT_DNAT);
	put_u32(t, NFTA_NAT_FAMILY, family);
	put_word(t, NFTA_NAT_REG_ADDR_MIN, address);
	put_word(t, NFTA_NAT_REG_PROTO_MIN, port);
	end_expr(t);
}

void nook_nft_masquerade(struct nook_nft *t)
{
	begin_expr(t, "masq");
	end_expr(t);
}

void nook_nft_verdict(struct nook_nft *t, int verdict, const char *chain)
{
	begin_expr(t, "immediate");
	put_u32(t, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	nest(t, NFTA_IMMEDIATE_DATA);
	nest(t, NFTA_DATA_VERDICT);
	put_u32(t, NFTA_VERDICT_CODE, (uint32_t)verdict);
	if (chain)
		put_text(t, NFTA_VERDICT_CHAIN, chain);
	end_nest(t);
	end_nest(t);
	end_expr(t);
}
