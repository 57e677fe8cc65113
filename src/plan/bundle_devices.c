/* SPDX-License-Identifier: Apache-2.0 */
/* Which devices a container may use: as a BPF program on v2, as a list of exceptions on v1. */
#include "base/own.h"
#include "bundle_limits.h"

#include <linux/bpf.h>
#include <string.h>

#define ALL (NOOK_DEVICE_READ | NOOK_DEVICE_WRITE | NOOK_DEVICE_MKNOD)

struct nook_bundle_device_rule *
nook_device_rules(struct nook_arena *a, const struct nook_bundle_resources *r, size_t *ret_n)
{
	/* runc puts these at the end: no rule of a bundle takes them away. */
	static const struct nook_bundle_device_rule defaults[] = {
		{ true, 'c', -1, -1, NOOK_DEVICE_MKNOD, NULL },
		{ true, 'b', -1, -1, NOOK_DEVICE_MKNOD, NULL },
		{ true, 'c', 1, 3, ALL, NULL },    /* null */
		{ true, 'c', 1, 5, ALL, NULL },    /* zero */
		{ true, 'c', 1, 7, ALL, NULL },    /* full */
		{ true, 'c', 1, 8, ALL, NULL },    /* random */
		{ true, 'c', 1, 9, ALL, NULL },    /* urandom */
		{ true, 'c', 5, 0, ALL, NULL },    /* tty */
		{ true, 'c', 5, 2, ALL, NULL },    /* ptmx */
		{ true, 'c', 136, -1, ALL, NULL }, /* pts/N */
		{ true, 'c', 10, 200, ALL, NULL }, /* net/tun */
	};
	size_t n = r->n_devices + ARRAY_SIZE(defaults);
	struct nook_bundle_device_rule *all = nook_alloc_array(a, n, sizeof(*all));

	if (r->n_devices)
		memcpy(all, r->devices, r->n_devices * sizeof(*all));
	memcpy(all + r->n_devices, defaults, sizeof(defaults));
	*ret_n = n;
	return all;
}

/* Does it say something of every device? runc, as v1's kernel, looks at nothing but the type. */
static bool is_for_all(const struct nook_bundle_device_rule *rule)
{
	return rule->type == 'a' && rule->major < 0 && rule->minor < 0 && rule->access == ALL;
}

bool nook_device_rules_allow_all(const struct nook_bundle_device_rule *rules, size_t n)
{
	while (n--) {
		if (is_for_all(&rules[n]))
			return rules[n].allow;
		if (!rules[n].allow)
			return false;
	}
	return false;
}

/* ---- v2 ---- */

enum reg { RESULT = 0, CONTEXT = 1, LEFT = 2, TYPE = 3, MAJOR = 4, MINOR = 5 };

struct program {
	struct nook_arena *arena;
	struct bpf_insn *insns;
	size_t n;
	size_t *yes; /* jumps to the "yes" at the end */
	size_t n_yes;
};

static size_t emit(struct program *p, uint8_t code, enum reg dst, enum reg src, int16_t off,
		   int32_t imm)
{
	struct bpf_insn *insn = nook_append(p->arena, p->insns, p->n);

	*insn = (struct bpf_insn){
		.code = code, .dst_reg = dst, .src_reg = src, .off = off, .imm = imm
	};
	return p->n - 1;
}

static void load(struct program *p, enum reg dst, size_t offset)
{
	(void)emit(p, BPF_LDX | BPF_MEM | BPF_W, dst, CONTEXT, (int16_t)offset, 0);
}

