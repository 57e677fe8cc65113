/* SPDX-License-Identifier: Apache-2.0 */
/* Words of `nook run` and `nook exec`: what they mean, and every way in which they can be wrong. */
#include "words.h"

#include "base/own.h"
#include "net/address.h"
#include "ns/kinds.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define WORDS 12

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

static void say_spec(struct text *t, const struct nook_spec *s)
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

/* ---- what is understood ---- */

static const struct good {
	const char *words[WORDS];
	const char *spec;
} goods[] = {
	/* where the options end */
	{ { NULL }, "" },
	{ { "true" }, "argv=true" },
	{ { "ls", "-l", "--name", "a" }, "argv=ls argv=-l argv=--name argv=a" },
	{ { "--", "ls", "--", "-l" }, "argv=ls argv=-- argv=-l" },
	{ { "--", "--name" }, "argv=--name" },
	{ { "--" }, "" },
	{ { "-", "a" }, "argv=- argv=a" },
	{ { "sh", "" }, "argv=sh argv=" },

	/* the forms of an option */
	{ { "--name", "web" }, "name=web name_from=--name web" },
	{ { "--name=web" }, "name=web name_from=--name=web" },
	{ { "-e", "A=1", "-eB=2", "--env", "C=", "--env=D" }, "env=A=1 env=B=2 env=C= env=D" },
	{ { "--env", "A=--name" }, "env=A=--name" },
	{ { "-tv", "/a:/b" }, "volume=/a>/b {-v /a:/b} tty=yes" },
	{ { "-turoot", "sh" }, "argv=sh user=root user_from=-u root tty=yes" },
	{ { "--name", "a", "--name", "a" }, "name=a name_from=--name a" },
	{ { "--tty", "-t" }, "tty=yes" },

	/* namespaces */
	{ { "--share", "net,pid" }, "share:net{--share net,pid} share:pid{--share net,pid}" },
	{ { "--share", "mount", "--share", "network", "--share=net" },
	  "share:mnt{--share mount} share:net{--share=net}" },
	{ { "--share", "user,mnt,cgroup,ipc,uts,net,pid,time" },
	  "share:user{--share user,mnt,cgroup,ipc,uts,net,pid,time} "
	  "share:mnt{--share user,mnt,cgroup,ipc,uts,net,pid,time} "
	  "share:cgroup{--share user,mnt,cgroup,ipc,uts,net,pid,time} "
	  "share:ipc{--share user,mnt,cgroup,ipc,uts,net,pid,time} "
	  "share:uts{--share user,mnt,cgroup,ipc,uts,net,pid,time} "
	  "share:net{--share user,mnt,cgroup,ipc,uts,net,pid,time} "
	  "share:pid{--share user,mnt,cgroup,ipc,uts,net,pid,time} "
	  "share:time{--share user,mnt,cgroup,ipc,uts,net,pid,time}" },
	{ { "--join", "net=web", "--join=pid=42", "--join", "uts=/run/x=y,z" },
	  "join:uts=/run/x=y,z{--join uts=/run/x=y,z} join:net=web{--join net=web} "
	  "join:pid=42{--join=pid=42}" },
	{ { "--join", "net=web", "--join", "network=web" }, "join:net=web{--join network=web}" },
	{ { "--join", "net=4194304" }, "join:net=4194304{--join net=4194304}" },
	{ { "--join", "net=2web" }, "join:net=2web{--join net=2web}" },
	{ { "--net", "host" }, "share:net{--net host} net=2{--net host}" },
	{ { "--net", "host", "--share", "net" }, "share:net{--share net} net=2{--net host}" },
	{ { "--share", "net", "--net", "host" }, "share:net{--net host} net=2{--net host}" },
	{ { "--net=none" }, "net=1{--net=none}" },
	{ { "--net", "private" }, "net=0{--net private}" },
	{ { "--net", "private", "--net", "private" }, "net=0{--net private}" },
	{ { "--net", "user" }, "net=5{--net user}" },
	{ { "--net", "ns:blue" }, "join:net=blue{--net ns:blue} net=4{--net ns:blue}" },
	{ { "--net", "container:web" },
	  "join:net=web{--net container:web} net=4{--net container:web}" },
	{ { "--net", "bridge" }, "net=3{--net bridge} link=nook0 {--net bridge}" },
	{ { "--net", "blue", "--net", "blue" }, "net=3{--net blue} link=blue {--net blue}" },
	{ { "--net", "blue:ip=10.1.2.3,ip=fd00::3,mac=0a:00:00:00:00:01,name=lan0", "--net",
	    "red" },
	  "net=3{--net blue:ip=10.1.2.3,ip=fd00::3,mac=0a:00:00:00:00:01,name=lan0} link=blue "
	  "ip=10.1.2.3/32 ip=fd00::3/128 mac=0a:00:00:00:00:01 inside=lan0 "
	  "{--net blue:ip=10.1.2.3,ip=fd00::3,mac=0a:00:00:00:00:01,name=lan0} link=red {--net "
	  "red}" },
	{ { "--net", "macvlan:eno1.5:ip=10.1.2.3/24" },
	  "net=3{--net macvlan:eno1.5:ip=10.1.2.3/24} link=macvlan parent=eno1.5 ip=10.1.2.3/24 "
	  "{--net macvlan:eno1.5:ip=10.1.2.3/24}" },
	{ { "--net", "user", "-p", "8080:80", "--publish=127.0.0.1:53:53/udp" },
	  "net=5{--net user} port=tcp,*,8080>80,1{-p 8080:80} "
	  "port=udp,127.0.0.1,53>53,1{--publish=127.0.0.1:53:53/udp}" },
	{ { "--net", "bridge", "-p", "[fd00::1]:8000-8010:80-90/tcp", "-p", "[::]:1:65535" },
	  "net=3{--net bridge} link=nook0 {--net bridge} "
	  "port=tcp,fd00::1,8000>80,11{-p [fd00::1]:8000-8010:80-90/tcp} "
	  "port=tcp,::,1>65535,1{-p [::]:1:65535}" },
	{ { "--hostname", "web-1.example", "--domainname", "a_b" },
	  "hostname=web-1.example domainname=a_b" },
	{ { "--boottime", "86400", "--monotonic", "-5" }, "boottime=86400 monotonic=-5" },
	{ { "--boottime=-4611686018", "--monotonic=4611686018" },
	  "boottime=-4611686018 monotonic=4611686018" },
	{ { "--userns", "host" }, "share:user{--userns host}" },
	{ { "--userns", "host", "--share", "user" }, "share:user{--share user}" },
	{ { "--uid-map", "0:1000:1", "--uid-map", "1:100000:65536", "--gid-map", "0:5:1,1:6:2" },
	  "uid:0:1000:1 uid:1:100000:65536 uid_from=--uid-map 0:1000:1 gid:0:5:1 gid:1:6:2 "
	  "gid_from=--gid-map 0:5:1,1:6:2" },
	{ { "--uid-map", "4294967294:0:1" },
	  "uid:4294967294:0:1 uid_from=--uid-map 4294967294:0:1" },
	{ { "--uid-map", "0:0:4294967294" },
	  "uid:0:0:4294967294 uid_from=--uid-map 0:0:4294967294" },

	/* root */
	{ { "--root", "tree" }, "root=tree{--root tree}" },
	{ { "--layer", "a", "--layer", "b", "--layer=c" },
	  "layer=a{--layer a} layer=b{--layer b} layer=c{--layer=c}" },
	{ { "--changes", "d", "--read-only" }, "changes=d{--changes d} read-only" },
	{ { "--root", "a:b" }, "root=a:b{--root a:b}" },
	{ { "--expose", "/root", "--hide", "/srv" },
	  "expose=/root{--expose /root} hide=/srv{--hide /srv}" },

	/* mounts */
	{ { "-v", "a:/b" }, "volume=a>/b {-v a:/b}" },
	{ { "--volume", "/a:/b:ro" }, "volume=/a>/b ro {--volume /a:/b:ro}" },
	{ { "-v/a:/b:ro,bind,noidmap,dev,suid,noexec,rslave" },
	  "volume=/a>/b ro bind dev suid noexec noidmap propagation=slave "
	  "{-v /a:/b:ro,bind,noidmap,dev,suid,noexec,rslave}" },
	{ { "-v/a:/b:rw,rbind,idmap,nodev,nosuid,exec,private" },
	  "volume=/a>/b propagation=private {-v /a:/b:rw,rbind,idmap,nodev,nosuid,exec,private}" },
	{ { "-v", "/a:/b:shared,shared" },
	  "volume=/a>/b propagation=shared {-v /a:/b:shared,shared}" },
	{ { "-v", "/a\\:b:/c\\:d:ro" }, "volume=/a:b>/c:d ro {-v /a\\:b:/c\\:d:ro}" },
	{ { "-v", "/a\\\\:/b\\c" }, "volume=/a\\>/b\\c {-v /a\\\\:/b\\c}" },
	{ { "-v", "/a,b:/c,d" }, "volume=/a,b>/c,d {-v /a,b:/c,d}" },
	{ { "-v", "/..a:/b/..." }, "volume=/..a>/b/... {-v /..a:/b/...}" },
	{ { "-v", "../a:/b" }, "volume=../a>/b {-v ../a:/b}" },
	{ { "--tmpfs", "/run" }, "tmpfs=/run {--tmpfs /run}" },
	{ { "--tmpfs", "/x:size=64m,mode=0700,noexec,ro" },
	  "tmpfs=/x ro noexec size=67108864 mode=448 {--tmpfs /x:size=64m,mode=0700,noexec,ro}" },
	{ { "--tmpfs", "/x:mode=1777,dev,suid" },
	  "tmpfs=/x dev suid mode=1023 {--tmpfs /x:mode=1777,dev,suid}" },
	{ { "--tmpfs", "/a\\:b:mode=0" }, "tmpfs=/a:b mode=0 {--tmpfs /a\\:b:mode=0}" },
	{ { "--tmpfs", "/a", "-v", "b:/c", "--tmpfs", "/a/b" },
	  "tmpfs=/a {--tmpfs /a} volume=b>/c {-v b:/c} tmpfs=/a/b {--tmpfs /a/b}" },

	/* process */
	{ { "-u", "www-data:adm" }, "user=www-data:adm user_from=-u www-data:adm" },
	{ { "--user", "0:0" }, "user=0:0 user_from=--user 0:0" },
	{ { "--user", "4294967294" }, "user=4294967294 user_from=--user 4294967294" },
	{ { "--user", "_apt", "--group", "5" }, "user=_apt user_from=--user _apt group=5" },
	{ { "-w", "/tmp/" }, "cwd=/tmp/" },
	{ { "--clear-env", "--env", "PATH" }, "env=PATH clear-env" },
	{ { "--cap-drop", "all", "--cap-add", "net_admin,CAP_CHOWN", "--cap-add", "Kill" },
	  "cap-drop=all{--cap-drop all} cap-add=net_admin{--cap-add net_admin,CAP_CHOWN} "
	  "cap-add=CAP_CHOWN{--cap-add net_admin,CAP_CHOWN} cap-add=Kill{--cap-add Kill}" },
	{ { "--new-privs" }, "no_new_privs=no" },
	{ { "--no-new-privs" }, "no_new_privs=yes" },
	{ { "--seccomp", "default" }, "" },
	{ { "--seccomp", "off" }, "seccomp=off" },
	{ { "--seccomp", "./off" }, "seccomp=./off" },
	{ { "--rlimit", "nofile=1024:4096", "--rlimit=RLIMIT_CORE=0", "--rlimit", "as=unlimited" },
	  "rlimit=nofile=1024:4096{--rlimit nofile=1024:4096} "
	  "rlimit=core=0:0{--rlimit=RLIMIT_CORE=0} rlimit=as=-1:-1{--rlimit as=unlimited}" },
	{ { "--rlimit", "nice=0:unlimited" }, "rlimit=nice=0:-1{--rlimit nice=0:unlimited}" },
	{ { "--oom-score-adj", "-1000" }, "oom=-1000" },
	{ { "--oom-score-adj=1000" }, "oom=1000" },
	{ { "--no-init", "--no-tty" }, "init=no tty=no" },
	{ { "--init" }, "init=yes" },
	{ { "--no-init", "--share", "pid" }, "share:pid{--share pid} init=no" },

	/* limits */
	{ { "-m", "4k" }, "memory=4096" },
	{ { "--memory", "512m", "--memory-swap", "1GiB" },
	  "memory=536870912 memory_swap=1073741824" },
	{ { "--memory", "9223372036854775807" }, "memory=9223372036854775807" },
	{ { "--memory-swap", "-1" }, "memory_swap=-1" },
	{ { "--memory", "1g", "--memory-swap", "1024m" },
	  "memory=1073741824 memory_swap=1073741824" },
	{ { "--cpus", "1.5" }, "cpus=1500" },
	{ { "--cpus", "0.01" }, "cpus=10" },
	{ { "--cpus", "8192.000" }, "cpus=8192000" },
	{ { "--cpus", "0.125" }, "cpus=125" },
	{ { "--cpu-weight", "1", "--io-weight", "10000" }, "cpu_weight=1 io_weight=10000" },
	{ { "--pids", "4194304" }, "pids=4194304" },
};

