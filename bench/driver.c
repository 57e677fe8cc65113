/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times commands against each other: round after round, each command once a round, every round in
 * another order, so that what the machine does meanwhile meets all of them alike. The driver is
 * small and starts them by posix_spawn (vfork): its own cost is some 0.1 ms, and the same for all.
 *
 *     driver [--first] ROUNDS IDLE_MS NAME WORD… ++ NAME WORD… ++ …
 *
 * IDLE_MS is slept before each start: some costs of the kernel show only then. Prints "NAME
 * NANOSECONDS" a line, from before the start to after the wait. The first rounds warm up and are
 * not printed. A command that does not end with status 0 ends the driver. With --first the line has
 * one more number: till the first byte that the command printed.
 *
 * A command can be several, with ",," between them, whose times are summed up. One that begins with
 * "@" is not counted; "%" waits for the end of what they left running, whose parent we become.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_COMMANDS       32
#define WARM_ROUNDS        3
#define STDOUT_OF_COMMANDS 200

extern char **environ;

struct command {
	const char *name;
	char **argv;
};

static int first;           /* --first */
static uint64_t first_took; /* of the last command */

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Till the end of what it prints. */
static void listen_to(int out, uint64_t start)
{
	char text[4096];

	if (read(out, text, 1) == 1)
		first_took = now() - start;
	while (read(out, text, sizeof(text)) > 0)
		;
	close(out);
}

/* What a command leaves running is ours when it ends, and reaped at once as an engine does. */
static uint64_t run_one(char **argv, posix_spawn_file_actions_t *actions, const char *name)
{
	int out[2] = { -1, -1 };

	first_took = 0;
	/* Its write end is the commands' stdout, by a number that the file actions know. */
	if (first && (pipe2(out, O_CLOEXEC) < 0 || dup3(out[1], STDOUT_OF_COMMANDS, O_CLOEXEC) < 0))
		exit(1);
	if (first)
		close(out[1]);

	uint64_t start = now();
	pid_t pid, got;
	int status;
	int rc = posix_spawn(&pid, argv[0], actions, NULL, argv, environ);

	if (first) {
		close(STDOUT_OF_COMMANDS);
		listen_to(out[0], start);
	}

	if (rc != 0) {
		fprintf(stderr, "driver: %s: %s\n", argv[0], strerror(rc));
		exit(1);
	}
	while ((got = waitpid(-1, &status, 0)) != pid) {
		if (got < 0 && errno != EINTR)
			exit(1);
	}

	uint64_t took = now() - start;

	if (status != 0) {
		fprintf(stderr, "driver: %s: `%s %s` ended with wait status 0x%x\n", name, argv[0],
			argv[1] ? argv[1] : "", status);
		exit(1);
	}
	return took;
}

static void wait_for_the_rest(void)
{
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
}

static uint64_t run(const struct command *c, posix_spawn_file_actions_t *actions, int idle)
{
	const struct timespec pause = { idle / 1000, idle % 1000 * 1000000L };
	uint64_t sum = 0;

	for (char **word = c->argv; word && *word;) {
		char **argv = word, **next = word;
		int counted = 1;

		while (*next && strcmp(*next, ",,") != 0)
			next++;
		word = *next ? next + 1 : NULL;
		*next = NULL;
		if (strcmp(argv[0], "%") == 0) {
			wait_for_the_rest();
		} else {
			if (strcmp(argv[0], "@") == 0) {
				counted = 0;
				argv++;
			}
			if (idle && counted)
				nanosleep(&pause, NULL);

			uint64_t took = run_one(argv, actions, c->name);

			sum += counted ? took : 0;
		}
		if (word)
			*next = ",,";
	}
	return sum;
}

static int read_commands(char **words, struct command *commands)
{
	int n = 0;

	while (*words && n < MAX_COMMANDS) {
		commands[n].name = *words++;
		commands[n++].argv = words;
		while (*words && strcmp(*words, "++") != 0)
			words++;
		if (*words)
			*words++ = NULL;
	}
	return n;
}

static void shuffle(int *order, int n)
{
	for (int i = n - 1; i > 0; i--) {
		int j = rand() % (i + 1), swap = order[i];

		order[i] = order[j];
		order[j] = swap;
	}
}

int main(int argc, char **argv)
{
	struct command commands[MAX_COMMANDS];
	int order[MAX_COMMANDS];
	posix_spawn_file_actions_t actions;

	first = argc > 1 && strcmp(argv[1], "--first") == 0;
	argc -= first;
	argv += first;
	if (argc < 5) {
		fputs("usage: driver [--first] ROUNDS IDLE_MS NAME WORD… ++ NAME WORD… ++ …\n",
		      stderr);
		return 2;
	}

	int rounds = atoi(argv[1]), idle = atoi(argv[2]);
	int n = read_commands(argv + 3, commands);

	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return 1;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	if (first)
		posix_spawn_file_actions_adddup2(&actions, STDOUT_OF_COMMANDS, 1);
	else
		posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	for (int i = 0; i < n; i++)
		order[i] = i;

	for (int round = -WARM_ROUNDS; round < rounds; round++) {
		shuffle(order, n);
		for (int i = 0; i < n; i++) {
			const struct command *c = &commands[order[i]];

			uint64_t took = run(c, &actions, idle);

			if (round >= 0 && first)
				printf("%s %llu %llu\n", c->name, (unsigned long long)took,
				       (unsigned long long)first_took);
			else if (round >= 0)
				printf("%s %llu\n", c->name, (unsigned long long)took);
		}
	}
	return 0;
}
