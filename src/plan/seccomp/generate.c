/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp-generate LIST OUTPUT: runs when nook is built. Reads default.list, asks libseccomp for
 * the numbers of the names on each machine, and writes the tables that src/plan/seccomp_table.h
 * declares. Whatever does not fit (an unknown or repeated name, a call that the list forgot) fails
 * the build.
 */
#include "generate.h"

#include "sys/names.h"

#include <errno.h>
#include <seccomp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct machine machines[NOOK_MACHINE_COUNT] = {
	{ "x86_64", "AUDIT_ARCH_X86_64", SCMP_ARCH_X86_64 },
	{ "i386", "AUDIT_ARCH_I386", SCMP_ARCH_X86 },
	{ "aarch64", "AUDIT_ARCH_AARCH64", SCMP_ARCH_AARCH64 },
	{ "arm", "AUDIT_ARCH_ARM", SCMP_ARCH_ARM },
};

/* Machines that nook does not run on: their names may stand in a profile too. */
static const uint32_t elsewhere[] = {
	SCMP_ARCH_MIPS64,  SCMP_ARCH_MIPS64N32, SCMP_ARCH_MIPS, SCMP_ARCH_PPC,
	SCMP_ARCH_PPC64LE, SCMP_ARCH_S390X,     SCMP_ARCH_S390, SCMP_ARCH_RISCV64,
	SCMP_ARCH_PARISC,  SCMP_ARCH_PARISC64,
};

static const struct {
	const char *name;
	int value;
} errnos[] = { { "EPERM", EPERM }, { "ENOSYS", ENOSYS }, { "EAFNOSUPPORT", EAFNOSUPPORT } };

struct list list;

static const char *place;    /* the list's name */
static unsigned line_number; /* 0: the list as a whole */

void fail(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, line_number ? "%s:%u: " : "%s: ", place, line_number);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static char *next_word(char **rest)
{
	char *word;

	do
		word = strsep(rest, " \t\n");
	while (word && !*word);
	return word;
}

static unsigned long number(const char *text)
{
	char *end;

	if (!text)
		fail("a number is missing");
	errno = 0;
	unsigned long value = strtoul(text, &end, 0);
	if (errno || *end || end == text || value > UINT32_MAX)
		fail("%s is no number of 32 bits", text);
	return value;
}

static uint16_t errno_value(const char *name)
{
	for (size_t i = 0; name && i < sizeof(errnos) / sizeof(errnos[0]); i++) {
		if (strcmp(errnos[i].name, name) == 0)
			return (uint16_t)errnos[i].value;
	}
	fail("unknown errno %s", name ? name : "(none)");
}

static uint64_t cap_bit(const char *name)
{
	int cap = nook_cap_number(name);

	if (cap < 0)
		fail("unknown capability %s", name);
	return (uint64_t)1 << cap;
}

/* "argN & BITS", "argN = V…", "argN != V…": returns the word behind. */
static char *read_test(struct nook_seccomp_class *c, char **rest)
{
	char *arg = next_word(rest), *op = next_word(rest), *word;

	if (!arg || strncmp(arg, "arg", 3) != 0 || !op)
		fail("expected: when argN OPERATOR VALUE");
	c->arg = (uint8_t)number(arg + 3);
	if (c->arg > 5)
		fail("a call has arguments 0 to 5");
	c->test = strcmp(op, "&") == 0    ? NOOK_SECCOMP_ANY_BIT
		  : strcmp(op, "=") == 0  ? NOOK_SECCOMP_ONE_OF
		  : strcmp(op, "!=") == 0 ? NOOK_SECCOMP_NONE_OF
					  : NOOK_SECCOMP_ALWAYS;
	if (c->test == NOOK_SECCOMP_ALWAYS)
		fail("unknown operator %s", op);

	while ((word = next_word(rest)) && *word >= '0' && *word <= '9') {
		if (c->n_values == sizeof(c->values) / sizeof(c->values[0]))
			fail("too many values");
		c->values[c->n_values++] = (uint32_t)number(word);
	}
	if (c->n_values == 0 || (c->test == NOOK_SECCOMP_ANY_BIT && c->n_values != 1))
		fail("wrong number of values");
	if (word && strcmp(word, "but") == 0) {
		if (c->test != NOOK_SECCOMP_ANY_BIT)
			fail("'but' goes with &");
		c->has_but = 1;
		c->but = (uint32_t)number(next_word(rest));
		word = next_word(rest);
	}
	return word;
}

