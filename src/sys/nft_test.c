/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages as nft(8) 1.0.6 sends them, seen by strace(1); without the attributes SET_ID, by which
 * it names sets of the same transaction twice.
 */
#include "nft.h"

#include "base/own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void map_rule(struct nook_nft *t, uint8_t family, const char *map, unsigned port)
{
	nook_nft_rule(t, "ports");
	nook_nft_meta(t, NFT_META_NFPROTO, 0);
	nook_nft_cmp(t, NFT_CMP_EQ, 0, &family, 1);
	nook_nft_meta(t, NFT_META_L4PROTO, 0);
	nook_nft_payload(t, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, 1);
	nook_nft_map(t, map, 0, 0);
	nook_nft_dnat(t, family, 0, port);
	nook_nft_rule_end(t);
}

static void put_raw(struct nook_nft *t)
{
	const uint8_t family = NFPROTO_IPV4, first = 127;

	nook_nft_rule(t, "raw");
	nook_nft_meta(t, NFT_META_IIFNAME, 0);
	nook_nft_in_set(t, "networks", 0);
	nook_nft_meta(t, NFT_META_NFPROTO, 0);
	nook_nft_cmp(t, NFT_CMP_EQ, 0, &family, 1);
	nook_nft_payload(t, NFT_PAYLOAD_NETWORK_HEADER, 16, 1, 0);
	nook_nft_cmp(t, NFT_CMP_EQ, 0, &first, 1);
	nook_nft_verdict(t, NF_DROP, NULL);
	nook_nft_rule_end(t);
}

static void put_map4(struct nook_nft *t)
{
	map_rule(t, NFPROTO_IPV4, "any4", 1);
}

static void put_map6(struct nook_nft *t)
{
	map_rule(t, NFPROTO_IPV6, "any6", 4);
}

static void put_masquerade(struct nook_nft *t)
{
	const uint32_t none = 0;

	nook_nft_rule(t, "post");
	nook_nft_ct(t, NFT_CT_STATUS, 0);
	nook_nft_mask(t, 0, 0x20);
	nook_nft_cmp(t, NFT_CMP_NEQ, 0, &none, sizeof(none));
	nook_nft_masquerade(t);
	nook_nft_rule_end(t);
}

static void put_fib(struct nook_nft *t)
{
	const uint32_t local = RTN_LOCAL;

	nook_nft_rule(t, "post");
	nook_nft_fib_type(t, NFTA_FIB_F_SADDR, 0);
	nook_nft_cmp(t, NFT_CMP_EQ, 0, &local, sizeof(local));
	nook_nft_verdict(t, NFT_RETURN, NULL);
	nook_nft_rule_end(t);
}

static void put_goto(struct nook_nft *t)
{
	nook_nft_rule(t, "raw");
	nook_nft_verdict(t, NFT_GOTO, "plain");
	nook_nft_rule_end(t);
}

static void put_kind(struct nook_nft *t)
{
	nook_nft_rule(t, "raw");
	nook_nft_meta(t, NFT_META_IIFKIND, 0);
	nook_nft_cmp(t, NFT_CMP_EQ, 0, "bridge\0\0\0\0\0\0\0\0\0", 16);
	nook_nft_verdict(t, NF_ACCEPT, NULL);
	nook_nft_rule_end(t);
}

static void put_map_element(struct nook_nft *t)
{
	static const uint8_t key[] = { 6, 0, 0, 0, 0x1f, 0x90, 0, 0 };
	static const uint8_t data[] = { 10, 88, 0, 2, 0, 80, 0, 0 };
	const struct nook_nft_element e = {
		.key = key, .key_len = sizeof(key), .data = data, .data_len = sizeof(data)
	};

	nook_nft_element(t, "any4", &e, false);
}

static void put_interval(struct nook_nft *t)
{
	static const char key[20] = "\x0a\x58\x00\x00nook0", end[20] = "\x0a\x58\x00\xffnook0";
	const struct nook_nft_element e = { .key = key, .end = end, .key_len = sizeof(key) };

	nook_nft_element(t, "subnets4", &e, false);
}

static void put_chain(struct nook_nft *t)
{
	const struct nook_nft_chain chain = { .name = "forward",
					      .type = "filter",
					      .hook = NF_INET_FORWARD };

	nook_nft_chain(t, &chain);
}

static void put_flush(struct nook_nft *t)
{
	nook_nft_flush(t, "raw");
}

static void put_delete_table(struct nook_nft *t)
{
	nook_nft_table_delete(t);
}

