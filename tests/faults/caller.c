/* SPDX-License-Identifier: Apache-2.0 */
/* Says which descriptors a function in a container has, when its caller has left some open: caller
 * ROOT. */
#include <fcntl.h>
#include <nook/nook.h>
#include <stdio.h>

static int list(void *arg)
{
	(void)arg;
	for (int fd = 0; fd < 4096; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			printf("%d\n", fd);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct nook_spec spec = { 0 };
	struct nook_error err = { 0 };
	int status = 125;

	spec.root.kind = argc > 1 ? NOOK_ROOT_DIR : NOOK_ROOT_HOST;
	spec.root.dir.path = argv[1];
	if (nook_call(&spec, list, NULL, &status, &err) < 0)
		fprintf(stderr, "%s: %s\n", err.wanted, err.why);
	return status;
}
