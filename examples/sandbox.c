/* SPDX-License-Identifier: Apache-2.0 */
/* Calls a function that need not be trusted: it gets copies of this machine's files, and no
 * network. */
#include <nook/nook.h>
#include <stdio.h>
#include <unistd.h>

static int untrusted(void *path)
{
	int made = fopen((const char *)path, "w") ? 1 : 0; /* in the copy */

	printf("inside:  pid %d, uid %d, file %s\n", getpid(), getuid(), made ? "made" : "refused");
	return 40 + made;
}

int main(void)
{
	static char path[] = "/etc/made-by-untrusted";
	struct nook_spec spec = { .net = NOOK_NET_NONE };
	struct nook_error err = { 0 };
	int status;

	if (nook_call(&spec, untrusted, path, &status, &err) < 0)
		return fprintf(stderr, "cannot %s: %s\n%s\n", err.wanted, err.why, err.hint), 1;
	printf("outside: it returned %d; %s %s\n", status, path,
	       access(path, F_OK) ? "isn't there" : "is there");
	return 0;
}
