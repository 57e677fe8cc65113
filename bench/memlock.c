/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into crun, which raises RLIMIT_MEMLOCK before it loads a device filter and gives up
 * when it may not. Since Linux 5.11 no filter needs that, so here it is told that it could.
 */
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
	return resource == RLIMIT_MEMLOCK ? 0
					  : (int)syscall(SYS_prlimit64, 0, resource, limit, NULL);
}

int setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limit)
{
	return setrlimit(resource, (const struct rlimit *)limit);
}
