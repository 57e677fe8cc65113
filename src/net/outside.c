/* SPDX-License-Identifier: Apache-2.0 */
#include "outside.h"

#include <unistd.h>

bool nook_net_homeless(void)
{
	return geteuid() != 0;
}
