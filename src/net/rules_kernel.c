/* SPDX-License-Identifier: Apache-2.0 */
#include "rules_kernel.h"

#include "base/own.h"

#include <stdlib.h>
#include <string.h>

#define TYPE(message) ((message)&0xff)

/* ---- comparing ---- */

struct attributes {
	const char *at;
	size_t len;
};

static struct attributes of_message(const struct nlmsghdr *h)
{
	const size_t skip = NLMSG_SPACE(sizeof(struct nfgenmsg));

	return h->nlmsg_len <= skip
		       ? (struct attributes){ 0 }
		       : (struct attributes){ (const char *)h + skip, h->nlmsg_len - skip };
}

static struct attributes of_attribute(const struct rtattr *a)
{
	return (struct attributes){ RTA_DATA(a), RTA_PAYLOAD(a) };
}

/* The next one, moving on; NULL: no more. */
static const struct rtattr *next(struct attributes *all)
{
	const struct rtattr *a = nook_nl_attr(all->at, all->len);

	if (!a)
		return NULL;
	(void)nook_nl_next_attr(a, &all->len); /* for what is left */
	all->at += RTA_ALIGN((size_t)a->rta_len);
	return a;
}

static unsigned type_of(const struct rtattr *a)
{
	return a->rta_type & NLA_TYPE_MASK;
}

/* Of those of this type the @nth, from 0: lists have many. */
static const struct rtattr *find_nth(struct attributes all, unsigned type, unsigned nth)
{
	for (const struct rtattr *a; (a = next(&all));) {
		if (type_of(a) == type && nth-- == 0)
			return a;
	}
	return NULL;
}

static unsigned count(struct attributes all, unsigned type)
{
	unsigned n = 0;

	for (const struct rtattr *a; (a = next(&all));)
		n += type_of(a) == type;
	return n;
}

static bool alike(struct attributes want, struct attributes have, unsigned ignored);

static bool same_value(const struct rtattr *want, const struct rtattr *have)
{
	if (want->rta_type & NLA_F_NESTED)
		return alike(of_attribute(want), of_attribute(have), 0);
	return RTA_PAYLOAD(want) == RTA_PAYLOAD(have) &&
	       memcmp(RTA_DATA(want), RTA_DATA(have), RTA_PAYLOAD(want)) == 0;
}

static bool is_zero(const struct rtattr *a)
{
	const uint32_t zero = 0;

	return RTA_PAYLOAD(a) == sizeof(zero) && memcmp(RTA_DATA(a), &zero, sizeof(zero)) == 0;
}

static bool alike(struct attributes want, struct attributes have, unsigned ignored)
{
	struct attributes rest = want;
	unsigned seen[64] = { 0 };

	for (const struct rtattr *w; (w = next(&rest));) {
		unsigned type = type_of(w);

		if (type == ignored)
			continue;

		const struct rtattr *h =
			type < ARRAY_SIZE(seen) ? find_nth(have, type, seen[type]++) : NULL;

		if (!h && is_zero(w))
			continue; /* the kernel leaves some away */
		if (!h || !same_value(w, h) || count(want, type) != count(have, type))
			return false;
	}
	return true;
}

bool nook_rules_alike(const struct nlmsghdr *want, const struct nlmsghdr *have)
{
	/* A set's number is of the transaction that has made it. */
	return alike(of_message(want), of_message(have),
		     TYPE(want->nlmsg_type) == NFT_MSG_NEWSET ? NFTA_SET_ID : 0);
}

const char *nook_rules_text(const struct nlmsghdr *object, uint16_t attribute)
{
	const struct rtattr *a = nook_nl_find(object, sizeof(struct nfgenmsg), attribute);

	return a && RTA_PAYLOAD(a) && memchr(RTA_DATA(a), '\0', RTA_PAYLOAD(a)) ? RTA_DATA(a) : "";
}

/* ---- reading ---- */

struct reading {
	struct nook_rules_kernel *k;
	const char *set; /* whose elements come */
};

/* The name of an object's table stands in its first attribute, whatever it is. */
static int take_object(void *data, const struct nlmsghdr *h)
{
	struct nook_rules_kernel *k = ((struct reading *)data)->k;

	if (NFNL_SUBSYS_ID(h->nlmsg_type) != NFNL_SUBSYS_NFTABLES ||
	    strcmp(nook_rules_text(h, NFTA_TABLE_NAME), NOOK_RULES_TABLE) != 0)
		return 0;

	struct nlmsghdr *copy = nook_alloc(k->arena, h->nlmsg_len);

	memcpy(copy, h, h->nlmsg_len);
	*nook_append(k->arena, k->objects, k->n_objects) = copy;
	return 0;
}

