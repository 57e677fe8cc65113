/* SPDX-License-Identifier: Apache-2.0 */
#include "where_layers.h"

#include "base/text.h"

#include <stdbool.h>
#include <string.h>

static bool is_octal(const char *p)
{
	return p[0] >= '0' && p[0] <= '3' && p[1] >= '0' && p[1] <= '7' && p[2] >= '0' &&
	       p[2] <= '7';
}

/* Up to an unescaped @stop or the end, with mountinfo's octal escapes and overlay's own, a
 * backslash before the letter, taken away. */
static char *take(struct nook_arena *a, const char **at, char stop)
{
	char *text = nook_alloc(a, strlen(*at) + 1), *out = text;
	const char *p = *at;

	while (*p && *p != stop) {
		if (*p == '\\' && is_octal(p + 1)) {
			*out++ = (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
			p += 4;
		} else if (*p == '\\' && p[1]) {
			*out++ = p[1];
			p += 2;
		} else {
			*out++ = *p++;
		}
	}
	*out = '\0';
	*at = *p ? p + 1 : p;
	return text;
}

/* One option with its escapes left as they are, up to an unescaped comma. */
static char *next_option(struct nook_arena *a, const char **at)
{
	const char *p = *at;
	char *option;

	while (*p && *p != ',')
		p += *p == '\\' && p[1] ? 2 : 1;
	option = nook_strndup(a, *at, (size_t)(p - *at));
	*at = *p ? p + 1 : p;
	return option;
}

static void take_lowers(struct nook_arena *a, const char *list, struct nook_where_layers *layers)
{
	while (*list) {
		if (*list == ':') /* "::" begins the data-only layers, which show no names */
			return;
		*nook_append(a, layers->lowers, layers->n_lowers) = take(a, &list, ':');
	}
}

void nook_where_layers_parse(struct nook_arena *a, const char *super, struct nook_where_layers *ret)
{
	struct nook_where_layers layers = { .upper = NULL };

	while (*super) {
		const char *option = next_option(a, &super);
		const char *value;

		if ((value = nook_after(option, "upperdir=")))
			layers.upper = take(a, &value, '\0');
		else if ((value = nook_after(option, "lowerdir+=")))
			*nook_append(a, layers.lowers, layers.n_lowers) = take(a, &value, '\0');
		else if ((value = nook_after(option, "lowerdir=")))
			take_lowers(a, value, &layers);
	}
	*ret = layers;
}