static const struct {
	const char *nft; /* what was given to nft */
	void (*put)(struct nook_nft *t);
	uint16_t type, flags;
	const char *attributes;
} cases[] = {
	{ "add rule inet nook raw iifname @networks ip daddr 127.0.0.0/8 drop", put_raw, 0xa06,
	  0xc01,
	  "090001006e6f6f6b0000000008000200726177003401048024000180090001006d65746100000000"
	  "14000280080002000000000608000100000000012c0001800b0001006c6f6f6b757000001c000280"
	  "08000200000000010d0001006e6574776f726b730000000024000180090001006d65746100000000"
	  "14000280080002000000000f08000100000000012c00018008000100636d70002000028008000100"
	  "0000000108000200000000000c0003800500010002000000340001800c0001007061796c6f616400"
	  "2400028008000100000000010800020000000001080003000000001008000400000000012c000180"
	  "08000100636d700020000280080001000000000108000200000000000c000380050001007f000000"
	  "300001800e000100696d6d6564696174650000001c0002800800010000000000100002800c000280"
	  "0800010000000000" },
	{ "add rule inet nook ports meta nfproto ipv4 dnat ip to meta l4proto . th dport map @any4",
	  put_map4, 0xa06, 0xc01,
	  "090001006e6f6f6b000000000a000200706f7274730000000c01048024000180090001006d657461"
	  "0000000014000280080002000000000f08000100000000012c00018008000100636d700020000280"
	  "080001000000000108000200000000000c000380050001000200000024000180090001006d657461"
	  "000000001400028008000200000000100800010000000001340001800c0001007061796c6f616400"
	  "24000280080001000000000908000200000000020800030000000002080004000000000230000180"
	  "0b0001006c6f6f6b75700000200002800800020000000001080003000000000109000100616e7934"
	  "0000000030000180080001006e617400240002800800010000000001080002000000000208000300"
	  "000000010800050000000009" },
	{ "add rule inet nook ports meta nfproto ipv6 dnat ip6 to meta l4proto . th dport map "
	  "@any6",
	  put_map6, 0xa06, 0xc01,
	  "090001006e6f6f6b000000000a000200706f7274730000000c01048024000180090001006d657461"
	  "0000000014000280080002000000000f08000100000000012c00018008000100636d700020000280"
	  "080001000000000108000200000000000c000380050001000a00000024000180090001006d657461"
	  "000000001400028008000200000000100800010000000001340001800c0001007061796c6f616400"
	  "24000280080001000000000908000200000000020800030000000002080004000000000230000180"
	  "0b0001006c6f6f6b75700000200002800800020000000001080003000000000109000100616e7936"
	  "0000000030000180080001006e617400240002800800010000000001080002000000000a08000300"
	  "000000010800050000000002" },
	{ "add rule inet nook post ct status dnat masquerade", put_masquerade, 0xa06, 0xc01,
	  "090001006e6f6f6b0000000009000200706f737400000000a8000480200001800700010063740000"
	  "1400028008000200000000020800010000000001440001800c000100626974776973650034000280"
	  "0800010000000001080002000000000108000300000000040c00048008000100200000000c000580"
	  "08000100000000002c00018008000100636d70002000028008000100000000010800020000000001"
	  "0c000380080001000000000014000180090001006d6173710000000004000280" },
	{ "add rule inet nook post fib saddr type local return", put_fib, 0xa06, 0xc01,
	  "090001006e6f6f6b0000000009000200706f73740000000088000480280001800800010066696200"
	  "1c0002800800030000000001080002000000000308000100000000012c00018008000100636d7000"
	  "20000280080001000000000108000200000000000c0003800800010002000000300001800e000100"
	  "696d6d6564696174650000001c0002800800010000000000100002800c00028008000100fffffffb" },
	{ "add rule inet nook raw goto plain", put_goto, 0xa06, 0xc01,
	  "090001006e6f6f6b000000000800020072617700400004803c0001800e000100696d6d6564696174"
	  "650000002800028008000100000000001c0002801800028008000100fffffffc0a000200706c6169"
	  "6e000000" },
	{ "add rule inet nook raw meta iifkind \"bridge\" accept", put_kind, 0xa06, 0xc01,
	  "090001006e6f6f6b0000000008000200726177009000048024000180090001006d65746100000000"
	  "14000280080002000000001a08000100000000013800018008000100636d70002c00028008000100"
	  "00000001080002000000000018000380140001006272696467650000000000000000000030000180"
	  "0e000100696d6d6564696174650000001c0002800800010000000000100002800c00028008000100"
	  "00000001" },
	{ "add element inet nook any4 { tcp . 8080 : 10.88.0.2 . 80 }", put_map_element, 0xa0c,
	  0x401,
	  "090001006e6f6f6b0000000009000200616e7934000000002800038024000180100001800c000100"
	  "060000001f900000100002800c0001000a58000200500000" },
	{ "add element inet nook subnets4 { 10.88.0.0/24 . \"nook0\" }", put_interval, 0xa0c, 0x401,
	  "090001006e6f6f6b000000000d0002007375626e6574733400000000400003803c0001801c000180"
	  "180001000a5800006e6f6f6b3000000000000000000000001c000a80180001000a5800ff6e6f6f6b"
	  "300000000000000000000000" },
	{ "add chain inet nook forward { type filter hook forward priority 0; policy accept; }",
	  put_chain, 0xa03, 0x401,
	  "090001006e6f6f6b000000000c000300666f7277617264000b00070066696c746572000008000500"
	  "000000011400048008000100000000020800020000000000" },
	{ "flush chain inet nook raw", put_flush, 0xa08, 0x1,
	  "090001006e6f6f6b000000000800020072617700" },
	{ "delete table inet nook", put_delete_table, 0xa02, 0x1, "090001006e6f6f6b00000000" },
};