static void copy_value(struct nook_arena *a, const struct rtattr *from, const void **ret,
		       size_t *ret_len)
{
	const struct rtattr *value = nook_nl_find_in(from, NFTA_DATA_VALUE);

	if (!value)
		return;

	void *copy = nook_alloc(a, RTA_PAYLOAD(value));

	memcpy(copy, RTA_DATA(value), RTA_PAYLOAD(value));
	*ret = copy;
	*ret_len = RTA_PAYLOAD(value);
}

static int take_elements(void *data, const struct nlmsghdr *h)
{
	const struct reading *r = data;
	struct nook_rules_kernel *k = r->k;
	const struct rtattr *list =
		nook_nl_find(h, sizeof(struct nfgenmsg), NFTA_SET_ELEM_LIST_ELEMENTS);
	struct attributes all = list ? of_attribute(list) : (struct attributes){ 0 };

	if (h->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSETELEM))
		return 0;
	for (const struct rtattr *one; (one = next(&all));) {
		struct nook_rules_element *e = nook_append(k->arena, k->elements, k->n_elements);

		e->set = r->set;
		copy_value(k->arena, nook_nl_find_in(one, NFTA_SET_ELEM_KEY), &e->key, &e->key_len);
		copy_value(k->arena, nook_nl_find_in(one, NFTA_SET_ELEM_KEY_END), &e->end,
			   &e->end_len);
		copy_value(k->arena, nook_nl_find_in(one, NFTA_SET_ELEM_DATA), &e->data,
			   &e->data_len);
	}
	return 0;
}

static int order(const void *a, const void *b)
{
	const struct nook_rules_element *x = a, *y = b;
	int rc = strcmp(x->set, y->set);

	if (rc == 0 && x->key_len != y->key_len)
		rc = x->key_len < y->key_len ? -1 : 1;
	return rc == 0 && x->key_len ? memcmp(x->key, y->key, x->key_len) : rc;
}

struct nook_rules_element *nook_rules_find(const struct nook_rules_kernel *k, const char *set,
					   const void *key, size_t key_len)
{
	const struct nook_rules_element wanted = { .set = set, .key = key, .key_len = key_len };

	return k->n_elements ? bsearch(&wanted, k->elements, k->n_elements, sizeof(wanted), order)
			     : NULL;
}

static int read_elements(int fd, struct reading *r, struct nook_nl_refusal *refusal)
{
	const size_t n = r->k->n_objects;
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++) {
		const struct nlmsghdr *h = r->k->objects[i];
		struct nook_nl q;

		if (TYPE(h->nlmsg_type) != NFT_MSG_NEWSET)
			continue;
		r->set = nook_rules_text(h, NFTA_SET_NAME);
		nook_nft_question(&q, NFT_MSG_GETSETELEM, true);
		nook_nl_put_text(&q, NFTA_SET_ELEM_LIST_TABLE, NOOK_RULES_TABLE);
		nook_nl_put_text(&q, NFTA_SET_ELEM_LIST_SET, r->set);
		rc = nook_nl_ask(fd, &q, take_elements, r, refusal);
	}
	return rc;
}

int nook_rules_read(int fd, struct nook_arena *a, struct nook_rules_kernel *ret,
		    struct nook_error *err)
{
	static const uint16_t kinds[] = { NFT_MSG_GETSET, NFT_MSG_GETCHAIN, NFT_MSG_GETRULE };
	struct nook_nl_refusal refusal = { 0 };
	struct reading r = { .k = ret };
	struct nook_nl q;

	*ret = (struct nook_rules_kernel){ .arena = a };
	nook_nft_question(&q, NFT_MSG_GETTABLE, false);
	nook_nl_put_text(&q, NFTA_TABLE_NAME, NOOK_RULES_TABLE);

	int rc = nook_nl_ask(fd, &q, take_object, &r, &refusal);

	if (rc == -ENOENT)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(kinds) && rc == 0; i++) {
		nook_nft_question(&q, kinds[i], true);
		/* Of chains all tables' come: before Linux 6.4 or so they can't be asked by table.
		 */
		if (kinds[i] != NFT_MSG_GETCHAIN)
			nook_nl_put_text(&q, NFTA_TABLE_NAME, NOOK_RULES_TABLE);
		rc = nook_nl_ask(fd, &q, take_object, &r, &refusal);
	}
	if (rc == 0)
		rc = read_elements(fd, &r, &refusal);
	if (rc < 0)
		return nook_rules_fail(rc, &refusal, err, "read it");
	ret->any = true;
	if (ret->n_elements)
		qsort(ret->elements, ret->n_elements, sizeof(*ret->elements), order);
	return 0;
}
