/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engines' JSON form of a profile: containers-common's and Docker's, and OCI's linux.seccomp,
 * which is a part of it. A member that is not known is refused rather than skipped: it could be a
 * condition, and a profile without it another profile.
 */
#include "seccomp_reader.h"

#include "base/own.h"
#include "base/text.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#define MAX_DEPTH 16
#define MAX_FILE  (4 << 20)

/* TSYNC says nothing: the program has one thread when its filter is loaded. */
static const struct word flags[] = {
	{ "SECCOMP_FILTER_FLAG_TSYNC", 0 },
	{ "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
	{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
	{ "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", WAIT_KILLABLE_RECV },
};

static const struct word machines[] = {
	{ "SCMP_ARCH_X86_64", NOOK_MACHINE_X86_64 },
	{ "SCMP_ARCH_X86", NOOK_MACHINE_I386 },
	{ "SCMP_ARCH_X32", OTHER },
	{ "SCMP_ARCH_AARCH64", NOOK_MACHINE_AARCH64 },
	{ "SCMP_ARCH_ARM", NOOK_MACHINE_ARM },
	{ "SCMP_ARCH_MIPS", OTHER },
	{ "SCMP_ARCH_MIPS64", OTHER },
	{ "SCMP_ARCH_MIPS64N32", OTHER },
	{ "SCMP_ARCH_MIPSEL", OTHER },
	{ "SCMP_ARCH_MIPSEL64", OTHER },
	{ "SCMP_ARCH_MIPSEL64N32", OTHER },
	{ "SCMP_ARCH_PPC", OTHER },
	{ "SCMP_ARCH_PPC64", OTHER },
	{ "SCMP_ARCH_PPC64LE", OTHER },
	{ "SCMP_ARCH_S390", OTHER },
	{ "SCMP_ARCH_S390X", OTHER },
	{ "SCMP_ARCH_PARISC", OTHER },
	{ "SCMP_ARCH_PARISC64", OTHER },
	{ "SCMP_ARCH_RISCV64", OTHER },
	{ "SCMP_ARCH_LOONGARCH64", OTHER },
	{ "SCMP_ARCH_M68K", OTHER },
	{ "SCMP_ARCH_SH", OTHER },
	{ "SCMP_ARCH_SHEB", OTHER },
};

static int read_machines(struct reader *r, const struct at *at, json_object *list, bool use)
{
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		uint32_t machine;
		int rc = read_word(r, INDEX(at, i), json_object_array_get_idx(list, i),
				   "architecture", machines, ARRAY_SIZE(machines), &machine);

		if (rc < 0)
			return rc;
		if (use && machine != OTHER)
			r->profile->machines[machine] = true;
	}
	return 0;
}

/* [{ "architecture": the native one, "subArchitectures": those that go with it }…] */
static int read_arch_map(struct reader *r, const struct at *at, json_object *map)
{
	static const char *const known[] = { "architecture", "subArchitectures", NULL };

	for (size_t i = 0; map && i < json_object_array_length(map); i++) {
		const struct at *here = INDEX(at, i);
		json_object *entry = json_object_array_get_idx(map, i), *arch, *sub;
		uint32_t machine;
		int rc;

		if (json_object_get_type(entry) != json_type_object)
			return refuse(r, here, "an architecture is an object");
		if ((rc = only(r, here, entry, known)) < 0 ||
		    (rc = member(r, here, entry, "architecture", json_type_string, &arch)) < 0 ||
		    (rc = member(r, here, entry, "subArchitectures", json_type_array, &sub)) < 0)
			return rc;
		if (!arch)
			return refuse(r, here, "architecture is missing");
		rc = read_word(r, KEY(here, "architecture"), arch, "architecture", machines,
			       ARRAY_SIZE(machines), &machine);
		if (rc < 0 || (rc = read_machines(r, KEY(here, "subArchitectures"), sub,
						  machine == NOOK_MACHINE_NATIVE)) < 0)
			return rc;
	}
	return 0;
}

static int read_flags(struct reader *r, const struct at *at, json_object *list)
{
	/* Said nothing of them: what Linux does by itself since 5.16, and engines ask for. */
	if (!list)
		r->profile->flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW;

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		uint32_t flag;
		int rc = read_word(r, INDEX(at, i), json_object_array_get_idx(list, i), "flag",
				   flags, ARRAY_SIZE(flags), &flag);

		if (rc < 0)
			return rc;
		if (flag == WAIT_KILLABLE_RECV && !r->oci)
			return refuse(r, INDEX(at, i),
				      "the flag goes with a listener, which nook "
				      "has not");
		r->profile->flags |= flag;
	}
	return 0;
}

