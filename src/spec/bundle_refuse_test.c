/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything in config.json that is refused, with its place, and what looks alike but is taken. A
 * row is a member beside a good ociVersion; ' stands for ".
 */
#include "bundle.h"

#include "base/own.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TEXT 4096

/* The row's JSON with real quotes. */
static size_t quoted(char *out, size_t size, const char *text)
{
	size_t len = strlen(text);

	assert_true(len < size);
	for (size_t i = 0; i <= len; i++)
		out[i] = (char)(text[i] == '\'' ? '"' : text[i]);
	return len;
}

static int parse(struct nook_arena *a, const char *members, struct nook_bundle *b,
		 struct nook_error *err)
{
	char text[TEXT];
	int len = snprintf(text, sizeof(text), "{'ociVersion':'1.3.0',%s}", members);
	char json[TEXT];

	assert_in_range(len, 1, sizeof(text) - 1);
	return nook_bundle_parse(a, json, quoted(json, sizeof(json), text), b, err);
}

struct refusal {
	const char *json, *place, *why; /* why: how it begins */
};

#define PROCESS(m)  "'process':{'args':['x'],'cwd':'/'," m "}"
#define MOUNT(m)    "'mounts':[{'destination':'/a'},{" m "}]"
#define HOOK(m)     "'hooks':{'prestart':[{" m "}]}"
#define LINUX(m)    "'linux':{" m "}"
#define RES(m)      "'linux':{'resources':{" m "}}"
#define DEVICE(m)   "'linux':{'devices':[{" m "}]}"
#define RULE(m)     "'linux':{'resources':{'devices':[{" m "}]}}"
#define SCHED(m)    "'process':{'args':['x'],'cwd':'/','scheduler':{" m "}}"
#define MPOL(m)     "'linux':{'memoryPolicy':{" m "}}"
#define NO_ABSOLUTE "\"x\" is not an absolute path"

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