static void answer(struct program *p, bool allow)
{
	(void)emit(p, BPF_ALU64 | BPF_MOV | BPF_K, RESULT, 0, 0, allow);
	(void)emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* Device numbers use all of 32 bits, which 64-bit jumps would take for negative. */
static size_t skip_unless(struct program *p, enum reg reg, uint32_t value)
{
	return emit(p, BPF_JMP32 | BPF_JNE | BPF_K, reg, 0, 0, (int32_t)value);
}

static void allow_if(struct program *p, enum reg reg, uint32_t value)
{
	*nook_append(p->arena, p->yes, p->n_yes) =
		emit(p, BPF_JMP32 | BPF_JEQ | BPF_K, reg, 0, 0, (int32_t)value);
}

/* The jump leads to what comes next. */
static void land(struct program *p, size_t jump)
{
	p->insns[jump].off = (int16_t)(p->n - jump - 1);
}

static size_t skip_unless_type(struct program *p, char type)
{
	return skip_unless(p, TYPE, type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
}

static uint32_t kernel_access(unsigned access)
{
	return (access & NOOK_DEVICE_READ ? BPF_DEVCG_ACC_READ : 0) |
	       (access & NOOK_DEVICE_WRITE ? BPF_DEVCG_ACC_WRITE : 0) |
	       (access & NOOK_DEVICE_MKNOD ? BPF_DEVCG_ACC_MKNOD : 0);
}

/* What the rule says of the accesses that no later one has decided. Return: the last jump to what
 * follows, 0 none. */
static size_t decide(struct program *p, const struct nook_bundle_device_rule *rule)
{
	int32_t access = (int32_t)kernel_access(rule->access);
	size_t jump = 0;

	if (rule->access == ALL) {
		answer(p, rule->allow);
		return 0;
	}
	if (rule->allow) {
		(void)emit(p, BPF_ALU64 | BPF_AND | BPF_K, LEFT, 0, 0, ~access);
		jump = emit(p, BPF_JMP | BPF_JNE | BPF_K, LEFT, 0, 0, 0);
	} else {
		(void)emit(p, BPF_ALU64 | BPF_MOV | BPF_X, RESULT, LEFT, 0, 0);
		(void)emit(p, BPF_ALU64 | BPF_AND | BPF_K, RESULT, 0, 0, access);
		jump = emit(p, BPF_JMP | BPF_JEQ | BPF_K, RESULT, 0, 0, 0);
	}
	answer(p, rule->allow);
	return jump;
}

static void emit_rule(struct program *p, const struct nook_bundle_device_rule *rule)
{
	size_t jumps[4];
	size_t n = 0;

	if (rule->type != 'a')
		jumps[n++] = skip_unless_type(p, rule->type);
	if (rule->major >= 0)
		jumps[n++] = skip_unless(p, MAJOR, (uint32_t)rule->major);
	if (rule->minor >= 0)
		jumps[n++] = skip_unless(p, MINOR, (uint32_t)rule->minor);
	jumps[n] = decide(p, rule);
	n += jumps[n] != 0;

	while (n--)
		land(p, jumps[n]);
}

static bool covers(int64_t wide, int64_t narrow)
{
	return wide < 0 || wide == narrow;
}

#define COMPARED 64u   /* rules that one is compared with: those of nook's own and an engine's */
#define FEW      2000u /* as long as their jumps reach the end of the program */

/* Those that decide something, the last first, as they are asked. */
static const struct nook_bundle_device_rule **
deciding(struct nook_arena *a, const struct nook_bundle_device_rule *rules, size_t n, size_t *ret_n)
{
	const struct nook_bundle_device_rule **list = nook_alloc_array(a, n, sizeof(*list));
	size_t kept = 0;

	for (size_t i = n; i-- > 0;) {
		const struct nook_bundle_device_rule *rule = &rules[i];
		size_t later = 0;

		while (later < kept && later < COMPARED &&
		       !((list[later]->type == 'a' || list[later]->type == rule->type) &&
			 covers(list[later]->major, rule->major) &&
			 covers(list[later]->minor, rule->minor) &&
			 !(rule->access & ~list[later]->access)))
			later++;
		if (later == kept || later == COMPARED)
			list[kept++] = rule;
		if (is_for_all(rule))
			break;
	}
	*ret_n = kept;
	return list;
}

/* One device, or those of one driver, to be used in every way: most rules are of this kind. */
static bool is_plain(const struct nook_bundle_device_rule *rule)
{
	return rule->allow && rule->access == ALL && rule->type != 'a' && rule->major >= 0;
}

/*
 * Plain rules of one type in a row, with one question for the type and one for each driver: what
 * the kernel's verifier takes for a program is by its jumps, and is most of what a container's
 * devices cost.
 */
static size_t emit_plain(struct program *p, const struct nook_bundle_device_rule **rules, size_t n)
{
	size_t type = skip_unless_type(p, rules[0]->type), i = 0;

	while (i < n && is_plain(rules[i]) && rules[i]->type == rules[0]->type) {
		int64_t major = rules[i]->major;

		if (rules[i]->minor < 0) {
			allow_if(p, MAJOR, (uint32_t)major);
			i++;
			continue;
		}

		size_t driver = skip_unless(p, MAJOR, (uint32_t)major);

		for (; i < n && is_plain(rules[i]) && rules[i]->type == rules[0]->type &&
		       rules[i]->major == major && rules[i]->minor >= 0;
		     i++)
			allow_if(p, MINOR, (uint32_t)rules[i]->minor);
		land(p, driver);
	}
	land(p, type);
	return i;
}

struct bpf_insn *nook_device_program(struct nook_arena *a,
				     const struct nook_bundle_device_rule *rules, size_t n,
				     size_t *ret_n)
{
	struct program p = { .arena = a };
	const struct nook_bundle_device_rule **list = deciding(a, rules, n, &n);

	/* access_type: what is wanted in the upper half, the type in the lower. */
	load(&p, TYPE, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	(void)emit(&p, BPF_ALU64 | BPF_MOV | BPF_X, LEFT, TYPE, 0, 0);
	(void)emit(&p, BPF_ALU64 | BPF_RSH | BPF_K, LEFT, 0, 0, 16);
	(void)emit(&p, BPF_ALU64 | BPF_AND | BPF_K, TYPE, 0, 0, 0xffff);
	load(&p, MAJOR, offsetof(struct bpf_cgroup_dev_ctx, major));
	load(&p, MINOR, offsetof(struct bpf_cgroup_dev_ctx, minor));

	/* Nothing may follow a rule for all: the kernel refuses programs with dead ends. */
	for (size_t i = 0; i < n;) {
		if (n <= FEW && is_plain(list[i])) {
			i += emit_plain(&p, list + i, n - i);
		} else {
			emit_rule(&p, list[i]);
			i++;
		}
	}
	if (n == 0 || !is_for_all(list[n - 1]))
		answer(&p, false);
	for (size_t i = 0; i < p.n_yes; i++)
		land(&p, p.yes[i]);
	if (p.n_yes)
		answer(&p, true);

	*ret_n = p.n;
	return p.insns;
}

/* ---- v1: all are allowed or denied, with exceptions of the other kind ---- */

struct exceptions {
	bool allow; /* what is not in the list */
	struct nook_bundle_device_rule *list;
	size_t n;
};

static bool meets(int64_t a, int64_t b)
{
	return a < 0 || b < 0 || a == b;
}

/* Takes @rule's accesses off an exception. Return: -EOPNOTSUPP when only a part of it would go. */
static int take_off(struct nook_bundle_device_rule *e, const struct nook_bundle_device_rule *rule)
{
	if (e->type != rule->type || !meets(e->major, rule->major) ||
	    !meets(e->minor, rule->minor) || !(e->access & rule->access))
		return 0;
	if (!covers(rule->major, e->major) || !covers(rule->minor, e->minor))
		return -EOPNOTSUPP;
	e->access &= ~rule->access;
	return 0;
}

static int apply(struct nook_limiter *l, struct exceptions *x,
		 const struct nook_bundle_device_rule *rule)
{
	if (rule->allow != x->allow) {
		*nook_append(l->arena, x->list, x->n) = *rule;
		return 0;
	}
	for (size_t i = 0; i < x->n; i++) {
		/* What every container may use is no reason to refuse what was asked. */
		if (take_off(&x->list[i], rule) == 0 || !rule->from)
			continue;
		nook_where(l->err, "%s", rule->from);
		nook_hint(l->err, "give the rules the other way round: all that is allowed, and "
				  "nothing that is not");
		return nook_refuse(l->err, EOPNOTSUPP,
				   "cgroup v1 can't hold this exception from the wider rule for "
				   "devices before it");
	}
	return 0;
}

/* Kinds 'c' and 'b' apart: as 'a' the kernel takes no numbers. */
static int apply_each(struct nook_limiter *l, struct exceptions *x,
		      const struct nook_bundle_device_rule *rule)
{
	struct nook_bundle_device_rule one = *rule;
	int r;

	if (is_for_all(rule)) {
		*x = (struct exceptions){ .allow = rule->allow };
		return 0;
	}
	if (rule->type != 'a')
		return apply(l, x, rule);
	one.type = 'c';
	r = apply(l, x, &one);
	one.type = 'b';
	return r < 0 ? r : apply(l, x, &one);
}

static const char *number_text(struct nook_arena *a, int64_t number)
{
	return number < 0 ? "*" : nook_printf(a, "%lld", (long long)number);
}

static const char *exception_text(struct nook_arena *a, const struct nook_bundle_device_rule *e)
{
	return nook_printf(a, "%c %s:%s %s%s%s", e->type, number_text(a, e->major),
			   number_text(a, e->minor), e->access & NOOK_DEVICE_READ ? "r" : "",
			   e->access & NOOK_DEVICE_WRITE ? "w" : "",
			   e->access & NOOK_DEVICE_MKNOD ? "m" : "");
}

int nook_limit_devices_v1(struct nook_limiter *l, unsigned dir,
			  const struct nook_bundle_device_rule *rules, size_t n)
{
	struct exceptions x = { 0 };
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = apply_each(l, &x, &rules[i]);
	if (r < 0)
		return r;

	/* A new cgroup has its parent's list. */
	nook_limit_write(l, dir, x.allow ? "devices.allow" : "devices.deny", "a", NULL)->loose =
		true;
	for (size_t i = 0; i < x.n; i++) {
		const struct nook_bundle_device_rule *e = &x.list[i];

		if (e->access)
			nook_limit_write(l, dir, x.allow ? "devices.deny" : "devices.allow",
					 exception_text(l->arena, e), e->from)
				->loose = true;
	}
	return 0;
}
