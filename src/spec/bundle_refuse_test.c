/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything in config.json that is refused, with its place, and what looks alike but is taken; the
 * object linux is in bundle_refuse_linux_test.c.
 */
#include "bundle_refuse_fixture.h"

static const struct refusal process[] = {
	{ "'process':1", "/process", "an object is wanted here, not a number" },
	{ "'process':{}", "/process/args", "an array is missing" },
	{ "'process':{'cwd':'/'}", "/process/args", "an array is missing" },
	{ "'process':{'args':[],'cwd':'/'}", "/process/args", "an empty list names no program" },
	{ "'process':{'args':'sh','cwd':'/'}", "/process/args", "an array is wanted" },
	{ "'process':{'args':[1],'cwd':'/'}", "/process/args/0", "a string is wanted" },
	{ "'process':{'args':['a',null],'cwd':'/'}", "/process/args/1", "a string is wanted" },
	{ "'process':{'args':['a\\u0000b'],'cwd':'/'}", "/process/args/0", "a NUL character" },
	{ "'process':{'args':['x']}", "/process/cwd", "a string is missing" },
	{ "'process':{'args':['x'],'cwd':null}", "/process/cwd", "a string is missing" },
	{ "'process':{'args':['x'],'cwd':''}", "/process/cwd", "\"\" is not an absolute path" },
	{ "'process':{'args':['x'],'cwd':'x'}", "/process/cwd", NO_ABSOLUTE },
	{ PROCESS("'terminal':1"), "/process/terminal", "true or false is wanted" },
	{ PROCESS("'terminal':'true'"), "/process/terminal", "true or false is wanted" },
	{ PROCESS("'consoleSize':[1,2]"), "/process/consoleSize", "an object is wanted" },
	{ PROCESS("'consoleSize':{'height':1}"), "/process/consoleSize/width", "an integer is m" },
	{ PROCESS("'consoleSize':{'width':1}"), "/process/consoleSize/height", "an integer is m" },
	{ PROCESS("'consoleSize':{'height':65536,'width':1}"), "/process/consoleSize/height",
	  "65536 is above 65535" },
	{ PROCESS("'consoleSize':{'height':1,'width':-1}"), "/process/consoleSize/width",
	  "-1 is below 0" },
	{ PROCESS("'user':'root'"), "/process/user", "an object is wanted" },
	{ PROCESS("'user':{'uid':'0'}"), "/process/user/uid", "an integer is wanted" },
	{ PROCESS("'user':{'uid':0.0}"), "/process/user/uid", "an integer is wanted" },
	{ PROCESS("'user':{'uid':1e3}"), "/process/user/uid", "an integer is wanted" },
	{ PROCESS("'user':{'uid':-1}"), "/process/user/uid", "-1 is below 0" },
	{ PROCESS("'user':{'uid':4294967295}"), "/process/user/uid",
	  "4294967295 is above 42949672" },
	{ PROCESS("'user':{'gid':4294967296}"), "/process/user/gid", "4294967296 is above" },
	{ PROCESS("'user':{'umask':512}"), "/process/user/umask", "512 is above 511" },
	{ PROCESS("'user':{'umask':'022'}"), "/process/user/umask", "an integer is wanted" },
	{ PROCESS("'user':{'additionalGids':5}"), "/process/user/additionalGids", "an array is" },
	{ PROCESS("'user':{'additionalGids':[1,4294967295]}"), "/process/user/additionalGids/1",
	  "4294967295 is above" },
	{ PROCESS("'user':{'additionalGids':['5']}"), "/process/user/additionalGids/0",
	  "an integer is wanted" },
	{ PROCESS("'env':{}"), "/process/env", "an array is wanted" },
	{ PROCESS("'env':['A=b','PATH']"), "/process/env/1", "\"PATH\" is not NAME=VALUE" },
	{ PROCESS("'env':['=x']"), "/process/env/0", "\"=x\" is not NAME=VALUE" },
	{ PROCESS("'env':['']"), "/process/env/0", "\"\" is not NAME=VALUE" },
	{ PROCESS("'capabilities':['CAP_CHOWN']"), "/process/capabilities", "an object is wanted" },
	{ PROCESS("'capabilities':{'bounding':'CAP_CHOWN'}"), "/process/capabilities/bounding",
	  "an array is wanted" },
	{ PROCESS("'capabilities':{'bounding':['CAP_KILL','CAP_NOPE']}"),
	  "/process/capabilities/bounding/1", "\"CAP_NOPE\" is no capability" },
	{ PROCESS("'capabilities':{'effective':['cap_chown']}"),
	  "/process/capabilities/effective/0", "\"cap_chown\" is no capability" },
	{ PROCESS("'capabilities':{'permitted':['CHOWN']}"), "/process/capabilities/permitted/0",
	  "\"CHOWN\" is no capability" },
	{ PROCESS("'capabilities':{'inheritable':['']}"), "/process/capabilities/inheritable/0",
	  "\"\" is no capability" },
	{ PROCESS("'capabilities':{'ambient':[1]}"), "/process/capabilities/ambient/0",
	  "a string is wanted" },
	{ PROCESS("'capabilities':{'ambient':['CAP_']}"), "/process/capabilities/ambient/0",
	  "\"CAP_\" is no capability" },
	{ PROCESS("'rlimits':{}"), "/process/rlimits", "an array is wanted" },
	{ PROCESS("'rlimits':[{'soft':1,'hard':1}]"), "/process/rlimits/0/type", "a string is m" },
	{ PROCESS("'rlimits':[{'type':'RLIMIT_CPU','hard':1}]"), "/process/rlimits/0/soft",
	  "an integer is missing" },
	{ PROCESS("'rlimits':[{'type':'RLIMIT_CPU','soft':1}]"), "/process/rlimits/0/hard",
	  "an integer is missing" },
	{ PROCESS("'rlimits':[{'type':'RLIMIT_CPU','soft':-1,'hard':1}]"),
	  "/process/rlimits/0/soft", "-1 is below 0" },
	{ PROCESS("'rlimits':[{'type':'NOFILE','soft':1,'hard':1}]"), "/process/rlimits/0/type",
	  "\"NOFILE\" is no resource limit" },
	{ PROCESS("'rlimits':[{'type':'RLIMIT_nofile','soft':1,'hard':1}]"),
	  "/process/rlimits/0/type", "\"RLIMIT_nofile\" is no resource limit" },
	{ PROCESS("'rlimits':[{'type':'RLIMIT_RLIMIT_CPU','soft':1,'hard':1}]"),
	  "/process/rlimits/0/type", "\"RLIMIT_RLIMIT_CPU\" is no resource limit" },
	{ PROCESS("'rlimits':[{'type':'RLIMIT_CPU','soft':1,'hard':2},{'type':'RLIMIT_CPU','soft':"
		  "1,'hard':2}]"),
	  "/process/rlimits/1", "RLIMIT_CPU stands there twice" },
	{ PROCESS("'rlimits':[{'type':'RLIMIT_CPU','soft':3,'hard':2}]"), "/process/rlimits/0",
	  "the soft limit, 3, is above the hard one, 2" },
	{ PROCESS("'noNewPrivileges':0"), "/process/noNewPrivileges", "true or false is wanted" },
	{ PROCESS("'apparmorProfile':true"), "/process/apparmorProfile", "a string is wanted" },
	{ PROCESS("'selinuxLabel':[]"), "/process/selinuxLabel", "a string is wanted" },
	{ PROCESS("'oomScoreAdj':1001"), "/process/oomScoreAdj",
	  "1001 is not between -1000 and 1" },
	{ PROCESS("'oomScoreAdj':-1001"), "/process/oomScoreAdj", "-1001 is not between" },
	{ PROCESS("'oomScoreAdj':18446744073709551615"), "/process/oomScoreAdj",
	  "184467440737095" },
	{ PROCESS("'ioPriority':{'priority':1}"), "/process/ioPriority/class", "a string is m" },
	{ PROCESS("'ioPriority':{'class':'IOPRIO_CLASS_BE'}"), "/process/ioPriority/priority",
	  "an integer is missing" },
	{ PROCESS("'ioPriority':{'class':'BE','priority':1}"), "/process/ioPriority/class",
	  "\"BE\" is no class: IOPRIO_CLASS_RT, IOPRIO_CLASS_BE, IOPRIO_CLASS_IDLE" },
	{ PROCESS("'ioPriority':{'class':'IOPRIO_CLASS_RT','priority':8}"),
	  "/process/ioPriority/priority", "8 is above 7" },
	{ PROCESS("'execCPUAffinity':{'initial':'a'}"), "/process/execCPUAffinity/initial",
	  "\"a\" is not a list" },
	{ PROCESS("'execCPUAffinity':{'final':'3-1'}"), "/process/execCPUAffinity/final",
	  "\"3-1\" is not a list" },
	{ PROCESS("'execCPUAffinity':{'final':'1,'}"), "/process/execCPUAffinity/final",
	  "\"1,\" is not a list" },
};

