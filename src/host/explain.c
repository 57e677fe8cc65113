/* SPDX-License-Identifier: Apache-2.0 */
#include "explain.h"
#include "base/own.h"
#include "base/text.h"

#include <string.h>

static const struct nook_rules *const all_rules[] = {
	&nook_rules_cgroup, /* before the others: its files are paths, too */
	&nook_rules_of_network, &nook_rules_namespaces, &nook_rules_program,
	&nook_rules_mounts,     &nook_rules_limits,
};

/* What to try when no probe has seen a cause: never only "Operation not permitted". */
static const struct {
	int errnum;
	const char *hint;
} default_hints[] = {
	{ EPERM, "The kernel refused it to this user. `nook check` shows what this user may do; "
		 "`dmesg | tail` may name a rule of AppArmor, SELinux or a seccomp filter." },
	{ EACCES, "Look at the permissions of each part of the path with `namei -l PATH`; `dmesg | "
		  "tail` may name a rule of AppArmor or SELinux." },
	{ ENOENT, "Check the spelling, and that each directory of the path is there." },
	{ ENOTDIR, "A part of the path is a file: check it with `namei -l PATH`." },
	{ EISDIR, "That is a directory where a file is needed." },
	{ ELOOP, "A symbolic link stands in the path: name the real place, as `realpath PATH` "
		 "shows it." },
	{ EXDEV, "The path leads out of where it has to stay: name the real place, as `realpath "
		 "PATH` shows it." },
	{ EEXIST, "It is there already: choose another name, or remove it." },
	{ EBUSY, "Something uses it: `findmnt`, `lsns` and `fuser -v PATH` show what." },
	{ ENOSPC, "Something is full: look at `df -h`, `df -i`, `sysctl user` and `sysctl "
		  "fs.mount-max`." },
	{ EDQUOT, "A quota is used up: look at `quota` and `cat /proc/key-users`." },
	{ EROFS, "The file system is read-only: `findmnt -T PATH` shows it." },
	{ ENOMEM, "Memory ran out, or a limit on it: look at `free -m`, `ulimit -v` and the memory "
		  "cgroup." },
	{ EAGAIN, "A limit was reached for now: look at `ulimit -u` and the cgroup's pids.max, and "
		  "try again." },
	{ EMFILE, "Raise the limit on open files: `ulimit -n 1024`." },
	{ ENFILE, "The machine has too many open files: `sysctl fs.file-max`." },
	{ EINVAL, "The kernel doesn't take these values together. `nook check` shows what it can; "
		  "`dmesg | tail` may say more." },
	{ ENOSYS, "The kernel, or a seccomp filter around nook, doesn't offer the call: `nook "
		  "check` shows what is there." },
	{ EOPNOTSUPP, "The kernel or the file system doesn't offer this: `nook check` shows what "
		      "is there." },
	{ ENODEV, "The kernel doesn't have this device or file system: `cat /proc/filesystems` "
		  "lists those it has." },
	{ ESRCH, "The process has ended: `nook ps` shows what runs." },
	{ E2BIG, "It is too long for the kernel: pass less." },
	{ ENAMETOOLONG, "The name is too long: 255 bytes a part, 4,095 a path." },
	{ EOVERFLOW, "An id has no number in the user namespace: `nook run --plan …` shows the "
		     "map." },
	{ ETIMEDOUT, "The other side didn't answer in time: `nook ps` shows whether it lives." },
	{ EIO, "The device or file system reported an error: `dmesg | tail` says more." },
	{ EINTR, "It was interrupted: try again." },
	{ ENOTSUP, "The kernel or the file system doesn't offer this." },
};

/* Is it said in words that only `nook` has? An outer engine's are for everybody. */
static bool in_own_words(const char *line, size_t len)
{
	static const char *const own[] = { "`--", "`nook " }, *const others[] = { "Docker",
										  "Podman",
										  "`nook check`" };

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (memmem(line, len, others[i], strlen(others[i])))
			return false;
	}
	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		if (memmem(line, len, own[i], strlen(own[i])))
			return true;
	}
	return false;
}

/* The first of the known fixes, a line each: the page has them all. */
static void hint_fix(struct nook_error *err, const struct nook_known_cause *known, bool engine)
{
	for (const char *line = known->fix; *line;) {
		size_t len = strcspn(line, "\n");

		if (!engine || !in_own_words(line, len)) {
			nook_hint(err, "%.*s", (int)len, line);
			return;
		}
		line += len + (line[len] == '\n');
	}
}

bool nook_answer(struct nook_question *q, const char *id, const char *hint, const char *fmt, ...)
{
	const struct nook_known_cause *known = nook_known_cause(id);
	char text[sizeof(q->err->cause)];
	va_list ap;

	va_start(ap, fmt);
	(void)nook_vformat(text, sizeof(text), fmt, ap); /* cut when full */
	va_end(ap);
	nook_cause(q->err, id, "%s", text);

	if (!*hint && known)
		hint_fix(q->err, known, q->ctx->engine);
	nook_hint(q->err, "%s", hint);
	return true;
}

/* The first '/' that begins a word: not that of "2/uid_map". */
static const char *find_path(const char *args)
{
	for (const char *p = args; (p = strchr(p, '/')); p++) {
		if (p == args || strchr(" (\"'=", p[-1]))
			return p;
	}
	return NULL;
}

