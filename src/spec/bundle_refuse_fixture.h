/* SPDX-License-Identifier: Apache-2.0 */
/* For unit tests of what is refused in config.json. A row is a member beside a good ociVersion;
 * ' stands for ". */
#ifndef NOOK_SPEC_BUNDLE_REFUSE_FIXTURE_H
#define NOOK_SPEC_BUNDLE_REFUSE_FIXTURE_H

#include "bundle.h"

#include "base/own.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TEXT 4096

/* The row's JSON with real quotes. */
static inline size_t quoted(char *out, size_t size, const char *text)
{
	size_t len = strlen(text);

	assert_true(len < size);
	for (size_t i = 0; i <= len; i++)
		out[i] = (char)(text[i] == '\'' ? '"' : text[i]);
	return len;
}

static inline int parse(struct nook_arena *a, const char *members, struct nook_bundle *b,
			struct nook_error *err)
{
	char text[TEXT];
	int len = snprintf(text, sizeof(text), "{'ociVersion':'1.3.0',%s}", members);
	char json[TEXT];

	assert_in_range(len, 1, sizeof(text) - 1);
	return nook_bundle_parse(a, json, quoted(json, sizeof(json), text), b, err);
}

struct refusal {
	const char *json, *place, *why; /* why: how it begins */
};

#define PROCESS(m)  "'process':{'args':['x'],'cwd':'/'," m "}"
#define MOUNT(m)    "'mounts':[{'destination':'/a'},{" m "}]"
#define HOOK(m)     "'hooks':{'prestart':[{" m "}]}"
#define LINUX(m)    "'linux':{" m "}"
#define RES(m)      "'linux':{'resources':{" m "}}"
#define DEVICE(m)   "'linux':{'devices':[{" m "}]}"
#define RULE(m)     "'linux':{'resources':{'devices':[{" m "}]}}"
#define SCHED(m)    "'process':{'args':['x'],'cwd':'/','scheduler':{" m "}}"
#define MPOL(m)     "'linux':{'memoryPolicy':{" m "}}"
#define NO_ABSOLUTE "\"x\" is not an absolute path"

static inline void check_refusals(const struct refusal *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		auto_arena struct nook_arena a = { 0 };
		struct nook_bundle b, untouched;
		struct nook_error err = { 0 };

		memset(&b, 0x5a, sizeof(b));
		untouched = b;
		assert_int_equal(nook_arena_init(&a), 0);
		if (parse(&a, rows[i].json, &b, &err) != -EINVAL)
			fail_msg("taken: %s", rows[i].json);
		assert_int_equal(err.errnum, EINVAL);
		assert_string_equal(err.where, rows[i].place);
		if (strncmp(err.why, rows[i].why, strlen(rows[i].why)) != 0)
			fail_msg("%s: %s", rows[i].json, err.why);
		assert_memory_equal(&b, &untouched, sizeof(b));
	}
}

#endif
