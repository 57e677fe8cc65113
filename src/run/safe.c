/* SPDX-License-Identifier: Apache-2.0 */
#include "safe.h"

#include "seal.h"
#include "stage/init.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <unistd.h>

static void say(const char *text)
{
	(void)!write(STDERR_FILENO, text, strlen(text)); /* there is nobody else to tell */
}

/* nook is never installed so. */
static void refuse_setuid(const char *program, int failure)
{
	if (!getauxval(AT_SECURE))
		return;
	say(program);
	say(": refuses to run setuid, setgid or with file capabilities\n"
	    "  try:   Remove these from the program: chmod a-s, setcap -r\n");
	_exit(failure);
}

/* A file that nook opens must never become somebody's stdout. */
static int hold_standard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		/* The lowest free number is @fd. Not CLOEXEC: it is the program's, too. */
		int null = open("/dev/null", O_RDWR);

		if (null < 0)
			return -errno;
		if (null != fd)
			return -EBADF;
	}
	return 0;
}

/* The kernel lays the words and the environment out one behind the other. Pid 1 inside forgets its
 * copy of them. */
static void note_words(int argc, char **argv, char **env)
{
	const char *last = argc > 0 ? argv[argc - 1] : NULL;

	while (env && *env)
		last = *env++;
	if (last)
		nook_init_words(argv[0], (size_t)(last + strlen(last) + 1 - argv[0]));
}

int nook_safe_start(const char *program, int failure, int argc, char **argv, char **env,
		    struct nook_error *err)
{
	refuse_setuid(program, failure);
	/* The stage is a copy of this process in the container: nobody there may look into it. */
	(void)prctl(PR_SET_DUMPABLE, 0); /* fails for a wrong argument only */

	int rc = hold_standard_descriptors();

	if (rc < 0)
		return nook_fail(err, -rc, "open /dev/null for stdin, stdout or stderr");
	note_words(argc, argv, env);
	nook_seal_arm(argv, env);
	return 0;
}
