/* SPDX-License-Identifier: Apache-2.0 */
#include "call.h"

#ifdef NOOK_FAULTS

#include <stdlib.h>
#include <string.h>

/*
 * NOOK_FAULT_CALL=N[:ERRNO]: the Nth call of this process that goes through NOOK_CALL fails, with
 * ENOMEM if not said. The count goes on in the stage from where it stood at the clone, so one
 * number names one call of a whole run: those of the stage are counted from 1000000 up.
 */
static unsigned long calls;

static const char *setting(const char *name)
{
	/* secure_getenv(3): these builds are for tests, but never for a setuid start. */
	return secure_getenv(name);
}

int nook_fault_call(void)
{
	const char *text = setting("NOOK_FAULT_CALL");

	calls++;
	if (!text)
		return 0;

	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (n != calls)
		return 0;
	return *end == ':' ? -atoi(end + 1) : -ENOMEM;
}

int nook_fault_step(const char *name)
{
	const char *text = setting("NOOK_FAULT_STEP");

	return text && strcmp(text, name) == 0 ? -ENOMEM : 0;
}

void nook_fault_in_stage(void)
{
	calls = 1000000;
}

#else
typedef int nook_no_faults_in_this_build; /* ISO C wants something in a file */
#endif