static size_t collect(const char *const *words, char **argv)
{
	size_t n = 0;

	for (; n < WORDS && words[n]; n++)
		argv[n] = (char *)words[n];
	argv[n] = NULL;
	return n;
}

static void test_understood(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(goods); i++) {
		auto_arena struct nook_arena a = { 0 };
		struct nook_run_words ret;
		struct nook_error err = { 0 };
		struct text t = { 0 };
		char *argv[WORDS + 1];

		assert_int_equal(nook_arena_init(&a), 0);
		collect(goods[i].words, argv);
		if (nook_words_run(&a, argv, &ret, &err) != 0)
			fail_msg("%s…: %s: %s", goods[i].words[0], err.where, err.why);
		say_spec(&t, &ret.spec);
		assert_string_equal(t.at, goods[i].spec);
		assert_string_equal(err.where, "");
		assert_string_equal(err.why, "");
	}
}

/* ---- what is refused ---- */

static const struct bad {
	const char *words[WORDS];
	const char *where;  /* exactly */
	const char *why[2]; /* both are in it */
	const char *hint;   /* is in it */
} bads[] = {
	/* forms */
	{ { "--vlume", "a:b" }, "--vlume", { "nook run has no such option" }, "--volume?" },
	{ { "--vol=a:/b" }, "--vol", { "no such option" }, "--volume?" },
	{ { "--no-int" }, "--no-int", { "no such option" }, "--no-init?" },
	{ { "--no-name" }, "--no-name", { "no such option" }, "--help lists" },
	{ { "--zzzzzz" }, "--zzzzzz", { "no such option" }, "nook run --help lists" },
	{ { "-Z" }, "-Z", { "no such option" }, "nook run --help lists" },
	{ { "-it", "sh" }, "-i", { "no such option" }, "leave -i away" },
	{ { "--rm" }, "--rm", { "no such option" }, "leave --rm away" },
	{ { "--network", "host" }, "--network", { "no such option" }, "--net" },
	{ { "--name" }, "--name", { "needs a value: NAME" }, "Write --name NAME" },
	{ { "-v" }, "-v", { "needs a value: SRC:DST" }, "Write -v SRC:DST" },
	{ { "--init=yes" }, "--init=yes", { "takes no value" }, "" },
	{ { "--no-tty=1" }, "--no-tty=1", { "takes no value" }, "" },
	{ { "--read-only=" }, "--read-only=", { "takes no value" }, "" },
	{ { "--=x" }, "--", { "no such option" }, "" },
	{ { "--name", "a", "--name", "b" }, "--name b", { "--name a was said before" }, "" },
	{ { "--tty", "--no-tty" }, "--no-tty", { "--tty was said before" }, "" },
	{ { "--init", "--no-init" }, "--no-init", { "--init was said before" }, "" },
	{ { "-m", "1g", "--memory=2g" }, "--memory=2g", { "-m 1g was said before" }, "" },
	{ { "--plan", "--plan=json" }, "--plan=json", { "--plan was said before" }, "" },
	{ { "--", "" }, "", { "COMMAND is an empty word" }, "" },
	{ { "" }, "", { "COMMAND is an empty word" }, "" },
	{ { "--plan=yaml" }, "--plan=yaml", { "'yaml' is no form", "text or json" }, "" },

	/* names */
	{ { "--name", "" }, "--name ", { "'' can't be a name" }, "" },
	{ { "--name", "../x" }, "--name ../x", { "can't be a name" }, "" },
	{ { "--name", "-x" }, "--name -x", { "can't be a name" }, "" },
	{ { "--hostname", "" }, "--hostname ", { "no host name" }, "" },
	{ { "--hostname", "-a" }, "--hostname -a", { "begins with a letter" }, "" },
	{ { "--hostname", "a b" }, "--hostname a b", { "no host name" }, "" },
	{ { "--hostname", "a\nb" }, "--hostname a\nb", { "no host name" }, "" },
	{ { "--domainname", "(none)" }, "--domainname (none)", { "no host name" }, "" },
	{ { "--hostname", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },
	  NULL,
	  { "at most 64", "65" },
	  "" },

	/* namespaces */
	{ { "--share", "nte" }, "--share nte", { "'nte' is no kind", "mnt, uts, ipc" }, "net?" },
	{ { "--share", "net," }, "--share net,", { "'' is no kind" }, "" },
	{ { "--share", "" }, "--share ", { "'' is no kind" }, "" },
	{ { "--share", "NET" }, "--share NET", { "no kind" }, "" },
	{ { "--join", "net" }, "--join net", { "write KIND=NAME" }, "" },
	{ { "--join", "=a" }, "--join =a", { "'' is no kind" }, "" },
	{ { "--join", "net=" }, "--join net=", { "neither" }, "" },
	{ { "--join", "net=0" }, "--join net=0", { "no pid", "1 to 4194304" }, "" },
	{ { "--join", "net=4194305" }, "--join net=4194305", { "no pid" }, "" },
	{ { "--join", "net=-1" }, "--join net=-1", { "no pid" }, "" },
	{ { "--join", "net=007" }, "--join net=007", { "no pid" }, "" },
	{ { "--join", "net=a b" }, "--join net=a b", { "neither" }, "" },
	{ { "--share", "net", "--join", "net=1" },
	  "--join net=1",
	  { "contradicts --share net", "can't be shared too" },
	  "" },
	{ { "--join", "net=1", "--join", "net=2" },
	  "--join net=2",
	  { "contradicts --join net=1", "can't be joined too" },
	  "" },
	{ { "--net", "b/d" }, "--net b/d", { "be a network's name" }, "etters" },
	{ { "--net", "" }, "--net ", { "be a network's name" }, "etters" },
	{ { "--net", "a+b" }, "--net a+b", { "be a network's name" }, "etters" },
	{ { "--net", "container" }, "--net container", { "means something" }, "" },
	{ { "--net", "abcdefghijklmnopqrstuvwxyz0123456" },
	  "--net abcdefghijklmnopqrstuvwxyz0123456",
	  { "be a network's name" },
	  "32 at most" },
	{ { "--net", "blue:ip=10.1.2.300" }, "--net blue:ip=10.1.2.300", { "10.1.2.300" }, "" },
	{ { "--net", "blue:ip=10.1.2.3/24" }, "--net blue:ip=10.1.2.3/24", { "10.1.2.3/24" }, "" },
	{ { "--net", "blue:ip=10.1.2.3,ip=10.1.2.4" },
	  "--net blue:ip=10.1.2.3,ip=10.1.2.4",
	  { "two addresses of one family" },
	  "" },
	{ { "--net", "blue:mac=01:00:00:00:00:01" },
	  "--net blue:mac=01:00:00:00:00:01",
	  { "01:00" },
	  "" },
	{ { "--net", "blue:name=lo" }, "--net blue:name=lo", { "loopback" }, "" },
	{ { "--net", "blue:name=a/b" }, "--net blue:name=a/b", { "can't name a link" }, "" },
	{ { "--net", "blue:name=abcdefghijklmnop" },
	  "--net blue:name=abcdefghijklmnop",
	  { "can't name a link" },
	  "" },
	{ { "--net", "blue:nme=a" },
	  "--net blue:nme=a",
	  { "no option of a network" },
	  "name=LINK" },
	{ { "--net", "macvlan:" }, "--net macvlan:", { "can't name a link" }, "" },
	{ { "--net", "macvlan:eth0:ip=10.0.0.1" },
	  "--net macvlan:eth0:ip=10.0.0.1",
	  { "10.0.0.1" },
	  "" },
	{ { "--net", "blue", "--net", "blue:ip=10.0.0.2" },
	  "--net blue:ip=10.0.0.2",
	  { "contradicts --net blue", "already" },
	  "" },
	{ { "--net", "blue:name=a", "--net", "red:name=a" },
	  "--net red:name=a",
	  { "contradicts --net blue:name=a", "both links are called a" },
	  "" },
	{ { "--net", "blue", "--net", "host" }, "--net host", { "contradicts --net blue" }, "" },
	{ { "--net", "user", "--net", "blue" }, "--net blue", { "contradicts --net user" }, "" },
	{ { "--net", "ns:blue", "--join", "net=red" },
	  "--join net=red",
	  { "contradicts --net ns:blue" },
	  "" },
	{ { "--net", "ns:" }, "--net ns:", { "neither" }, "" },
	{ { "--publish", "8080:80" }, "--publish 8080:80", { "needs a network" }, "--net bridge" },
	{ { "--net", "host", "-p", "8080:80" }, "-p 8080:80", { "contradicts --net host" }, "" },
	{ { "--net", "bridge", "-p", "80" }, "-p 80", { "lacks the port inside" }, "" },
	{ { "--net", "bridge", "-p", "0:80" }, "-p 0:80", { "no port" }, "" },
	{ { "--net", "bridge", "-p", "8080:65536" }, "-p 8080:65536", { "no port" }, "" },
	{ { "--net", "bridge", "-p", ":80" }, "-p :80", { "no port" }, "" },
	{ { "--net", "bridge", "-p", "8080:" }, "-p 8080:", { "no port" }, "" },
	{ { "--net", "bridge", "-p", "8080-8081:80" }, "-p 8080-8081:80", { "2 ports" }, "" },
	{ { "--net", "bridge", "-p", "8081-8080:80-81" },
	  "-p 8081-8080:80-81",
	  { "ends before" },
	  "" },
	{ { "--net", "bridge", "-p", "80:80/sctp" }, "-p 80:80/sctp", { "no protocol" }, "" },
	{ { "--net", "bridge", "-p", "fd00::1:80:80" }, "-p fd00::1:80:80", { "brackets" }, "" },
	{ { "--net", "bridge", "-p", "[10.0.0.1]:80:80" },
	  "-p [10.0.0.1]:80:80",
	  { "brackets" },
	  "" },
	{ { "--net", "bridge", "-p", "x:80:80" }, "-p x:80:80", { "x" }, "" },
	{ { "--net", "bridge", "-p", "80-90:80-90", "-p", "127.0.0.1:85:1" },
	  "-p 127.0.0.1:85:1",
	  { "contradicts -p 80-90:80-90", "both take a port" },
	  "" },
	{ { "--net", "host", "--join", "net=web" },
	  "--join net=web",
	  { "contradicts --net host" },
	  "" },
	{ { "--join", "net=web", "--net", "host" },
	  "--net host",
	  { "contradicts --join net=web" },
	  "" },
	{ { "--net", "private", "--join", "net=web" },
	  "--net private",
	  { "contradicts --join net=web" },
	  "" },
	{ { "--net", "none", "--share", "net" }, "--net none", { "contradicts --share net" }, "" },
	{ { "--hostname", "web", "--share", "uts" },
	  "--hostname web",
	  { "contradicts --share uts" },
	  "" },
	{ { "--hostname", "web", "--join", "uts=1" },
	  "--hostname web",
	  { "contradicts --join uts=1" },
	  "" },
	{ { "--share", "uts", "--domainname", "x" },
	  "--domainname x",
	  { "contradicts --share uts" },
	  "" },
	{ { "--boottime", "1", "--share", "time" },
	  "--boottime 1",
	  { "contradicts --share time" },
	  "" },
	{ { "--monotonic", "1", "--join", "time=1" },
	  "--monotonic 1",
	  { "contradicts --join time=1" },
	  "" },
	{ { "--boottime", "4611686019" },
	  "--boottime 4611686019",
	  { "out of range", "from -4611686018 to 4611686018" },
	  "" },
	{ { "--boottime", "1.5" }, "--boottime 1.5", { "not a decimal number" }, "" },
	{ { "--boottime", "+1" }, "--boottime +1", { "not a decimal number" }, "" },
	{ { "--boottime", "99999999999999999999" },
	  "--boottime 99999999999999999999",
	  { "out of range" },
	  "" },
	{ { "--monotonic", "" }, "--monotonic ", { "not a decimal number" }, "" },
	{ { "--userns", "new" }, "--userns new", { "'host' turns" }, "" },
	{ { "--userns", "host", "--join", "user=1" },
	  "--join user=1",
	  { "contradicts --userns host" },
	  "" },
	{ { "--uid-map", "0:0:1", "--userns", "host" },
	  "--uid-map 0:0:1",
	  { "contradicts --userns host" },
	  "" },
	{ { "--gid-map", "0:0:1", "--share", "user" },
	  "--gid-map 0:0:1",
	  { "contradicts --share user" },
	  "" },
	{ { "--uid-map", "0:0:1", "--join", "user=1" },
	  "--uid-map 0:0:1",
	  { "contradicts --join user=1" },
	  "" },
	{ { "--uid-map", "0:0" }, "--uid-map 0:0", { "INSIDE:OUTSIDE:COUNT" }, "" },
	{ { "--uid-map", "0:0:1:2" }, "--uid-map 0:0:1:2", { "INSIDE:OUTSIDE:COUNT" }, "" },
	{ { "--uid-map", "0:0:0" }, "--uid-map 0:0:0", { "0 is out of range", "from 1" }, "" },
	{ { "--uid-map", "0:4294967295:1" },
	  "--uid-map 0:4294967295:1",
	  { "4294967295 is out of range", "to 4294967294" },
	  "" },
	{ { "--uid-map", "4294967294:0:2" },
	  "--uid-map 4294967294:0:2",
	  { "past the last id" },
	  "" },
	{ { "--uid-map", "-1:0:1" }, "--uid-map -1:0:1", { "-1 is out of range" }, "" },
	{ { "--uid-map", "0x0:0:1" }, "--uid-map 0x0:0:1", { "'0x0' is not" }, "" },
	{ { "--uid-map", "00:0:1" }, "--uid-map 00:0:1", { "'00' is not" }, "" },
	{ { "--uid-map", "0:0:1," }, "--uid-map 0:0:1,", { "'' is no line" }, "" },
	{ { "--uid-map", "0:0:10", "--uid-map", "9:100:1" },
	  "--uid-map 9:100:1",
	  { "'9:100:1' overlaps with 0:0:10 inside" },
	  "" },
	{ { "--gid-map", "0:0:10,10:9:1" },
	  "--gid-map 0:0:10,10:9:1",
	  { "overlaps with 0:0:10 outside" },
	  "" },

	/* root */
	{ { "--root", "" }, "--root ", { "path is empty" }, "" },
	{ { "--root", "a", "--root", "b" }, "--root b", { "--root a was said before" }, "" },
	{ { "--root", "a", "--layer", "b" }, "--layer b", { "contradicts --root a" }, "" },
	{ { "--changes", "c", "--root", "a" }, "--changes c", { "contradicts --root a" }, "" },
	{ { "--expose", "/root", "--root", "a" },
	  "--expose /root",
	  { "contradicts --root a" },
	  "" },
	{ { "--expose", "/root", "--layer", "a" },
	  "--expose /root",
	  { "contradicts --layer a" },
	  "" },
	{ { "--hide", "/x", "--root", "a" }, "--hide /x", { "contradicts --root a" }, "" },
	{ { "--hide", "/x", "--layer", "a" }, "--hide /x", { "contradicts --layer a" }, "" },
	{ { "--hide", "x" }, "--hide x", { "no absolute path" }, "" },
	{ { "--expose", "/a/../b" }, "--expose /a/../b", { "'..'" }, "" },
	{ { "--root", "a", "--share", "mnt" }, "--root a", { "contradicts --share mnt" }, "" },
	{ { "--layer", "a", "--join", "mnt=1" }, "--layer a", { "contradicts --join mnt=1" }, "" },
	{ { "--changes", "a", "--share", "mnt" },
	  "--changes a",
	  { "contradicts --share mnt" },
	  "" },
	{ { "--read-only", "--share", "mnt" }, "--read-only", { "contradicts --share mnt" }, "" },
	{ { "--expose", "/a", "--share", "mnt" },
	  "--expose /a",
	  { "contradicts --share mnt" },
	  "" },
	{ { "--hide", "/a", "--share", "mnt" }, "--hide /a", { "contradicts --share mnt" }, "" },
	{ { "-v", "/a:/b", "--share", "mnt" }, "-v /a:/b", { "contradicts --share mnt" }, "" },
	{ { "--tmpfs", "/b", "--join", "mnt=1" },
	  "--tmpfs /b",
	  { "contradicts --join mnt=1" },
	  "" },
	{ { "--init", "--share", "pid" }, "--init", { "contradicts --share pid" }, "" },
	{ { "--init", "--join", "pid=7" }, "--init", { "contradicts --join pid=7" }, "" },

	/* mounts */
	{ { "-v", "/a" }, "-v /a", { "write SRC:DST" }, "" },
	{ { "-v", "/a\\:/b" }, "-v /a\\:/b", { "write SRC:DST" }, "" },
	{ { "-v", ":/b" }, "-v :/b", { "path is empty" }, "" },
	{ { "-v", "/a:" }, "-v /a:", { "path is empty" }, "" },
	{ { "-v", "/a:b" }, "-v /a:b", { "b is no absolute path" }, "" },
	{ { "-v", "/a:/../b" }, "-v /a:/../b", { "'..'" }, "" },
	{ { "-v", "/a:/b/.." }, "-v /a:/b/..", { "'..'" }, "" },
	{ { "-v", "/a:/" }, "-v /a:/", { "over the root itself", "--root" }, "" },
	{ { "-v", "/a://./" }, "-v /a://./", { "over the root itself" }, "" },
	{ { "--tmpfs", "/" }, "--tmpfs /", { "over the root itself" }, "" },
	{ { "-v", "/a:/b:" }, "-v /a:/b:", { "'' is no option of a volume" }, "" },
	{ { "-v", "/a:/b:r0" },
	  "-v /a:/b:r0",
	  { "'r0' is no option of a volume" },
	  "Known are: ro" },
	{ { "-v", "/a:/b:noexe" }, "-v /a:/b:noexe", { "no option" }, "noexec?" },
	{ { "-v", "/a:/b:ro:rw" }, "-v /a:/b:ro:rw", { "'ro:rw' is no option" }, "" },
	{ { "-v", "/a:/b:ro,rw" }, "-v /a:/b:ro,rw", { "ro and rw contradict" }, "" },
	{ { "-v", "/a:/b:bind,rbind" }, "-v /a:/b:bind,rbind", { "bind and rbind" }, "" },
	{ { "-v", "/a:/b:slave,private" }, "-v /a:/b:slave,private", { "slave and private" }, "" },
	{ { "-v", "/a:/b:size=1m" },
	  "-v /a:/b:size=1m",
	  { "'size=1m' is no option of a volume" },
	  "" },
	{ { "--tmpfs", "/a:rbind" },
	  "--tmpfs /a:rbind",
	  { "'rbind' is no option of a tmpfs" },
	  "" },
	{ { "--tmpfs", "/a:size=" }, "--tmpfs /a:size=", { "'' is not a size" }, "" },
	{ { "--tmpfs", "/a:size=0" }, "--tmpfs /a:size=0", { "out of range" }, "" },
	{ { "--tmpfs", "/a:size=1m,size=2m" },
	  "--tmpfs /a:size=1m,size=2m",
	  { "size= is said twice" },
	  "" },
	{ { "--tmpfs", "/a:mode=8" }, "--tmpfs /a:mode=8", { "'8' is no mode" }, "" },
	{ { "--tmpfs", "/a:mode=10000" }, "--tmpfs /a:mode=10000", { "no mode" }, "" },
	{ { "--tmpfs", "/a:mode=" }, "--tmpfs /a:mode=", { "no mode" }, "" },
	{ { "--tmpfs", "a" }, "--tmpfs a", { "no absolute path" }, "" },
	{ { "-v", "/a:/x", "--tmpfs", "//x/./" },
	  "--tmpfs //x/./",
	  { "contradicts -v /a:/x", "same place" },
	  "" },

	/* process */
	{ { "--user", "" }, "--user ", { "the user is empty" }, "" },
	{ { "--user", ":5" }, "--user :5", { "the user is empty" }, "" },
	{ { "--user", "a:" }, "--user a:", { "the group is empty" }, "" },
	{ { "--user", "4294967295" }, "--user 4294967295", { "0 to 4294967294" }, "" },
	{ { "--user", "-1" }, "--user -1", { "can't be a user's name" }, "" },
	{ { "--user", "--", "id" }, "--user --", { "can't be a user's name" }, "" },
	{ { "--user", "+1" }, "--user +1", { "can't be a user's name" }, "" },
	{ { "--user", "0x0" }, "--user 0x0", { "'0x0' is no user id" }, "" },
	{ { "--user", "00" }, "--user 00", { "'00' is no user id" }, "" },
	{ { "--user", "1e3" }, "--user 1e3", { "no user id" }, "" },
	{ { "--user", "99999999999999999999" },
	  "--user 99999999999999999999",
	  { "no user id" },
	  "" },
	{ { "--user", " 0" }, "--user  0", { "can't be" }, "" },
	{ { "--user", "0 " }, "--user 0 ", { "no user id" }, "" },
	{ { "--user", "a:b:c" }, "--user a:b:c", { "'b:c' can't be a group's name" }, "" },
	{ { "--user", "a\n" }, "--user a\n", { "can't be" }, "" },
	{ { "--user", "a:4294967295" }, "--user a:4294967295", { "no group id" }, "" },
	{ { "--group", "a:b" }, "--group a:b", { "'a:b' can't be a group's name" }, "" },
	{ { "--user", "a:b", "--group", "c" }, "--group c", { "contradicts --user a:b" }, "" },
	{ { "--cwd", "tmp" }, "--cwd tmp", { "no absolute path" }, "" },
	{ { "--cwd", "/a/.." }, "--cwd /a/..", { "'..'" }, "" },
	{ { "--env", "" }, "--env ", { "names no variable" }, "" },
	{ { "--env", "=1" }, "--env =1", { "names no variable" }, "" },
	{ { "--cap-add", "net_admni" }, "--cap-add net_admni", { "no capability" }, "net_admin?" },
	{ { "--cap-add", "CAP_NET_ADMNI" },
	  "--cap-add CAP_NET_ADMNI",
	  { "no capability" },
	  "net_admin?" },
	{ { "--cap-add", "" }, "--cap-add ", { "'' is no capability" }, "capabilities(7)" },
	{ { "--cap-add", "12" }, "--cap-add 12", { "'12' is no capability" }, "" },
	{ { "--cap-add", "chown,," }, "--cap-add chown,,", { "'' is no capability" }, "" },
	{ { "--cap-add", "chown", "--cap-drop", "CAP_CHOWN" },
	  "--cap-drop CAP_CHOWN",
	  { "contradicts --cap-add chown" },
	  "" },
	{ { "--cap-drop", "all", "--cap-add", "ALL" },
	  "--cap-add ALL",
	  { "contradicts --cap-drop all" },
	  "" },
	{ { "--new-privs", "--no-new-privs" },
	  "--no-new-privs",
	  { "--new-privs was said before" },
	  "" },
	{ { "--seccomp", "" }, "--seccomp ", { "path is empty" }, "" },
	{ { "--seccomp", "off", "--seccomp", "default" },
	  "--seccomp default",
	  { "--seccomp off was said" },
	  "" },
	{ { "--rlimit", "nofile" }, "--rlimit nofile", { "NAME=SOFT" }, "" },
	{ { "--rlimit", "nofiles=1" }, "--rlimit nofiles=1", { "no resource limit" }, "nofile?" },
	{ { "--rlimit", "=1" }, "--rlimit =1", { "'' is no resource limit" }, "Known are: cpu" },
	{ { "--rlimit", "nofile=" }, "--rlimit nofile=", { "'' is no limit" }, "" },
	{ { "--rlimit", "nofile=5:4" },
	  "--rlimit nofile=5:4",
	  { "the soft limit 5 is above the hard limit 4" },
	  "" },
	{ { "--rlimit", "nofile=unlimited:4" }, "--rlimit nofile=unlimited:4", { "above" }, "" },
	{ { "--rlimit", "nofile=1:2:3" }, "--rlimit nofile=1:2:3", { "'2:3' is no limit" }, "" },
	{ { "--rlimit", "nofile=-1" }, "--rlimit nofile=-1", { "'-1' is no limit" }, "" },
	{ { "--hide", "/." }, "--hide /.", { "hides everything" }, "" },
	{ { "--rlimit", "nofile=1k" }, "--rlimit nofile=1k", { "'1k' is no limit" }, "" },
	{ { "--rlimit", "nofile=18446744073709551615" },
	  "--rlimit nofile=18446744073709551615",
	  { "no limit" },
	  "" },
	{ { "--rlimit", "nofile=1", "--rlimit", "NOFILE=2" },
	  "--rlimit NOFILE=2",
	  { "contradicts --rlimit nofile=1" },
	  "" },
	{ { "--oom-score-adj", "1001" },
	  "--oom-score-adj 1001",
	  { "out of range", "from -1000 to 1000" },
	  "" },
	{ { "--oom-score-adj", "a" }, "--oom-score-adj a", { "not a decimal number" }, "" },

	/* limits */
	{ { "--memory", "0" }, "--memory 0", { "out of range", "from 4k" }, "" },
	{ { "--memory", "-1" }, "--memory -1", { "not a size" }, "" },
	{ { "--memory", "1x" }, "--memory 1x", { "not a size", "64m" }, "" },
	{ { "--memory", "1.5g" }, "--memory 1.5g", { "not a size" }, "" },
	{ { "--memory", "9223372036854775808" },
	  "--memory 9223372036854775808",
	  { "out of range" },
	  "" },
	{ { "--memory", "8388608t" }, "--memory 8388608t", { "out of range" }, "" },
	{ { "--memory", "" }, "--memory ", { "not a size" }, "" },
	{ { "--memory", "g" }, "--memory g", { "not a size" }, "" },
	{ { "--memory-swap", "1g" }, "--memory-swap 1g", { "needs --memory" }, "" },
	{ { "--memory", "2g", "--memory-swap", "1g" },
	  "--memory-swap 1g",
	  { "contradicts --memory 2g" },
	  "" },
	{ { "--memory-swap", "-2" }, "--memory-swap -2", { "not a size" }, "" },
	{ { "--cpus", "0" }, "--cpus 0", { "out of range", "from 0.010 to 8192" }, "" },
	{ { "--cpus", "0.009" }, "--cpus 0.009", { "out of range" }, "" },
	{ { "--cpus", "8192.001" }, "--cpus 8192.001", { "out of range" }, "" },
	{ { "--cpus", "99999999999999999999999" },
	  "--cpus 99999999999999999999999",
	  { "out of range" },
	  "" },
	{ { "--cpus", "99999999999999999999999999999999999" },
	  "--cpus 99999999999999999999999999999999999",
	  { "not a number" },
	  "" },
	{ { "--cpus", "1.2345" }, "--cpus 1.2345", { "not a number" }, "" },
	{ { "--cpus", "1." }, "--cpus 1.", { "not a number" }, "" },
	{ { "--cpus", ".5" }, "--cpus .5", { "not a number" }, "" },
	{ { "--cpus", "-1" }, "--cpus -1", { "not a number" }, "" },
	{ { "--cpus", "1,5" }, "--cpus 1,5", { "not a number" }, "" },
	{ { "--cpus", "1.-5" }, "--cpus 1.-5", { "not a number" }, "" },
	{ { "--cpu-weight", "0" }, "--cpu-weight 0", { "out of range", "from 1 to 10000" }, "" },
	{ { "--cpu-weight", "10001" }, "--cpu-weight 10001", { "out of range" }, "" },
	{ { "--io-weight", "x" }, "--io-weight x", { "from 1 to 10000" }, "" },
	{ { "--pids", "0" }, "--pids 0", { "out of range", "from 1 to 4194304" }, "" },
	{ { "--pids", "4194305" }, "--pids 4194305", { "out of range" }, "" },

	/* plan and trace */
	{ { "--plan", "--trace" }, "--trace", { "contradicts --plan" }, "" },
};

