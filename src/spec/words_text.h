/* SPDX-License-Identifier: Apache-2.0 */
/* For unit tests of words: what they are read from, and a spec as text. */
#ifndef NOOK_SPEC_WORDS_TEXT_H
#define NOOK_SPEC_WORDS_TEXT_H

#include "words.h"

#include "base/own.h"
#include "net/address.h"
#include "ns/kinds.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define WORDS 12

static inline size_t collect(const char *const *words, char **argv)
{
	size_t n = 0;

	for (; n < WORDS && words[n]; n++)
		argv[n] = (char *)words[n];
	argv[n] = NULL;
	return n;
}

/* ---- a spec as text: only what is set, in the header's order ---- */

struct text {
	char at[4096];
	size_t len;
};

static void say(struct text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (t->len)
		t->at[t->len++] = ' ';
	t->len += (size_t)vsnprintf(t->at + t->len, sizeof(t->at) - t->len, fmt, ap);
	va_end(ap);
	assert_true(t->len < sizeof(t->at));
}

static void say_text(struct text *t, const char *name, const char *value)
{
	if (value)
		say(t, "%s=%s", name, value);
}

static void say_i64(struct text *t, const char *name, const struct nook_opt_i64 *v)
{
	if (v->set) {
		say(t, "%s=%ld", name, v->value);
		assert_non_null(v->from);
	}
}

static void say_u64(struct text *t, const char *name, const struct nook_opt_u64 *v)
{
	if (v->set) {
		say(t, "%s=%lu", name, v->value);
		assert_non_null(v->from);
	}
}

static void say_tristate(struct text *t, const char *name, enum nook_tristate v)
{
	if (v != NOOK_UNSET)
		say(t, "%s=%s", name, v == NOOK_YES ? "yes" : "no");
}

static void say_link(struct text *t, const struct nook_link_spec *l)
{
	char text[NOOK_NET_TEXT];

	say(t, "link=%s", l->network ? l->network : "macvlan");
	say_text(t, "parent", l->parent);
	for (int f = 0; f < NOOK_NET_FAMILIES; f++) {
		if (l->address[f].family)
			say(t, "ip=%s", nook_net_text_prefix(&l->address[f], text));
	}
	if (l->set_mac)
		say(t, "mac=%s", nook_net_mac_text(l->mac, text));
	say_text(t, "inside", l->name);
	say(t, "{%s}", l->from);
}

static void say_port(struct text *t, const struct nook_port_spec *p)
{
	char text[NOOK_NET_TEXT];

	say(t, "port=%s,%s,%u>%u,%u{%s}", p->protocol == IPPROTO_UDP ? "udp" : "tcp",
	    p->host.family ? nook_net_text(&p->host, text) : "*", p->host_port, p->inside_port,
	    p->count, p->from);
}

static void say_namespaces(struct text *t, const struct nook_spec *s)
{
	for (unsigned k = 0; k < NOOK_NS_COUNT; k++) {
		const struct nook_ns_spec *ns = &s->ns[k];

		if (ns->mode == NOOK_NS_SHARE)
			say(t, "share:%s{%s}", nook_ns_kinds[k].name, ns->from);
		if (ns->mode == NOOK_NS_JOIN)
			say(t, "join:%s=%s{%s}", nook_ns_kinds[k].name, ns->target, ns->from);
	}
	if (s->net_from)
		say(t, "net=%d{%s}", s->net, s->net_from);
	for (size_t i = 0; i < s->n_links; i++)
		say_link(t, &s->links[i]);
	for (size_t i = 0; i < s->n_ports; i++)
		say_port(t, &s->ports[i]);
	say_text(t, "hostname", s->hostname);
	say_text(t, "domainname", s->domainname);
	say_i64(t, "boottime", &s->boottime);
	say_i64(t, "monotonic", &s->monotonic);
	for (size_t i = 0; i < s->n_uid_map; i++)
		say(t, "uid:%u:%u:%u", s->uid_map[i].inside, s->uid_map[i].outside,
		    s->uid_map[i].count);
	say_text(t, "uid_from", s->uid_map_from);
	for (size_t i = 0; i < s->n_gid_map; i++)
		say(t, "gid:%u:%u:%u", s->gid_map[i].inside, s->gid_map[i].outside,
		    s->gid_map[i].count);
	say_text(t, "gid_from", s->gid_map_from);
}