/* "open_tree /a b", "mount_setattr(/a, MOUNT_ATTR_IDMAP)", "openat2 /a in the container's root",
 * "mount a new tmpfs for /a, kernel says: …" */
static void take_path(struct nook_question *q)
{
	const char *path = q->ctx->path ? q->ctx->path : find_path(q->args);

	(void)nook_format(q->path, sizeof(q->path), "%s", path ? path : "");
	if (q->ctx->path || !path)
		return;

	/* A path may hold blanks, so it is taken to the end of its sentence: what isn't there tells
	 * nothing. */
	char *end = path > q->args && path[-1] == '(' ? strpbrk(q->path, ",)")
						      : strstr(q->path, ", kernel says");

	if (end)
		*end = '\0';

	char *inside = strstr(q->path, " in the container");

	q->inside = inside != NULL;
	if (inside)
		*inside = '\0';
}

/* err->why is "CALL ARGS: what errno means", as nook_fail() makes it. */
static void take_apart(struct nook_question *q)
{
	const char *why = q->err->why;
	size_t len = strspn(why, "abcdefghijklmnopqrstuvwxyz0123456789_");
	const char *means = strerrordesc_np(q->err->errnum);
	char end[128];

	/* A refusal is a sentence and begins with no call: its first word stays harmless, since no
	 * rule is named so. */
	if (len >= sizeof(q->call) || (why[len] && !strchr(" :(,", why[len])))
		len = 0;
	(void)nook_format(q->call, sizeof(q->call), "%.*s", (int)len, why);
	(void)nook_format(q->args, sizeof(q->args), "%s", why + len);

	(void)nook_format(end, sizeof(end), ": %s", means ? means : "");
	size_t args = strlen(q->args), tail = strlen(end);

	if (args >= tail && strcmp(q->args + args - tail, end) == 0)
		q->args[args - tail] = '\0';

	take_path(q);
}

static bool applies(const struct nook_rule *rule, const struct nook_question *q)
{
	char name[40];

	if (rule->errnum && rule->errnum != q->err->errnum)
		return false;
	(void)nook_format(name, sizeof(name), " %s ", q->call);
	return !rule->calls || (q->call[0] && strstr(rule->calls, name));
}

static bool ask(struct nook_question *q)
{
	for (size_t i = 0; i < ARRAY_SIZE(all_rules); i++) {
		for (size_t j = 0; j < all_rules[i]->n; j++) {
			const struct nook_rule *rule = &all_rules[i]->rows[j];

			if (applies(rule, q) && rule->look(q))
				return true;
		}
	}
	return false;
}

static void hint_at_least(struct nook_error *err, bool engine)
{
	/* No step was under way: nook refused the words, or a file that they name. */
	if (err->errnum == EINVAL && !err->wanted[0])
		nook_hint(err, "Correct what stands there: `man %s` says what it can be.",
			  engine ? "nook-oci" : "nook-run");
	for (size_t i = 0; i < ARRAY_SIZE(default_hints); i++) {
		const char *hint = default_hints[i].hint;

		if (default_hints[i].errnum == err->errnum &&
		    !(engine && in_own_words(hint, strlen(hint))))
			nook_hint(err, "%s", hint);
	}
	nook_hint(err, "`nook check` shows what this machine allows.");
}

/* A cause that is true, where another is nearer: overlay is a file system without mapped ids, but a
 * writable layer on it would not work with them either. Return: was one named anew? */
static bool refine(struct nook_question *q)
{
	struct nook_error *err = q->err;
	const char *changes = q->ctx->changes;
	char type[32];

	if (strcmp(err->id, "no-idmap") != 0 || !changes || !strstr(err->why, changes) ||
	    !nook_evidence_fstype(changes, type, sizeof(type)) || strcmp(type, "overlay") != 0)
		return false;

	err->id[0] = err->cause[0] = err->hint[0] = '\0';
	return nook_answer(q, "overlay-on-overlay", "", "%s lies on an overlay itself.", changes);
}

void nook_explain(struct nook_error *err, const struct nook_explain_context *ctx)
{
	static const struct nook_explain_context nothing;
	static const char *const host[] = { "/" };

	if (!err || !err->errnum)
		return;
	if (!ctx)
		ctx = &nothing;

	struct nook_question q = {
		.err = err,
		.ctx = ctx,
		.evidence = { ctx->proc ? ctx->proc : "/proc", ctx->sys ? ctx->sys : "/sys" },
		.roots = ctx->n_roots ? ctx->roots : host,
		.n_roots = ctx->n_roots ? ctx->n_roots : ARRAY_SIZE(host),
	};

	if (refine(&q))
		return;
	if (err->id[0]) {
		/* Whoever failed knew the cause; what to do about it stands in the table. */
		const struct nook_known_cause *known = nook_known_cause(err->id);

		if (known) {
			nook_cause(err, err->id, "%s", known->meaning);
			hint_fix(err, known, ctx->engine);
		}
		hint_at_least(err, ctx->engine);
		return;
	}

	take_apart(&q);
	(void)ask(&q); /* false: nothing was seen */
	hint_at_least(err, ctx->engine);
}
