/* SPDX-License-Identifier: Apache-2.0 */
/* Values of config.json that are more than a type and a range. */
#include "bundle_reader.h"

#include "base/own.h"
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CPU_LAST 8191 /* CONFIG_NR_CPUS at its most; of memory nodes there are 1024 */

int nook_bundle_word_(struct nook_bundle_reader *r, const struct nook_json_value *v,
		      const char *what, const struct nook_bundle_word *words, size_t n,
		      int64_t *ret)
{
	const char *text = NULL;
	int rc = nook_json_as_text(v, NOOK_BUNDLE_TEXT, &text, r->err);
	char all[320] = "";
	size_t len = 0;

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(words[i].name, text) == 0) {
			*ret = words[i].number;
			return 0;
		}
	}

	for (size_t i = 0; i < n; i++)
		len += nook_format(all + len, sizeof(all) - len, "%s%s", i ? ", " : "",
				   words[i].name);
	return nook_json_refuse(v, r->err, "\"%.64s\" is no %s: %s", text, what, all);
}

int nook_bundle_flags_(struct nook_bundle_reader *r, const struct nook_json_value *array,
		       const char *what, const struct nook_bundle_word *words, size_t n,
		       uint64_t *ret)
{
	size_t count = nook_json_length(array);
	int rc = nook_bundle_count(r, array, count);
	uint64_t all = 0;

	for (size_t i = 0; rc == 0 && i < count; i++) {
		struct nook_json_value v;
		int64_t flag = 0;

		rc = nook_json_element(array, i, NOOK_JSON_TEXT, &v, r->err);
		if (rc == 0)
			rc = nook_bundle_word_(r, &v, what, words, n, &flag);
		all |= (uint64_t)flag;
	}
	if (rc == 0)
		*ret = all;
	return rc;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int nook_bundle_unique(struct nook_bundle_reader *r, const struct nook_json_value *object,
		       const char *const *names, size_t n)
{
	const char **sorted = nook_alloc_array(r->arena, n, sizeof(*sorted));

	if (n)
		memcpy(sorted, names, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), by_text);
	for (size_t i = 1; i < n; i++) {
		if (strcmp(sorted[i - 1], sorted[i]) == 0)
			return nook_json_refuse(object, r->err, "\"%.64s\" stands there twice",
						sorted[i]);
	}
	return 0;
}

int nook_bundle_check_said(struct nook_bundle_reader *r, const struct nook_json_value *v,
			   const char *text)
{
	return *text ? 0 : nook_json_refuse(v, r->err, "an empty string says nothing");
}

int nook_bundle_check_absolute(struct nook_bundle_reader *r, const struct nook_json_value *v,
			       const char *text)
{
	if (*text == '/')
		return 0;
	return nook_json_refuse(v, r->err, "\"%.64s\" is not an absolute path", text);
}

int nook_bundle_check_env(struct nook_bundle_reader *r, const struct nook_json_value *v,
			  const char *text)
{
	const char *equals = strchr(text, '=');

	if (equals && equals > text)
		return 0;
	return nook_json_refuse(v, r->err, "\"%.64s\" is not NAME=VALUE", text);
}

/* The next number at @p, at most @last. Return: behind it; NULL when there is none. */
static const char *number(const char *p, unsigned *ret)
{
	unsigned n = 0;
	const char *at = p;

	for (; *at >= '0' && *at <= '9'; at++) {
		n = n * 10 + (unsigned)(*at - '0');
		if (n > CPU_LAST)
			return NULL;
	}
	*ret = n;
	return at > p ? at : NULL;
}

int nook_bundle_check_list(struct nook_bundle_reader *r, const struct nook_json_value *v,
			   const char *text)
{
	const char *p = text;

	for (;;) {
		unsigned first = 0, last = 0;

		p = number(p, &first);
		if (p && *p == '-') {
			p = number(p + 1, &last);
			if (p && last < first)
				p = NULL;
		}
		if (!p || (*p && *p != ','))
			return nook_json_refuse(v, r->err,
						"\"%.64s\" is not a list such as 0-3,7 of numbers "
						"up to %d",
						text, CPU_LAST);
		if (!*p++)
			return 0;
	}
}

/* The kernel's own rule, dev_valid_name(): 1 to 15 bytes, no slash, colon or space. */
int nook_bundle_check_ifname(struct nook_bundle_reader *r, const struct nook_json_value *v,
			     const char *text)
{
	size_t len = strlen(text);

	if (len >= 1 && len <= 15 && strcmp(text, ".") != 0 && strcmp(text, "..") != 0 &&
	    strcspn(text, "/: \t\n\v\f\r") == len)
		return 0;
	return nook_json_refuse(v, r->err,
				"\"%.64s\" can't name a network device: that takes 1 to 15 bytes "
				"without slash, colon or space",
				text);
}

/* Digits without a leading zero. Return: behind them; NULL when there are none. */
static const char *version_number(const char *p)
{
	size_t n = strspn(p, "0123456789");

	return n == 0 || (n > 1 && *p == '0') ? NULL : p + n;
}

/* Semantic versioning 2.0.0: "1.0.2-dev", "1.3.0+rc.1". */
int nook_bundle_check_version(struct nook_bundle_reader *r, const struct nook_json_value *v,
			      const char *text)
{
	static const char letters[] =
		"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-.";
	const char *p = text;

	for (int i = 0; p && i < 3; i++) {
		p = version_number(p);
		if (i < 2)
			p = p && *p == '.' ? p + 1 : NULL;
	}
	if (p && *p == '-')
		p = p[1] ? p + 1 + strspn(p + 1, letters) : NULL;
	if (p && *p == '+')
		p = p[1] ? p + 1 + strspn(p + 1, letters) : NULL;

	if (!p || *p)
		return nook_json_refuse(v, r->err, "\"%.64s\" is not a version such as 1.3.0",
					text);
	if (strncmp(text, "1.", 2) != 0)
		return nook_json_refuse(v, r->err,
					"this is of version %.64s of the runtime specification; "
					"read is version 1",
					text);
	return 0;
}
