/* SPDX-License-Identifier: Apache-2.0 */
/* Huge pages, RDMA, marks on network traffic, and files of v2 by name. */
#include "bundle_limits.h"
#include "base/own.h"
#include "base/text.h"

#include <inttypes.h>
#include <string.h>

/* ---- huge pages ---- */

/* The size is a part of the file's name, as the kernel writes it: "2MB", "64KB", "1GB". */
static bool is_page_size(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits > 0 && digits < 8 && text[0] != '0' && strchr("KMG", text[digits]) &&
	       text[digits] && !strcmp(text + digits + 1, "B");
}

int nook_limit_hugetlb(struct nook_limiter *l)
{
	for (size_t i = 0; i < l->r->n_hugepages; i++) {
		const struct nook_bundle_pair *p = &l->r->hugepages[i];
		const char *value = nook_limit_number(l, p->number);
		struct nook_held held;
		int r;

		if (!is_page_size(p->name))
			return nook_limit_refuse(l, p->from,
						 "a huge page size is written as the kernel does: "
						 "64KB, 2MB, 1GB");
		r = nook_limit_find(l, "hugetlb", "hugetlb", p->from, &held);
		if (r < 0)
			return r;

		const char *end = held.v2 ? "max" : "limit_in_bytes";

		/* Used pages, then those reserved by mmap(2), which need Linux 5.7. */
		nook_limit_write(l, held.dir, nook_printf(l->arena, "hugetlb.%s.%s", p->name, end),
				 value, p->from)
			->loose = true;

		struct nook_plan_cgroup_write *w = nook_limit_write(
			l, held.dir, nook_printf(l->arena, "hugetlb.%s.rsvd.%s", p->name, end),
			value, p->from);

		w->loose = w->optional = true;
	}
	return 0;
}

/* ---- rdma ---- */

/* A name of a device or of a network interface goes in front of the number. */
static bool is_word(const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || len > 63)
		return false;
	for (const char *c = text; *c; c++)
		if (*c <= ' ' || *c == 0x7f)
			return false;
	return true;
}

static const char *rdma_number(struct nook_limiter *l, const struct nook_opt_u64 *n)
{
	return n->set ? nook_limit_number(l, n->value) : "max";
}

int nook_limit_rdma(struct nook_limiter *l)
{
	for (size_t i = 0; i < l->r->n_rdma; i++) {
		const struct nook_bundle_rdma *d = &l->r->rdma[i];
		struct nook_held held;
		int r;

		if (!is_word(d->name))
			return nook_limit_refuse(l, d->from, "this is no name of an RDMA device");
		r = nook_limit_find(l, "rdma", "rdma", d->from, &held);
		if (r < 0)
			return r;
		nook_limit_write(l, held.dir, "rdma.max",
				 nook_printf(l->arena, "%s hca_handle=%s hca_object=%s", d->name,
					     rdma_number(l, &d->handles),
					     rdma_number(l, &d->objects)),
				 d->from)
			->loose = true;
	}
	return 0;
}

/* ---- network ---- */

int nook_limit_network(struct nook_limiter *l)
{
	const struct nook_opt_u64 *class_id = &l->r->class_id;
	struct nook_held held;
	int r = 0;

	if (class_id->set && class_id->value) {
		r = nook_limit_find(l, "net_cls", NULL, class_id->from, &held);
		if (r == 0)
			nook_limit_write(l, held.dir, "net_cls.classid",
					 nook_limit_number(l, class_id->value), class_id->from);
	}
	for (size_t i = 0; i < l->r->n_net_prio && r == 0; i++) {
		const struct nook_bundle_pair *p = &l->r->net_prio[i];

		if (!is_word(p->name))
			return nook_limit_refuse(l, p->from, "this is no network interface");
		r = nook_limit_find(l, "net_prio", NULL, p->from, &held);
		if (r == 0)
			nook_limit_write(l, held.dir, "net_prio.ifpriomap",
					 nook_printf(l->arena, "%s %" PRIu64, p->name, p->number),
					 p->from)
				->loose = true;
	}
	return r;
}

/* ---- unified: files of v2 by name ---- */

/* The core's own files that are limits: the others move, freeze and kill. */
static bool is_core_limit(const char *file)
{
	return !strcmp(file, "cgroup.max.depth") || !strcmp(file, "cgroup.max.descendants") ||
	       !strcmp(file, "cgroup.pressure");
}

static bool is_file_name(const char *name)
{
	const char *dot = strchr(name, '.');

	return dot && dot != name && dot[1] && strlen(name) < 128 && !strchr(name, '/') &&
	       !strstr(name, "..") && is_word(name);
}

static int unified_dir(struct nook_limiter *l, const struct nook_bundle_pair *p,
		       struct nook_held *ret)
{
	const char *controller = nook_strndup(l->arena, p->name, strcspn(p->name, "."));

	if (strcmp(controller, "cgroup"))
		return nook_limit_find(l, NULL, controller, p->from, ret);

	if (!is_core_limit(p->name))
		return nook_limit_refuse(l, p->from, "this file of cgroup v2 is no limit");
	for (unsigned i = 0; i < l->cg->n_dirs; i++) {
		if (l->cg->dirs[i].v2) {
			*ret = (struct nook_held){ i, true };
			return 0;
		}
	}
	nook_where(l->err, "%s", p->from ? p->from : "");
	return nook_refuse(l->err, EOPNOTSUPP, "the container is in no cgroup of v2 to hold this");
}

/* The kernel takes one line a write where it takes lines ("8:0 rbps=1000"). */
static void write_lines(struct nook_limiter *l, unsigned dir, const struct nook_bundle_pair *p)
{
	for (const char *at = p->text;;) {
		size_t n = strcspn(at, "\n");

		if (n || at == p->text)
			nook_limit_write(l, dir, p->name, nook_strndup(l->arena, at, n), p->from)
				->loose = true;
		if (!at[n])
			return;
		at += n + 1;
	}
}

int nook_limit_unified(struct nook_limiter *l)
{
	for (size_t i = 0; i < l->r->n_unified; i++) {
		const struct nook_bundle_pair *p = &l->r->unified[i];
		struct nook_held held;
		int r;

		if (!is_file_name(p->name))
			return nook_limit_refuse(l, p->from,
						 "a key here is a file of cgroup v2, like "
						 "memory.high");
		r = unified_dir(l, p, &held);
		if (r < 0)
			return r;
		write_lines(l, held.dir, p);
	}
	return 0;
}
