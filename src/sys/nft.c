/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of nf_tables, put together; nft_send.c sends them. */
#include "nft_put.h"

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

void nook_nft_put(struct nook_nft *t, uint16_t type, const void *data, size_t len)
{
	struct nlattr head = { .nla_type = type, .nla_len = (uint16_t)(NLA_HDRLEN + len) };
	char *at = take(t, NLA_HDRLEN + len);

	memcpy(at, &head, sizeof(head));
	if (len)
		memcpy(at + NLA_HDRLEN, data, len);
}

void nook_nft_put_text(struct nook_nft *t, uint16_t type, const char *text)
{
	nook_nft_put(t, type, text, strlen(text) + 1);
}

/* Numbers are in network order. */
void nook_nft_put_u32(struct nook_nft *t, uint16_t type, uint32_t value)
{
	value = htonl(value);
	nook_nft_put(t, type, &value, sizeof(value));
}

void nook_nft_nest(struct nook_nft *t, uint16_t type)
{
	if (t->depth == ARRAY_SIZE(t->nest))
		__builtin_trap();
	t->nest[t->depth++] = t->used;
	nook_nft_put(t, type | NLA_F_NESTED, NULL, 0);
}

void nook_nft_nest_end(struct nook_nft *t)
{
	size_t at = t->nest[--t->depth];
	struct nlattr head;

	memcpy(&head, t->buffer + at, sizeof(head));
	head.nla_len = (uint16_t)(t->used - at);
	memcpy(t->buffer + at, &head, sizeof(head));
}

void nook_nft_put_data(struct nook_nft *t, uint16_t type, const void *data, size_t len)
{
	nook_nft_nest(t, type);
	nook_nft_put(t, NFTA_DATA_VALUE, data, len);
	nook_nft_nest_end(t);
}

void nook_nft_message_end(struct nook_nft *t)
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
	nook_nft_nest_end(t);
	nook_nft_message_end(t);
	t->elements = 0;
}

/* A message of nf_tables, that begins with the attribute @type: our table's name. */
void nook_nft_message(struct nook_nft *t, uint16_t type, uint16_t flags, uint16_t table)
{
	end_elements(t);
	begin_message(t, NFNL_SUBSYS_NFTABLES << 8 | type, flags, NFPROTO_INET, 0);
	nook_nft_put_text(t, table, t->table);
}