static int refuse_listener(struct reader *r, json_object *root)
{
	static const char *const keys[] = { "listenerPath", "listenerMetadata" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *text;
		int rc = member_text(r, NULL, root, keys[i], &text);

		if (rc < 0)
			return rc;
		if (text && text[0]) {
			rc = refuse(r, KEY(NULL, keys[i]), "nook hands no calls to a listener");
			nook_hint(r->err, "Remove %s, and rules with SCMP_ACT_NOTIFY.", keys[i]);
			return rc;
		}
	}
	return 0;
}

int read_profile(struct reader *r, json_object *root)
{
	static const char *const known[] = { "defaultAction", "defaultErrnoRet", "defaultErrno",
					     "architectures", "archMap",         "flags",
					     "syscalls",      "listenerPath",    "listenerMetadata",
					     "comment",       "$schema",         NULL };
	json_object *architectures, *map, *flag_list, *rules;
	int rc;

	if (json_object_get_type(root) != json_type_object)
		return refuse(r, NULL, "a profile is an object");
	if ((rc = only(r, NULL, root, known)) < 0 ||
	    (rc = r->oci ? 0 : refuse_listener(r, root)) < 0 ||
	    (rc = read_action(r, NULL, root, "defaultAction", &r->profile->action)) < 0 ||
	    (rc = read_data(r, NULL, root, "defaultErrnoRet", "defaultErrno",
			    &r->profile->action)) < 0 ||
	    (rc = member(r, NULL, root, "architectures", json_type_array, &architectures)) < 0 ||
	    (rc = member(r, NULL, root, "archMap", json_type_array, &map)) < 0 ||
	    (rc = member(r, NULL, root, "flags", json_type_array, &flag_list)) < 0 ||
	    (rc = member(r, NULL, root, "syscalls", json_type_array, &rules)) < 0)
		return rc;
	if (architectures && json_object_array_length(architectures) > 0 && map &&
	    json_object_array_length(map) > 0)
		return refuse(r, KEY(NULL, "archMap"),
			      "architectures and archMap exclude each other");

	r->profile->machines[NOOK_MACHINE_NATIVE] = true;
	if ((rc = read_machines(r, KEY(NULL, "architectures"), architectures, true)) < 0 ||
	    (rc = read_arch_map(r, KEY(NULL, "archMap"), map)) < 0 ||
	    (rc = read_flags(r, KEY(NULL, "flags"), flag_list)) < 0)
		return rc;

	for (size_t i = 0; rules && i < json_object_array_length(rules); i++) {
		rc = read_rule(r, INDEX(KEY(NULL, "syscalls"), i),
			       json_object_array_get_idx(rules, i));
		if (rc < 0)
			return rc;
	}
	return 0;
}

static size_t line_of(const char *text, size_t end)
{
	size_t line = 1;

	for (size_t i = 0; i < end; i++)
		line += text[i] == '\n';
	return line;
}

/* What json-c lets pass though no JSON has it: texts in single quotes, and numbers past 64 bits,
 * which it would read as the largest one. */
static int check_text(const char *text, size_t len, const char *name, struct nook_error *err)
{
	const char *why = NULL;
	bool quoted = false;
	size_t i;

	for (i = 0; i < len && !why; i++) {
		size_t digits = 0;

		if (text[i] == '"')
			quoted = !quoted;
		else if (quoted)
			i += text[i] == '\\'; /* and what it protects */
		else if (text[i] == '\'')
			why = "a text stands in double quotes";

		while (!quoted && i + digits < len && text[i + digits] >= '0' &&
		       text[i + digits] <= '9')
			digits++;
		if (digits > 20 ||
		    (digits == 20 && memcmp(&text[i], "18446744073709551615", 20) > 0))
			why = "a number has more than 64 bits";
		i += digits ? digits - 1 : 0;
	}
	if (!why)
		return 0;
	nook_where(err, "line %zu of %s", line_of(text, i), name);
	return nook_refuse(err, EINVAL, "the profile is not JSON: %s", why);
}