/* A heading without its brackets. Returns the number of its class. */
static uint8_t read_heading(char *text)
{
	struct nook_seccomp_class c = { 0 };
	char title[128];

	if (snprintf(title, sizeof(title), "%s", text) >= (int)sizeof(title))
		fail("heading too long");
	char *word = next_word(&text);

	if (word && strcmp(word, "elsewhere") == 0)
		return NOOK_SECCOMP_NO_CLASS;
	if (word && strcmp(word, "refuse") == 0) {
		c.errnum = errno_value(next_word(&text));
		word = next_word(&text);
		if (word && strcmp(word, "when") == 0)
			word = read_test(&c, &text);
		if (word && strcmp(word, "unless") == 0) {
			while ((word = next_word(&text)))
				c.unless |= cap_bit(word);
		}
	} else if (word && strcmp(word, "allow") == 0) {
		word = next_word(&text);
	} else {
		fail("unknown heading");
	}
	if (word)
		fail("not understood: %s", word);

	for (size_t i = 0; i < list.n_classes; i++) {
		if (strcmp(list.classes[i].title, title) == 0)
			return (uint8_t)i;
	}
	if (list.n_classes == sizeof(list.classes) / sizeof(list.classes[0]))
		fail("too many classes");
	c.title = strdup(title);
	list.classes[list.n_classes] = c;
	return (uint8_t)list.n_classes++;
}

static struct nook_seccomp_call *find_call(const char *name)
{
	for (size_t i = 0; i < list.n_calls; i++) {
		if (strcmp(list.calls[i].name, name) == 0)
			return &list.calls[i];
	}
	return NULL;
}

static struct nook_seccomp_call *add_call(const char *name, uint8_t class)
{
	if (list.n_calls == sizeof(list.calls) / sizeof(list.calls[0]))
		fail("too many calls");

	struct nook_seccomp_call *c = &list.calls[list.n_calls++];

	c->name = strdup(name);
	c->class = class;
	for (size_t m = 0; m < NOOK_MACHINE_COUNT; m++)
		c->number[m] = -1;
	return c;
}

/* NUMBER or MACHINE:NUMBER behind a name's "=". */
static void set_numbers(struct nook_seccomp_call *c, char *text)
{
	char *colon = strchr(text, ':');
	bool found = false;

	if (colon)
		*colon = '\0';
	for (size_t m = 0; m < NOOK_MACHINE_COUNT; m++) {
		if (colon && strcmp(text, machines[m].name) != 0)
			continue;
		c->number[m] = (int32_t)number(colon ? colon + 1 : text);
		found = true;
	}
	if (!found)
		fail("unknown machine %s", text);
}

static void read_list(FILE *in)
{
	char line[512];
	int class = -1;

	while (fgets(line, sizeof(line), in)) {
		char *rest = line, *word;

		line_number++;
		if (!strchr(line, '\n'))
			fail("line too long");
		if (line[0] == '#')
			continue;
		if (line[0] == '[') {
			char *end = strchr(line, ']');

			if (!end)
				fail("a heading ends with ]");
			*end = '\0';
			class = read_heading(line + 1);
			continue;
		}
		while ((word = next_word(&rest))) {
			char *equals = strchr(word, '=');

			if (equals)
				*equals = '\0';
			if (class < 0)
				fail("%s stands before the first heading", word);
			if (find_call(word))
				fail("%s stands here twice", word);
			struct nook_seccomp_call *c = add_call(word, (uint8_t) class);
			if (equals)
				set_numbers(c, equals + 1);
		}
	}
	line_number = 0;
}