static void to_hex(const char *data, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++)
		(void)sprintf(out + 2 * i, "%02x", (unsigned char)data[i]);
	out[2 * len] = '\0';
}

/* A transaction of one message: BEGIN, it, END. */
static void test_bytes(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char buffer[2048], hex[4097];
		struct nook_nft t;
		struct nlmsghdr head;
		struct nfgenmsg gen;

		nook_nft_begin(&t, buffer, sizeof(buffer), "nook");
		cases[i].put(&t);
		nook_nft_end(&t);
		memcpy(&head, buffer, sizeof(head));
		assert_int_equal(head.nlmsg_type, NFNL_MSG_BATCH_BEGIN);
		assert_int_equal(head.nlmsg_len, 20);

		const char *at = buffer + head.nlmsg_len;

		memcpy(&head, at, sizeof(head));
		memcpy(&gen, at + sizeof(head), sizeof(gen));
		assert_int_equal(head.nlmsg_type, cases[i].type);
		assert_int_equal(head.nlmsg_flags, cases[i].flags);
		assert_int_equal(gen.nfgen_family, NFPROTO_INET);
		to_hex(at + 20, head.nlmsg_len - 20, hex);
		if (strcmp(hex, cases[i].attributes) != 0)
			print_error("%s\n", cases[i].nft);
		assert_string_equal(hex, cases[i].attributes);

		at += head.nlmsg_len;
		memcpy(&head, at, sizeof(head));
		assert_int_equal(head.nlmsg_type, NFNL_MSG_BATCH_END);
		assert_ptr_equal(at + head.nlmsg_len, buffer + t.used);
		assert_int_equal(t.messages, 3);
	}
}

/* Of one set many share a message, but no list grows past what its 16 bits can count. */
static void test_many_elements(void **state)
{
	enum { MANY = 20000 };
	static char buffer[2 << 20];
	struct nook_nft t;
	unsigned lists = 0;

	nook_nft_begin(&t, buffer, sizeof(buffer), "nook");
	for (unsigned i = 0; i < MANY; i++) {
		const uint32_t key[2] = { 6, i }, data[2] = { 1, 2 };
		const struct nook_nft_element e = {
			.key = key, .key_len = sizeof(key), .data = data, .data_len = sizeof(data)
		};

		nook_nft_element(&t, i < MANY / 2 ? "any4" : "any6", &e, false);
	}
	nook_nft_end(&t);
	for (size_t at = 0; at < t.used;) {
		struct nlmsghdr head;

		memcpy(&head, buffer + at, sizeof(head));
		lists += head.nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSETELEM);
		assert_true(head.nlmsg_len >= 20 && head.nlmsg_len < 65536);
		at += NLMSG_ALIGN(head.nlmsg_len);
	}
	assert_true(lists >= 20 && lists < 30);
	assert_int_equal(t.messages, lists + 2);
}

static bool only_odd(void *data, const char *set, const struct nook_nft_element *e)
{
	*(unsigned *)data += 1;
	return *(const uint8_t *)e->key & 1;
}

static void test_filter(void **state)
{
	char buffer[1024], hex[2049];
	unsigned seen = 0;
	struct nook_nft t;

	nook_nft_begin(&t, buffer, sizeof(buffer), "nook");
	nook_nft_filter(&t, only_odd, &seen);
	for (uint8_t i = 1; i <= 4; i++) {
		const struct nook_nft_element e = { .key = &i, .key_len = 1 };

		nook_nft_element(&t, "guarded", &e, true);
	}
	nook_nft_end(&t);
	assert_int_equal(seen, 4);
	assert_int_equal(t.messages, 3);
	to_hex(buffer + 40, t.used - 60, hex);
	assert_string_equal(hex, "090001006e6f6f6b000000000c0002006775617264656400"
				 "24000380"
				 "100001800c0001800500010001000000"
				 "100001800c0001800500010003000000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_many_elements),
		cmocka_unit_test(test_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
