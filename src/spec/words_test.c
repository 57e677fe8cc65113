/* SPDX-License-Identifier: Apache-2.0 */
/* Words of `nook run`: what they mean. */
#include "words_text.h"

#include <errno.h>

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
		cmocka_unit_test(test_understood),  cmocka_unit_test(test_run_switches),
		cmocka_unit_test(test_many_layers), cmocka_unit_test(test_many_map_lines),
		cmocka_unit_test(test_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