static const struct refusal schedule[] = {
	{ SCHED("'nice':1"), "/process/scheduler/policy", "a string is missing" },
	{ SCHED("'policy':'SCHED_NICE'"), "/process/scheduler/policy",
	  "\"SCHED_NICE\" is no scheduling policy: SCHED_OTHER, " },
	{ SCHED("'policy':'SCHED_ISO'"), "/process/scheduler/policy", "\"SCHED_ISO\" is no" },
	{ SCHED("'policy':'SCHED_OTHER','nice':20"), "/process/scheduler/nice", "20 is not betw" },
	{ SCHED("'policy':'SCHED_OTHER','nice':-21"), "/process/scheduler/nice", "-21 is not b" },
	{ SCHED("'policy':'SCHED_OTHER','priority':1"), "/process/scheduler/priority",
	  "only SCHED_FIFO and SCHED_RR have one" },
	{ SCHED("'policy':'SCHED_FIFO'"), "/process/scheduler/priority",
	  "SCHED_FIFO and SCHED_RR take 1 to 99" },
	{ SCHED("'policy':'SCHED_RR','priority':100"), "/process/scheduler/priority",
	  "100 is above 99" },
	{ SCHED("'policy':'SCHED_RR','priority':-1"), "/process/scheduler/priority", "-1 is b" },
	{ SCHED("'policy':'SCHED_OTHER','flags':['X']"), "/process/scheduler/flags/0",
	  "\"X\" is no scheduling flag" },
	{ SCHED("'policy':'SCHED_OTHER','flags':[1]"), "/process/scheduler/flags/0",
	  "a string is wanted" },
	{ SCHED("'policy':'SCHED_BATCH','runtime':1"), "/process/scheduler",
	  "only SCHED_DEADLINE has a runtime" },
	{ SCHED("'policy':'SCHED_DEADLINE'"), "/process/scheduler/runtime",
	  "SCHED_DEADLINE needs" },
	{ SCHED("'policy':'SCHED_DEADLINE','runtime':9,'deadline':8"),
	  "/process/scheduler/deadline", "it is shorter than the runtime" },
	{ SCHED("'policy':'SCHED_DEADLINE','runtime':1,'deadline':8,'period':7"),
	  "/process/scheduler/period", "it is shorter than the deadline" },
	{ SCHED("'policy':'SCHED_DEADLINE','runtime':-1"), "/process/scheduler/runtime", "-1 is" },
	{ MPOL("'nodes':'0'"), "/linux/memoryPolicy/mode", "a string is missing" },
	{ MPOL("'mode':'bind'"), "/linux/memoryPolicy/mode", "\"bind\" is no memory policy" },
	{ MPOL("'mode':'MPOL_BIND'"), "/linux/memoryPolicy/nodes", "this policy needs some" },
	{ MPOL("'mode':'MPOL_BIND','nodes':''"), "/linux/memoryPolicy/nodes", "this policy needs" },
	{ MPOL("'mode':'MPOL_BIND','nodes':'0-'"), "/linux/memoryPolicy/nodes", "\"0-\" is not a" },
	{ MPOL("'mode':'MPOL_DEFAULT','nodes':'0'"), "/linux/memoryPolicy/nodes",
	  "MPOL_DEFAULT and MPOL_LOCAL take none" },
	{ MPOL("'mode':'MPOL_BIND','nodes':'0','flags':['MPOL_F_X']"),
	  "/linux/memoryPolicy/flags/0", "\"MPOL_F_X\" is no flag of a memory policy" },
	{ MPOL("'mode':'MPOL_BIND','nodes':'0','flags':['MPOL_F_STATIC_NODES','MPOL_F_RELATIVE_"
	       "NODES']"),
	  "/linux/memoryPolicy/flags", "MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude" },
	{ MPOL("'mode':'MPOL_LOCAL','flags':['MPOL_F_STATIC_NODES']"), "/linux/memoryPolicy/flags",
	  "these need nodes" },
	{ MPOL("'mode':'MPOL_INTERLEAVE','nodes':'0','flags':['MPOL_F_NUMA_BALANCING']"),
	  "/linux/memoryPolicy/flags", "MPOL_F_NUMA_BALANCING goes with" },
};

