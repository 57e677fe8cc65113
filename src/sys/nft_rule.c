/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of nf_tables: expressions, put together in the order that nft(8) has. */
#include "nft_put.h"

#include <string.h>

void nook_nft_rule(struct nook_nft *t, const char *chain)
{
	nook_nft_message(t, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, NFTA_RULE_TABLE);
	nook_nft_put_text(t, NFTA_RULE_CHAIN, chain);
	nook_nft_nest(t, NFTA_RULE_EXPRESSIONS);
}

void nook_nft_rule_end(struct nook_nft *t)
{
	nook_nft_nest_end(t);
	nook_nft_message_end(t);
}

static void begin_expr(struct nook_nft *t, const char *name)
{
	nook_nft_nest(t, NFTA_LIST_ELEM);
	nook_nft_put_text(t, NFTA_EXPR_NAME, name);
	nook_nft_nest(t, NFTA_EXPR_DATA);
}

static void end_expr(struct nook_nft *t)
{
	nook_nft_nest_end(t);
	nook_nft_nest_end(t);
}

/* A register by its first word, as the kernel tells it: those of 16 bytes by their own numbers. */
static void put_word(struct nook_nft *t, uint16_t type, unsigned word)
{
	nook_nft_put_u32(t, type, word % 4 == 0 ? NFT_REG_1 + word / 4 : NFT_REG32_00 + word);
}

void nook_nft_meta(struct nook_nft *t, enum nft_meta_keys key, unsigned word)
{
	begin_expr(t, "meta");
	nook_nft_put_u32(t, NFTA_META_KEY, key);
	put_word(t, NFTA_META_DREG, word);
	end_expr(t);
}

void nook_nft_ct(struct nook_nft *t, enum nft_ct_keys key, unsigned word)
{
	begin_expr(t, "ct");
	nook_nft_put_u32(t, NFTA_CT_KEY, key);
	put_word(t, NFTA_CT_DREG, word);
	end_expr(t);
}

void nook_nft_payload(struct nook_nft *t, enum nft_payload_bases base, uint32_t offset,
		      uint32_t len, unsigned word)
{
	begin_expr(t, "payload");
	put_word(t, NFTA_PAYLOAD_DREG, word);
	nook_nft_put_u32(t, NFTA_PAYLOAD_BASE, base);
	nook_nft_put_u32(t, NFTA_PAYLOAD_OFFSET, offset);
	nook_nft_put_u32(t, NFTA_PAYLOAD_LEN, len);
	end_expr(t);
}

void nook_nft_fib_type(struct nook_nft *t, uint32_t flags, unsigned word)
{
	begin_expr(t, "fib");
	nook_nft_put_u32(t, NFTA_FIB_FLAGS, flags);
	nook_nft_put_u32(t, NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	put_word(t, NFTA_FIB_DREG, word);
	end_expr(t);
}

void nook_nft_cmp(struct nook_nft *t, enum nft_cmp_ops op, unsigned word, const void *data,
		  size_t len)
{
	begin_expr(t, "cmp");
	put_word(t, NFTA_CMP_SREG, word);
	nook_nft_put_u32(t, NFTA_CMP_OP, op);
	nook_nft_put_data(t, NFTA_CMP_DATA, data, len);
	end_expr(t);
}

void nook_nft_mask(struct nook_nft *t, unsigned word, uint32_t mask)
{
	const uint32_t nothing = 0;

	begin_expr(t, "bitwise");
	put_word(t, NFTA_BITWISE_SREG, word);
	put_word(t, NFTA_BITWISE_DREG, word);
	nook_nft_put_u32(t, NFTA_BITWISE_LEN, sizeof(mask));
	nook_nft_put_data(t, NFTA_BITWISE_MASK, &mask, sizeof(mask));
	nook_nft_put_data(t, NFTA_BITWISE_XOR, &nothing, sizeof(nothing));
	end_expr(t);
}

void nook_nft_in_set(struct nook_nft *t, const char *set, unsigned word)
{
	begin_expr(t, "lookup");
	put_word(t, NFTA_LOOKUP_SREG, word);
	nook_nft_put_text(t, NFTA_LOOKUP_SET, set);
	end_expr(t);
}

void nook_nft_map(struct nook_nft *t, const char *map, unsigned word, unsigned to)
{
	begin_expr(t, "lookup");
	put_word(t, NFTA_LOOKUP_SREG, word);
	put_word(t, NFTA_LOOKUP_DREG, to);
	nook_nft_put_text(t, NFTA_LOOKUP_SET, map);
	end_expr(t);
}

void nook_nft_dnat(struct nook_nft *t, uint32_t family, unsigned address, unsigned port)
{
	begin_expr(t, "nat");
	nook_nft_put_u32(t, NFTA_NAT_TYPE, NFT_NAT_DNAT);
	nook_nft_put_u32(t, NFTA_NAT_FAMILY, family);
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
	nook_nft_put_u32(t, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	nook_nft_nest(t, NFTA_IMMEDIATE_DATA);
	nook_nft_nest(t, NFTA_DATA_VERDICT);
	nook_nft_put_u32(t, NFTA_VERDICT_CODE, (uint32_t)verdict);
	if (chain)
		nook_nft_put_text(t, NFTA_VERDICT_CHAIN, chain);
	nook_nft_nest_end(t);
	nook_nft_nest_end(t);
	end_expr(t);
}