static void check_refusal(const struct bad *b, int rc, const struct nook_error *err)
{
	if (rc >= 0)
		fail_msg("%s %s was accepted", b->words[0], b->words[1] ? b->words[1] : "");
	assert_int_equal(err->errnum, -rc);
	if (b->where)
		assert_string_equal(err->where, b->where);
	for (size_t k = 0; k < ARRAY_SIZE(b->why); k++) {
		if (b->why[k] && !strstr(err->why, b->why[k]))
			fail_msg("%s: '%s' lacks '%s'", err->where, err->why, b->why[k]);
	}
	if (!strstr(err->hint, b->hint))
		fail_msg("%s: the hint '%s' lacks '%s'", err->where, err->hint, b->hint);
}

static void test_refused(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(bads); i++) {
		auto_arena struct nook_arena a = { 0 };
		struct nook_run_words ret;
		struct nook_error err = { 0 };
		char *argv[WORDS + 1];

		assert_int_equal(nook_arena_init(&a), 0);
		collect(bads[i].words, argv);

		int rc = nook_words_run(&a, argv, &ret, &err);

		check_refusal(&bads[i], rc, &err);
	}
}

/* ---- what is not in the spec ---- */

static void test_run_switches(void **state)
{
	static const struct {
		const char *words[WORDS];
		bool help, plan, trace;
		enum nook_plan_format format;
	} cases[] = {
		{ { "--plan" }, .plan = true },
		{ { "--plan", "json" }, .plan = true }, /* "json" is the COMMAND */
		{ { "--plan=text", "true" }, .plan = true },
		{ { "--plan=json", "true" }, .plan = true, .format = NOOK_PLAN_JSON },
		{ { "--trace", "true" }, .trace = true },
		{ { "--help" }, .help = true },
		{ { "-h", "--nonsense" }, .help = true },
		{ { "--root", "a", "--layer", "b", "-th" }, .help = true },
		{ { "ls", "--help" }, .help = false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_arena struct nook_arena a = { 0 };
		struct nook_run_words ret;
		struct nook_error err = { 0 };
		char *argv[WORDS + 1];

		assert_int_equal(nook_arena_init(&a), 0);
		collect(cases[i].words, argv);
		assert_int_equal(nook_words_run(&a, argv, &ret, &err), 0);
		assert_int_equal(ret.help, cases[i].help);
		assert_int_equal(ret.plan, cases[i].plan);
		assert_int_equal(ret.trace, cases[i].trace);
		assert_int_equal(ret.plan_format, cases[i].format);
	}
}

/* A thousand layers and more: arrays grow, and nothing is quadratic that a person could notice. */
static void test_many_layers(void **state)
{
	enum { N = 1000 };
	static char *argv[2 * N + 1];
	auto_arena struct nook_arena a = { 0 };
	struct nook_run_words ret;
	struct nook_error err = { 0 };

	assert_int_equal(nook_arena_init(&a), 0);
	for (size_t i = 0; i < N; i++) {
		argv[2 * i] = "--layer";
		argv[2 * i + 1] = nook_printf(&a, "/layers/%zu", i);
	}
	assert_int_equal(nook_words_run(&a, argv, &ret, &err), 0);
	assert_int_equal(ret.spec.root.n_layers, N);
	assert_string_equal(ret.spec.root.layers[0].path, "/layers/0");
	assert_string_equal(ret.spec.root.layers[N - 1].path, "/layers/999");
	assert_string_equal(ret.spec.root.layers[N - 1].from, "--layer /layers/999");
}

/* The kernel takes 340 lines of an id map. */
static void test_many_map_lines(void **state)
{
	for (int lines = 340; lines <= 341; lines++) {
		auto_arena struct nook_arena a = { 0 };
		struct nook_run_words ret;
		struct nook_error err = { 0 };

		assert_int_equal(nook_arena_init(&a), 0);
		char *map = nook_alloc(&a, 16384), *at = map;

		for (int i = 0; i < lines; i++)
			at += sprintf(at, "%s%d:%d:1", i ? "," : "", 2 * i, 5000 + 2 * i);

		char *argv[] = { "--uid-map", map, NULL };
		int rc = nook_words_run(&a, argv, &ret, &err);

		if (lines == 340)
			assert_int_equal(ret.spec.n_uid_map, 340);
		assert_int_equal(rc, lines == 340 ? 0 : -E2BIG);
	}
}

/* ---- nook exec ---- */

static const struct {
	const char *words[WORDS];
	const char *spec; /* NULL: refused */
	const char *where, *why;
} execs[] = {
	{ { "web", "ls", "-l" }, "name=web argv=ls argv=-l" },
	{ { "web", "--", "-x", "--" }, "name=web argv=-x argv=--" },
	{ { "--", "web", "ls" }, "name=web argv=ls" },
	{ { "-tu", "www:5", "-w/tmp", "-e", "A=1", "--env=B", "web", "sh" },
	  "name=web argv=sh env=A=1 env=B cwd=/tmp user=www:5 from=-u www:5 tty=yes" },
	{ { "--no-tty", "--trace", "web", "sh" }, "name=web argv=sh tty=no trace" },
	{ { NULL }, NULL, "", "NAME is missing" },
	{ { "web" }, NULL, "", "COMMAND is missing: nook exec web COMMAND" },
	{ { "web", "--" }, NULL, "", "COMMAND is missing" },
	{ { "web", "" }, NULL, "", "empty word" },
	{ { "../x", "ls" }, NULL, "", "'../x' can't be a container's name" },
	{ { "web", "--tty", "sh" }, NULL, "", "'--tty' stands where the COMMAND begins" },
	{ { "--user", "-1", "web", "sh" }, NULL, "--user -1", "can't be a user's name" },
	{ { "--cwd", "x", "web", "sh" }, NULL, "--cwd x", "no absolute path" },
	{ { "--env", "=", "web", "sh" }, NULL, "--env =", "names no variable" },
	{ { "--nam" }, NULL, "--nam", "nook exec has no such option" },
	{ { "--tty", "--no-tty", "web", "sh" }, NULL, "--no-tty", "--tty was said before" },
};

static void test_exec(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(execs); i++) {
		auto_arena struct nook_arena a = { 0 };
		struct nook_exec_words ret;
		struct nook_error err = { 0 };
		struct text t = { 0 };
		char *argv[WORDS + 1];

		assert_int_equal(nook_arena_init(&a), 0);
		collect(execs[i].words, argv);

		int rc = nook_words_exec(&a, argv, &ret, &err);

		if (!execs[i].spec) {
			assert_true(rc < 0);
			assert_string_equal(err.where, execs[i].where);
			if (!strstr(err.why, execs[i].why))
				fail_msg("'%s' lacks '%s'", err.why, execs[i].why);
			continue;
		}
		assert_int_equal(rc, 0);
		say_text(&t, "name", ret.spec.name);
		for (size_t k = 0; ret.spec.argv[k]; k++)
			say_text(&t, "argv", ret.spec.argv[k]);
		for (size_t k = 0; k < ret.spec.n_env; k++)
			say_text(&t, "env", ret.spec.env[k]);
		say_text(&t, "cwd", ret.spec.cwd);
		say_text(&t, "user", ret.spec.user);
		say_text(&t, "from", ret.spec.user_from);
		say_tristate(&t, "tty", ret.spec.terminal);
		if (ret.trace)
			say(&t, "trace");
		assert_string_equal(t.at, execs[i].spec);
	}
}

