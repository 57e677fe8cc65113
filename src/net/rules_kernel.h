/* SPDX-License-Identifier: Apache-2.0 */
/* The table inet nook as the kernel has it, read for a comparison. */
#ifndef NOOK_NET_RULES_KERNEL_H
#define NOOK_NET_RULES_KERNEL_H

#include "rules.h"

/* An element of a set or a map; all of it in the arena. */
struct nook_rules_element {
	const char *set;
	const void *key, *end, *data; /* NULL: it has none */
	size_t key_len, end_len, data_len;
	bool wanted; /* for who looks */
};

struct nook_rules_kernel {
	struct nook_arena *arena;
	bool any;                        /* is there a table? */
	const struct nlmsghdr **objects; /* it, its sets, chains and rules, in the kernel's order */
	size_t n_objects;
	struct nook_rules_element *elements; /* sorted */
	size_t n_elements;
};

/* Reads it. What changes meanwhile is read again. */
int nook_rules_read(int fd, struct nook_arena *a, struct nook_rules_kernel *ret,
		    struct nook_error *err);

/* The element of this set and key; NULL. */
struct nook_rules_element *nook_rules_find(const struct nook_rules_kernel *k, const char *set,
					   const void *key, size_t key_len);

/* An object's attribute as a text; "". */
const char *nook_rules_text(const struct nlmsghdr *object, uint16_t attribute);

/* Has @have every attribute of @want, with the same values? Messages of nf_tables, of which the
 * kernel's have more: counters, handles, what it has filled in. */
bool nook_rules_alike(const struct nlmsghdr *want, const struct nlmsghdr *have);

#endif
