/* SPDX-License-Identifier: Apache-2.0 */
#include "words_set.h"

#include "values.h"

#include <string.h>

#define PID_LAST  4194304 /* PID_MAX_LIMIT */
#define CPU_LEAST 10      /* thousandths: the scheduler's least quota is 1 ms of 100 */
#define CPU_LAST  8192000 /* CONFIG_NR_CPUS at its most */

static struct nook_limits_spec *limits_of(const struct nook_option_use *use)
{
	return &((struct nook_run_words *)use->into)->spec.limits;
}

int nook_set_memory(const struct nook_option_use *use)
{
	struct nook_opt_i64 *memory = &limits_of(use)->memory;
	uint64_t bytes = 0;
	int rc = nook_value_size(use->value, &bytes, use->err);

	*memory = (struct nook_opt_i64){ true, (int64_t)bytes, use->from };
	return rc;
}

int nook_set_memory_swap(const struct nook_option_use *use)
{
	struct nook_opt_i64 *swap = &limits_of(use)->memory_swap;
	uint64_t bytes = 0;
	int rc = 0;

	*swap = (struct nook_opt_i64){ true, -1, use->from };
	if (strcmp(use->value, "-1") != 0) {
		rc = nook_value_size(use->value, &bytes, use->err);
		swap->value = (int64_t)bytes;
	}
	return rc;
}

int nook_set_cpus(const struct nook_option_use *use)
{
	struct nook_opt_u64 *cpus = &limits_of(use)->cpus_milli;

	cpus->set = true;
	cpus->from = use->from;
	return nook_value_milli(use->value, CPU_LEAST, CPU_LAST, &cpus->value, use->err);
}

static int set_weight(const struct nook_option_use *use, struct nook_opt_u64 *weight)
{
	int64_t value = 0;
	int rc = nook_value_i64(use->value, 1, 10000, &value, use->err);

	*weight = (struct nook_opt_u64){ true, (uint64_t)value, use->from };
	return rc;
}

int nook_set_cpu_weight(const struct nook_option_use *use)
{
	return set_weight(use, &limits_of(use)->cpu_weight);
}

int nook_set_io_weight(const struct nook_option_use *use)
{
	return set_weight(use, &limits_of(use)->io_weight);
}

int nook_set_pids(const struct nook_option_use *use)
{
	struct nook_opt_i64 *pids = &limits_of(use)->pids;

	pids->set = true;
	pids->from = use->from;
	return nook_value_i64(use->value, 1, PID_LAST, &pids->value, use->err);
}