static int refuse_syntax(json_tokener *tokener, const char *text, const char *name,
			 struct nook_error *err)
{
	enum json_tokener_error error = json_tokener_get_error(tokener);

	nook_where(err, "line %zu of %s", line_of(text, json_tokener_get_parse_end(tokener)), name);
	return nook_refuse(err, EINVAL, "the profile is not JSON: %s",
			   error == json_tokener_continue ? "it ends too early"
							  : json_tokener_error_desc(error));
}

int nook_seccomp_parse(struct nook_arena *a, const char *text, size_t len, const char *name,
		       const struct nook_seccomp_facts *facts, struct nook_seccomp_profile *ret,
		       struct nook_error *err)
{
	struct nook_seccomp_profile profile = { 0 };
	struct reader r = { a, name, facts, &profile, err };
	int rc;

	if (len > MAX_FILE)
		return nook_refuse(err, EINVAL, "a profile has at most 4 MiB");
	rc = check_text(text, len, name, err);
	if (rc < 0)
		return rc;

	json_tokener *tokener = json_tokener_new_ex(MAX_DEPTH);

	if (!tokener)
		return nook_fail(err, ENOMEM, "json_tokener_new");
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);

	json_object *root = json_tokener_parse_ex(tokener, text, (int)len);

	if (json_tokener_get_error(tokener) == json_tokener_success)
		rc = read_profile(&r, root);
	else
		rc = refuse_syntax(tokener, text, name, err);
	json_object_put(root);
	json_tokener_free(tokener);
	if (rc == 0)
		*ret = profile;
	return rc;
}

/* Up to MAX_FILE bytes of a regular file. */
static int read_file(struct nook_arena *a, const char *path, const char **ret, size_t *ret_len,
		     struct nook_error *err)
{
	/* O_NONBLOCK: a pipe without a writer must not hold us up before we see what it is. */
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return nook_fail(err, errno, "open %s", path);
	if (fstat(fd, &st) < 0)
		return nook_fail(err, errno, "fstat %s", path);
	if (!S_ISREG(st.st_mode))
		return nook_refuse(err, EINVAL, "%s is not a regular file", path);
	if (st.st_size > MAX_FILE)
		return nook_refuse(err, EINVAL, "%s has more than 4 MiB", path);

	size_t size = (size_t)st.st_size, len = 0;
	char *text = nook_alloc(a, size + 1);

	while (len < size) {
		ssize_t n = read(fd, text + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return nook_fail(err, errno, "read %s", path);
		if (n == 0)
			break;
		len += (size_t)n;
	}
	*ret = text;
	*ret_len = len;
	return 0;
}

int refuse_length(const char *name, struct nook_error *err)
{
	int rc = nook_refuse(err, E2BIG, "%s makes a filter of more than %d instructions", name,
			     BPF_MAXINSNS);

	nook_cause(err, "seccomp-too-long", "The kernel takes no longer one.");
	nook_hint(err, "Have fewer conditions on arguments, or fewer architectures.");
	return rc;
}

int nook_seccomp_read(struct nook_arena *a, const char *path, uint64_t caps,
		      struct nook_filter *ret, struct nook_error *err)
{
	struct nook_seccomp_facts facts = { .caps = caps };
	struct nook_seccomp_profile profile;
	struct utsname host;
	const char *text = NULL;
	size_t len = 0;
	int rc = read_file(a, path, &text, &len, err);

	if (rc < 0)
		return rc;
	if (uname(&host) < 0 || sscanf(host.release, "%u.%u", &facts.major, &facts.minor) != 2)
		return nook_refuse(err, EINVAL, "the kernel tells no version that can be read");

	rc = nook_seccomp_parse(a, text, len, path, &facts, &profile, err);
	if (rc < 0)
		return rc;
	rc = nook_seccomp_compile(a, &profile, ret);
	return rc < 0 ? refuse_length(path, err) : 0;
}
