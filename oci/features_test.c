/* SPDX-License-Identifier: Apache-2.0 */
/* What `features` promises is what the code understands. */
#include "features.c"

#include "plan/bundle_parts.h"
#include "plan/seccomp_profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const char *printed;
static size_t printed_len;

int oci_print(const struct oci *o, const char *text, size_t len)
{
	(void)o;
	printed = text;
	printed_len = len;
	return 0;
}

/* The list at "a/b/c" of the document, NULL-terminated. */
static const char *const *list_at(struct nook_arena *a, const struct nook_json_value *doc,
				  const char *object, const char *inner, const char *key)
{
	const char *const *texts = NULL;
	const struct nook_json_value *at = doc;
	struct nook_json_value outer, middle;
	size_t n;

	if (object) {
		assert_int_equal(nook_json_member(doc, object, NOOK_JSON_REQUIRED, NOOK_JSON_OBJECT,
						  &outer, NULL),
				 0);
		at = &outer;
	}
	if (inner) {
		assert_int_equal(nook_json_member(&outer, inner, NOOK_JSON_REQUIRED,
						  NOOK_JSON_OBJECT, &middle, NULL),
				 0);
		at = &middle;
	}
	assert_int_equal(
		nook_json_get_texts(a, at, key, NOOK_JSON_REQUIRED, 200, 100, &texts, &n, NULL), 0);
	assert_true(n > 0);
	return texts;
}

static void check_mount_options(struct nook_arena *a, const char *const *names)
{
	for (; *names; names++) {
		const char *const one[] = { *names, NULL };
		struct nook_mount_options o;

		nook_mount_options_read(a, one, &o);
		if (o.unknown || o.refused)
			fail_msg("%s is no mount option", *names);
	}
}

/* @form: a profile in which %s stands for the word. */
static void check_profile(struct nook_arena *a, const char *const *words, const char *form)
{
	const struct nook_seccomp_facts facts = { ~0ULL, 6, 18 };

	for (; *words; words++) {
		const char *percent = strstr(form, "%s");
		const char *text = nook_printf(a, "%.*s%s%s", (int)(percent - form), form, *words,
					       percent + 2);
		struct nook_seccomp_profile profile = { 0 };
		struct nook_error err = { 0 };

		/* A notify needs the bundle's listener, which a file of its own has not. */
		if (strcmp(*words, "SCMP_ACT_NOTIFY") == 0 || strstr(*words, "KILLABLE"))
			continue;
		if (nook_seccomp_parse(a, text, strlen(text), "x", &facts, &profile, &err) < 0)
			fail_msg("%s: %s", *words, err.why);
	}
}

static void test_features(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	auto_json struct nook_json *tree = NULL;
	struct oci o = { .arena = &a };
	struct nook_json_value doc = { 0 };

	assert_int_equal(nook_arena_init(&a), 0);
	assert_int_equal(oci_features(&o, NULL), 0);
	assert_int_equal(nook_json_parse(printed, printed_len, 20, &tree, NULL), 0);
	doc.json = tree;

	check_mount_options(&a, list_at(&a, &doc, NULL, NULL, "mountOptions"));
	check_profile(&a, list_at(&a, &doc, "linux", "seccomp", "archs"),
		      "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"%s\"]}");
	check_profile(&a, list_at(&a, &doc, "linux", "seccomp", "actions"),
		      "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"read\"],"
		      "\"action\":\"%s\"}]}");
	check_profile(
		&a, list_at(&a, &doc, "linux", "seccomp", "operators"),
		"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"read\"],"
		"\"action\":\"SCMP_ACT_ERRNO\",\"args\":[{\"index\":0,\"value\":1,\"op\":\"%s\"}]}"
		"]}");
	check_profile(&a, list_at(&a, &doc, "linux", "seccomp", "supportedFlags"),
		      "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"%s\"]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_features) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
