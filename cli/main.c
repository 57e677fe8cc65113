/* SPDX-License-Identifier: Apache-2.0 */
/* The program nook: makes itself safe, then calls the command's function. */
#include "options.h"

#include "base/nearest.h"
#include "run/seal.h"
#include "stage/init.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <unistd.h>

/* With more power than the caller's, every path, variable and descriptor of the caller is an
 * attack. nook is never installed so. */
static void refuse_setuid(void)
{
	static const char text[] = "nook: refuses to run setuid, setgid or with file capabilities\n"
				   "  try:   Remove these from the program: chmod a-s, setcap -r\n";

	if (!getauxval(AT_SECURE))
		return;
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1); /* there is nobody else to tell */
	_exit(NOOK_EXIT_FAILURE);
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

static const char *command_name(const void *list, size_t i)
{
	(void)list;
	return i < nook_n_commands ? nook_commands[i].name : NULL; /* of a verb: its command */
}

static int no_command(const char *word)
{
	struct nook_error err = { 0 };
	const char *near = nook_nearest(word, command_name, NULL);

	if (near)
		nook_hint(&err, "Did you mean nook %s?", near);
	nook_hint(&err,
		  word[0] == '-' ? "Options stand behind the command: nook run %s."
				 : "nook help lists the commands; nook run %s runs a program.",
		  word);
	(void)nook_refuse(&err, EINVAL, "there is no %s '%s'",
			  word[0] == '-' ? "such option of nook itself:" : "command", word);
	return nook_cli_refused(&err);
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

int main(int argc, char **argv, char **env)
{
	refuse_setuid();
	/* The stage is a copy of this process in the container: nobody there may look into it. */
	(void)prctl(PR_SET_DUMPABLE, 0); /* fails for a wrong argument only */
	int rc = hold_standard_descriptors();

	if (rc < 0) {
		struct nook_error err = { 0 };

		(void)nook_fail(&err, -rc, "open /dev/null for stdin, stdout or stderr");
		return nook_cli_refused(&err);
	}
	(void)signal(SIGPIPE, SIG_DFL); /* fails for a wrong number only */
	note_words(argc, argv, env);
	nook_seal_arm(argv, env);

	if (argc < 2) {
		fputs("nook: the command is missing\n\n", stderr);
		nook_help_commands(stderr);
		return NOOK_EXIT_FAILURE;
	}

	const struct nook_command *command = nook_command_find(argv[1]);

	if (command && nook_command_verb(command, ""))
		return command->main(argc - 1, argv + 1);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		nook_help_commands(stdout);
		return nook_cli_end(0);
	}
	if (strcmp(argv[1], "--version") == 0)
		return nook_cmd_version(1, (char *[]){ argv[1], NULL });
	return no_command(argv[1]);
}
