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

static int read_machines(struct reader *r, const struct at *at, struct nook_json *list, bool use)
{
	for (size_t i = 0; list && i < nook_json_size(list); i++) {
		uint32_t machine;
		int rc = read_word(r, INDEX(at, i), nook_json_at(list, i), "architecture", machines,
				   ARRAY_SIZE(machines), &machine);

		if (rc < 0)
			return rc;
		if (use && machine != OTHER)
			r->profile->machines[machine] = true;
	}
	return 0;
}

/* [{ "architecture": the native one, "subArchitectures": those that go with it }…] */
static int read_arch_map(struct reader *r, const struct at *at, struct nook_json *map)
{
	static const char *const known[] = { "architecture", "subArchitectures", NULL };

	for (size_t i = 0; map && i < nook_json_size(map); i++) {
		const struct at *here = INDEX(at, i);
		struct nook_json *entry = nook_json_at(map, i), *arch, *sub;
		uint32_t machine;
		int rc;

		if (nook_json_type(entry) != NOOK_JSON_OBJECT)
			return refuse(r, here, "an architecture is an object");
		if ((rc = only(r, here, entry, known)) < 0 ||
		    (rc = member(r, here, entry, "architecture", NOOK_JSON_TEXT, &arch)) < 0 ||
		    (rc = member(r, here, entry, "subArchitectures", NOOK_JSON_ARRAY, &sub)) < 0)
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

static int read_flags(struct reader *r, const struct at *at, struct nook_json *list)
{
	/* Said nothing of them: what Linux does by itself since 5.16, and engines ask for. */
	if (!list)
		r->profile->flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW;

	for (size_t i = 0; list && i < nook_json_size(list); i++) {
		uint32_t flag;
		int rc = read_word(r, INDEX(at, i), nook_json_at(list, i), "flag", flags,
				   ARRAY_SIZE(flags), &flag);

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

static int refuse_listener(struct reader *r, struct nook_json *root)
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

int read_profile(struct reader *r, struct nook_json *root)
{
	static const char *const known[] = { "defaultAction", "defaultErrnoRet", "defaultErrno",
					     "architectures", "archMap",         "flags",
					     "syscalls",      "listenerPath",    "listenerMetadata",
					     "comment",       "$schema",         NULL };
	struct nook_json *architectures, *map, *flag_list, *rules;
	int rc;

	if (nook_json_type(root) != NOOK_JSON_OBJECT)
		return refuse(r, NULL, "a profile is an object");
	if ((rc = only(r, NULL, root, known)) < 0 ||
	    (rc = r->oci ? 0 : refuse_listener(r, root)) < 0 ||
	    (rc = read_action(r, NULL, root, "defaultAction", &r->profile->action)) < 0 ||
	    (rc = read_data(r, NULL, root, "defaultErrnoRet", "defaultErrno",
			    &r->profile->action)) < 0 ||
	    (rc = member(r, NULL, root, "architectures", NOOK_JSON_ARRAY, &architectures)) < 0 ||
	    (rc = member(r, NULL, root, "archMap", NOOK_JSON_ARRAY, &map)) < 0 ||
	    (rc = member(r, NULL, root, "flags", NOOK_JSON_ARRAY, &flag_list)) < 0 ||
	    (rc = member(r, NULL, root, "syscalls", NOOK_JSON_ARRAY, &rules)) < 0)
		return rc;
	if (architectures && nook_json_size(architectures) > 0 && map && nook_json_size(map) > 0)
		return refuse(r, KEY(NULL, "archMap"),
			      "architectures and archMap exclude each other");

	r->profile->machines[NOOK_MACHINE_NATIVE] = true;
	if ((rc = read_machines(r, KEY(NULL, "architectures"), architectures, true)) < 0 ||
	    (rc = read_arch_map(r, KEY(NULL, "archMap"), map)) < 0 ||
	    (rc = read_flags(r, KEY(NULL, "flags"), flag_list)) < 0)
		return rc;

	for (size_t i = 0; rules && i < nook_json_size(rules); i++) {
		rc = read_rule(r, INDEX(KEY(NULL, "syscalls"), i), nook_json_at(rules, i));
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

int nook_seccomp_parse(struct nook_arena *a, const char *text, size_t len, const char *name,
		       const struct nook_seccomp_facts *facts, struct nook_seccomp_profile *ret,
		       struct nook_error *err)
{
	struct nook_seccomp_profile profile = { 0 };
	struct reader r = { a, name, facts, &profile, err };
	int rc;

	if (len > MAX_FILE)
		return nook_refuse(err, EINVAL, "a profile has at most 4 MiB");

	struct nook_json *root = NULL;
	struct nook_error why = { 0 };
	size_t byte = 0;

	rc = nook_json_parse_in(a, text, len, MAX_DEPTH, &root, &byte, &why);
	if (rc < 0) {
		nook_where(err, "line %zu of %s", line_of(text, byte), name);
		return nook_refuse(err, EINVAL, "the profile is not JSON: %s",
				   byte < len ? why.why : "it ends too early");
	}
	rc = read_profile(&r, root);
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
