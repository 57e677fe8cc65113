/* SPDX-License-Identifier: Apache-2.0 */
#include "each.h"

#include "run/oci.h"

#include <errno.h>
#include <regex.h>

static int each_match(struct oci *o, const regex_t *expression, oci_one *one, const void *data)
{
	struct nook_oci_state *states = NULL;
	struct nook_error err = { 0 };
	size_t n = 0;
	int status = 0;

	if (nook_oci_list(o->root, o->arena, &states, &n, &err) < 0)
		return oci_failed(o, &err);
	for (size_t i = 0; i < n; i++) {
		const char *id = states[i].record.name;

		err = (struct nook_error){ 0 };
		if (regexec(expression, id, 0, NULL, 0) == 0 && one(o, id, data, &err) < 0)
			status = oci_failed(o, &err);
	}
	return status;
}

int oci_each(struct oci *o, bool regex, oci_one *one, const void *data)
{
	struct nook_error err = { 0 };
	regex_t expression;

	if (!regex)
		return one(o, o->argv[0], data, &err) < 0 ? oci_failed(o, &err) : 0;
	if (regcomp(&expression, o->argv[0], REG_EXTENDED | REG_NOSUB) != 0) {
		nook_where(&err, "--regex %s", o->argv[0]);
		(void)nook_refuse(&err, EINVAL, "that is no regular expression");
		return oci_failed(o, &err);
	}

	int status = each_match(o, &expression, one, data);

	regfree(&expression);
	return status;
}
