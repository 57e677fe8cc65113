/* SPDX-License-Identifier: Apache-2.0 */
/* The program nook-oci: what container engines call. */
#include "run/oci.h"

int main(void)
{
	return 1;
}