/* Number @n of machine @m has the name @name, says libseccomp. */
static void take_number(size_t m, int32_t n, const char *name)
{
	struct nook_seccomp_call *c = find_call(name);

	if (!c || c->class == NOOK_SECCOMP_NO_CLASS) {
		/* A libseccomp newer than the list may know more than it. */
		if (n > 450 && n < MAX_COMMON)
			return;
		fail("%s, number %d of %s, is missing", name, n, machines[m].name);
	}
	if (c->number[m] >= 0 && c->number[m] != n)
		fail("%s is %d on %s, not %d", name, n, machines[m].name, c->number[m]);
	c->number[m] = n;
}

static void take_numbers(size_t m)
{
	for (int32_t i = 0; i < MAX_COMMON + MAX_PRIVATE; i++) {
		int32_t n = i < MAX_COMMON ? i : ARM_PRIVATE + i - MAX_COMMON;
		char *name = seccomp_syscall_resolve_num_arch(machines[m].token, n);

		if (name)
			take_number(m, n, name);
		free(name);
	}

	/* Second names of the same number. Negative: libseccomp's own numbers, for calls of other
	 * machines. */
	for (size_t i = 0; i < list.n_calls; i++) {
		int n = seccomp_syscall_resolve_name_arch(machines[m].token, list.calls[i].name);

		if (list.calls[i].number[m] < 0 && n >= 0)
			list.calls[i].number[m] = n;
	}
}

static void add_names_from_elsewhere(void)
{
	for (size_t a = 0; a < sizeof(elsewhere) / sizeof(elsewhere[0]); a++) {
		/* mips counts from 4000, 5000 and 6000 */
		for (int n = 0; n < 7000; n++) {
			char *name = seccomp_syscall_resolve_num_arch(elsewhere[a], n);

			if (name && !find_call(name))
				add_call(name, NOOK_SECCOMP_NO_CLASS);
			free(name);
		}
	}
}

/* Two names of one number, as the list writes them for calls that libseccomp does not know. */
static void check_pair(const struct nook_seccomp_call *x, const struct nook_seccomp_call *y)
{
	for (size_t m = 0; m < NOOK_MACHINE_COUNT; m++) {
		if (x->number[m] >= 0 && x->number[m] == y->number[m] && x->class != y->class)
			fail("%s and %s are both %d on %s", x->name, y->name, x->number[m],
			     machines[m].name);
	}
}

static void check_calls(void)
{
	for (size_t i = 0; i < list.n_calls; i++) {
		bool somewhere = list.calls[i].class == NOOK_SECCOMP_NO_CLASS;

		for (size_t m = 0; m < NOOK_MACHINE_COUNT; m++)
			somewhere |= list.calls[i].number[m] >= 0;
		if (!somewhere)
			fail("no machine has a call named %s", list.calls[i].name);
		for (size_t j = 0; j < i; j++)
			check_pair(&list.calls[i], &list.calls[j]);
	}
}

static int by_name(const void *a, const void *b)
{
	const struct nook_seccomp_call *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: seccomp-generate LIST OUTPUT\n");
		return 2;
	}
	place = argv[1];
	FILE *in = fopen(argv[1], "re");
	if (!in)
		fail("%s", strerror(errno));
	read_list(in);
	fclose(in);

	for (size_t m = 0; m < NOOK_MACHINE_COUNT; m++)
		take_numbers(m);
	add_names_from_elsewhere();
	check_calls();
	qsort(list.calls, list.n_calls, sizeof(list.calls[0]), by_name);

	FILE *out = fopen(argv[2], "we");
	if (!out)
		fail("%s: %s", argv[2], strerror(errno));
	write_tables(out);
	if (fclose(out) != 0)
		fail("%s: %s", argv[2], strerror(errno));
	return 0;
}