static const struct refusal files[] = {
	{ "'root':'/'", "/root", "an object is wanted" },
	{ "'root':{}", "/root/path", "a string is missing" },
	{ "'root':{'path':''}", "/root/path", "an empty string says nothing" },
	{ "'root':{'path':'x','readonly':'yes'}", "/root/readonly", "true or false is wanted" },
	{ "'hostname':1", "/hostname", "a string is wanted" },
	{ "'hostname':'01234567890123456789012345678901234567890123456789012345678901234'",
	  "/hostname", "a string of 65 bytes; 64 are allowed" },
	{ "'domainname':false", "/domainname", "a string is wanted" },
	{ "'mounts':{}", "/mounts", "an array is wanted" },
	{ "'mounts':['/a']", "/mounts/0", "an object is wanted" },
	{ MOUNT(""), "/mounts/1/destination", "a string is missing" },
	{ MOUNT("'destination':''"), "/mounts/1/destination", "an empty string says nothing" },
	{ MOUNT("'destination':'/a','type':0"), "/mounts/1/type", "a string is wanted" },
	{ MOUNT("'destination':'/a','source':0"), "/mounts/1/source", "a string is wanted" },
	{ MOUNT("'destination':'/a','options':'ro'"), "/mounts/1/options", "an array is wanted" },
	{ MOUNT("'destination':'/a','options':['ro',7]"), "/mounts/1/options/1", "a string is w" },
	{ MOUNT("'destination':'/a','uidMappings':[{'containerID':0,'hostID':0,'size':1}]"),
	  "/mounts/1", "uidMappings and gidMappings go together" },
	{ MOUNT("'destination':'/a','gidMappings':[{'containerID':0,'hostID':0}]"),
	  "/mounts/1/gidMappings/0/size", "an integer is missing" },
	{ HOOK(""), "/hooks/prestart/0/path", "a string is missing" },
	{ "'hooks':[]", "/hooks", "an object is wanted" },
	{ "'hooks':{'poststop':{}}", "/hooks/poststop", "an array is wanted" },
	{ "'hooks':{'createRuntime':[{'path':'x'}]}", "/hooks/createRuntime/0/path", NO_ABSOLUTE },
	{ "'hooks':{'createContainer':[{'path':''}]}", "/hooks/createContainer/0/path",
	  "\"\" is " },
	{ "'hooks':{'startContainer':['/x']}", "/hooks/startContainer/0", "an object is wanted" },
	{ "'hooks':{'poststart':[{'path':'/x','args':'y'}]}", "/hooks/poststart/0/args", "an arr" },
	{ HOOK("'path':'/x','env':[1]"), "/hooks/prestart/0/env/0", "a string is wanted" },
	{ HOOK("'path':'/x','timeout':0"), "/hooks/prestart/0/timeout", "0 is not between 1 and" },
	{ HOOK("'path':'/x','timeout':-5"), "/hooks/prestart/0/timeout", "-5 is not between 1" },
	{ HOOK("'path':'/x','timeout':2147484"), "/hooks/prestart/0/timeout", "2147484 is not b" },
	{ HOOK("'path':'/x','timeout':1.5"), "/hooks/prestart/0/timeout", "an integer is wanted" },
	{ "'annotations':[]", "/annotations", "an object is wanted" },
	{ "'annotations':{'a':1}", "/annotations/a", "a string is wanted" },
	{ "'annotations':{'':'x'}", "/annotations/", "an empty string says nothing" },
};

