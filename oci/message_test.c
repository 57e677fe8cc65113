/* SPDX-License-Identifier: Apache-2.0 */
#include "message.c"

#include "base/own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static const struct {
	const char *name, *command;
	struct nook_error err;
	const char *text;
} cases[] = {
	{ "a sentence", "start", { .errnum = EINVAL, .why = "it is so" }, "it is so" },
	{ "what errno means begins small",
	  "create",
	  { .errnum = ENOENT, .why = "open /b/config.json: No such file or directory" },
	  "open /b/config.json: no such file or directory" },
	{ "but a name",
	  "create",
	  { .errnum = ENOTNAM, .why = "open x: Not a XENIX named type file" },
	  "open x: not a XENIX named type file" },
	{ "with the step and the place",
	  "create",
	  { .errnum = EPERM,
	    .wanted = "mount all",
	    .where = "/mounts/3",
	    .why = "mount x: Operation not permitted",
	    .id = "some-id",
	    .cause = "that is why",
	    .hint = "do this" },
	  "cannot mount all (/mounts/3): mount x: operation not permitted: that is why [some-id]; "
	  "try: do this" },
	{ "with the place alone",
	  "create",
	  { .errnum = EINVAL, .where = "/mounts/3/type", .why = "not a string" },
	  "/mounts/3/type: not a string" },
	{ "a path that isn't there",
	  "create",
	  { .errnum = ENOENT,
	    .wanted = NOOK_WANTED_EXEC,
	    .why = "execve /a b: No such file or directory",
	    .id = "command-not-found",
	    .cause = "it has none",
	    .hint = "look" },
	  "unable to start container process: exec: \"/a b\": stat /a b: no such file or "
	  "directory" },
	{ "a path that isn't there, looked for before",
	  "create",
	  { .errnum = ENOENT,
	    .wanted = NOOK_WANTED_EXEC,
	    .why = "/a: b: command not found in the container",
	    .id = "command-not-found" },
	  "unable to start container process: exec: \"/a: b\": stat /a: b: no such file or "
	  "directory" },
	{ "a directory",
	  "create",
	  { .errnum = EISDIR, .wanted = NOOK_WANTED_EXEC, .why = "execve /etc: Is a directory" },
	  "unable to start container process: exec: \"/etc\": is a directory: permission denied" },
	{ "a name that may not be executed",
	  "create",
	  { .errnum = EACCES, .wanted = NOOK_WANTED_EXEC, .why = "execve foo: Permission denied" },
	  "unable to start container process: exec: \"foo\": permission denied" },
	{ "a name that isn't there",
	  "exec",
	  { .errnum = ENOENT,
	    .wanted = NOOK_WANTED_EXEC,
	    .why = "foo: command not found in the container",
	    .id = "command-not-found" },
	  "exec failed: unable to start container process: exec: \"foo\": executable file not "
	  "found in $PATH" },
	{ "one that may not be executed",
	  "run",
	  { .errnum = EACCES,
	    .wanted = NOOK_WANTED_EXEC,
	    .why = "execve /etc: Permission denied",
	    .id = "not-executable",
	    .cause = "/etc is a directory" },
	  "unable to start container process: exec: \"/etc\": permission denied: /etc is a "
	  "directory [not-executable]" },
	{ "its interpreter isn't there",
	  "run",
	  { .errnum = ENOENT,
	    .wanted = NOOK_WANTED_EXEC,
	    .why = "execve /s: No such file or directory",
	    .id = "interpreter-missing",
	    .cause = "/s begins with #!/x" },
	  "unable to start container process: exec: \"/s\": no such file or directory: /s begins "
	  "with #!/x [interpreter-missing]" },
	{ "the last step, before execve",
	  "run",
	  { .errnum = EINVAL,
	    .wanted = NOOK_WANTED_EXEC,
	    .why = "seccomp(SET_MODE_FILTER, 3 instructions): Invalid argument" },
	  "cannot execute the command: seccomp(SET_MODE_FILTER, 3 instructions): invalid "
	  "argument" },
	{ "other people's bytes",
	  "create",
	  { .errnum = EINVAL, .where = "/a\n\033[31m", .why = "no" },
	  "/a\\n\\x1b[31m: no" },
	{ "nothing is known", "create", { .errnum = EIO }, "" },
};

static void test_messages(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[2048];

		oci_message(cases[i].command, &cases[i].err, text, sizeof(text));
		if (strcmp(text, cases[i].text) != 0)
			fail_msg("%s: \"%s\"", cases[i].name, text);
	}
}

/* Everything full: nothing is written past the end. */
static void test_long(void **state)
{
	struct nook_error err = { .errnum = EINVAL };
	char text[2048];

	memset(err.wanted, '\n', sizeof(err.wanted) - 1);
	memset(err.where, '\n', sizeof(err.where) - 1);
	memset(err.why, '\n', sizeof(err.why) - 1);
	memset(err.cause, '\n', sizeof(err.cause) - 1);
	memset(err.hint, '\n', sizeof(err.hint) - 1);
	oci_message("create", &err, text, sizeof(text));
	assert_in_range(strlen(text), 1900, sizeof(text) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