void nook_nft_begin(struct nook_nft *t, void *buffer, size_t size, const char *table)
{
	*t = (struct nook_nft){ .buffer = buffer, .size = size, .table = table };
	begin_message(t, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	nook_nft_message_end(t);
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
	nook_nft_message_end(t);
}

/* ---- messages ---- */

static void put_comment(struct nook_nft *t, uint16_t type, const char *comment)
{
	char udata[130] = { UDATA_TABLE_COMMENT };
	size_t len = nook_format(udata + 2, sizeof(udata) - 2, "%s", comment) + 1;

	udata[1] = (char)len;
	nook_nft_put(t, type, udata, 2 + len);
}

void nook_nft_table(struct nook_nft *t, const char *comment)
{
	nook_nft_message(t, NFT_MSG_NEWTABLE, NLM_F_CREATE, NFTA_TABLE_NAME);
	nook_nft_put_u32(t, NFTA_TABLE_FLAGS, 0);
	if (comment)
		put_comment(t, NFTA_TABLE_USERDATA, comment);
	nook_nft_message_end(t);
}

void nook_nft_table_delete(struct nook_nft *t)
{
	nook_nft_message(t, NFT_MSG_DELTABLE, 0, NFTA_TABLE_NAME);
	nook_nft_message_end(t);
}

static void put_fields(struct nook_nft *t, const struct nook_nft_set *set)
{
	nook_nft_nest(t, NFTA_SET_DESC);
	nook_nft_nest(t, NFTA_SET_DESC_CONCAT);
	for (size_t i = 0; i < NOOK_NFT_FIELDS && set->fields[i]; i++) {
		nook_nft_nest(t, NFTA_LIST_ELEM);
		nook_nft_put_u32(t, NFTA_SET_FIELD_LEN, set->fields[i]);
		nook_nft_nest_end(t);
	}
	nook_nft_nest_end(t);
	nook_nft_nest_end(t);
}

/* Without, nft(8) turns names of links round before it prints them. */
static void put_host_endian(struct nook_nft *t)
{
	const uint32_t order = HOST_ENDIAN;
	char udata[2 + sizeof(order)] = { UDATA_SET_KEYBYTEORDER, sizeof(order) };

	memcpy(udata + 2, &order, sizeof(order));
	nook_nft_put(t, NFTA_SET_USERDATA, udata, sizeof(udata));
}

void nook_nft_set(struct nook_nft *t, const struct nook_nft_set *set, uint32_t id)
{
	uint32_t flags = set->flags;

	if (set->data_len)
		flags |= NFT_SET_MAP;
	if (set->fields[0])
		flags |= NFT_SET_CONCAT;
	nook_nft_message(t, NFT_MSG_NEWSET, NLM_F_CREATE, NFTA_SET_TABLE);
	nook_nft_put_text(t, NFTA_SET_NAME, set->name);
	nook_nft_put_u32(t, NFTA_SET_FLAGS, flags);
	nook_nft_put_u32(t, NFTA_SET_KEY_TYPE, set->key_type);
	nook_nft_put_u32(t, NFTA_SET_KEY_LEN, set->key_len);
	if (set->data_len) {
		nook_nft_put_u32(t, NFTA_SET_DATA_TYPE, set->data_type);
		nook_nft_put_u32(t, NFTA_SET_DATA_LEN, set->data_len);
	}
	nook_nft_put_u32(t, NFTA_SET_ID, id);
	if (set->key_type == NOOK_NFT_TYPE_IFNAME || set->key_type == NOOK_NFT_TYPE_NFPROTO)
		put_host_endian(t);
	if (set->fields[0])
		put_fields(t, set);
	nook_nft_message_end(t);
}

void nook_nft_chain(struct nook_nft *t, const struct nook_nft_chain *chain)
{
	nook_nft_message(t, NFT_MSG_NEWCHAIN, NLM_F_CREATE, NFTA_CHAIN_TABLE);
	nook_nft_put_text(t, NFTA_CHAIN_NAME, chain->name);
	if (chain->type) {
		nook_nft_put_text(t, NFTA_CHAIN_TYPE, chain->type);
		nook_nft_put_u32(t, NFTA_CHAIN_POLICY, NF_ACCEPT);
		nook_nft_nest(t, NFTA_CHAIN_HOOK);
		nook_nft_put_u32(t, NFTA_HOOK_HOOKNUM, chain->hook);
		nook_nft_put_u32(t, NFTA_HOOK_PRIORITY, (uint32_t)chain->priority);
		nook_nft_nest_end(t);
	}
	nook_nft_message_end(t);
}

void nook_nft_flush(struct nook_nft *t, const char *chain)
{
	nook_nft_message(t, NFT_MSG_DELRULE, 0, NFTA_RULE_TABLE);
	nook_nft_put_text(t, NFTA_RULE_CHAIN, chain);
	nook_nft_message_end(t);
}

/* ---- elements ---- */

static void begin_elements(struct nook_nft *t, const char *set, uint16_t type)
{
	nook_nft_message(t, type, type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0,
			 NFTA_SET_ELEM_LIST_TABLE);
	nook_nft_put_text(t, NFTA_SET_ELEM_LIST_SET, set);
	t->elements = type;
	t->elements_of = set;
	t->elements_since = t->used;
	nook_nft_nest(t, NFTA_SET_ELEM_LIST_ELEMENTS);
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

	nook_nft_nest(t, NFTA_LIST_ELEM);
	nook_nft_put_data(t, NFTA_SET_ELEM_KEY, e->key, e->key_len);
	if (e->end)
		nook_nft_put_data(t, NFTA_SET_ELEM_KEY_END, e->end, e->key_len);
	if (e->data && !remove)
		nook_nft_put_data(t, NFTA_SET_ELEM_DATA, e->data, e->data_len);
	nook_nft_nest_end(t);
}
