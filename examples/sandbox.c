/* SPDX-License-Identifier: Apache-2.0 */
/* A function that may look at everything and change nothing: it runs in a container of the
 * machine's own files. */
#include <nook/nook.h>
#include <stdio.h>

static int untrusted(void *arg)
{
	FILE *f = fopen("/etc/hostname", "w"); /* a copy: the host's stays as it is */

	if (f)
		fclose(f);
	printf("%s: shadow is %s\n", (const char *)arg,
	       fopen("/root/.bashrc", "r") ? "open" : "shut");
	return 7;
}

int main(void)
{
	struct nook_spec spec = { .net = NOOK_NET_NONE };
	struct nook_error err = { 0 };
	int status;

	if (nook_call(&spec, untrusted, "inside", &status, &err) < 0) {
		fprintf(stderr, "%s: %s\n", err.wanted, err.why);
		return 1;
	}
	printf("it returned %d\n", status);
	return 0;
}