static const struct refusal linux_members[] = {
	{ "'linux':[]", "/linux", "an object is wanted" },
	{ LINUX("'namespaces':{}"), "/linux/namespaces", "an array is wanted" },
	{ LINUX("'namespaces':['pid']"), "/linux/namespaces/0", "an object is wanted" },
	{ LINUX("'namespaces':[{'path':'/x'}]"), "/linux/namespaces/0/type",
	  "a string is missing" },
	{ LINUX("'namespaces':[{'type':'net'}]"), "/linux/namespaces/0/type",
	  "\"net\" is no type of namespace: pid, network, mount" },
	{ LINUX("'namespaces':[{'type':''}]"), "/linux/namespaces/0/type", "\"\" is no type" },
	{ LINUX("'namespaces':[{'type':'pid'},{'type':'ipc'},{'type':'pid'}]"),
	  "/linux/namespaces/2", "/linux/namespaces/0 says the same type" },
	{ LINUX("'namespaces':[{'type':'pid','path':'x'}]"), "/linux/namespaces/0/path",
	  NO_ABSOLUTE },
	{ LINUX("'uidMappings':{}"), "/linux/uidMappings", "an array is wanted" },
	{ LINUX("'uidMappings':[{'hostID':0,'size':1}]"), "/linux/uidMappings/0/containerID",
	  "an integer is missing" },
	{ LINUX("'uidMappings':[{'containerID':0,'size':1}]"), "/linux/uidMappings/0/hostID",
	  "an integer is missing" },
	{ LINUX("'gidMappings':[{'containerID':0,'hostID':0,'size':0}]"), "/linux/gidMappings/0",
	  "a size of 0 maps no ids" },
	{ LINUX("'gidMappings':[{'containerID':4294967295,'hostID':0,'size':1}]"),
	  "/linux/gidMappings/0/containerID", "4294967295 is above" },
	{ LINUX("'gidMappings':[{'containerID':1,'hostID':0,'size':4294967295}]"),
	  "/linux/gidMappings/0", "the range goes past id 4294967294" },
	{ LINUX("'gidMappings':[{'containerID':0,'hostID':4294967294,'size':2}]"),
	  "/linux/gidMappings/0", "the range goes past id 4294967294" },
	{ LINUX("'timeOffsets':{'realtime':{}}"), "/linux/timeOffsets/realtime", "no clock of" },
	{ LINUX("'timeOffsets':{'boottime':1}"), "/linux/timeOffsets/boottime", "an object is w" },
	{ LINUX("'timeOffsets':{'boottime':{'secs':1.5}}"), "/linux/timeOffsets/boottime/secs",
	  "an integer is wanted" },
	{ LINUX("'timeOffsets':{'monotonic':{'nanosecs':1000000000}}"),
	  "/linux/timeOffsets/monotonic/nanosecs", "1000000000 is above" },
	{ LINUX("'timeOffsets':{'monotonic':{'nanosecs':-1}}"),
	  "/linux/timeOffsets/monotonic/nanosecs", "-1 is below 0" },
	{ LINUX("'devices':{}"), "/linux/devices", "an array is wanted" },
	{ DEVICE("'path':'/dev/x','major':1,'minor':1"), "/linux/devices/0/type", "a string is m" },
	{ DEVICE("'type':'a','path':'/dev/x'"), "/linux/devices/0/type", "\"a\" is no type of d" },
	{ DEVICE("'type':'c','major':1,'minor':1"), "/linux/devices/0/path",
	  "a string is missing" },
	{ DEVICE("'type':'p','path':'x'"), "/linux/devices/0/path", NO_ABSOLUTE },
	{ DEVICE("'type':'c','path':'/x','minor':1"), "/linux/devices/0/major", "an integer is m" },
	{ DEVICE("'type':'b','path':'/x','major':1"), "/linux/devices/0/minor", "an integer is m" },
	{ DEVICE("'type':'u','path':'/x','major':-1,'minor':1"), "/linux/devices/0/major", "-1 i" },
	{ DEVICE("'type':'c','path':'/x','major':4096,'minor':1"), "/linux/devices/0/major",
	  "4096 is above 4095" },
	{ DEVICE("'type':'c','path':'/x','major':1,'minor':1048576"), "/linux/devices/0/minor",
	  "1048576 is above 1048575" },
	{ DEVICE("'type':'p','path':'/x','fileMode':'0666'"), "/linux/devices/0/fileMode", "an i" },
	{ DEVICE("'type':'p','path':'/x','fileMode':-1"), "/linux/devices/0/fileMode", "-1 is b" },
	{ DEVICE("'type':'p','path':'/x','uid':4294967295"), "/linux/devices/0/uid", "42949672" },
	{ DEVICE("'type':'p','path':'/x','gid':4294967295"), "/linux/devices/0/gid", "42949672" },
	{ LINUX("'netDevices':[]"), "/linux/netDevices", "an object is wanted" },
	{ LINUX("'netDevices':{'eth0':'lan'}"), "/linux/netDevices/eth0", "an object is wanted" },
	{ LINUX("'netDevices':{'':{}}"), "/linux/netDevices/", "\"\" can't name a network device" },
	{ LINUX("'netDevices':{'..':{}}"), "/linux/netDevices/..", "\"..\" can't name" },
	{ LINUX("'netDevices':{'a:b':{}}"), "/linux/netDevices/a:b", "\"a:b\" can't name" },
	{ LINUX("'netDevices':{'a':{'name':'a b'}}"), "/linux/netDevices/a/name", "\"a b\" can't" },
	{ LINUX("'netDevices':{'a':{'name':'0123456789abcdef'}}"), "/linux/netDevices/a/name",
	  "\"0123456789abcdef\" can't name" },
	{ LINUX("'netDevices':{'a':{'name':'x'},'b':{'name':'x'}}"), "/linux/netDevices",
	  "\"x\" stands there twice" },
	{ LINUX("'netDevices':{'a':{'name':'b'},'b':{}}"), "/linux/netDevices",
	  "\"b\" stands there twice" },
	{ LINUX("'cgroupsPath':1"), "/linux/cgroupsPath", "a string is wanted" },
	{ LINUX("'intelRdt':{'closID':'a/b'}"), "/linux/intelRdt/closID", "\"a/b\" can't name" },
	{ LINUX("'intelRdt':{'closID':'..'}"), "/linux/intelRdt/closID", "\"..\" can't name" },
	{ LINUX("'intelRdt':{'closID':1}"), "/linux/intelRdt/closID", "a string is wanted" },
	{ LINUX("'intelRdt':{'memBwSchema':'L3:0=1'}"), "/linux/intelRdt/memBwSchema",
	  "it is one" },
	{ LINUX("'intelRdt':{'memBwSchema':'MB:0=1\\nL3:0=1'}"), "/linux/intelRdt/memBwSchema",
	  "it is one line" },
	{ LINUX("'intelRdt':{'schemata':'L3:0=1'}"), "/linux/intelRdt/schemata", "an array is w" },
	{ LINUX("'intelRdt':{'schemata':['a\\nb']}"), "/linux/intelRdt/schemata/0", "more than" },
	{ LINUX("'intelRdt':{'enableMonitoring':1}"), "/linux/intelRdt/enableMonitoring", "true " },
	{ LINUX("'sysctl':{'kernel.shmmax':1}"), "/linux/sysctl/kernel.shmmax", "a string is w" },
	{ LINUX("'sysctl':{'':'1'}"), "/linux/sysctl/", "an empty string says nothing" },
	{ LINUX("'seccomp':[]"), "/linux/seccomp", "an object is wanted" },
	{ LINUX("'rootfsPropagation':'rslaves'"), "/linux/rootfsPropagation",
	  "\"rslaves\" is no propagation: private, rprivate" },
	{ LINUX("'maskedPaths':'/proc'"), "/linux/maskedPaths", "an array is wanted" },
	{ LINUX("'maskedPaths':['/a','x']"), "/linux/maskedPaths/1", NO_ABSOLUTE },
	{ LINUX("'readonlyPaths':['']"), "/linux/readonlyPaths/0", "\"\" is not an absolute path" },
	{ LINUX("'mountLabel':1"), "/linux/mountLabel", "a string is wanted" },
	{ LINUX("'personality':{}"), "/linux/personality/domain", "a string is missing" },
	{ LINUX("'personality':{'domain':'PER_LINUX'}"), "/linux/personality/domain",
	  "\"PER_LINUX\" is no domain: LINUX, LINUX32" },
	{ LINUX("'personality':{'domain':'LINUX','flags':['X']}"), "/linux/personality/flags",
	  "the specification knows no flags" },
};

