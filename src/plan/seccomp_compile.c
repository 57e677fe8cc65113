/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp_profile.h"

#include "base/own.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>

/* Calls of the x32 ABI have this bit, on a machine that says it is x86-64. */
#define X32_BIT 0x40000000u

/* i386 reaches sockets and System V IPC by calls of their own, or by number through one call. A
 * rule for the former must hold for the latter, or refusing socket would refuse nothing. */
struct multiplexed {
	const char *name, *through;
	uint16_t number;
};

/* Sorted by name. */
static const struct multiplexed multiplexed[] = {
	{ "accept", "socketcall", 5 },
	{ "accept4", "socketcall", 18 },
	{ "bind", "socketcall", 2 },
	{ "connect", "socketcall", 3 },
	{ "getpeername", "socketcall", 7 },
	{ "getsockname", "socketcall", 6 },
	{ "getsockopt", "socketcall", 15 },
	{ "listen", "socketcall", 4 },
	{ "msgctl", "ipc", 14 },
	{ "msgget", "ipc", 13 },
	{ "msgrcv", "ipc", 12 },
	{ "msgsnd", "ipc", 11 },
	{ "recv", "socketcall", 10 },
	{ "recvfrom", "socketcall", 12 },
	{ "recvmmsg", "socketcall", 19 },
	{ "recvmsg", "socketcall", 17 },
	{ "semctl", "ipc", 3 },
	{ "semget", "ipc", 2 },
	{ "semop", "ipc", 1 },
	{ "semtimedop", "ipc", 4 },
	{ "send", "socketcall", 9 },
	{ "sendmmsg", "socketcall", 20 },
	{ "sendmsg", "socketcall", 16 },
	{ "sendto", "socketcall", 11 },
	{ "setsockopt", "socketcall", 14 },
	{ "shmat", "ipc", 21 },
	{ "shmctl", "ipc", 24 },
	{ "shmdt", "ipc", 22 },
	{ "shmget", "ipc", 23 },
	{ "shutdown", "socketcall", 13 },
	{ "socket", "socketcall", 1 },
	{ "socketpair", "socketcall", 8 },
};

/* A rule as it touches one number. */
struct entry {
	uint32_t number;
	uint32_t order;
	const struct nook_seccomp_rule *rule;
	const struct multiplexed *through; /* of a rule for another name; NULL: for this one */
};

struct entries {
	struct entry *list;
	size_t n;
	uint32_t last; /* highest number that any rule names, also one that says nothing new */
};

static void add_entry(struct entries *e, int32_t number, const struct nook_seccomp_rule *rule,
		      const struct multiplexed *through)
{
	if (number < 0)
		return; /* not on this machine */

	e->list[e->n] = (struct entry){ (uint32_t)number, (uint32_t)e->n, rule, through };
	e->n++;
}

static bool is_permissive(uint32_t action)
{
	return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG;
}

static int compare_name(const void *name, const void *element)
{
	return strcmp(name, ((const struct multiplexed *)element)->name);
}

static void add_multiplexed(struct entries *e, const struct nook_seccomp_rule *rule,
			    const char *name)
{
	/* "Allowed with these arguments": they are in memory here, out of the filter's sight. */
	if (rule->n_conds > 0 && is_permissive(rule->action))
		return;

	const struct multiplexed *m = bsearch(name, multiplexed, ARRAY_SIZE(multiplexed),
					      sizeof(multiplexed[0]), compare_name);
	const struct nook_seccomp_call *call = m ? nook_seccomp_find(m->through) : NULL;

	if (call)
		add_entry(e, call->number[NOOK_MACHINE_I386], rule, m);
}

