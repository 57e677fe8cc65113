/* SPDX-License-Identifier: Apache-2.0 */
#include "texts.h"

#include "base/own.h"
#include "sys/mount.h"
#include "sys/names.h"

#include <string.h>
#include <sys/mount.h>

const char *nook_attrs_text(struct nook_rows *rows, uint64_t attrs)
{
	static const struct {
		uint64_t bit;
		const char *name;
	} names[] = {
		{ MOUNT_ATTR_RDONLY, "RDONLY" },
		{ MOUNT_ATTR_NOSUID, "NOSUID" },
		{ MOUNT_ATTR_NODEV, "NODEV" },
		{ MOUNT_ATTR_NOEXEC, "NOEXEC" },
		{ MOUNT_ATTR_NOSYMFOLLOW, "NOSYMFOLLOW" },
		{ MOUNT_ATTR__ATIME, "ATIME" }, /* all of its bits: to be cleared */
		{ MOUNT_ATTR_NOATIME, "NOATIME" },
		{ MOUNT_ATTR_STRICTATIME, "STRICTATIME" },
		{ MOUNT_ATTR_NODIRATIME, "NODIRATIME" },
	};
	const char *text = "";

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if ((attrs & names[i].bit) != names[i].bit)
			continue;
		text = nook_printf(rows->arena, "%s%s%s", text, *text ? "|" : "", names[i].name);
		attrs &= ~names[i].bit;
	}
	return attrs ? nook_printf(rows->arena, "%s%s0x%lx", text, *text ? "|" : "", attrs) : text;
}

const char *nook_propagation_text(uint64_t propagation)
{
	return propagation == MS_SHARED       ? "SHARED"
	       : propagation == MS_SLAVE      ? "SLAVE"
	       : propagation == MS_UNBINDABLE ? "UNBINDABLE"
					      : "PRIVATE";
}

const char *nook_caps_text(struct nook_rows *rows, uint64_t caps)
{
	const char *text = "", *word = nook_cap_words;

	for (unsigned cap = 0; cap < 64 && caps >> cap; cap++) {
		size_t len = strcspn(word, " ");

		if (caps & (1ULL << cap))
			text = len ? nook_printf(rows->arena, "%s%s%.*s", text, *text ? ", " : "",
						 (int)len, word)
				   : nook_printf(rows->arena, "%s%s%u", text, *text ? ", " : "",
						 cap);
		word += len + strspn(word + len, " ");
	}
	return *text ? text : "none";
}

const char *nook_limit_text(struct nook_rows *rows, uint64_t limit)
{
	return limit == UINT64_MAX ? "unlimited" : nook_printf(rows->arena, "%lu", limit);
}

const char *nook_words_text(struct nook_rows *rows, const char *const *words)
{
	const char *text = "";

	for (; *words; words++)
		text = nook_printf(rows->arena, "%s%s\"%s\"", text, *text ? ", " : "", *words);
	return text;
}
