/* SPDX-License-Identifier: Apache-2.0 */
/* What a bundle says about the process, and the settings of its namespaces. */
#include "stage.h"

#include <errno.h>

int enter_cgroup_namespace(void *ctx, struct nook_error *err)
{
	(void)ctx;
	return nook_refuse(err, ENOSYS, "enter_cgroup_namespace is to come");
}

void enter_cgroup_namespace_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	(void)plan;
	(void)rows;
}

int set_sysctls(void *ctx, struct nook_error *err)
{
	(void)ctx;
	return nook_refuse(err, ENOSYS, "set_sysctls is to come");
}

void set_sysctls_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	(void)plan;
	(void)rows;
}

int set_scheduling(void *ctx, struct nook_error *err)
{
	(void)ctx;
	return nook_refuse(err, ENOSYS, "set_scheduling is to come");
}

void set_scheduling_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	(void)plan;
	(void)rows;
}

int set_labels(void *ctx, struct nook_error *err)
{
	(void)ctx;
	return nook_refuse(err, ENOSYS, "set_labels is to come");
}

void set_labels_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	(void)plan;
	(void)rows;
}