static void say_paths(struct text *t, const char *name, const struct nook_path_spec *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		say(t, "%s=%s{%s}", name, p[i].path, p[i].from);
}

static void say_mount(struct text *t, const struct nook_mount_spec *m)
{
	if (m->kind == NOOK_MOUNT_VOLUME)
		say(t, "volume=%s>%s", m->source, m->target);
	else
		say(t, "tmpfs=%s", m->target);
	if (m->read_only)
		say(t, "ro");
	if (m->kind == NOOK_MOUNT_VOLUME && !m->recursive)
		say(t, "bind");
	if (m->allow_dev)
		say(t, "dev");
	if (m->allow_suid)
		say(t, "suid");
	if (m->no_exec)
		say(t, "noexec");
	if (m->no_idmap)
		say(t, "noidmap");
	say_text(t, "propagation", m->propagation);
	say_u64(t, "size", &m->size);
	say_u64(t, "mode", &m->mode);
	say(t, "{%s}", m->from);
}

static void say_files(struct text *t, const struct nook_spec *s)
{
	const struct nook_root_spec *r = &s->root;

	if (r->kind == NOOK_ROOT_DIR)
		say_paths(t, "root", &r->dir, 1);
	assert_int_equal(r->kind == NOOK_ROOT_LAYERS, r->n_layers > 0);
	say_paths(t, "layer", r->layers, r->n_layers);
	say_paths(t, "changes", &r->changes, r->changes.path != NULL);
	if (r->read_only)
		say(t, "read-only");
	say_paths(t, "expose", r->expose, r->n_expose);
	say_paths(t, "hide", r->hide, r->n_hide);
	for (size_t i = 0; i < s->n_mounts; i++)
		say_mount(t, &s->mounts[i]);
}

static void say_process(struct text *t, const struct nook_spec *s)
{
	for (size_t i = 0; s->argv && s->argv[i]; i++)
		say(t, "argv=%s", s->argv[i]);
	for (size_t i = 0; i < s->n_env; i++)
		say(t, "env=%s", s->env[i]);
	if (s->clear_env)
		say(t, "clear-env");
	say_text(t, "cwd", s->cwd);
	say_text(t, "user", s->user);
	say_text(t, "user_from", s->user_from);
	say_text(t, "group", s->group);
	for (size_t i = 0; i < s->n_caps; i++)
		say(t, "%s=%s{%s}", s->caps[i].add ? "cap-add" : "cap-drop", s->caps[i].name,
		    s->caps[i].from);
	say_tristate(t, "no_new_privs", s->no_new_privs);
	if (s->seccomp != NOOK_SECCOMP_DEFAULT)
		say(t, "seccomp=%s", s->seccomp == NOOK_SECCOMP_OFF ? "off" : s->seccomp_file);
	for (size_t i = 0; i < s->n_rlimits; i++)
		say(t, "rlimit=%s=%ld:%ld{%s}", s->rlimits[i].name, (long)s->rlimits[i].soft,
		    (long)s->rlimits[i].hard, s->rlimits[i].from);
	say_i64(t, "oom", &s->oom_score_adj);
	say_tristate(t, "init", s->init);
	say_tristate(t, "tty", s->terminal);
}

static inline void say_spec(struct text *t, const struct nook_spec *s)
{
	say_text(t, "name", s->name);
	say_text(t, "name_from", s->name_from);
	say_namespaces(t, s);
	say_files(t, s);
	say_process(t, s);
	say_i64(t, "memory", &s->limits.memory);
	say_i64(t, "memory_swap", &s->limits.memory_swap);
	say_u64(t, "cpus", &s->limits.cpus_milli);
	say_u64(t, "cpu_weight", &s->limits.cpu_weight);
	say_i64(t, "pids", &s->limits.pids);
	say_u64(t, "io_weight", &s->limits.io_weight);
}

#endif
