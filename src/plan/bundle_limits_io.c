/* SPDX-License-Identifier: Apache-2.0 */
/* Disks: weights and throttles. */
#include "bundle_limits.h"
#include "base/own.h"

#include <inttypes.h>

/* config-linux.md; bfq's own scale is 1 to 1000. */
#define WEIGHT_MIN 10
#define WEIGHT_MAX 1000

static const struct {
	const char *v1_file, *v2_key;
} throttles[NOOK_THROTTLES] = {
	[NOOK_READ_BPS] = { "blkio.throttle.read_bps_device", "rbps" },
	[NOOK_WRITE_BPS] = { "blkio.throttle.write_bps_device", "wbps" },
	[NOOK_READ_IOPS] = { "blkio.throttle.read_iops_device", "riops" },
	[NOOK_WRITE_IOPS] = { "blkio.throttle.write_iops_device", "wiops" },
};

static bool said(const struct nook_opt_u64 *value)
{
	return value->set && value->value != 0;
}

static int check_weight(struct nook_limiter *l, const struct nook_opt_u64 *weight, const char *from)
{
	if (!said(weight) || (weight->value >= WEIGHT_MIN && weight->value <= WEIGHT_MAX))
		return 0;
	return nook_limit_refuse(l, weight->from ? weight->from : from,
				 "an I/O weight is 10 to 1000");
}

/* Only the scheduler CFQ had it, which Linux 5.0 has dropped. */
static int refuse_leaf(struct nook_limiter *l, const struct nook_opt_u64 *weight, const char *from)
{
	if (!said(weight))
		return 0;
	nook_where(l->err, "%s", weight->from ? weight->from : from);
	return nook_refuse(l->err, EOPNOTSUPP,
			   "a leaf weight was only known to the I/O scheduler CFQ, which no kernel "
			   "since Linux 5.0 has");
}

/* io.weight's scale is 1 to 10000: runc's line. */
static uint64_t to_io_weight(uint64_t weight)
{
	return 1 + (weight - 10) * 9999 / 990;
}

static void write_weight(struct nook_limiter *l, const struct nook_held *held, const char *device,
			 const char *from, uint64_t weight)
{
	struct nook_plan_cgroup_write *w;
	bool by_device = device[0];

	w = nook_limit_write(l, held->dir,
			     held->v2    ? "io.bfq.weight"
			     : by_device ? "blkio.bfq.weight_device"
					 : "blkio.bfq.weight",
			     nook_printf(l->arena, "%s%" PRIu64, device, weight), from);
	w->loose = by_device;
	if (held->v2) {
		w->or_file = "io.weight";
		w->or_value = nook_printf(l->arena, "%s%" PRIu64, by_device ? device : "default ",
					  to_io_weight(weight));
		w->loose = true;
	}
}

static int weights(struct nook_limiter *l)
{
	const struct nook_opt_u64 *weight = &l->r->blkio.weight;
	struct nook_held held;
	int r = check_weight(l, weight, NULL);

	if (r == 0)
		r = refuse_leaf(l, &l->r->blkio.leaf_weight, NULL);
	if (r == 0 && said(weight)) {
		r = nook_limit_find(l, "blkio", "io", weight->from, &held);
		if (r == 0)
			write_weight(l, &held, "", weight->from, weight->value);
	}
	for (size_t i = 0; i < l->r->blkio.n_weights && r == 0; i++) {
		const struct nook_bundle_blkio_device *d = &l->r->blkio.weights[i];

		r = check_weight(l, &d->weight, d->from);
		if (r == 0)
			r = refuse_leaf(l, &d->leaf_weight, d->from);
		if (r < 0 || !said(&d->weight))
			continue;
		r = nook_limit_find(l, "blkio", "io", d->from, &held);
		if (r == 0)
			write_weight(l, &held, nook_printf(l->arena, "%u:%u ", d->major, d->minor),
				     d->from, d->weight.value);
	}
	return r;
}

/* A rate of 0 is no limit: v1's files say it so themselves. */
static void write_throttle(struct nook_limiter *l, const struct nook_held *held,
			   enum nook_throttle kind, const struct nook_bundle_blkio_device *d)
{
	const char *number = nook_limit_number(l, d->rate);
	const char *value;

	if (held->v2)
		value = nook_printf(l->arena, "%u:%u %s=%s", d->major, d->minor,
				    throttles[kind].v2_key, d->rate ? number : "max");
	else
		value = nook_printf(l->arena, "%u:%u %s", d->major, d->minor, number);
	nook_limit_write(l, held->dir, held->v2 ? "io.max" : throttles[kind].v1_file, value,
			 d->from)
		->loose = true;
}

int nook_limit_blkio(struct nook_limiter *l)
{
	struct nook_held held;
	int r = weights(l);

	for (unsigned kind = 0; kind < NOOK_THROTTLES && r == 0; kind++) {
		for (size_t i = 0; i < l->r->blkio.n_throttle[kind] && r == 0; i++) {
			const struct nook_bundle_blkio_device *d = &l->r->blkio.throttle[kind][i];

			r = nook_limit_find(l, "blkio", "io", d->from, &held);
			if (r == 0)
				write_throttle(l, &held, kind, d);
		}
	}
	return r;
}