static const struct refusal resources[] = {
	{ RES("'memory':1"), "/linux/resources/memory", "an object is wanted" },
	{ RES("'memory':{'limit':'64m'}"), "/linux/resources/memory/limit",
	  "an integer is wanted" },
	{ RES("'memory':{'limit':1.0}"), "/linux/resources/memory/limit", "an integer is wanted" },
	{ RES("'memory':{'limit':-2}"), "/linux/resources/memory/limit", "-2 is not between -1" },
	{ RES("'memory':{'limit':9223372036854775808}"), "/linux/resources/memory/limit",
	  "9223372036854775808 is not between" },
	{ RES("'memory':{'reservation':-2}"), "/linux/resources/memory/reservation", "-2 is not" },
	{ RES("'memory':{'swap':-2}"), "/linux/resources/memory/swap", "-2 is not" },
	{ RES("'memory':{'kernel':true}"), "/linux/resources/memory/kernel", "an integer is" },
	{ RES("'memory':{'kernelTCP':-2}"), "/linux/resources/memory/kernelTCP", "-2 is not" },
	{ RES("'memory':{'swappiness':101}"), "/linux/resources/memory/swappiness",
	  "101 is above 100" },
	{ RES("'memory':{'swappiness':-1}"), "/linux/resources/memory/swappiness",
	  "-1 is below 0" },
	{ RES("'memory':{'disableOOMKiller':0}"), "/linux/resources/memory/disableOOMKiller",
	  "true or false is wanted" },
	{ RES("'memory':{'useHierarchy':'1'}"), "/linux/resources/memory/useHierarchy", "true or" },
	{ RES("'memory':{'checkBeforeUpdate':1}"), "/linux/resources/memory/checkBeforeUpdate",
	  "true or false is wanted" },
	{ RES("'cpu':[]"), "/linux/resources/cpu", "an object is wanted" },
	{ RES("'cpu':{'shares':-1}"), "/linux/resources/cpu/shares", "-1 is below 0" },
	{ RES("'cpu':{'quota':-2}"), "/linux/resources/cpu/quota", "-2 is not between" },
	{ RES("'cpu':{'burst':-1}"), "/linux/resources/cpu/burst", "-1 is below 0" },
	{ RES("'cpu':{'period':'1'}"), "/linux/resources/cpu/period", "an integer is wanted" },
	{ RES("'cpu':{'realtimeRuntime':-2}"), "/linux/resources/cpu/realtimeRuntime",
	  "-2 is not" },
	{ RES("'cpu':{'realtimePeriod':-1}"), "/linux/resources/cpu/realtimePeriod",
	  "-1 is below" },
	{ RES("'cpu':{'cpus':0}"), "/linux/resources/cpu/cpus", "a string is wanted" },
	{ RES("'cpu':{'cpus':'0,,1'}"), "/linux/resources/cpu/cpus", "\"0,,1\" is not a list" },
	{ RES("'cpu':{'cpus':'8192'}"), "/linux/resources/cpu/cpus", "\"8192\" is not a list" },
	{ RES("'cpu':{'mems':'0 1'}"), "/linux/resources/cpu/mems", "\"0 1\" is not a list" },
	{ RES("'cpu':{'mems':'-1'}"), "/linux/resources/cpu/mems", "\"-1\" is not a list" },
	{ RES("'cpu':{'mems':'0-1-2'}"), "/linux/resources/cpu/mems", "\"0-1-2\" is not a list" },
	{ RES("'cpu':{'idle':2}"), "/linux/resources/cpu/idle", "2 is not between 0 and 1" },
	{ RES("'pids':5"), "/linux/resources/pids", "an object is wanted" },
	{ RES("'pids':{'limit':'max'}"), "/linux/resources/pids/limit", "an integer is wanted" },
	{ RES("'blockIO':{'weight':65536}"), "/linux/resources/blockIO/weight", "65536 is above" },
	{ RES("'blockIO':{'leafWeight':-1}"), "/linux/resources/blockIO/leafWeight",
	  "-1 is below" },
	{ RES("'blockIO':{'weightDevice':[{'minor':0,'weight':1}]}"),
	  "/linux/resources/blockIO/weightDevice/0/major", "an integer is missing" },
	{ RES("'blockIO':{'weightDevice':[{'major':8,'minor':0}]}"),
	  "/linux/resources/blockIO/weightDevice/0", "weight, leafWeight or both are missing" },
	{ RES("'blockIO':{'throttleReadBpsDevice':[{'major':8,'minor':0}]}"),
	  "/linux/resources/blockIO/throttleReadBpsDevice/0/rate", "an integer is missing" },
	{ RES("'blockIO':{'throttleWriteBpsDevice':[{'major':8,'rate':1}]}"),
	  "/linux/resources/blockIO/throttleWriteBpsDevice/0/minor", "an integer is missing" },
	{ RES("'blockIO':{'throttleReadIOPSDevice':[{'major':8,'minor':0,'rate':-1}]}"),
	  "/linux/resources/blockIO/throttleReadIOPSDevice/0/rate", "-1 is below 0" },
	{ RES("'blockIO':{'throttleWriteIOPSDevice':{}}"),
	  "/linux/resources/blockIO/throttleWriteIOPSDevice", "an array is wanted" },
	{ RES("'hugepageLimits':[{'limit':1}]"), "/linux/resources/hugepageLimits/0/pageSize",
	  "a string is missing" },
	{ RES("'hugepageLimits':[{'pageSize':'2MB'}]"), "/linux/resources/hugepageLimits/0/limit",
	  "an integer is missing" },
	{ RES("'hugepageLimits':[{'pageSize':'2M','limit':1}]"),
	  "/linux/resources/hugepageLimits/0/pageSize", "\"2M\" is not a page size" },
	{ RES("'hugepageLimits':[{'pageSize':'../2MB','limit':1}]"),
	  "/linux/resources/hugepageLimits/0/pageSize", "\"../2MB\" is not a page size" },
	{ RES("'hugepageLimits':[{'pageSize':'02MB','limit':1}]"),
	  "/linux/resources/hugepageLimits/0/pageSize", "\"02MB\" is not a page size" },
	{ RES("'network':{'classID':4294967296}"), "/linux/resources/network/classID",
	  "4294967296 is above" },
	{ RES("'network':{'priorities':[{'priority':1}]}"),
	  "/linux/resources/network/priorities/0/name", "a string is missing" },
	{ RES("'network':{'priorities':[{'name':'a b','priority':1}]}"),
	  "/linux/resources/network/priorities/0/name", "\"a b\" can't name" },
	{ RES("'network':{'priorities':[{'name':'a','priority':4294967296}]}"),
	  "/linux/resources/network/priorities/0/priority", "4294967296 is above" },
	{ RES("'rdma':{'mlx':{}}"), "/linux/resources/rdma/mlx", "hcaHandles, hcaObjects or both" },
	{ RES("'rdma':{'mlx':{'hcaHandles':-1}}"), "/linux/resources/rdma/mlx/hcaHandles", "-1 i" },
	{ RES("'rdma':{'':{'hcaHandles':1}}"), "/linux/resources/rdma/", "this can't name" },
	{ RES("'rdma':{'a b':{'hcaObjects':1}}"), "/linux/resources/rdma/a b", "this can't name" },
	{ RES("'unified':{'memory.max':1}"), "/linux/resources/unified/memory.max", "a string is" },
	{ RES("'unified':{'..':'1'}"), "/linux/resources/unified/..", "this can't name a file" },
	{ RES("'unified':{'a/b':'1'}"), "/linux/resources/unified/a/b", "this can't name a file" },
	{ RES("'unified':{'':'1'}"), "/linux/resources/unified/", "this can't name a file" },
	{ RULE(""), "/linux/resources/devices/0/allow", "true or false is missing" },
	{ RULE("'allow':1"), "/linux/resources/devices/0/allow", "true or false is wanted" },
	{ RULE("'allow':true,'type':'d'"), "/linux/resources/devices/0/type",
	  "\"d\" is no type of device" },
	{ RULE("'allow':true,'major':-2"), "/linux/resources/devices/0/major", "-2 is not" },
	{ RULE("'allow':true,'minor':4294967296"), "/linux/resources/devices/0/minor",
	  "4294967296 is not between" },
	{ RULE("'allow':true,'access':'rwx'"), "/linux/resources/devices/0/access",
	  "\"rwx\" is not made of r, w and m" },
	{ RULE("'allow':true,'access':['r']"), "/linux/resources/devices/0/access", "a string is" },
};

