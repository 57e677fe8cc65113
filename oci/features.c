/* SPDX-License-Identifier: Apache-2.0 */
/* What this runtime can do, on whatever host: runtime-spec, features.md and features-linux.md. */
#include "oci.h"

#include "base/json.h"
#include "base/own.h"
#include "sys/names.h"

#include <ctype.h>
#include <string.h>

#define OCI_SECCOMP_ARCHS                                                                          \
	"SCMP_ARCH_AARCH64 SCMP_ARCH_ARM SCMP_ARCH_LOONGARCH64 SCMP_ARCH_M68K SCMP_ARCH_MIPS "     \
	"SCMP_ARCH_MIPS64 SCMP_ARCH_MIPS64N32 SCMP_ARCH_MIPSEL SCMP_ARCH_MIPSEL64 "                \
	"SCMP_ARCH_MIPSEL64N32 SCMP_ARCH_PARISC SCMP_ARCH_PARISC64 SCMP_ARCH_PPC "                 \
	"SCMP_ARCH_PPC64 SCMP_ARCH_PPC64LE SCMP_ARCH_RISCV64 SCMP_ARCH_S390 SCMP_ARCH_S390X "      \
	"SCMP_ARCH_SH SCMP_ARCH_SHEB SCMP_ARCH_X32 SCMP_ARCH_X86 SCMP_ARCH_X86_64"

#define OCI_MOUNT_OPTIONS                                                                          \
	"acl async atime bind defaults dev diratime dirsync exec idmap iversion lazytime loud "    \
	"mand "                                                                                    \
	"noacl noatime nodev nodiratime noexec noiversion nolazytime nomand norelatime "           \
	"nostrictatime nosuid nosymfollow private ratime rbind rdev rdiratime relatime remount "   \
	"rexec ridmap rnoatime rnodev rnodiratime rnoexec rnorelatime rnostrictatime rnosuid "     \
	"rnosymfollow ro rprivate rrelatime rro rrw rshared rslave rstrictatime rsuid rsymfollow " \
	"runbindable rw shared silent slave strictatime suid symfollow sync tmpcopyup unbindable"

static void put_list(struct nook_json_writer *w, const char *key, const char *words)
{
	nook_json_array(w, key);
	while (*words) {
		size_t len = strcspn(words, " ");
		char word[64];

		if (len < sizeof(word)) {
			memcpy(word, words, len);
			word[len] = '\0';
			nook_json_put_text(w, NULL, word);
		}
		words += len + (words[len] == ' ');
	}
	nook_json_end(w);
}

static void put_enabled(struct nook_json_writer *w, const char *key)
{
	nook_json_object(w, key);
	nook_json_put_bool(w, "enabled", true);
	nook_json_end(w);
}

/* "CAP_NET_ADMIN" */
static void put_capabilities(struct nook_json_writer *w)
{
	const char *words = nook_cap_words;

	nook_json_array(w, "capabilities");
	while (*words) {
		char name[48] = "CAP_";
		size_t len = 4;

		for (; *words && *words != ' '; words++) {
			if (len + 1 < sizeof(name))
				name[len++] = (char)toupper((unsigned char)*words);
		}
		name[len] = '\0';
		nook_json_put_text(w, NULL, name);
		words += *words == ' ';
	}
	nook_json_end(w);
}

static void put_cgroup(struct nook_json_writer *w)
{
	static const char *const can[] = { "v1", "v2", "systemd", "systemdUser", "rdma" };

	nook_json_object(w, "cgroup");
	for (size_t i = 0; i < ARRAY_SIZE(can); i++)
		nook_json_put_bool(w, can[i], true);
	nook_json_end(w);
}

static void put_seccomp(struct nook_json_writer *w)
{
	nook_json_object(w, "seccomp");
	nook_json_put_bool(w, "enabled", true);
	put_list(w, "actions",
		 "SCMP_ACT_ALLOW SCMP_ACT_ERRNO SCMP_ACT_KILL SCMP_ACT_KILL_PROCESS "
		 "SCMP_ACT_KILL_THREAD SCMP_ACT_LOG SCMP_ACT_NOTIFY SCMP_ACT_TRACE SCMP_ACT_TRAP");
	put_list(w, "operators",
		 "SCMP_CMP_EQ SCMP_CMP_GE SCMP_CMP_GT SCMP_CMP_LE SCMP_CMP_LT SCMP_CMP_MASKED_EQ "
		 "SCMP_CMP_NE");
	put_list(w, "archs", OCI_SECCOMP_ARCHS);
	put_list(w, "knownFlags",
		 "SECCOMP_FILTER_FLAG_LOG SECCOMP_FILTER_FLAG_SPEC_ALLOW SECCOMP_FILTER_FLAG_TSYNC "
		 "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV");
	put_list(w, "supportedFlags",
		 "SECCOMP_FILTER_FLAG_LOG SECCOMP_FILTER_FLAG_SPEC_ALLOW SECCOMP_FILTER_FLAG_TSYNC "
		 "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV");
	nook_json_end(w);
}

static void put_linux(struct nook_json_writer *w)
{
	nook_json_object(w, "linux");
	put_list(w, "namespaces", "cgroup ipc mount network pid time user uts");
	put_capabilities(w);
	put_cgroup(w);
	put_seccomp(w);
	put_enabled(w, "apparmor");
	put_enabled(w, "selinux");

	nook_json_object(w, "intelRdt");
	nook_json_put_bool(w, "enabled", true);
	nook_json_put_bool(w, "schemata", true);
	nook_json_put_bool(w, "monitoring", true);
	nook_json_end(w);

	nook_json_object(w, "memoryPolicy");
	put_list(w, "modes",
		 "MPOL_DEFAULT MPOL_BIND MPOL_INTERLEAVE MPOL_WEIGHTED_INTERLEAVE MPOL_PREFERRED "
		 "MPOL_PREFERRED_MANY MPOL_LOCAL");
	put_list(w, "flags", "MPOL_F_NUMA_BALANCING MPOL_F_RELATIVE_NODES MPOL_F_STATIC_NODES");
	nook_json_end(w);

	nook_json_object(w, "mountExtensions");
	put_enabled(w, "idmap");
	nook_json_end(w);
	put_enabled(w, "netDevices");
	nook_json_end(w);
}

int oci_features(struct oci *o, const void *words)
{
	struct nook_json_writer w;
	const char *text;
	size_t len;

	(void)words;
	nook_json_to_arena(&w, o->arena, true);
	nook_json_object(&w, NULL);
	nook_json_put_text(&w, "ociVersionMin", "1.0.0");
	nook_json_put_text(&w, "ociVersionMax", OCI_SPEC_VERSION);
	put_list(&w, "hooks",
		 "prestart createRuntime createContainer startContainer poststart poststop");
	put_list(&w, "mountOptions", OCI_MOUNT_OPTIONS);
	put_linux(&w);
	nook_json_object(&w, "annotations");
	nook_json_put_text(&w, "io.github.nook.version", NOOK_VERSION);
	nook_json_end(&w);
	put_list(&w, "potentiallyUnsafeConfigAnnotations", "org.systemd.property. run.oci.");
	nook_json_end(&w);
	(void)nook_json_finish(&w, &text, &len); /* into memory: can't fail */
	return oci_print(o, text, len);
}