static int by_number(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;

	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

static struct entries collect(struct nook_arena *a, const struct nook_seccomp_profile *profile,
			      enum nook_seccomp_machine machine)
{
	struct entries e = { 0 };
	size_t most = 0;

	/* One for its own number, one for the call that it goes through. */
	for (size_t i = 0; i < profile->n_rules; i++)
		most += profile->rules[i].n_calls * (machine == NOOK_MACHINE_I386 ? 2 : 1);
	e.list = nook_alloc_array(a, most, sizeof(*e.list));

	for (size_t i = 0; i < profile->n_rules; i++) {
		const struct nook_seccomp_rule *rule = &profile->rules[i];

		for (size_t c = 0; c < rule->n_calls; c++) {
			int32_t number = rule->calls[c]->number[machine];

			if (number > 0 && (uint32_t)number > e.last)
				e.last = (uint32_t)number;
		}
		if (rule->n_conds == 0 && rule->action == profile->action)
			continue;
		for (size_t c = 0; c < rule->n_calls; c++) {
			add_entry(&e, rule->calls[c]->number[machine], rule, NULL);
			if (machine == NOOK_MACHINE_I386)
				add_multiplexed(&e, rule, rule->calls[c]->name);
		}
	}
	if (e.n > 0)
		qsort(e.list, e.n, sizeof(e.list[0]), by_number);
	return e;
}

static struct nook_seccomp_match match_through(struct nook_arena *a, const struct entry *entry)
{
	struct nook_seccomp_cond *cond = nook_alloc(a, sizeof(*cond));

	/* ipc(2) takes a version in the upper half of its number. */
	*cond = (struct nook_seccomp_cond){ .arg = 0,
					    .op = NOOK_OP_MASKED_EQ,
					    .low = true,
					    .mask = strcmp(entry->through->through, "ipc") == 0
							    ? 0xffff
							    : UINT32_MAX,
					    .value = entry->through->number };
	return (struct nook_seccomp_match){ cond, 1, entry->rule->action };
}

/* What the rules in [@from, @end), all for one number, come to. */
static struct nook_seccomp_answer combine(struct nook_arena *a, const struct entry *from,
					  const struct entry *end, uint32_t otherwise)
{
	struct nook_seccomp_match *matches = NULL;
	size_t n = 0;

	for (const struct entry *e = from; e < end; e++) {
		if (!e->through && e->rule->n_conds == 0)
			return (struct nook_seccomp_answer){ .action = e->rule->action };
	}
	for (const struct entry *e = from; e < end; e++) {
		const struct nook_seccomp_rule *rule = e->rule;

		if (e->through) {
			struct nook_seccomp_match match = match_through(a, e);

			*nook_append(a, matches, n) = match;
		} else if (!rule->any) {
			*nook_append(a, matches, n) =
				(struct nook_seccomp_match){ rule->conds, rule->n_conds,
							     rule->action };
		} else {
			for (size_t c = 0; c < rule->n_conds; c++)
				*nook_append(a, matches, n) =
					(struct nook_seccomp_match){ &rule->conds[c], 1,
								     rule->action };
		}
	}
	return (struct nook_seccomp_answer){ matches, n, otherwise };
}

struct ranges {
	struct nook_seccomp_range *list;
	size_t n;
};

static void add_range(struct nook_arena *a, struct ranges *r, uint32_t first,
		      struct nook_seccomp_answer answer)
{
	const struct nook_seccomp_answer *last = r->n > 0 ? &r->list[r->n - 1].answer : NULL;

	if (last && last->n == 0 && answer.n == 0 && last->action == answer.action)
		return;
	/* Two that begin at one number: the former has none left. */
	if (r->n > 0 && r->list[r->n - 1].first == first) {
		r->list[r->n - 1].answer = answer;
		return;
	}
	*nook_append(a, r->list, r->n) = (struct nook_seccomp_range){ first, answer };
}

static struct nook_seccomp_section make_section(struct nook_arena *a,
						const struct nook_seccomp_profile *profile,
						enum nook_seccomp_machine machine)
{
	const struct nook_seccomp_answer otherwise = { .action = profile->action };
	struct entries e = collect(a, profile, machine);
	struct ranges r = { 0 };

	add_range(a, &r, 0, otherwise);
	for (size_t from = 0, end; from < e.n; from = end) {
		uint32_t number = e.list[from].number;

		for (end = from; end < e.n && e.list[end].number == number;)
			end++;
		add_range(a, &r, number, combine(a, &e.list[from], &e.list[end], profile->action));
		if (end == e.n || e.list[end].number != number + 1)
			add_range(a, &r, number + 1, otherwise);
	}
	/* C libraries take ENOSYS for a kernel without the call, and do without it. */
	if (profile->newer_unknown && e.n > 0)
		add_range(a, &r, e.last + 1,
			  (struct nook_seccomp_answer){ .action = SECCOMP_RET_ERRNO | ENOSYS });
	if (machine == NOOK_MACHINE_X86_64)
		add_range(a, &r, X32_BIT,
			  (struct nook_seccomp_answer){ .action = SECCOMP_RET_ERRNO | ENOSYS });

	return (struct nook_seccomp_section){ nook_seccomp_arches[machine].audit, r.list, r.n };
}

int nook_seccomp_compile(struct nook_arena *a, const struct nook_seccomp_profile *profile,
			 struct nook_filter *ret)
{
	struct nook_seccomp_section sections[2];
	size_t n = 0;

	sections[n++] = make_section(a, profile, NOOK_MACHINE_NATIVE);
	if (profile->machines[NOOK_MACHINE_COMPAT])
		sections[n++] = make_section(a, profile, NOOK_MACHINE_COMPAT);

	int rc = nook_seccomp_emit(a, sections, n, SECCOMP_RET_KILL_PROCESS, ret);

	if (rc == 0)
		ret->flags = profile->flags;
	return rc;
}