static void check_refusals(const struct refusal *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		auto_arena struct nook_arena a = { 0 };
		struct nook_bundle b, untouched;
		struct nook_error err = { 0 };

		memset(&b, 0x5a, sizeof(b));
		untouched = b;
		assert_int_equal(nook_arena_init(&a), 0);
		if (parse(&a, rows[i].json, &b, &err) != -EINVAL)
			fail_msg("taken: %s", rows[i].json);
		assert_int_equal(err.errnum, EINVAL);
		assert_string_equal(err.where, rows[i].place);
		if (strncmp(err.why, rows[i].why, strlen(rows[i].why)) != 0)
			fail_msg("%s: %s", rows[i].json, err.why);
		assert_memory_equal(&b, &untouched, sizeof(b));
	}
}

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

static void test_linux(void **state)
{
	check_refusals(linux_members, ARRAY_SIZE(linux_members));
}

static void test_resources(void **state)
{
	check_refusals(resources, ARRAY_SIZE(resources));
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
		cmocka_unit_test(test_process),   cmocka_unit_test(test_schedule),
		cmocka_unit_test(test_files),     cmocka_unit_test(test_linux),
		cmocka_unit_test(test_resources), cmocka_unit_test(test_document),
		cmocka_unit_test(test_taken),     cmocka_unit_test(test_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