/* Every row of a table can be shown, completed and set, and no name or letter is there twice. */
static void test_tables(void **state)
{
	const struct nook_option_table *tables[] = { &nook_run_table, &nook_exec_table };

	for (size_t t = 0; t < ARRAY_SIZE(tables); t++) {
		for (size_t i = 0; i < tables[t]->n; i++) {
			const struct nook_option *o = &tables[t]->rows[i];

			assert_non_null(o->help);
			if (!o->name)
				continue;
			assert_int_equal(o->set == NULL, (o->flags & NOOK_OPTION_HELP) != 0);
			assert_true(strlen(o->name) < 32); /* what nook_nearest() compares */
			assert_false(o->value && (o->flags & NOOK_OPTION_NO));
			if (o->complete == NOOK_COMPLETE_WORDS || o->complete == NOOK_COMPLETE_LIST)
				assert_non_null(o->words);
			for (size_t k = 0; k < i; k++) {
				const struct nook_option *b = &tables[t]->rows[k];

				assert_false(b->name && strcmp(b->name, o->name) == 0);
				assert_false(o->letter && b->letter == o->letter);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_understood),     cmocka_unit_test(test_refused),
		cmocka_unit_test(test_run_switches),   cmocka_unit_test(test_many_layers),
		cmocka_unit_test(test_many_map_lines), cmocka_unit_test(test_exec),
		cmocka_unit_test(test_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