static void test_process(void **state)
{
	check_refusals(process, ARRAY_SIZE(process));
}

static void test_schedule(void **state)
{
	check_refusals(schedule, ARRAY_SIZE(schedule));
}

static void test_files(void **state)
{
	check_refusals(files, ARRAY_SIZE(files));
}

/* The document itself, and its version. */
static void test_document(void **state)
{
	static const struct refusal cases[] = {
		{ "", "", "the JSON ends too early" },
		{ "null", "/", "an object is wanted here" },
		{ "[]", "/", "an object is wanted here" },
		{ "3", "/", "an object is wanted here" },
		{ "{", "", "the JSON ends too early" },
		{ "{}x", "", "not JSON at byte 2" },
		{ "{'a':01}", "", "not JSON" },
		{ "{'a':18446744073709551616}", "", "the number at byte 5 passes 64 bits" },
		{ "{}", "/ociVersion", "a string is missing" },
		{ "{'ociVersion':1}", "/ociVersion", "a string is wanted" },
		{ "{'ociVersion':''}", "/ociVersion", "\"\" is not a version" },
		{ "{'ociVersion':'1'}", "/ociVersion", "\"1\" is not a version" },
		{ "{'ociVersion':'1.0'}", "/ociVersion", "\"1.0\" is not a version" },
		{ "{'ociVersion':'1.0.x'}", "/ociVersion", "\"1.0.x\" is not a version" },
		{ "{'ociVersion':'v1.0.0'}", "/ociVersion", "\"v1.0.0\" is not a version" },
		{ "{'ociVersion':'1.0.0.0'}", "/ociVersion", "\"1.0.0.0\" is not a version" },
		{ "{'ociVersion':'1.02.0'}", "/ociVersion", "\"1.02.0\" is not a version" },
		{ "{'ociVersion':'1.0.0-'}", "/ociVersion", "\"1.0.0-\" is not a version" },
		{ "{'ociVersion':'1.0.0 '}", "/ociVersion", "\"1.0.0 \" is not a version" },
		{ "{'ociVersion':'2.0.0'}", "/ociVersion", "this is of version 2.0.0 of the" },
		{ "{'ociVersion':'0.9.0'}", "/ociVersion", "this is of version 0.9.0 of the" },
		{ "{'ociVersion':'10.0.0'}", "/ociVersion", "this is of version 10.0.0" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_arena struct nook_arena a = { 0 };
		struct nook_bundle b;
		struct nook_error err = { 0 };
		char json[TEXT];
		size_t len = quoted(json, sizeof(json), cases[i].json);

		assert_int_equal(nook_arena_init(&a), 0);
		assert_int_equal(nook_bundle_parse(&a, json, len, &b, &err), -EINVAL);
		assert_string_equal(err.where, cases[i].place);
		if (strncmp(err.why, cases[i].why, strlen(cases[i].why)) != 0)
			fail_msg("%s: %s", cases[i].json, err.why);
	}
}

/* What stands close to a refusal, but is right. */
static void test_taken(void **state)
{
	static const char *const cases[] = {
		"'x':1",
		"'process':null,'root':null,'hooks':null,'linux':null,'mounts':null,'hostname':"
		"null",
		"'process':{'args':['x'],'cwd':'/','user':null,'env':null,'rlimits':null}",
		PROCESS("'user':{}"),
		PROCESS("'user':{'uid':4294967294,'gid':4294967294,'umask':511}"),
		PROCESS("'env':[]"),
		PROCESS("'capabilities':{}"),
		PROCESS("'capabilities':{'bounding':null}"),
		PROCESS("'oomScoreAdj':-1000"),
		PROCESS("'execCPUAffinity':{'initial':'','final':'0-8191'}"),
		SCHED("'policy':'SCHED_FIFO','priority':99"),
		SCHED("'policy':'SCHED_DEADLINE','runtime':8,'deadline':8,'period':8"),
		MPOL("'mode':'MPOL_PREFERRED'"),
		MPOL("'mode':'MPOL_DEFAULT','nodes':''"),
		MPOL("'mode':'MPOL_WEIGHTED_INTERLEAVE','nodes':'0'"),
		"'hooks':{}",
		"'hooks':{'prestart':[]}",
		"'annotations':{'a':null,'b':''}",
		"'hostname':'0123456789012345678901234567890123456789012345678901234567890123'",
		LINUX("'namespaces':[]"),
		LINUX("'gidMappings':[{'containerID':0,'hostID':0,'size':4294967295}]"),
		LINUX("'netDevices':{'a':{'name':'b'},'b':{'name':'a'}}"),
		LINUX("'netDevices':{'0123456789abcde':{}}"),
		LINUX("'intelRdt':{'closID':'/'}"),
		LINUX("'intelRdt':{}"),
		LINUX("'rootfsPropagation':''"),
		LINUX("'personality':{'domain':'LINUX','flags':null}"),
		RES(""),
		RES("'memory':{'swappiness':18446744073709551615}"),
		RES("'pids':{}"),
		RULE("'allow':true,'type':'','access':'mwr'"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_arena struct nook_arena a = { 0 };
		struct nook_bundle b = { 0 };
		struct nook_error err = { 0 };

		assert_int_equal(nook_arena_init(&a), 0);
		if (parse(&a, cases[i], &b, &err) != 0)
			fail_msg("%s: %s: %s", cases[i], err.where, err.why);
		assert_string_equal(b.oci_version, "1.3.0");
	}
}

static void test_versions(void **state)
{
	static const char *const cases[] = { "1.0.0", "1.0.2-dev", "1.3.0-rc.1+build-7",
					     "1.10.12" };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_arena struct nook_arena a = { 0 };
		struct nook_bundle b = { 0 };
		char json[TEXT];
		int len = snprintf(json, sizeof(json), "{\"ociVersion\":\"%s\"}", cases[i]);

		assert_int_equal(nook_arena_init(&a), 0);
		assert_int_equal(nook_bundle_parse(&a, json, (size_t)len, &b, NULL), 0);
		assert_string_equal(b.oci_version, cases[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_process), cmocka_unit_test(test_schedule),
		cmocka_unit_test(test_files),   cmocka_unit_test(test_document),
		cmocka_unit_test(test_taken),   cmocka_unit_test(test_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
